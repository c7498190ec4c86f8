package refresh_test

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/stac"
)

// bands fills the Source with two scenes, a folder that is one, and what lies between their files.
func (r *rig) bands() {
	for _, key := range []string{
		"a/T33UVP_20210101T101411_B02.tif", "a/T33UVP_20210101T101411_B03.tif", "a/T33UVP_20210101T101411_TCI.tif",
		"a/T33UVP_20210101T101411_Z.tif", // a raster of its own, between the scene's files
		"a/x_B1.tif", "a/x_B2.tif",
		"b/S2A_36QWD_20200701_0_L2A/B02.tif", "b/S2A_36QWD_20200701_0_L2A/TCI.tif", "b/S2A_36QWD_20200701_0_L2A/D/other.tif",
	} {
		r.put(key, raster(1))
	}
	r.put("a/T33UVP_20210101T101411_B02.tif.ovr", []byte("x"))
	r.put("a/T33UVP_20210101T101411_PVI.jpg", []byte("a picture"))
	r.put("a/x_B3.tif", []byte("broken"))
	r.put("a/alone.jpg", []byte("of nothing here"))
	r.put("b/S2A_36QWD_20200701_0_L2A/thumbnail.jpg", []byte("a picture"))
}

// TestBandsOfAScene holds that each Object counts once however many are in an Item, and that a change of one reads its scene
// again and nothing else.
func TestBandsOfAScene(t *testing.T) {
	r := newRig(t)
	r.bands()
	run, opened := r.refresh(incremental)
	want := refresh.Counts{Objects: 14, Assets: 9, Sidecars: 3, Rejects: 1, Ignored: 1, Scanned: 13, Items: 5, Added: 5, Collections: 2}
	if run.Counts != want || len(opened) != 10 {
		t.Errorf("first: %s, opened %v\nwant   %s", show(run.Counts), opened, show(want))
	}
	items := r.published()
	ids := keysOf(items)
	for i, prefix := range []string{"a/T33UVP_20210101T101411", "a/T33UVP_20210101T101411_Z", "a/x-", "b/S2A_36QWD_20200701_0_L2A", "b/S2A_36QWD_20200701_0_L2A-D-other-"} {
		if i >= len(ids) || !strings.HasPrefix(ids[i], prefix) {
			t.Fatalf("ids are %v", ids)
		}
	}
	scene, err := stac.DecodeItem([]byte(items[ids[0]]))
	if err != nil || fmt.Sprint(keysOf(scene.Assets)) != "[B02 B03 TCI thumbnail]" {
		t.Errorf("the scene's assets are %v, %v", keysOf(scene.Assets), err)
	}
	r.checkTree()
	if run, opened = r.refresh(incremental); len(opened) != 0 || run.Counts.Unchanged != 13 {
		t.Errorf("unchanged: %s, opened %v", show(run.Counts), opened)
	}

	// One more band, told by its key.
	r.put("a/x_B4.tif", raster(1))
	run, opened = r.refresh(refresh.Scope{Keys: []string{"a/x_B4.tif"}})
	if fmt.Sprint(opened) != "[a/x_B1.tif a/x_B2.tif a/x_B3.tif a/x_B4.tif]" || run.Counts.Updated != 1 || run.Counts.Items != 5 {
		t.Errorf("a new band: %s, opened %v", show(run.Counts), opened)
	}
	// One less, in a folder that is a scene.
	r.remove("b/S2A_36QWD_20200701_0_L2A/TCI.tif")
	run, opened = r.refresh(refresh.Scope{Keys: []string{"b/S2A_36QWD_20200701_0_L2A/TCI.tif"}})
	if fmt.Sprint(opened) != "[b/S2A_36QWD_20200701_0_L2A/B02.tif]" || run.Counts.Updated != 1 || run.Counts.Items != 5 {
		t.Errorf("a band less: %s, opened %v", show(run.Counts), opened)
	}
	// A whole listing finds nothing else.
	if run, opened = r.refresh(incremental); len(opened) != 0 || run.Counts.Items != 5 {
		t.Errorf("after partial runs: %s, opened %v", show(run.Counts), opened)
	}
	// All gone but a picture.
	for _, key := range []string{"B02", "B03", "TCI"} {
		r.remove("a/T33UVP_20210101T101411_" + key + ".tif")
	}
	if run, _ = r.refresh(incremental); run.Counts.Items != 4 || run.Counts.Removed != 1 || run.Counts.Ignored != 3 {
		t.Errorf("without its bands: %s", show(run.Counts))
	}
	r.checkTree()
}

