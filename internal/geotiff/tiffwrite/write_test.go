package tiffwrite_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

// pixelsOf decodes an image of a classic little-endian TIFF by the simplest means: the IFD at offset at, all its blocks.
func pixelsOf(t *testing.T, b []byte, at uint32) (width, height int, pixel func(x, y int) []byte) {
	t.Helper()
	le := binary.LittleEndian
	values := map[uint16][]uint32{}
	for i := range int(le.Uint16(b[at:])) {
		e := b[int(at)+2+12*i:]
		tag, typ, count, in := le.Uint16(e), le.Uint16(e[2:]), le.Uint32(e[4:]), e[8:12]
		size := map[uint16]uint32{1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 12: 8}[typ]
		if count*size > 4 {
			in = b[le.Uint32(e[8:]):]
		}
		for j := range count {
			switch typ {
			case 3:
				values[tag] = append(values[tag], uint32(le.Uint16(in[2*j:])))
			case 4:
				values[tag] = append(values[tag], le.Uint32(in[4*j:]))
			}
		}
	}
	width, height = int(values[256][0]), int(values[257][0])
	bw, bh, offsets, sizes := width, 0, values[273], values[279]
	if values[322] != nil {
		bw, bh, offsets, sizes = int(values[322][0]), int(values[323][0]), values[324], values[325]
	} else {
		bh = int(values[278][0])
	}
	across := (width + bw - 1) / bw
	size := int(values[277][0]*values[258][0]) / 8
	blocks := make([][]byte, len(offsets))
	for i := range blocks {
		blocks[i] = b[offsets[i] : offsets[i]+sizes[i]]
		if values[259][0] == 8 {
			z, err := zlib.NewReader(bytes.NewReader(blocks[i]))
			if err != nil {
				t.Fatal(err)
			}
			if blocks[i], err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
	}
	return width, height, func(x, y int) []byte {
		i := (y%bh*bw + x%bw) * size
		return blocks[y/bh*across+x/bw][i : i+size]
	}
}

func value(band, x, y int) float64 { return float64((x + 3*y + 50*band) % 200) }

func TestPixels(t *testing.T) {
	base := tiffwrite.Raster{Width: 75, Height: 50, Bands: 3, Value: value}
	tiled, deflated, strips, uint16s := base, base, base, base
	tiled.Tile, deflated.Tile, deflated.Deflate, strips.RowsPerStrip = 32, 32, true, 7
	uint16s.DataType, uint16s.Bands = "uint16", 1
	cog := tiffwrite.Raster{Width: 600, Height: 300, Value: value}.Optimized()
	for name, r := range map[string]tiffwrite.Raster{
		"one strip": base, "tiles": tiled, "deflated tiles": deflated, "strips": strips, "uint16": uint16s, "COG": cog,
	} {
		for _, layout := range []tiffwrite.Layout{tiffwrite.IFDsFirst, tiffwrite.IFDsLast, tiffwrite.COG} {
			r.Layout = layout
			b, err := r.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			at := binary.LittleEndian.Uint32(b[4:])
			for level := range r.Overviews + 1 {
				w, h, pixel := pixelsOf(t, b, at)
				for y := range h {
					for x := range w {
						for band := range max(r.Bands, 1) {
							want := value(band, min(x<<level, r.Width-1), min(y<<level, r.Height-1))
							got := float64(pixel(x, y)[band])
							if r.DataType == "uint16" {
								got = float64(binary.LittleEndian.Uint16(pixel(x, y)))
							}
							if got != want {
								t.Fatalf("%s, layout %d, level %d: pixel %d, %d is %v, not %v", name, layout, level, x, y,
									got, want)
							}
						}
					}
				}
				n := uint32(binary.LittleEndian.Uint16(b[at:]))
				at = binary.LittleEndian.Uint32(b[at+2+12*n:])
			}
			if at != 0 {
				t.Errorf("%s, layout %d: an IFD too many", name, layout)
			}
		}
	}
}

// TestOptimized holds the demo's rasters to what readers of COGs ask for.
func TestOptimized(t *testing.T) {
	for _, c := range []struct{ edge, overviews int }{{200, 0}, {256, 0}, {257, 1}, {512, 1}, {1024, 2}} {
		r := tiffwrite.Raster{Width: c.edge, Height: c.edge, Bands: 3, Value: value, Keys: tiffwrite.Projected(32633)}
		r.NorthUp(500000, 5000000, 10, 10)
		var buf bytes.Buffer
		if err := tiffwrite.Write(&buf, r.Optimized()); err != nil {
			t.Fatal(err)
		}
		h, err := geotiff.Read(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if !h.COG.Valid || len(h.Overviews) != c.overviews || h.Geo.ProjectedCRS != 32633 || len(h.Warnings) > 0 {
			t.Errorf("%d pixels: %+v", c.edge, h)
		}
	}
}

func TestSameBytes(t *testing.T) {
	r := tiffwrite.Raster{Width: 300, Height: 300, Value: value, Deflate: true, Keys: tiffwrite.Geographic(4326)}
	a, err := r.Bytes()
	b, err2 := r.Bytes()
	if err != nil || err2 != nil || !bytes.Equal(a, b) {
		t.Errorf("two files of one raster differ (%v, %v)", err, err2)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		raster tiffwrite.Raster
		want   string
	}{
		{tiffwrite.Raster{Width: 1}, "write TIFF: 1 × 0 pixels"},
		{tiffwrite.Raster{Width: 1, Height: 1, DataType: "Byte"}, `write TIFF: data type "Byte"`},
		{tiffwrite.Raster{Width: 1, Height: 1, Tile: 100}, "write TIFF: tiles of 100 pixels"},
		{tiffwrite.Raster{Width: math.MaxInt32, Height: math.MaxInt32, Tile: 16}, "blocks"},
		{tiffwrite.Raster{Width: 1, Height: 1, Tags: []tiffwrite.Tag{{ID: 65000, Value: 1}}}, "tag 65000 has a value of type int"},
		{tiffwrite.Raster{Width: 1, Height: 1, Keys: []tiffwrite.Key{{ID: 1024, Value: 1}}}, "GeoKey 1024 has a value of type int"},
	} {
		if b, err := c.raster.Bytes(); b != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d bytes, error %v; want %q", len(b), err, c.want)
		}
	}
	full := errors.New("disk full")
	if err := tiffwrite.Write(failing{full}, tiffwrite.Raster{Width: 1, Height: 1}); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
