package geotiff_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/geotiff/tifftest"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

func bytesOf(t testing.TB, r tiffwrite.Raster) []byte {
	t.Helper()
	b, err := r.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(t testing.TB, b []byte) *geotiff.Header {
	t.Helper()
	h, err := geotiff.Read(&tifftest.Reader{Data: b}, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// kinds are the four ways of writing a TIFF.
var kinds = []struct{ big, bigEndian bool }{{false, false}, {false, true}, {true, false}, {true, true}}

func eachKind(t *testing.T, test func(t *testing.T, r tiffwrite.Raster)) {
	for _, k := range kinds {
		t.Run(fmt.Sprintf("big=%v,bigEndian=%v", k.big, k.bigEndian), func(t *testing.T) {
			test(t, tiffwrite.Raster{BigTIFF: k.big, BigEndian: k.bigEndian})
		})
	}
}

func gradient(band, x, y int) float64 { return float64((x + y + 40*band) % 251) }

// TestEverything reads a file that says all that a header can say, in every kind and layout.
func TestEverything(t *testing.T) {
	eachKind(t, func(t *testing.T, r tiffwrite.Raster) {
		r.Width, r.Height, r.Bands, r.Tile, r.Overviews, r.Mask = 700, 400, 3, 128, 2, true
		r.Value, r.Deflate = gradient, true
		r.Keys = append(tiffwrite.Projected(32767), tiffwrite.Key{ID: 1026, Value: "A citation|with a bar"},
			tiffwrite.Key{ID: 2048, Value: uint16(4326)}, tiffwrite.Key{ID: 2049, Value: "WGS 84"},
			tiffwrite.Key{ID: 2050, Value: uint16(6326)}, tiffwrite.Key{ID: 2051, Value: uint16(8901)},
			tiffwrite.Key{ID: 2054, Value: uint16(9102)}, tiffwrite.Key{ID: 2056, Value: uint16(7030)},
			tiffwrite.Key{ID: 2057, Value: 6378137.0}, tiffwrite.Key{ID: 2062, Value: []float64{1, 2, 3}},
			tiffwrite.Key{ID: 3073, Value: "Mine"}, tiffwrite.Key{ID: 3074, Value: uint16(16033)},
			tiffwrite.Key{ID: 3075, Value: uint16(1)}, tiffwrite.Key{ID: 3076, Value: uint16(9001)},
			tiffwrite.Key{ID: 3080, Value: 15.0}, tiffwrite.Key{ID: 4096, Value: uint16(5773)})
		r.NorthUp(500000, 5000000, 10, 20)
		r.Nodata, r.DateTime, r.Software, r.Description = "-9999 ", "2021:06:08 23:28:52", "tiffwrite", " Über\n"
		r.Metadata = `<GDALMetadata><Item name="ACQUISITIONDATETIME" domain="IMAGERY">2021-06-08 &amp; later</Item>` +
			`<Item name="SCALE" sample="1" role="scale">0.0001</Item><Item name="EMPTY"/></GDALMetadata>`
		r.Tags = []tiffwrite.Tag{{ID: 50844, Value: make([]float64, 92)}, {ID: 65000, Value: []byte("private")}}
		for _, layout := range []tiffwrite.Layout{tiffwrite.IFDsFirst, tiffwrite.IFDsLast, tiffwrite.COG} {
			r.Layout = layout
			want := &geotiff.Header{
				BigTIFF: r.BigTIFF, BigEndian: r.BigEndian, Width: 700, Height: 400,
				Bands: []geotiff.Band{{DataType: "uint8", Bits: 8, ColorInterp: "red"},
					{DataType: "uint8", Bits: 8, ColorInterp: "green"}, {DataType: "uint8", Bits: 8, ColorInterp: "blue"}},
				Pages: 1, Tiled: true, BlockWidth: 128, BlockHeight: 128, Compression: 8, Photometric: 2,
				Overviews: []geotiff.Size{{Width: 350, Height: 200}, {Width: 175, Height: 100}}, HasMask: true,
				COG:       geotiff.COG{Valid: true},
				Transform: &geotiff.Affine{X0: 500000, DX: 10, Y0: 5000000, DY: -20}, HasRPC: true,
				Geo: &geotiff.GeoKeys{
					ModelType: 1, RasterType: 1, Citation: "A citation|with a bar", GeodeticCRS: 4326,
					GeodeticCitation: "WGS 84", GeodeticDatum: 6326, PrimeMeridian: 8901, AngularUnits: 9102,
					Ellipsoid: 7030, ProjectedCRS: 32767, ProjectedCitation: "Mine", Projection: 16033,
					ProjectionMethod: 1, ProjectedLinear: 9001, VerticalCRS: 5773,
					Short: map[uint16]uint16{1024: 1, 1025: 1, 2048: 4326, 2050: 6326, 2051: 8901, 2054: 9102,
						2056: 7030, 3072: 32767, 3074: 16033, 3075: 1, 3076: 9001, 4096: 5773},
					Double: map[uint16][]float64{2057: {6378137}, 2062: {1, 2, 3}, 3080: {15}},
					ASCII:  map[uint16]string{1026: "A citation|with a bar", 2049: "WGS 84", 3073: "Mine"},
				},
				Metadata: []geotiff.Meta{
					{Name: "ACQUISITIONDATETIME", Domain: "IMAGERY", Sample: -1, Value: "2021-06-08 & later"},
					{Name: "SCALE", Role: "scale", Sample: 1, Value: "0.0001"},
				},
				Nodata: "-9999", DateTime: "2021:06:08 23:28:52", Software: "tiffwrite", Description: "Über",
			}
			got := read(t, bytesOf(t, r))
			switch layout {
			case tiffwrite.IFDsLast:
				if got.COG.Valid || !strings.Contains(got.COG.Reason, "the first IFD lies at") {
					t.Errorf("COG %+v of a file with its IFDs at the end", got.COG)
				}
				want.COG = got.COG
			case tiffwrite.IFDsFirst:
				if got.COG.Valid || !strings.Contains(got.COG.Reason, "behind those of a larger image") {
					t.Errorf("COG %+v of a file with its full image first", got.COG)
				}
				want.COG = got.COG
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("layout %v:\n got %+v\nwant %+v\n geo %+v", layout, got, want, got.Geo)
			}
		}
	})
}

func TestDataTypes(t *testing.T) {
	for name, bits := range map[string]int{
		"uint8": 8, "int8": 8, "uint16": 16, "int16": 16, "uint32": 32, "int32": 32, "uint64": 64, "int64": 64,
		"float32": 32, "float64": 64, "cint16": 32, "cint32": 64, "cfloat32": 64, "cfloat64": 128,
	} {
		for _, k := range kinds {
			b := bytesOf(t, tiffwrite.Raster{Width: 5, Height: 7, Bands: 6, DataType: name, BigTIFF: k.big,
				BigEndian: k.bigEndian})
			got := read(t, b).Bands
			for i := range got {
				got[i].ColorInterp = ""
			}
			if want := slices.Repeat([]geotiff.Band{{DataType: name, Bits: bits}}, 6); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %+v: got %v", name, k, got)
			}
		}
	}
	const none = "" // no type: GDAL opens no such file
	for _, c := range []struct {
		format, bits uint16
		want         string
	}{
		{1, 1, "uint8"}, {1, 4, "uint8"}, {1, 12, "uint16"}, {1, 15, "uint16"}, {1, 17, "uint32"}, {1, 24, "uint32"},
		{1, 31, "uint32"}, {1, 33, none}, {1, 128, none}, {1, 0, none},
		{2, 1, "uint8"}, {2, 4, "uint8"}, {2, 12, "uint16"}, {2, 24, "uint32"}, {2, 48, none},
		{3, 8, none}, {3, 16, "float16"}, {3, 24, "float32"}, {3, 128, none},
		{4, 8, "uint8"}, {4, 16, "uint16"}, {4, 64, "uint64"}, {4, 12, none},
		{5, 8, "uint8"}, {5, 16, "uint16"}, {5, 128, none}, {6, 32, "uint32"}, {6, 12, none},
		{0, 16, none}, {7, 16, none},
	} {
		b := bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Tags: []tiffwrite.Tag{
			{ID: 258, Value: []uint16{c.bits}}, {ID: 339, Value: []uint16{c.format}}}})
		h, err := geotiff.Read(&tifftest.Reader{Data: b}, int64(len(b)))
		if (err == nil) != (c.want != none) || err == nil && (h.Bands[0].DataType != c.want || h.Bands[0].Bits != int(c.bits)) {
			t.Errorf("SampleFormat %d of %d bits: got %v, %v, want %q", c.format, c.bits, h, err, c.want)
		}
	}
	for _, c := range []struct {
		name          string
		bits, formats []uint16
		err           string
	}{
		{"one for all", []uint16{16}, []uint16{2}, ""},
		{"one too many", []uint16{16, 16, 16, 8}, []uint16{2, 2, 2, 1}, ""},
		{"bits that differ", []uint16{16, 8, 16}, []uint16{2},
			"IFD 1: BitsPerSample: 16 and 8; samples of different types cannot be read"},
		{"formats that differ", []uint16{16}, []uint16{2, 2, 1},
			"IFD 1: SampleFormat: 2 and 1; samples of different types cannot be read"},
		{"too few formats", []uint16{16}, []uint16{2, 2}, "IFD 1: SampleFormat: 2 values for 3 samples"},
	} {
		b := bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Bands: 3, Tags: []tiffwrite.Tag{
			{ID: 258, Value: c.bits}, {ID: 339, Value: c.formats}}})
		h, err := geotiff.Read(&tifftest.Reader{Data: b}, int64(len(b)))
		if err == nil && h.Bands[2].DataType != "int16" || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("%s: got %v, %v", c.name, h, err)
		}
	}
	neither := bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Tags: []tiffwrite.Tag{{ID: 258}, {ID: 339}, {ID: 277}}})
	if got := read(t, neither).Bands; !reflect.DeepEqual(got, []geotiff.Band{{DataType: "uint8", Bits: 1, ColorInterp: "palette"}}) {
		t.Errorf("neither bits nor format nor samples: got %v", got)
	}
	for _, photo := range []any{nil, []uint16{6}, []uint16{2}} { // cameras' raw files leave it out
		oldJPEG := bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Tags: []tiffwrite.Tag{{ID: 277},
			{ID: 259, Value: []uint16{6}}, {ID: 262, Value: photo}, {ID: 273}}})
		if got := read(t, oldJPEG).Bands; len(got) != 3 || got[2] != (geotiff.Band{DataType: "uint8", Bits: 8, ColorInterp: "blue"}) {
			t.Errorf("JPEG of TIFF 6.0 without SamplesPerPixel, PhotometricInterpretation %v: got %v", photo, got)
		}
	}
}

