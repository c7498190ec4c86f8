package geotiff_test

import (
	"math"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

// TestNodataValue holds what GDAL 3.10 says of the same texts, but for NaNs that it does not know.
func TestNodataValue(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		dataType, text string
		want           any
	}{
		{"uint8", "", nil}, {"uint8", " ", nil}, {"uint8", "255", 255.}, {"uint8", "  7  ", 7.}, {"uint8", "+3", 3.},
		{"uint8", "-9999", -9999.}, {"uint8", "255.5", 255.5}, {"uint8", "1,5", 1.5}, {"uint8", "1,000.5", 1.},
		{"uint8", "7abc", 7.}, {"uint8", "1 5", 1.}, {"uint8", "0x10", 0.}, {"uint8", "none", 0.}, {"uint8", "--5", 0.},
		{"float64", ".5", .5}, {"float64", "5.", 5.}, {"float64", "-.5e2", -50.}, {"float64", "1e", 1.}, {"float64", "1e+", 1.},
		{"float64", "e5", 0.}, {"float64", "1.5.2", 1.5}, {"float64", "1.-2", 1.}, {"float64", ".", 0.}, {"float64", "-", 0.},
		{"float64", "1e400", inf}, {"float64", "-1e400", -inf}, {"float64", "1e-400", 0.},
		{"float64", "-1.7976931348623157E308", -math.MaxFloat64},
		{"float64", "inf", inf}, {"float64", "-INF", -inf}, {"float64", "Infinity", inf}, {"float64", "1.#INF", inf},
		{"float64", "-1.#INF00", -inf}, {"float64", "nan", nan}, {"float64", "NAN", nan}, {"float64", "-nan(ind)", nan},
		{"float64", "1.#QNAN", nan}, {"float64", "-1.#IND", nan},
		{"float32", "0.1", float64(float32(0.1))}, {"float32", "1e40", inf},
		{"float32", "-3.40282346638529e+38", -math.MaxFloat32}, {"float32", "3.4028235e38", math.MaxFloat32},
		{"float32", "-3.4028e38", float64(float32(-3.4028e38))}, {"float32", "nan", nan}, {"float16", "0.1", 0.1},
		{"cint16", "-5", -5.},
		{"int64", "9223372036854775807", int64(math.MaxInt64)}, {"int64", "-9223372036854775808", int64(math.MinInt64)},
		{"int64", "99999999999999999999", int64(math.MaxInt64)}, {"int64", "1.5", int64(1)}, {"int64", "1e3", int64(1)},
		{"int64", "nan", int64(0)}, {"int64", "+5", int64(5)},
		{"uint64", "18446744073709551615", uint64(math.MaxUint64)}, {"uint64", "-1", uint64(math.MaxUint64)},
		{"uint64", "99999999999999999999", uint64(math.MaxUint64)}, {"uint64", "+7.9", uint64(7)}, {"uint64", "x", uint64(0)},
	} {
		got := geotiff.Band{DataType: c.dataType}.NodataValue(c.text)
		g, _ := got.(float64)
		w, _ := c.want.(float64)
		if got != c.want && !(math.IsNaN(g) && math.IsNaN(w)) {
			t.Errorf("%s %q: %v, want %v", c.dataType, c.text, got, c.want)
		}
	}
}

func TestNodataThatIsNoNumber(t *testing.T) {
	for text, warnings := range map[string]int{"none": 1, "--": 1, "-nan": 0, "-9999": 0, "": 0} {
		h := read(t, bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Nodata: text}))
		if h.Nodata != text || len(h.Warnings) != warnings {
			t.Errorf("%q: %q, warnings %q", text, h.Nodata, h.Warnings)
		}
	}
}
