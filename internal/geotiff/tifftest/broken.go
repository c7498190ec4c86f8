package tifftest

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

// A Case is a broken file. Code is that of the geotiff.FormatError it must give; where it is "" the file is still read,
// with Warnings, and where it is Harmless without.
type Case struct {
	Name string
	File File
	Code string
}

// Harmless is the Code of what is wrong where nobody looks.
const Harmless = "harmless"

const (
	notTIFF   = "not_tiff"
	truncated = "truncated"
	malformed = "malformed"
)

// Whole returns the file that most of Broken is made of: georeferenced, tiled, with two overviews, texts and doubles.
func Whole(big, bigEndian bool) File {
	r := tiffwrite.Raster{
		Width: 96, Height: 64, Bands: 5, DataType: "uint16", Tile: 16, Overviews: 2, BigTIFF: big, BigEndian: bigEndian,
		Keys: append(tiffwrite.Projected(32633), tiffwrite.Key{ID: 1026, Value: "WGS 84 / UTM zone 33N"},
			tiffwrite.Key{ID: 2057, Value: 6378137.0}, tiffwrite.Key{ID: 2059, Value: 298.257223563}),
		Nodata: "0", DateTime: "2021:06:08 23:28:52", Software: "tiffwrite 1.0",
		Metadata: `<GDALMetadata><Item name="A">b</Item></GDALMetadata>`,
		Value:    func(band, x, y int) float64 { return float64(band*1000 + x + y) },
	}
	r.NorthUp(500000, 5000000, 10, 10)
	b, err := r.Bytes()
	if err != nil {
		panic(err) // the raster above is valid
	}
	return b
}

// Broken returns files that are wrong in one way each, in both byte orders, as classic TIFF and BigTIFF.
func Broken() []Case {
	cases := []Case{
		{"empty", File{}, notTIFF},
		{"three bytes", File("II*"), notTIFF},
		{"text", File("<html>no such file</html>"), notTIFF},
		{"PNG", File("\x89PNG\r\n\x1a\n0000"), notTIFF},
		{"other version", File("II\x55\x00\x08\x00\x00\x00"), notTIFF},
		{"header cut", File("II*\x00\x08"), truncated},
		{"BigTIFF header cut", File("II+\x00\x08\x00\x00\x00\x10\x00\x00\x00"), truncated},
		{"offset size 4", File("II+\x00\x04\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00"), malformed},
		{"offset size 4", File("MM\x00+\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10"), malformed},
	}
	for _, kind := range []struct {
		name        string
		big, bigEnd bool
	}{{"II ", false, false}, {"MM ", false, true}, {"II big ", true, false}, {"MM big ", true, true}} {
		f := Whole(kind.big, kind.bigEnd)
		for _, c := range brokenOf(f) {
			c.Name = kind.name + c.Name
			cases = append(cases, c)
		}
	}
	return cases
}

