package geotiff_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/geotiff/tifftest"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

// scene is a COG as imagery providers make them: a named UTM zone, a nodata value and overviews. Its pixels are sparse.
func scene(edge, tile, overviews int) tiffwrite.Raster {
	r := tiffwrite.Raster{
		Width: edge, Height: edge, DataType: "uint16", Tile: tile, Overviews: overviews, Layout: tiffwrite.COG,
		Keys: append(tiffwrite.Projected(32633), tiffwrite.Key{ID: 1026, Value: "WGS 84 / UTM zone 33N"},
			tiffwrite.Key{ID: 2049, Value: "WGS 84"}, tiffwrite.Key{ID: 2054, Value: uint16(9102)},
			tiffwrite.Key{ID: 3076, Value: uint16(9001)}),
		Nodata: "0",
	}
	r.NorthUp(499980, 5000040, 10, 10)
	return r
}

// manyTiles has 153,664 tiles in its full image alone: 1.2 MB of offsets and sizes.
func manyTiles() tiffwrite.Raster {
	r := scene(392*64, 64, 4)
	r.BigTIFF = true
	return r
}

func TestReads(t *testing.T) {
	far := make([]byte, 3<<20)
	for _, c := range []struct {
		name     string
		raster   tiffwrite.Raster
		reads    int
		bytes    int64
		warnings int
	}{
		{"COG", scene(10980, 512, 4), 1, 32 << 10, 0},
		{"COG of 153,664 tiles", manyTiles(), 1, 32 << 10, 0},
		{"small file", tiffwrite.Raster{Width: 10, Height: 10, Value: gradient, Layout: tiffwrite.IFDsLast}, 1, 1 << 10, 0},
		{"IFD at the end", func() tiffwrite.Raster {
			r := scene(400, 0, 0)
			r.Layout, r.Value = tiffwrite.IFDsLast, gradient
			return r
		}(), 2, 48 << 10, 0},
		{"IFDs at the end, with overviews", func() tiffwrite.Raster {
			r := scene(400, 64, 3)
			r.Layout, r.Value, r.Metadata = tiffwrite.IFDsLast, gradient, "<GDALMetadata/>"
			return r
		}(), 2, 48 << 10, 0},
		{"IFD at the end, its values far behind", func() tiffwrite.Raster {
			r := scene(400, 0, 0)
			r.Layout, r.Value = tiffwrite.IFDsLast, gradient
			r.Tags = []tiffwrite.Tag{{ID: 300, Value: far[:20<<10]}} // between the bands' and the texts
			return r
		}(), 3, 49 << 10, 0},
		{"BigTIFF, IFDs at the end", func() tiffwrite.Raster {
			r := scene(400, 64, 3)
			r.BigTIFF, r.Layout, r.Value = true, tiffwrite.IFDsLast, gradient
			return r
		}(), 2, 48 << 10, 0},
		{"2,000 bands", func() tiffwrite.Raster {
			r := scene(64, 16, 2)
			r.Bands = 2000
			return r
		}(), 1, 32 << 10, 0},
		{"16,000 bands", func() tiffwrite.Raster {
			r := scene(64, 16, 2)
			r.Bands = 16_000 // BitsPerSample, SampleFormat and ExtraSamples are 32,000 bytes each
			return r
		}(), 4, 160 << 10, 0},
		{"palette", func() tiffwrite.Raster {
			r := scene(100, 0, 0)
			r.Layout = tiffwrite.IFDsFirst
			r.Tags = []tiffwrite.Tag{{ID: 262, Value: []uint16{3}}, {ID: 320, Value: make([]uint16, 3<<16)}} // never read
			return r
		}(), 2, 64 << 10, 0},
		{"COG with long metadata", func() tiffwrite.Raster {
			r := scene(10980, 512, 4)
			r.Metadata = "<GDALMetadata>" + strings.Repeat(`<Item name="a" sample="0">text</Item>`, 4000) + "</GDALMetadata>"
			return r
		}(), 3, 224 << 10, 0},
		{"ground control points", func() tiffwrite.Raster {
			r := scene(100, 0, 0)
			r.PixelScale, r.Tiepoints = nil, make([]float64, 6*5000)
			r.Layout = tiffwrite.IFDsFirst
			return r
		}(), 2, 288 << 10, 0},
		{"150,000 tiles in the order of the tags", func() tiffwrite.Raster {
			r := manyTiles()
			r.Layout = tiffwrite.IFDsFirst // what lies behind the offsets costs a read each: values, then overviews
			return r
		}(), 5, 256 << 10, 0},
		{"masks and overviews between their offsets", func() tiffwrite.Raster {
			r := manyTiles()
			r.Layout, r.Overviews, r.Mask = tiffwrite.IFDsFirst, 8, true // 18 images, more than there are reads
			return r
		}(), 6, 1 << 20, 0},
		{"values 100 KiB apart", func() tiffwrite.Raster {
			r := scene(100, 0, 0)
			r.Tags = []tiffwrite.Tag{{ID: 290, Value: far[:40<<10]}, {ID: 33551, Value: far[:100<<10]}} // before the texts, before the tiepoints
			r.Layout, r.DateTime = tiffwrite.IFDsFirst, "2021:06:08 23:28:52"
			return r
		}(), 3, 64 << 10, 0},
		{"more values than one read may take", func() tiffwrite.Raster {
			r := scene(100, 0, 0)
			r.PixelScale, r.Tiepoints, r.Layout = nil, make([]float64, 6*10_000), tiffwrite.IFDsFirst
			r.Metadata = "<GDALMetadata><Item name='a'>" + strings.Repeat("x", 380_000) + "</Item></GDALMetadata>"
			return r
		}(), 3, 900 << 10, 0},
		{"values far apart", func() tiffwrite.Raster {
			r := scene(100, 0, 0)
			for _, id := range []uint16{271, 290, 305, 33551, 33923, 34800} {
				r.Tags = append(r.Tags, tiffwrite.Tag{ID: id, Value: far})
			}
			r.Layout, r.DateTime, r.Description = tiffwrite.IFDsFirst, "2021:06:08 23:28:52", "over there"
			return r
		}(), 5, 64 << 10, 1},
	} {
		r := &tifftest.Reader{Data: bytesOf(t, c.raster)}
		h, err := geotiff.Read(r, int64(len(r.Data)))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if r.Reads != c.reads || r.Bytes > c.bytes || len(h.Warnings) != c.warnings {
			t.Errorf("%s (%d bytes): %d reads of %d bytes: %v; warnings %q", c.name, len(r.Data), r.Reads, r.Bytes, r.Log,
				h.Warnings)
		}
		if len(h.Overviews) != c.raster.Overviews || c.raster.Keys != nil && (h.Geo == nil || h.Transform == nil && h.GCPs == nil) {
			t.Errorf("%s: %+v", c.name, h)
		}
	}
}