func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		name   string
		raster tiffwrite.Raster
		tiled  bool
		block  geotiff.Size
	}{
		{"tiles", tiffwrite.Raster{Tile: 32}, true, geotiff.Size{Width: 32, Height: 32}},
		{"one strip", tiffwrite.Raster{}, false, geotiff.Size{Width: 100, Height: 60}},
		{"strips", tiffwrite.Raster{RowsPerStrip: 7}, false, geotiff.Size{Width: 100, Height: 7}},
		{"no RowsPerStrip", tiffwrite.Raster{Tags: []tiffwrite.Tag{{ID: 278}}}, false,
			geotiff.Size{Width: 100, Height: 60}},
		{"endless strip", tiffwrite.Raster{Tags: []tiffwrite.Tag{{ID: 278, Value: []uint32{0xffffffff}}}}, false,
			geotiff.Size{Width: 100, Height: 60}},
		{"tiles without a height", tiffwrite.Raster{Tags: []tiffwrite.Tag{{ID: 322, Value: []uint32{64}}}}, true,
			geotiff.Size{Width: 64, Height: 60}},
		{"tiles with StripOffsets", tiffwrite.Raster{Tags: []tiffwrite.Tag{{ID: 322, Value: []uint32{64}},
			{ID: 323, Value: []uint32{48}}}}, true, geotiff.Size{Width: 64, Height: 48}},
	} {
		c.raster.Width, c.raster.Height = 100, 60
		h := read(t, bytesOf(t, c.raster))
		if got := (geotiff.Size{Width: h.BlockWidth, Height: h.BlockHeight}); h.Tiled != c.tiled || got != c.block {
			t.Errorf("%s: tiled %v, blocks of %v", c.name, h.Tiled, got)
		}
	}
}

