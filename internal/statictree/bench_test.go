package statictree

import (
	"context"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/dirstore"
)

// The first tree of a Catalog of 1,000 Items, in a folder.
func BenchmarkWrite1000(b *testing.B) {
	v := view(b, 1, part{"a", "a1", many(1000)})
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		s, err := dirstore.Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		write1(b, s, v, Options{Mode: Items})
	}
}

// One Item of 10,000 changed.
func BenchmarkWriteOneOf10000(b *testing.B) {
	items := many(10_000)
	var parts []part
	for i := range 5 {
		parts = append(parts, part{"a", string(rune('a' + i)), items[2000*i : 2000*(i+1)]})
	}
	old := view(b, 1, parts...)
	items[0] += "=new"
	parts[0].name = "new"
	now := view(b, 2, parts...)
	s, err := dirstore.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	write1(b, s, old, Options{Mode: Items})
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		if _, err := s.Put(context.Background(), MarkerKey, []byte(`{"layout":1,"fence":1,"mode":"items"}`), objstore.PutOptions{}); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		write1(b, s, now, Options{Mode: Items, Previous: knowing(old)})
	}
}
