package stac_test

import (
	"testing"

	"github.com/cairn-stac/cairn/internal/stac"
)

// Each Item is written once and read about as often, so what that allocates is kept in sight. The bounds are a little above
// what it takes.
func TestAllocations(t *testing.T) {
	it := sample(0)
	data := line(t, it)
	links := []stac.Link{{Rel: "root", Href: "../../../catalog.json", Type: stac.TypeJSON}, {Rel: "parent", Href: "../collection.json"}}
	var s stac.Summary
	for _, tt := range []struct {
		what string
		most float64
		f    func()
	}{
		{"Line", 45, func() { _, _ = it.Line() }},
		{"DecodeItem", 110, func() { _, _ = stac.DecodeItem(data) }},
		{"WithLinks", 1, func() { stac.WithLinks(data, links) }},
		{"Summary.Add", 30, func() { s.Add(it) }},
	} {
		if got := testing.AllocsPerRun(100, tt.f); got > tt.most {
			t.Errorf("%s: %v allocations, at most %v are meant", tt.what, got, tt.most)
		}
	}
}
