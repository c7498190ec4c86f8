package refresh

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
)

// listing makes a sorted listing of scenes, some with sidecars, some with a stem that goes on where another's ends.
func listing(n int) []listed {
	r := rand.New(rand.NewPCG(1, 2))
	var out []listed
	add := func(scene, suffix string, kind item.Kind) {
		out = append(out, listed{Object: objstore.Object{Key: scene + suffix, ETag: "1"}, scene: scene, kind: kind})
	}
	for i := range n {
		scene := fmt.Sprintf("d%02d/s%06d.", i%7, i)
		add(scene, "tif", item.Raster)
		if r.IntN(3) == 0 {
			add(scene, "aux.xml", item.Sidecar)
		}
		if r.IntN(3) == 0 {
			add(scene+"b.", "tif", item.Raster)
		}
		if r.IntN(9) == 0 {
			add(scene, "txt", item.Other)
		}
	}
	slices.SortFunc(out, func(a, b listed) int { return strings.Compare(a.Key, b.Key) })
	return out
}

func cutAll(t *testing.T, section objstore.Range, objs []listed) []cut {
	t.Helper()
	var cuts []cut
	c := newCutter(item.Collection{ID: "c"}, section, func(c cut) error { cuts = append(cuts, c); return nil })
	for _, o := range objs {
		if section.Contains(o.Key) {
			if err := c.add(o); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	return cuts
}

func TestCutsTileAndKeepScenesWhole(t *testing.T) {
	objs := listing(60_000)
	cuts := cutAll(t, everything, objs)
	if len(cuts) < 20 {
		t.Fatalf("%d cuts of %d objects; want one in about %d scenes", len(cuts), len(objs), shardScenes)
	}
	total, home := 0, map[string]int{}
	for i, c := range cuts {
		total += c.listed
		if i > 0 && c.keys.Start != cuts[i-1].keys.End || c.keys.Start >= c.keys.End && c.keys.End != "" {
			t.Fatalf("cut %d is %q, the one before ends at %q", i, c.keys, cuts[i-1].keys.End)
		}
		for _, o := range c.objects {
			if !c.keys.Contains(o.Key) {
				t.Fatalf("%s is in the cut %q", o.Key, c.keys)
			}
			home[o.Key] = i
		}
	}
	if total != len(objs) || cuts[0].keys.Start != "" || cuts[len(cuts)-1].keys.End != "" {
		t.Fatalf("cuts hold %d of %d objects, from %q to %q", total, len(objs), cuts[0].keys.Start, cuts[len(cuts)-1].keys.End)
	}
	scene := map[string]int{}
	for _, o := range objs {
		if o.kind == item.Other {
			continue
		}
		if i, ok := scene[o.scene]; ok && i != home[o.Key] {
			t.Fatalf("scene %s is in the cuts %d and %d", o.scene, i, home[o.Key])
		}
		scene[o.scene] = home[o.Key]
	}
}

// Cutting a part of the listing, between two boundaries, gives the same Shards as cutting all of it.
func TestCutsDependOnTheKeysAlone(t *testing.T) {
	objs := listing(60_000)
	all := cutAll(t, everything, objs)
	for i := range all {
		j := min(i+3, len(all)) - 1
		part := cutAll(t, objstore.Range{Start: all[i].keys.Start, End: all[j].keys.End}, objs)
		if len(part) != j-i+1 {
			t.Fatalf("cuts %d to %d alone give %d", i, j, len(part))
		}
		for k, c := range part {
			if c.keys != all[i+k].keys || !slices.Equal(c.objects, all[i+k].objects) {
				t.Fatalf("cut %d differs when made alone: %q, %q", i+k, c.keys, all[i+k].keys)
			}
		}
	}
	// One more scene changes one cut.
	more := append(slices.Clone(objs), listed{Object: objstore.Object{Key: "d03/s000500.zzz.tif"}, scene: "d03/s000500.zzz.", kind: item.Raster})
	slices.SortFunc(more, func(a, b listed) int { return strings.Compare(a.Key, b.Key) })
	same := 0
	for _, c := range cutAll(t, everything, more) {
		if slices.ContainsFunc(all, func(o cut) bool { return o.keys == c.keys && slices.Equal(o.objects, c.objects) }) {
			same++
		}
	}
	if same != len(all)-1 {
		t.Errorf("one added object left %d of %d cuts as they were", same, len(all))
	}
}

// A scene that could not be parted is not cut, even at a key where a Shard might start.
func TestCutNeverInsideAScene(t *testing.T) {
	for _, tt := range []struct{ scene, first, last string }{
		{"a.", "", "tif"}, {"a_", "+.tif", "B02.tif"}, {"d/a/", "+.tif", "B02.tif"}, {"d/", "+.tif", "x/../z.tif"},
	} {
		var inner string
		for i := 0; inner == ""; i++ {
			if s := fmt.Sprintf("%s%d.", tt.scene, i); startsShard(s) {
				inner = s
			}
		}
		objs := []listed{
			{Object: objstore.Object{Key: tt.scene + tt.first}, scene: tt.scene, kind: item.Sidecar},
			{Object: objstore.Object{Key: inner + "tif"}, scene: inner, kind: item.Raster},
			{Object: objstore.Object{Key: tt.scene + tt.last}, scene: tt.scene, kind: item.Raster},
		}
		if cuts := cutAll(t, everything, objs); len(cuts) != 1 || len(cuts[0].objects) != 3 {
			t.Errorf("scene %s was cut at %s: %+v", tt.scene, inner, cuts)
		}
		if cuts := cutAll(t, everything, objs[1:]); len(cuts) != 2 {
			t.Errorf("nothing to part, and yet no cut at %s: %+v", inner, cuts)
		}
	}
}

// A sidecar without a raster does not keep everything that sorts after it in one Shard.
func TestOrphanDoesNotSwallowTheListing(t *testing.T) {
	objs := []listed{{Object: objstore.Object{Key: "a.aux.xml"}, scene: "a.", kind: item.Sidecar}}
	for i := range 100_000 {
		scene := fmt.Sprintf("a.b%08d.", i)
		objs = append(objs, listed{Object: objstore.Object{Key: scene + "tif"}, scene: scene, kind: item.Raster})
	}
	for _, c := range cutAll(t, everything, objs) {
		if len(c.objects) > maxHeld+8*shardScenes {
			t.Errorf("a cut holds %d objects", len(c.objects))
		}
	}
}
