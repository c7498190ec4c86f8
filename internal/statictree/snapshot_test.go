package statictree

import (
	"context"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// publish makes a real Snapshot of what a fakeView holds.
func publish(t *testing.T, s objstore.Store, v *fakeView) {
	t.Helper()
	m := *v.manifest
	m.Format, m.Run = snapshot.Format, "run"
	m.Rows = nil
	for i, row := range v.manifest.Rows {
		scene := snapshot.Scene{Key: row.Hash + ".", Items: v.parts[row.Hash]}
		scene.Objects = []snapshot.Object{{Object: objstore.Object{Key: row.Hash + ".tif"}, Role: snapshot.Asset}}
		body, made, err := snapshot.EncodePart([]snapshot.Scene{scene})
		if err != nil {
			t.Fatal(err)
		}
		made.Collection, made.Part = row.Collection, snapshot.PartKey(row.Collection, m.Fence, made.Hash)
		made.Start, made.End = string(rune('a'+i)), string(rune('b'+i))
		if _, err := s.Put(t.Context(), made.Part, body, objstore.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		m.Rows = append(m.Rows, made)
	}
	if _, err := snapshot.Claim(t.Context(), s, m.Fence, m.Run); err != nil {
		t.Fatal(err)
	}
	if _, err := snapshot.Publish(t.Context(), s, m); err != nil {
		t.Fatal(err)
	}
}

// The tree follows real Snapshots as it does those of the other tests.
func TestFollowsSnapshots(t *testing.T) {
	kept, trees := memstore.New(), memstore.New()
	one := view(t, 1, part{"a", "a1", []string{"x", "y"}}, part{"b", "b1", []string{"x"}})
	two := view(t, 2, part{"a", "a2", []string{"y=new", "z"}}, part{"b", "b1", []string{"x"}})
	opt := Options{Mode: Items, Previous: func(ctx context.Context, fence uint64) (View, error) {
		return snapshot.OpenAt(ctx, kept, fence, nil)
	}}
	for i, v := range []*fakeView{one, two} {
		publish(t, kept, v)
		r, err := snapshot.Open(t.Context(), kept, nil)
		if err != nil {
			t.Fatal(err)
		}
		stats := write1(t, trees, r, opt)
		checkSame(t, files(t, trees), fresh(t, v, Items))
		if want := []Stats{{Written: 6, Whole: true}, {Written: 3, Deleted: 1}}[i]; stats.Written != want.Written ||
			stats.Deleted != want.Deleted || stats.Whole != want.Whole {
			t.Errorf("%+v, want %+v", stats, want)
		}
	}
}