func TestOverviewsInSubIFDs(t *testing.T) {
	eachKind(t, func(t *testing.T, r tiffwrite.Raster) {
		r.Width, r.Height, r.Tile, r.Overviews, r.SubIFDs, r.Value = 64, 64, 16, 2, true, gradient
		h := read(t, bytesOf(t, r))
		if want := []geotiff.Size{{Width: 32, Height: 32}, {Width: 16, Height: 16}}; !reflect.DeepEqual(h.Overviews, want) {
			t.Errorf("overviews %v", h.Overviews)
		}
		if h.COG.Valid || len(h.Warnings) > 0 {
			t.Errorf("COG %+v, warnings %q", h.COG, h.Warnings)
		}
	})
}

func TestBroken(t *testing.T) {
	for _, c := range tifftest.Broken() {
		r := &tifftest.Reader{Data: c.File}
		var h *geotiff.Header
		var err error
		allocated := allocatedBy(func() { h, err = geotiff.Read(r, int64(len(c.File))) })
		if allocated > 1<<20 {
			t.Errorf("%s: %d bytes allocated", c.Name, allocated)
		}
		if r.Reads > 6 || r.Bytes > 4<<20 {
			t.Errorf("%s: %d reads of %d bytes", c.Name, r.Reads, r.Bytes)
		}
		fe, _ := errors.AsType[*geotiff.FormatError](err)
		switch {
		case c.Code == "" && err != nil:
			t.Errorf("%s: %v; want warnings", c.Name, err)
		case c.Code == "" && len(h.Warnings) == 0:
			t.Errorf("%s: read without a warning", c.Name)
		case c.Code == tifftest.Harmless:
			if err != nil || len(h.Warnings) > 0 {
				t.Errorf("%s: %v; want it read as if nothing was wrong", c.Name, err)
			}
		case c.Code != "" && (fe == nil || fe.Code != c.Code):
			t.Errorf("%s: error %#v, want %s", c.Name, err, c.Code)
		}
		if testing.Verbose() && err != nil {
			t.Logf("%s: %s: %v", c.Name, fe.Code, err)
		} else if testing.Verbose() {
			t.Logf("%s: %q", c.Name, h.Warnings)
		}
	}
}

