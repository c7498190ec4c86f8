package item

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/stac"
)

// maxBands is how many bands an Item describes one by one. Hyperspectral cubes have some hundreds; a header of a few bytes
// can claim thousands.
const maxBands = 1024

// maxText bounds a text that is taken from a file, in bytes.
const maxText = 1000

// bandsOf describes the bands of a raster; nil where there are too many. raster tells whether any of them needs the raster
// extension.
func bandsOf(h *geotiff.Header) (bands []stac.Band, raster bool) {
	if len(h.Bands) > maxBands {
		return nil, false
	}
	nodata := nodataOf(h.Nodata)
	bands = make([]stac.Band, len(h.Bands))
	for i, b := range h.Bands {
		bands[i] = stac.Band{DataType: b.DataType, Nodata: nodata}
	}
	for _, m := range h.Metadata {
		if m.Sample >= 0 && m.Sample < len(bands) {
			describe(&bands[m.Sample], m)
		}
	}
	for i := range bands {
		b := &bands[i]
		if (b.Scale == nil || *b.Scale == 1) && (b.Offset == nil || *b.Offset == 0) {
			b.Scale, b.Offset = nil, nil // GDAL writes both wherever one is set; 1 and 0 say nothing
		}
		raster = raster || b.Scale != nil || b.Offset != nil
	}
	return bands, raster
}

// statistics are GDAL's names of STAC's statistics (common metadata 1.1.0).
var statistics = map[string]string{
	"STATISTICS_MINIMUM":       "minimum",
	"STATISTICS_MAXIMUM":       "maximum",
	"STATISTICS_MEAN":          "mean",
	"STATISTICS_STDDEV":        "stddev",
	"STATISTICS_VALID_PERCENT": "valid_percent",
}

// describe adds to a band what an item of GDAL_METADATA says of it.
func describe(b *stac.Band, m geotiff.Meta) {
	switch m.Role {
	case "description":
		b.Description = clean(m.Value, maxText)
	case "unittype":
		b.Unit = clean(m.Value, maxText)
	case "scale":
		b.Scale = numberOf(m.Value)
	case "offset":
		b.Offset = numberOf(m.Value)
	case "":
		name, v := statistics[m.Name], numberOf(m.Value)
		if name == "" || v == nil || name == "valid_percent" && (*v < 0 || *v > 100) {
			return
		}
		if b.Statistics == nil {
			b.Statistics = make(map[string]any, len(statistics))
		}
		b.Statistics[name] = *v
	}
}

// nodataOf is GDAL_NODATA as STAC has it: a number, or "nan", "inf", "-inf"; nil for anything else.
func nodataOf(s string) any {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	switch {
	case err != nil:
		switch strings.ToLower(strings.TrimSpace(s)) {
		case "-nan", "1.#qnan", "-1.#ind", "nan(ind)", "-nan(ind)":
			return "nan"
		}
		return nil
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return f
}

// numberOf reads a finite number; nil if it is none.
func numberOf(s string) *float64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return &f
}

// clean makes a text of a file fit to be shown: UTF-8, without control characters, at most limit bytes.
func clean(s string, limit int) string {
	s = strings.ToValidUTF8(s[:min(len(s), 4*limit)], "")
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}

// round rounds to a number of decimals, as decimal notation does.
func round(f float64, decimals int) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', decimals, 64), 64)
	if err != nil {
		return f
	}
	return out
}
