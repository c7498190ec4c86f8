package fidelity

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cairn-stac/cairn/internal/item"
)

// A verdict says whether a field of a file agrees. The zero one: there is nothing to compare.
type verdict struct {
	compared bool
	differ   string // "" where it agrees
}

var none verdict

// judge compares what Cairn says with what GDAL says.
func judge(agree bool, cairn, gdal any) verdict {
	if agree {
		return verdict{compared: true}
	}
	return verdict{true, fmt.Sprintf("%s, GDAL %s", show(cairn), show(gdal))}
}

func show(v any) string {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && !r.IsNil() {
		v = r.Elem().Interface()
	}
	s := fmt.Sprint(v)
	return s[:min(len(s), 300)]
}

func same[T comparable](cairn, gdal T) verdict { return judge(cairn == gdal, cairn, gdal) }

// A field is one thing that both say of a file.
type field struct {
	name    string
	compare func(*subject) verdict
}

// fields are compared where GDAL and Cairn both open the file; opens and became in any case.
var fields = []field{
	{"opens", func(s *subject) verdict { return same(s.header != nil, s.Opens) }},
	{"became", became},
	{"proj:code", code},
	{"proj:code, recognised", recognised},
	{"user-defined: method", method},
	{"user-defined: ellipsoid", ellipsoid},
	{"user-defined: parameters", parameters},
	{"user-defined: unit", unit},
	{"size", read(func(s *subject) verdict {
		return same([2]int64{s.header.Width, s.header.Height}, [2]int64{s.GDAL.Width, s.GDAL.Height})
	})},
	{"proj:shape", raster(func(s *subject, a asset) verdict {
		return judge(slices.Equal(a.Shape, []int64{s.GDAL.Height, s.GDAL.Width}), a.Shape, []int64{s.GDAL.Height, s.GDAL.Width})
	})},
	{"bands", read(func(s *subject) verdict { return same(len(s.header.Bands), s.GDAL.BandsN) })},
	{"data types", read(dataTypes)},
	{"nodata", bands(func(b band, w gdalBand) verdict { return judge(nodata(b, w), b.Nodata, w.Nodata) })},
	{"scale", bands(func(b band, w gdalBand) verdict { return sameOr(b.Scale, w.Scale, 1) })},
	{"offset", bands(func(b band, w gdalBand) verdict { return sameOr(b.Offset, w.Offset, 0) })},
	{"unit", func(s *subject) verdict {
		if s.header != nil && s.header.Geo != nil && s.header.Geo.Short[4099] != 0 && s.header.Geo.VerticalCRS%32767 == 0 {
			return none // GDAL gives bands that have no unit that of user-defined heights (VerticalUnitsGeoKey)
		}
		return bands(func(b band, w gdalBand) verdict { return judge(sameText(b.Unit, w.Unit), b.Unit, w.Unit) })(s)
	}},
	{"description", bands(func(b band, w gdalBand) verdict {
		return judge(sameText(b.Description, w.Description), b.Description, w.Description)
	})},
	{"statistics", bands(func(b band, w gdalBand) verdict { return judge(statistics(b, w), b.Statistics, w.Metadata) })},
	{"transform", read(func(s *subject) verdict {
		if s.hasBeside(".tfw", ".wld", ".tifw", ".aux.xml") {
			return none // GDAL's may be the sidecar's; proj:transform is compared
		}
		t, w := s.header.Transform, s.transform()
		if t == nil || w == nil {
			return judge(t == nil && w == nil, t, s.Transform)
		}
		return sameAll([]float64{t.X0, t.DX, t.RX, t.Y0, t.RY, t.DY}, w)
	})},
	{"proj:transform", raster(func(s *subject, a asset) verdict {
		w := s.transform()
		if len(a.Transform) != 6 || w == nil {
			return judge(len(a.Transform) == 0 && w == nil, a.Transform, s.Transform)
		}
		return sameAll(a.Transform, []number{w[1], w[2], w[0], w[4], w[5], w[3]})
	})},
	{"bbox", bounds(exact)},
	{"bbox, datum shifted", bounds(shifted)},
	{"bbox, datum approximate", bounds(approximate)},
	{"bbox, PROJ's partly off Earth", bounds(partly)},
	{"bbox of GCPs", gcpBounds},
	{"antimeridian", antimeridian},
	{"pole", pole},
	{"full circle", fullCircle},
	{"COG", read(func(s *subject) verdict {
		// GDAL's validator passes small files in strips too; a COG is tiled, or was written as one.
		return same(s.header.COG.Valid, s.COGValid && (s.Tiled || s.LayoutCOG))
	})},
	{"media type", raster(func(s *subject, a asset) verdict {
		return same(strings.Contains(a.Type, "cloud-optimized"), s.COGValid && (s.Tiled || s.LayoutCOG))
	})},
	{"COG layout trusted", read(func(s *subject) verdict {
		if !s.LayoutCOG {
			return none
		}
		return same(s.header.COG.Valid, true)
	})},
	{"overviews, whether any", read(func(s *subject) verdict {
		if s.hasBeside(".ovr") {
			return none
		}
		return same(len(s.header.Overviews) > 0, s.Overviews > 0)
	})},
	{"overviews, how many", read(func(s *subject) verdict {
		if s.hasBeside(".ovr") {
			return none
		}
		return same(len(s.header.Overviews), s.Overviews)
	})},
	{"mask", read(mask)},
	{"GCPs", read(func(s *subject) verdict {
		if s.hasBeside(".aux.xml") {
			return none
		}
		return same(len(s.header.GCPs), s.GDAL.GCPs)
	})},
	{"RPC", read(func(s *subject) verdict {
		if s.hasBeside(".aux.xml", "_rpc.txt", ".rpb") {
			return none
		}
		return same(s.header.HasRPC, s.GDAL.RPC)
	})},
	{"tiled", read(func(s *subject) verdict { return same(s.header.Tiled, s.Tiled) })},
	{"block", read(func(s *subject) verdict {
		got := []int64{s.header.BlockWidth, s.header.BlockHeight}
		if !s.Tiled && got[0] == s.Block[0] && got[1] == s.header.Height {
			return verdict{compared: true} // GDAL cuts a single strip into pieces, in memory
		}
		return judge(slices.Equal(got, s.Block), got, s.Block)
	})},
	{"compression", read(func(s *subject) verdict {
		got := compressions[s.header.Compression]
		known := got != "" && strings.Contains(s.Compression, got)
		return judge(known || got == "" && s.Compression == "", s.header.Compression, s.Compression)
	})},
	{"colours", read(colours)},
	{"metadata", read(metadata)},
	{"TIFF texts", read(func(s *subject) verdict {
		for name, text := range map[string]string{"TIFFTAG_DATETIME": s.header.DateTime, "TIFFTAG_SOFTWARE": s.header.Software,
			"TIFFTAG_IMAGEDESCRIPTION": s.header.Description} {
			if !sameText(text, s.GDAL.Metadata[name]) {
				return judge(false, text, s.GDAL.Metadata[name])
			}
		}
		return verdict{compared: true}
	})},
	{"pixel is point", read(func(s *subject) verdict {
		if s.header.Geo == nil {
			return none
		}
		return same(s.header.PixelIsPoint, s.GDAL.AreaOrPoint == "Point")
	})},
}