// TestReadsAreCapped puts every IFD of a chain a read away from the others.
func TestReadsAreCapped(t *testing.T) {
	one := bytesOf(t, tiffwrite.Raster{Width: 300, Height: 300, Value: gradient})
	var file []byte
	for range 40 {
		file = append(file, one...)
	}
	f := tifftest.File(file)
	for i := range 39 {
		f = f.Next(i, uint64((i+1)*len(one))+tifftest.File(one).IFD(0))
	}
	r := &tifftest.Reader{Data: f}
	h, err := geotiff.Read(r, int64(len(f)))
	if err != nil || r.Reads != 6 || len(h.Warnings) != 1 {
		t.Errorf("%d reads, %v, %+v", r.Reads, err, h)
	}
}

func TestIFDsAreCapped(t *testing.T) {
	r := tiffwrite.Raster{Width: 1, Height: 1}
	f := tifftest.File(bytesOf(t, r))
	at := uint64(len(f))
	for range 1000 { // IFDs without entries
		f = append(f, 0, 0)
		f = append(f, byte(len(f)+4), byte((len(f)+4)>>8), 0, 0)
	}
	h := read(t, f.Next(0, at))
	if len(h.Warnings) != 1 || h.Warnings[0] != "IFD 129: more than 128 IFDs; what follows is left out" {
		t.Errorf("warnings %q", h.Warnings)
	}
}

// TestAllocations keeps the cost of a header from creeping up: one for each entry that google/tiff parses, and the header.
func TestAllocations(t *testing.T) {
	few, many := allocations(t, scene(10980, 512, 4)), allocations(t, manyTiles())
	if few > 40 || many != few {
		t.Errorf("a COG takes %v allocations, one of 153,664 tiles %v; want the same, and at most 40", few, many)
	}
	colours := scene(10980, 512, 4)
	colours.Bands, colours.DataType, colours.Mask = 4, "uint8", true
	if got := allocations(t, colours); got > 64 {
		t.Errorf("a COG with alpha and masks takes %v allocations", got)
	}
}

func allocations(t *testing.T, r tiffwrite.Raster) float64 {
	b := bytes.NewReader(bytesOf(t, r))
	return testing.AllocsPerRun(200, func() {
		if _, err := geotiff.Read(b, b.Size()); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	withMetadata := scene(10980, 512, 4)
	withMetadata.Metadata = `<GDALMetadata><Item name="STATISTICS_MAXIMUM" sample="0">1</Item>` +
		`<Item name="STATISTICS_MEAN" sample="0">1</Item><Item name="STATISTICS_MINIMUM" sample="0">1</Item>` +
		`<Item name="STATISTICS_STDDEV" sample="0">1</Item></GDALMetadata>`
	plain := scene(400, 0, 0)
	plain.Layout, plain.Value = tiffwrite.IFDsLast, gradient
	for _, c := range []struct {
		name   string
		raster tiffwrite.Raster
	}{{"COG", scene(10980, 512, 4)}, {"COGWithMetadata", withMetadata}, {"COG153664Tiles", manyTiles()}, {"Plain", plain}} {
		b.Run(c.name, func(b *testing.B) {
			r := bytes.NewReader(bytesOf(b, c.raster))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := geotiff.Read(r, r.Size()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
