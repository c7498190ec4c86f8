package statictree

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
	"github.com/cairn-stac/cairn/internal/stac"
)

var _ View = (*snapshot.Reader)(nil)

// A fakeView is a Snapshot in memory.
type fakeView struct {
	manifest *snapshot.Manifest
	parts    map[string][]snapshot.Item // by hash
	read     []string                   // hashes of the Parts that were read
	fail     map[string]error           // by hash, after the first Item
}

func (v *fakeView) Manifest() *snapshot.Manifest { return v.manifest }

func (v *fakeView) Items(ctx context.Context, row snapshot.Row) iter.Seq2[snapshot.Item, error] {
	return func(yield func(snapshot.Item, error) bool) {
		v.read = append(v.read, row.Hash)
		for i, it := range v.parts[row.Hash] {
			err := ctx.Err()
			if i > 0 {
				err = cmp.Or(err, v.fail[row.Hash])
			}
			if !yield(it, err) || err != nil {
				return
			}
		}
	}
}

// A part of a Collection: a name, which is its hash, and the Items in it as "id" or "id=what is in it".
type part struct {
	collection, name string
	items            []string
}

func itemOf(t testing.TB, collection, spec string) (*stac.Item, snapshot.Item) {
	t.Helper()
	id, what, _ := cutSpec(spec)
	it := &stac.Item{
		ID: id, Collection: collection, BBox: []float64{1, 2, 3, 4},
		Geometry:   &stac.Geometry{Polygons: [][][][2]float64{{{{1, 2}, {3, 2}, {3, 4}, {1, 4}, {1, 2}}}}},
		Properties: map[string]any{"datetime": "2024-01-31T00:00:00Z", "title": what},
		Assets:     map[string]stac.Asset{"data": {Href: "file:///rasters/" + id + ".tif", Type: stac.TypeCOG, Roles: []string{"data"}}},
	}
	line, err := it.Line()
	if err != nil {
		t.Fatal(err)
	}
	return it, snapshot.Item{ID: id, JSON: line}
}

func cutSpec(spec string) (id, what string, ok bool) {
	for i := range spec {
		if spec[i] == '=' {
			return spec[:i], spec[i+1:], true
		}
	}
	return spec, "", false
}

// view makes a Snapshot of parts.
func view(t testing.TB, fence uint64, parts ...part) *fakeView {
	t.Helper()
	v := &fakeView{
		manifest: &snapshot.Manifest{Fence: fence, Source: "file:///data/my rasters", Title: "Rasters", Description: "All of them"},
		parts:    map[string][]snapshot.Item{}, fail: map[string]error{},
	}
	sums := map[string]*stac.Summary{}
	for _, p := range parts {
		if sums[p.collection] == nil {
			sums[p.collection] = &stac.Summary{}
		}
		for _, spec := range p.items {
			it, stored := itemOf(t, p.collection, spec)
			v.parts[p.name] = append(v.parts[p.name], stored)
			sums[p.collection].Add(it)
		}
		v.manifest.Rows = append(v.manifest.Rows, snapshot.Row{
			Collection: p.collection, Hash: p.name, Part: p.name, Counts: snapshot.Counts{Items: len(p.items)},
		})
	}
	for id, s := range sums {
		c := stac.Collection{ID: id, Title: "Collection " + id, Description: "Rasters of " + id, License: "CC0-1.0"}
		s.Apply(&c)
		v.manifest.Collections = append(v.manifest.Collections, c)
	}
	slices.SortFunc(v.manifest.Collections, func(a, b stac.Collection) int { return cmp.Compare(a.ID, b.ID) })
	return v
}

// many are n Items with ids that are in order.
func many(n int) []string {
	s := make([]string, n)
	for i := range s {
		s[i] = fmt.Sprintf("scene-%05d", i)
	}
	return s
}

// knowing opens the Views that it is given.
func knowing(views ...*fakeView) func(context.Context, uint64) (View, error) {
	return func(_ context.Context, fence uint64) (View, error) {
		for _, v := range views {
			if v.manifest.Fence == fence {
				return v, nil
			}
		}
		return nil, errors.New("no longer kept")
	}
}

// files are those of a tree, without the marker.
func files(t testing.TB, s objstore.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	for o, err := range s.List(context.Background(), objstore.Range{}) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Key == MarkerKey {
			continue
		}
		body, _, err := s.Get(context.Background(), o.Key, 0, -1, "")
		if err != nil {
			t.Fatal(err)
		}
		all[o.Key] = string(body)
	}
	return all
}
