package geotiff_test

import (
	"errors"
	"math"
	"reflect"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/geotiff/tifftest"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

// heapAllocs is how many bytes the program has allocated so far, to a few KiB.
func heapAllocs() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// FuzzMetadata reads GDAL_METADATA.
func FuzzMetadata(f *testing.F) {
	for _, text := range []string{
		`<GDALMetadata><Item name="a" sample="0" role="scale" domain="D">1&amp;lt;&amp;#176;</Item></GDALMetadata>`,
		"<GDALMetadata>" + strings.Repeat("<Item>", 20), "</Item>", "<GDALMetadata><Item name='a'><![CDATA[<b>]]></Item></GDALMetadata>",
		"<!DOCTYPE a [<!ENTITY b '&b;&b;'>]><GDALMetadata><Item name='a'>&b;</Item></GDALMetadata>",
		"<GDALMetadata><Item name=a sample=99999999999999999999>&#xD800;&amp;#xD800;</Item></GDALMetadata>",
		"<GDALMetadata><Item name=\"a\" sample=\"-1\">\u00b0&amp;</Item><!-- --><item/></gdalmetadata><GDALMetadata><Item name='b'>c",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			t.Skip() // Read makes it valid
		}
		before := heapAllocs()
		items, err := geotiff.ParseMetadata(text)
		if got := heapAllocs() - before; got > 1<<20+400*uint64(len(text)) {
			t.Fatalf("%d bytes allocated for a text of %d", got, len(text))
		}
		if err != nil && len(items) != 0 && len(items) != 8192 {
			t.Fatalf("%v beside %d items", err, len(items))
		}
		for _, m := range items {
			if m.Sample < -1 || m.Sample > 65535 || m.Value == "" || m.Sample < 0 && m.Role != "" ||
				!utf8.ValidString(m.Name+m.Domain+m.Role+m.Value) {
				t.Fatalf("item %+v", m)
			}
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, c := range tifftest.Broken() {
		if len(c.File) > 4096 {
			c.File = c.File[:4096] // the header of the files; the rest is pixels
		}
		f.Add([]byte(c.File), int64(len(c.File)))
	}
	for _, k := range kinds {
		r := tiffwrite.Raster{Width: 600, Height: 16, Tile: 16, Layout: tiffwrite.COG, Overviews: 2, Mask: true,
			BigTIFF: k.big, BigEndian: k.bigEndian, Tiepoints: make([]float64, 12), Description: "x",
			Metadata: `<GDALMetadata><Item name="a" sample="0" role="scale">1&amp;lt;</Item></GDALMetadata>`}
		b := bytesOf(f, r)
		f.Add(b, int64(1<<40))
	}
	for _, tags := range [][]tiffwrite.Tag{ // what comes of them is in the other tests
		{{ID: 262, Value: []uint16{3}}, {ID: 320, Value: make([]uint16, 768)}},
		{{ID: 262, Value: []uint16{5}}, {ID: 332, Value: []uint16{1}}, {ID: 338, Value: []uint16{2, 0}}},
		{{ID: 34264, Value: []float64{10, 2, 0, 500, 3, -20, 0, 900, 0, 0, 0, 0, 0, 0, 0, 1}}},
		{{ID: 33550, Value: []float64{1, -1, 0}}, {ID: 33922, Value: []float64{0, 0, 0, 1e308, -1e308, math.NaN()}}},
		{{ID: 34735, Value: []uint16{1, 1, 0, 3, 1024, 0, 1, 1, 1026, 34737, 9, 0, 2057, 34736, 1, 0}}, {ID: 34737, Value: "a|b|c|"},
			{ID: 34736, Value: []float64{6378137}}},
		{{ID: 254, Value: []uint32{1}}, {ID: 42113, Value: "-nan(ind)"}, {ID: 284, Value: []uint16{2}}},
	} {
		b := bytesOf(f, tiffwrite.Raster{Width: 3, Height: 2, Bands: 5, Overviews: 1, SubIFDs: true, Tags: tags})
		f.Add(b, int64(len(b)))
	}
	f.Fuzz(func(t *testing.T, b []byte, size int64) {
		r := &tifftest.Reader{Data: b}
		before := heapAllocs()
		h, err := geotiff.Read(r, size)
		if got := heapAllocs() - before; got > 8<<20 {
			t.Fatalf("%d bytes allocated", got)
		}
		if r.Reads > 6 || r.Bytes > 4<<20 {
			t.Fatalf("%d reads of %d bytes", r.Reads, r.Bytes)
		}
		if err != nil {
			if _, ok := errors.AsType[*geotiff.FormatError](err); !ok || h != nil {
				t.Fatalf("header %v, error %v", h, err)
			}
			return
		}
		if h.Width < 1 || h.Height < 1 || h.BlockWidth < 1 || h.BlockHeight < 1 || len(h.Bands) < 1 ||
			h.COG.Valid != (h.COG.Reason == "") || len(h.Warnings) > 32 {
			t.Fatalf("impossible header %+v", h)
		}
		if a := h.Transform; a != nil && (a.DX*a.DY == a.RX*a.RY || len(h.GCPs) > 0) {
			t.Fatalf("transform %v beside %d control points", *a, len(h.GCPs))
		}
		for _, band := range h.Bands {
			if band != h.Bands[0] && (band.DataType != h.Bands[0].DataType || band.Bits != h.Bands[0].Bits) || band.DataType == "" ||
				band.ColorInterp == "" {
				t.Fatalf("bands %v", h.Bands)
			}
		}
		if (h.Bands[0].NodataValue(h.Nodata) == nil) != (h.Nodata == "") {
			t.Fatalf("nodata %q", h.Nodata)
		}
		if !slices.IsSortedFunc(h.Overviews, func(a, b geotiff.Size) int { return int(b.Width*b.Height - a.Width*a.Height) }) {
			t.Fatalf("overviews %v", h.Overviews)
		}
		for _, o := range h.Overviews {
			if o.Width < 1 || o.Height < 1 {
				t.Fatalf("overview %v", o)
			}
		}
		if !validTexts(h) {
			t.Fatalf("invalid UTF-8 in %+v", h)
		}
		h2, err := geotiff.Read(&tifftest.Reader{Data: b}, size)
		if err != nil || !reflect.DeepEqual(withoutNaN(h2), withoutNaN(h)) {
			t.Fatalf("read again: %+v, %v", h2, err)
		}
	})
}

// withoutNaN is a header that can be compared: GeoKeys may hold what is no number.
func withoutNaN(h *geotiff.Header) geotiff.Header {
	out := *h
	if h.Geo != nil {
		keys := *h.Geo
		keys.Double = nil
		out.Geo = &keys
	}
	return out
}
