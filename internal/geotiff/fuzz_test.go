package geotiff_test

import (
	"errors"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/geotiff/tifftest"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

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
	f.Fuzz(func(t *testing.T, b []byte, size int64) {
		r := &tifftest.Reader{Data: b}
		h, err := geotiff.Read(r, size)
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
		for _, o := range h.Overviews {
			if o.Width < 1 || o.Height < 1 {
				t.Fatalf("overview %v", o)
			}
		}
		if !validTexts(h) {
			t.Fatalf("invalid UTF-8 in %+v", h)
		}
		if h2, err := geotiff.Read(&tifftest.Reader{Data: b}, size); err != nil || h2.Width != h.Width ||
			len(h2.Warnings) != len(h.Warnings) || len(h2.Overviews) != len(h.Overviews) {
			t.Fatalf("read again: %+v, %v", h2, err)
		}
	})
}
