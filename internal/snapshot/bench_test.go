package snapshot

import (
	"encoding/json"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
)

func BenchmarkEncodePart2048(b *testing.B) {
	scenes := makeScenes("c", 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		body, row, err := EncodePart(scenes)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(row.Counts.Items * len(scenes[0].Items[0].JSON)))
		x, rest, err := row.decodeIndex(body[row.Index:])
		if err != nil {
			b.Fatal(err)
		}
		n := float64(x.len())
		b.ReportMetric(float64(row.Size-row.Index-int64(len(rest)))/n, "index-B/item")
		b.ReportMetric(float64(len(rest))/n, "scenes-B/item")
		b.ReportMetric(float64(row.Index)/n, "lines-B/item")
	}
}

func BenchmarkReadPart2048(b *testing.B) {
	s := newStore()
	row := putPart(b, s, "c", 1, makeScenes("c", 0, 2048))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadPart(b.Context(), s, row); err != nil {
			b.Fatal(err)
		}
	}
}

func benchReader(b *testing.B, parts int) *Reader {
	s := newStore()
	m := Manifest{Format: Format, Fence: 1, Run: "r"}
	for i := range parts {
		m.Rows = append(m.Rows, putPart(b, s, "c", 1, makeScenes("c", i*2048, 2048)))
	}
	return &Reader{store: s, cache: NewCache(DefaultCache), manifest: &m}
}

func benchPage(b *testing.B, q Query) {
	r := benchReader(b, 10)
	b.ReportAllocs()
	for b.Loop() {
		p, err := r.Page(b.Context(), q)
		if err != nil || len(p.Lines) != 100 {
			b.Fatal(len(p.Lines), err)
		}
	}
}

func BenchmarkPage100(b *testing.B) { benchPage(b, Query{Limit: 100, After: Position{3, 77}}) }

func BenchmarkPage100BBoxTime(b *testing.B) {
	start := day
	benchPage(b, Query{Limit: 100, BBox: &[4]float64{5, 40, 30, 60}, Start: &start})
}

func BenchmarkOneItem(b *testing.B) {
	r := benchReader(b, 10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Item(b.Context(), "c", "tile_0009999"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkManifest500Rows(b *testing.B) {
	s := newStore()
	row := putPart(b, s, "c", 1, makeScenes("c", 0, 2048))
	m := Manifest{Format: Format, Fence: 1, Run: "r"}
	for range 500 {
		m.Rows = append(m.Rows, row)
	}
	body, err := json.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.Put(b.Context(), ManifestKey(1), body, objstore.PutOptions{}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ReportMetric(float64(len(body)), "B")
	b.ReportMetric(float64(len(encoder().EncodeAll(body, nil))), "zstd-B")
	for b.Loop() {
		if _, err := ReadManifest(b.Context(), s, 1); err != nil {
			b.Fatal(err)
		}
	}
}