func brokenOf(f File) []Case {
	end := uint64(len(f))
	huge := uint64(math.MaxUint32)
	if f.big() {
		huge = math.MaxUint64
	}
	cases := []Case{
		{"first IFD at 0", f.First(0), malformed},
		{"first IFD in the header", f.First(3), malformed},
		{"first IFD at the end", f.First(end), truncated},
		{"first IFD past the end", f.First(huge), truncated},
		{"first IFD in the pixels", f.First(end - 1), truncated},
		{"first IFD cut", f.Cut(int(f.IFD(0)) + 40), truncated},
		{"no entries", f.Entries(0, 0), malformed},
		{"5000 entries", f.Entries(0, 5000), malformed},
		{"no width", f.Retag(0, 256, 255), malformed},
		{"no height", f.Retag(0, 257, 256), malformed},
		{"width 0", f.Value(0, 256, 0), malformed},
		{"height 0", f.Value(0, 257, 0), malformed},
		{"width of no type", f.Type(0, 256, 0), malformed},
		{"width as text", f.Type(0, 256, 2), malformed},
		{"width without values", f.Count(0, 256, 0), malformed},
		{"width too large", f.Value(0, 256, huge), malformed},
		{"tile width 0", f.Value(0, 322, 0), malformed},
		{"tile width of no type", f.Type(0, 322, 99), malformed},
		{"no samples", f.Value(0, 277, 0), malformed},
		{"65535 samples", f.Short(0, 277, 65535), malformed},
		{"no offsets", f.Retag(0, 324, 65000), malformed},
		{"bits past the end", f.Value(0, 258, end), truncated},
		{"bits of 0", f.Count(0, 258, 1).Value(0, 258, 0), malformed},
		{"bits of no type", f.Type(0, 258, 77), malformed},
		{"too few bits", f.Count(0, 258, 3), malformed},
		{"two widths", f.Count(0, 256, 2), malformed},
		{"no value of samples", f.Count(0, 277, 0), malformed},
		{"planar configuration 3", f.Short(0, 284, 3), malformed},
		{"planar configuration of doubles", f.Type(0, 284, 12), malformed},

		{"IFD 1 is its own next", f.Next(0, f.IFD(0)), ""},
		{"the last IFD leads back", f.Next(2, f.IFD(1)), ""},
		{"second IFD past the end", f.Next(0, huge), ""},
		{"second IFD in the header", f.Next(0, 1), ""},
		{"second IFD with 5000 entries", f.Entries(1, 5000), ""},
		{"second IFD of size 0", f.Value(1, 256, 0), ""},
		{"second IFD without height", f.Retag(1, 257, 255), ""},
		{"overview of other bands", f.Short(1, 277, 1), ""},
		{"no offset of a next IFD", f.Next(0, 0).Cut(int(f.IFD(0)) + ifdLength(f, 0) - 1), truncated},
		{"type 0", f.Type(0, 33550, 0), ""},
		{"type 19", f.Type(0, 34735, 19), ""},
		{"no values", f.Count(0, 33922, 0), ""},
		{"GeoKeys short", f.Count(0, 34735, 3), ""},
		{"GeoKeys half", f.Count(0, 34735, 14), ""},
		{"doubles short", f.Retag(0, 34736, 65000), ""},
		{"texts short", f.Retag(0, 34737, 65000), ""},
		{"negative scale", f.Replace(doubles(f, 10, 10), doubles(f, 10, -10)), ""},
		{"scale NaN", f.Replace(doubles(f, 10, 10), doubles(f, 10, math.NaN())), ""},
		{"tiepoint infinite", f.Replace(doubles(f, 500000, 5000000), doubles(f, 500000, math.Inf(1))), ""},
		{"XML that ends early", f.Replace("</GDALMetadata>", "<<<<<<<<<<<<<<<"), ""},
	}
	for _, tag := range []uint16{258, 305, 306, 339, 33550, 33922, 34735, 34736, 34737, 42112} {
		code, many := "", ""
		switch tag {
		case 258, 339:
			code, many = truncated, Harmless
		case 33550, 33922:
			many = Harmless // as many as are needed are there
		}
		cases = append(cases, Case{fmt.Sprintf("absurd count of %d", tag), f.Count(0, tag, huge), many},
			Case{fmt.Sprintf("%d past the end", tag), f.Value(0, tag, end), code},
			Case{fmt.Sprintf("%d at the largest offset", tag), f.Value(0, tag, huge), code})
	}
	return cases
}

// ifdLength is the length of IFD i in bytes.
func ifdLength(f File, i int) int {
	_, _, size, next := f.layout(i)
	return int(next - f.IFD(i) + size - 8 - size/20*4) // with the offset of the next one: 4 bytes, or 8 in BigTIFF
}

// doubles are numbers as the file holds them.
func doubles(f File, values ...float64) string {
	b, err := binary.Append(nil, f.order(), values)
	if err != nil {
		panic(err) // numbers can always be encoded
	}
	return string(b)
}