// read compares files that both open.
func read(compare func(*subject) verdict) func(*subject) verdict {
	return func(s *subject) verdict {
		if s.header == nil || !s.Opens {
			return none
		}
		return compare(s)
	}
}

// raster compares files that became Items.
func raster(compare func(*subject, asset) verdict) func(*subject) verdict {
	return func(s *subject) verdict {
		if s.item == nil || !s.Opens {
			return none
		}
		return compare(s, s.data())
	}
}

// bands compares the bands of Items, one by one; GDAL was asked for no more than 64.
func bands(compare func(band, gdalBand) verdict) func(*subject) verdict {
	return read(func(s *subject) verdict {
		a := s.data()
		if a.Shape == nil || len(a.Bands) == 0 && len(s.header.Bands) > 1024 {
			return none // a Reject, or too many to describe
		}
		if len(a.Bands) < len(s.GDAL.Bands) {
			return judge(false, len(a.Bands), len(s.GDAL.Bands))
		}
		for i, w := range s.GDAL.Bands {
			if v := compare(a.Bands[i], w); v.differ != "" {
				return verdict{true, fmt.Sprintf("band %d: %s", i+1, v.differ)}
			}
		}
		return verdict{compared: true}
	})
}

// became holds the outcome against what GDAL opens and finds to be georeferenced.
func became(s *subject) verdict {
	got := "item"
	if s.item == nil {
		got = s.reject.Code
	}
	want := s.wanted()
	return judge(slices.Contains(want, got), strings.TrimSpace(got+" "+s.reject.Message), strings.Join(want, " or "))
}