// allocatedBy is what f allocates in bytes, and a little of what else goes on meanwhile.
func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestEveryCut reads a file cut at every length, and listed as long as it was and as it is.
func TestEveryCut(t *testing.T) {
	for _, k := range kinds {
		f := tifftest.Whole(k.big, k.bigEndian)
		for n := 0; n < len(f); n++ {
			if n > 4000 {
				n += 500 // nothing but pixels from here on
			}
			for _, size := range []int{n, len(f)} {
				_, err := geotiff.Read(&tifftest.Reader{Data: f[:n]}, int64(size))
				if _, ok := errors.AsType[*geotiff.FormatError](err); err != nil && !ok {
					t.Fatalf("cut at %d, listed as %d: %v", n, size, err)
				}
				if err == nil && n < int(f.IFD(0)) {
					t.Fatalf("cut at %d before its IFD: no error", n)
				}
			}
		}
	}
}

func TestIFDWithoutNext(t *testing.T) {
	eachKind(t, func(t *testing.T, r tiffwrite.Raster) {
		r.Width, r.Height, r.Layout = 10, 10, tiffwrite.IFDsLast
		b := bytesOf(t, r)
		h := read(t, b[:len(b)-4])
		if len(h.Warnings) != 1 || !strings.Contains(h.Warnings[0], "IFD 1: ends without") {
			t.Errorf("warnings %q", h.Warnings)
		}
	})
}

// TestIFDAcrossWindows has all entries of an IFD within the first 32 KiB, and behind them the offset of the next one.
func TestIFDAcrossWindows(t *testing.T) {
	eachKind(t, func(t *testing.T, r tiffwrite.Raster) {
		r.Width, r.Height, r.Overviews = 64, 64, 1
		f := tifftest.File(bytesOf(t, r))
		at, next := f.IFD(0), f.NextAt(0)
		moved := slices.Concat(f, make([]byte, 32<<10-len(f)-int(next-at)), f[at:next+8], make([]byte, 64))
		if h := read(t, moved.First(32<<10-(next-at))); len(h.Overviews) != 1 || len(h.Warnings) > 0 {
			t.Errorf("overviews %v, warnings %q", h.Overviews, h.Warnings)
		}
	})
}