// A band that vanishes while its scene is read is left out, and counts as vanished.
func TestABandVanishes(t *testing.T) {
	r := newRig(t)
	r.bands()
	gone := false
	p := r.startOver(&hook{Store: r.source, before: func(key string) {
		if key == "a/x_B1.tif" && !gone {
			gone = true
			r.remove("a/x_B2.tif")
		}
	}}, r.catalog)
	run, err := p.run(context.Background(), incremental)
	if err != nil || run.Counts.Vanished != 1 || run.Counts.Items != 5 {
		t.Errorf("%s, %v", show(run.Counts), err)
	}
	if c := run.Counts; c.Assets+c.Sidecars+c.Rejects+c.Ignored+c.Vanished != c.Objects {
		t.Errorf("counts do not add up: %s", show(c))
	}
}

// A sidecar that may not be read is tried again by each Run, although nothing about it changes.
func TestADeniedSidecar(t *testing.T) {
	r := newRig(t)
	r.put("a/x.tif", raster(1))
	r.put("a/x.tif.aux.xml", []byte("<PAMDataset><SRS>EPSG:32631</SRS></PAMDataset>"))
	r.put("a/y.tif", raster(1))
	for range 2 {
		p := r.start()
		p.source.Set(faultstore.Match{Op: faultstore.Get, Key: "a/x.tif.aux.xml"}, faultstore.Fault{Err: fs.ErrPermission})
		if run, err := p.run(context.Background(), incremental); err != nil || run.Counts.Items != 2 || run.Counts.Rejects != 1 || run.Counts.Sidecars != 0 {
			t.Fatalf("%s, %v", show(run), err)
		}
	}
	run, opened := r.refresh(incremental)
	if fmt.Sprint(opened) != "[a/x.tif a/x.tif.aux.xml]" || run.Counts.Updated != 1 || run.Counts.Rejects != 0 || run.Counts.Sidecars != 1 ||
		!strings.Contains(r.published()["a/x"], "EPSG:32631") {
		t.Errorf("allowed again: opened %v, %s, items %v", opened, show(run.Counts), keysOf(r.published()))
	}
}

// A hook tells of each read of a Store.
type hook struct {
	objstore.Store
	before func(key string)
}

func (h *hook) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	if n > 0 {
		h.before(key)
	}
	return h.Store.Get(ctx, key, off, n, ifMatch)
}

// Items without a place are published, listed and drawn like others.
func TestItemsWithoutAFootprint(t *testing.T) {
	r := newRig(t)
	if _, err := r.catalog.Put(context.Background(), "cairn.yaml", []byte("without_footprint: item\n"), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	nowhere := slices.Concat(raster(1))
	// The GeoKeyDirectory's tag becomes one that nobody knows.
	i := strings.Index(string(nowhere), "\xaf\x87")
	nowhere[i], nowhere[i+1] = 0xfe, 0xff
	r.put("a/nowhere.tif", nowhere)
	run, _ := r.refresh(incremental)
	if run.Counts.Items != 1 || run.Counts.Rejects != 0 {
		t.Fatalf("alone: %s", show(run.Counts))
	}
	r.checkTree()
	r.put("a/here.tif", raster(1))
	if run, _ = r.refresh(incremental); run.Counts.Items != 2 {
		t.Errorf("beside one with a place: %s", show(run.Counts))
	}
	for id, line := range r.published() {
		if strings.Contains(line, `"geometry":null`) != strings.Contains(id, "nowhere") {
			t.Errorf("%s is %s", id, line)
		}
	}
	r.checkTree()
}