// wanted are the outcomes that agree with GDAL.
func (s *subject) wanted() []string {
	transform := s.transform() != nil
	gcps := s.GDAL.GCPs >= 3 // fewer have no hull
	var want []string
	if s.hasBeside(".prj") && s.GDAL.CRS == nil {
		want = append(want, "item") // GDAL asks no .prj for the CRS of a TIFF; Cairn does
	}
	if s.identity() || transform && s.Ring != nil && s.Ring.insane() {
		want = append(want, item.CodeNoTransform, item.CodeOffEarth)
	}
	switch {
	case !s.Opens:
		return []string{item.CodeNotTIFF, item.CodeTruncated, item.CodeMalformed, item.CodeEmpty}
	case s.NonEarth:
		return []string{"not_earth"}
	case s.GDAL.CRS == nil:
		want = append(want, item.CodeNoCRS)
	case !s.onEarth(): // a CRS of a building site, or one of X, Y, Z from the Earth's centre
		return []string{item.CodeNoCRS, item.CodeUnsupportedCRS}
	case transform || gcps:
		want = append(want, "item")
	}
	if !transform && !gcps {
		want = append(want, item.CodeNoTransform)
	}
	return want
}

// identity tells whether the geotransform is what writers put where they have none.
func (s *subject) identity() bool { return slices.Equal(s.Transform, []number{0, 1, 0, 0, 0, 1}) }

// onEarth tells whether the CRS has longitudes and latitudes of the Earth.
func (s *subject) onEarth() bool {
	return s.GDAL.CRS != nil && !s.NonEarth &&
		(strings.Contains(s.GDAL.CRS.Type, "projected") || strings.Contains(s.GDAL.CRS.Type, "geographic"))
}

var gdalTypes = map[string]string{"uint8": "Byte", "int8": "Int8", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32",
	"int32": "Int32", "uint64": "UInt64", "int64": "Int64", "float16": "Float32", "float32": "Float32", "float64": "Float64",
	"cint16": "CInt16", "cint32": "CInt32", "cfloat32": "CFloat32", "cfloat64": "CFloat64"}

// dataTypes compares the types of the bands, of the Item where there is one. GDAL has no half floats, and before 3.7 no Int8.
func dataTypes(s *subject) verdict {
	types := make([]string, len(s.header.Bands))
	for i, b := range s.header.Bands {
		types[i] = gdalTypes[b.DataType]
	}
	if a := s.data(); len(a.Bands) > 0 {
		types = types[:0]
		for _, b := range a.Bands {
			types = append(types, gdalTypes[b.DataType])
		}
	}
	want := slices.Clone(s.Dtypes)
	for i := range want {
		if want[i] == "Byte" && s.GDAL.Bands[i].Pixeltype == "SIGNEDBYTE" {
			want[i] = "Int8"
		}
	}
	types = types[:min(len(types), 64)]
	return judge(slices.Equal(types, want), types, want)
}

// nodata compares the value as a number. GDAL rounds it to the band's type.
func nodata(b band, w gdalBand) bool {
	if w.Nodata == nil || b.Nodata == nil {
		return w.Nodata == nil && b.Nodata == nil
	}
	want, err := strconv.ParseFloat(fmt.Sprint(w.Nodata), 64)
	got, err2 := strconv.ParseFloat(fmt.Sprint(b.Nodata), 64)
	if err != nil || err2 != nil {
		return false
	}
	tolerance := 0.0
	if b.DataType == "float32" || b.DataType == "cfloat32" || b.DataType == "float16" {
		tolerance = 1e-6 * math.Abs(want)
	}
	return got == want || math.IsNaN(got) && math.IsNaN(want) || math.Abs(got-want) <= tolerance
}