// TestShorterThanListed reads a file that has become shorter since it was listed.
func TestShorterThanListed(t *testing.T) {
	b := bytesOf(t, tiffwrite.Raster{Width: 300, Height: 300, Value: gradient, Layout: tiffwrite.IFDsLast})
	_, err := geotiff.Read(&tifftest.Reader{Data: b[:80_000]}, int64(len(b)))
	want := fmt.Sprintf("IFD 1: offset %d past end of file (80000 bytes)", tifftest.File(b).IFD(0))
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestFirstOfTwoTagsCounts(t *testing.T) {
	eachKind(t, func(t *testing.T, r tiffwrite.Raster) {
		r.Width, r.Height, r.Tags = 10, 20, []tiffwrite.Tag{{ID: 65000, Value: []uint32{99}}}
		if h := read(t, tifftest.File(bytesOf(t, r)).Retag(0, 65000, 256)); h.Width != 10 {
			t.Errorf("%d pixels wide", h.Width)
		}
	})
}

func TestWarningsAreCapped(t *testing.T) {
	points := make([]float64, 6*50)
	for i := range 50 {
		points[6*i] = math.NaN()
	}
	h := read(t, bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Tiepoints: points}))
	if n := len(h.Warnings); n != 32 || h.Warnings[30] != "ModelTiepointTag: point 31 holds values that are no finite numbers; left out" ||
		h.Warnings[31] != "more warnings are left out" {
		t.Errorf("%d warnings: %q", n, h.Warnings)
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	f := tifftest.Whole(false, false)
	for _, c := range []struct {
		file tifftest.File
		want string
	}{
		{f.First(1 << 20), fmt.Sprintf("IFD 1: offset 1048576 past end of file (%d bytes)", len(f))},
		{f.Cut(50), "IFD 1: 264 bytes at offset 10 reach past end of file (50 bytes)"},
		{f.Value(0, 256, 0), "IFD 1: image of 0 × 64 pixels"},
		{f.Retag(0, 257, 255), "IFD 1: no ImageLength that is a number"},
		{f.Type(0, 258, 77), "IFD 1: BitsPerSample: unknown field type 77"},
		{tifftest.File("hello, world"), `begins with "hell", not as a TIFF`},
	} {
		if _, err := geotiff.Read(&tifftest.Reader{Data: c.file}, int64(len(c.file))); err == nil || err.Error() != c.want {
			t.Errorf("got %q, want %q", err, c.want)
		}
	}
}

func TestReadFails(t *testing.T) {
	b := bytesOf(t, tiffwrite.Raster{Width: 300, Height: 300, Value: gradient, Layout: tiffwrite.IFDsLast})
	lost := errors.New("connection lost")
	for good := range 2 {
		h, err := geotiff.Read(&tifftest.Reader{Data: b, Err: lost, Good: good}, int64(len(b)))
		if _, format := errors.AsType[*geotiff.FormatError](err); !errors.Is(err, lost) || format || h != nil {
			t.Errorf("after %d reads: header %v, error %v", good, h, err)
		}
	}
	// An overview that cannot be read for a fault of the network is no fact about the file.
	far := bytesOf(t, tiffwrite.Raster{Width: 400, Height: 400, Value: gradient, Overviews: 1})
	moved := tifftest.File(append(slices.Clone(far), far...)).Next(0, uint64(len(far))+tifftest.File(far).IFD(1))
	if _, err := geotiff.Read(&tifftest.Reader{Data: moved, Err: lost, Good: 1}, int64(len(moved))); !errors.Is(err, lost) {
		t.Errorf("second IFD: error %v", err)
	}
	if h, err := geotiff.Read(&tifftest.Reader{Data: moved}, int64(len(moved))); err != nil || len(h.Overviews) != 1 {
		t.Errorf("second IFD, without the fault: %v, %v", h, err)
	}
}

// TestConcurrent reads different files at once, as the pooled state must not go from one to another.
func TestConcurrent(t *testing.T) {
	for i := range 32 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			r := tiffwrite.Raster{Width: 10 + i, Height: 20, Bands: 1 + i%5, BigEndian: i%2 == 0, BigTIFF: i%3 == 0}
			if i%4 == 0 {
				r.Keys = tiffwrite.Geographic(uint16(4000 + i))
			}
			b := bytesOf(t, r)
			for range 200 {
				h := read(t, b)
				if h.Width != int64(10+i) || len(h.Bands) != 1+i%5 || (h.Geo != nil) != (i%4 == 0) ||
					h.Geo != nil && h.Geo.GeodeticCRS != uint16(4000+i) {
					t.Fatalf("%d: %+v", i, h)
				}
			}
		})
	}
}
