package item

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/cairn-stac/cairn/internal/crs"
	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/stac"
)

// maxBands is how many bands an Item describes one by one. Hyperspectral cubes have some hundreds; a header of a few bytes
// can claim thousands.
const maxBands = 1024

// maxText bounds a text that is taken from a file, in bytes.
const maxText = 1000

// bandsOf describes the bands of a raster; nil where there are too many.
func bandsOf(m *raster) []stac.Band {
	h := m.header
	if len(h.Bands) > maxBands {
		return nil
	}
	bands := make([]stac.Band, len(h.Bands))
	colours := make([]string, len(h.Bands))
	for i, b := range h.Bands {
		text := h.Nodata
		if m.aux != nil {
			if own, ok := m.aux.Nodata[i]; ok {
				text = own
			}
		}
		bands[i] = stac.Band{DataType: b.DataType, Nodata: jsonNumber(b.NodataValue(text))}
		colours[i] = b.ColorInterp
	}
	for _, meta := range m.metadata() {
		switch i := meta.Sample; {
		case i < 0 || i >= len(bands):
		case meta.Role == "colorinterp":
			colours[i] = strings.ToLower(meta.Value)
		default:
			describe(&bands[i], meta)
		}
	}
	names := map[string]int{}
	heights := heightUnit(h.Geo)
	for i := range bands {
		b := &bands[i]
		if b.Unit == "" {
			b.Unit = heights
		}
		if (b.Scale == nil || *b.Scale == 1) && (b.Offset == nil || *b.Offset == 0) {
			b.Scale, b.Offset = nil, nil // GDAL writes both wherever one is set; 1 and 0 say nothing
		}
		names[bandName(*b, colours[i])]++
	}
	for i, b := range bands {
		if name := bandName(b, colours[i]); names[name] == 1 {
			bands[i].Name = name
		}
	}
	return bands
}

// bandName is what a band may be called, if no other band of its file may be: its description where that is short and plain,
// or else its colour; "" where it has neither.
func bandName(b stac.Band, colour string) string {
	if b.Description != "" {
		if isName(b.Description) {
			return b.Description
		}
		return ""
	}
	switch colour {
	case "red", "green", "blue", "alpha":
		return colour
	}
	return ""
}

// isName tells whether a description is short and plain enough to be a name too.
func isName(s string) bool {
	if len(s) > 32 {
		return false
	}
	for i := range len(s) {
		if !inAlphabet(s[i]) {
			return false
		}
	}
	return true
}

// heightUnit is the unit of the heights of a compound CRS, which GDAL gives to bands without a unit of their own; "" for others.
func heightUnit(g *geotiff.GeoKeys) string {
	if g == nil {
		return ""
	}
	for _, code := range []uint16{g.VerticalCRS, g.ProjectedCRS, g.GeodeticCRS} {
		if code == 0 {
			continue // as mostly, which spares the search
		}
		if unit := crs.VerticalUnit(int(code)); unit != "" {
			return unit
		}
	}
	return ""
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

// jsonNumber is a nodata value as STAC has it: a number, or "nan", "inf", "-inf"; nil for none.
func jsonNumber(v any) any {
	switch f, _ := v.(float64); {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return v
}

// numberOf reads a finite number; nil if it is none.
func numberOf(s string) *float64 {
	f, ok := geotiff.Number(s)
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
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