var statisticsOf = map[string]string{"STATISTICS_MINIMUM": "minimum", "STATISTICS_MAXIMUM": "maximum", "STATISTICS_MEAN": "mean",
	"STATISTICS_STDDEV": "stddev", "STATISTICS_VALID_PERCENT": "valid_percent"}

// statistics compares those that GDAL has as numbers.
func statistics(b band, w gdalBand) bool {
	for name, key := range statisticsOf {
		want, err := strconv.ParseFloat(strings.TrimSpace(w.Metadata[name]), 64)
		got, ok := b.Statistics[key].(float64)
		if err != nil || math.IsNaN(want) || math.IsInf(want, 0) {
			if ok {
				return false
			}
			continue
		}
		if !ok || math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
			return false
		}
	}
	return true
}

// mask compares the mask of the whole dataset: GDAL's GMF_PER_DATASET without GMF_ALPHA.
func mask(s *subject) verdict {
	if len(s.GDAL.Bands) == 0 || s.hasBeside(".msk", ".ovr", ".aux.xml") {
		return none
	}
	flags := s.GDAL.Bands[0].MaskFlags
	return same(s.header.HasMask, flags&2 != 0 && flags&4 == 0)
}

// compressions are GDAL's names, or a part of them.
var compressions = map[uint16]string{2: "CCITTRLE", 3: "CCITTFAX3", 4: "CCITTFAX4", 5: "LZW", 6: "OJPEG", 7: "JPEG", 8: "DEFLATE",
	32773: "PACKBITS", 32809: "THUNDERSCAN", 32946: "DEFLATE", 34676: "SGILOG", 34677: "SGILOG24", 34887: "LERC", 34925: "LZMA",
	50000: "ZSTD", 50001: "WEBP", 50002: "JXL", 52546: "JXL"}

// colours compares what the bands show. Before 3.10 GDAL had no names for the infrared.
func colours(s *subject) verdict {
	var got, want []string
	for i, w := range s.GDAL.Bands {
		got, want = append(got, s.header.Bands[i].ColorInterp), append(want, strings.ToLower(w.Color))
	}
	return judge(slices.Equal(got, want), got, want)
}

// metadata compares the items of the default domain both ways.
func metadata(s *subject) verdict {
	got := map[string]string{}
	for _, m := range s.header.Metadata {
		if m.Sample < 0 && m.Domain == "" && m.Role == "" {
			got[m.Name] = m.Value
		}
	}
	for name, value := range got {
		if want, ok := s.GDAL.Metadata[name]; !ok || !sameText(value, want) {
			return judge(false, name+"="+value, want)
		}
	}
	for name, want := range s.GDAL.Metadata {
		_, ok := got[name]
		if !ok && name != "AREA_OR_POINT" && !strings.HasPrefix(name, "TIFFTAG_") && !strings.HasPrefix(name, "GEO_METADATA") &&
			!s.hasBeside(".aux.xml") {
			return judge(false, name+" is missing", want)
		}
	}
	return verdict{compared: true}
}

// sameOr compares numbers that may be left out where they are the fallback. One that is not finite is not published.
func sameOr(cairn *float64, gdal *number, fallback float64) verdict {
	got, want := fallback, fallback
	if cairn != nil {
		got = *cairn
	}
	if gdal != nil && !math.IsNaN(float64(*gdal)) && !math.IsInf(float64(*gdal), 0) {
		want = float64(*gdal)
	}
	return same(got, want)
}

// sameText allows for control characters and outer spaces, which are not published, and for the truth's texts being cut to
// 300 characters.
func sameText(cairn, gdal string) bool {
	cut := utf8.RuneCountInString(gdal) >= 300
	cairn, gdal = printable(cairn), printable(gdal)
	return cairn == gdal || cut && strings.HasPrefix(cairn, gdal)
}

func printable(s string) string {
	unseen := func(r rune) bool { return r <= ' ' || r == utf8.RuneError }
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), unseen), " ")
}

func sameAll(cairn []float64, gdal []number) verdict {
	for i, w := range gdal {
		if math.Abs(cairn[i]-float64(w)) > 1e-9*max(1, math.Abs(float64(w))) {
			return judge(false, cairn, gdal)
		}
	}
	return verdict{compared: true}
}
