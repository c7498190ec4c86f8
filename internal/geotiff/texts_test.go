package geotiff_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

func TestTexts(t *testing.T) {
	long := strings.Repeat("ä", 3000) // 6,000 bytes, and the limit goes through no character
	for _, c := range []struct {
		text, want string
		warnings   int
	}{
		{"", "", 0}, {"plain", "plain", 0}, {" \t trimmed \r\n", "trimmed", 0}, {"first\x00second", "first", 0},
		{"\x00nothing", "", 0}, {"Z\xfcrich", "Zürich", 0}, {"Zürich", "Zürich", 0}, {"x" + long, "x" + long[:4094], 1},
		{long, long[:4096], 1},
	} {
		eachKind(t, func(t *testing.T, r tiffwrite.Raster) {
			r.Width, r.Height = 1, 1
			r.Tags = []tiffwrite.Tag{{ID: 270, Value: c.text}, {ID: 305, Value: []byte(c.text + "\x00")}}
			h := read(t, bytesOf(t, r))
			if h.Description != c.want || h.Software != c.want || len(h.Warnings) != 2*c.warnings {
				t.Errorf("%.40q: %.40q, %.40q, warnings %q", c.text, h.Description, h.Software, h.Warnings)
			}
		})
	}
	numbers := tiffwrite.Raster{Width: 1, Height: 1, Tags: []tiffwrite.Tag{{ID: 305, Value: []uint16{65, 66}}}}
	if h := read(t, bytesOf(t, numbers)); h.Software != "" {
		t.Errorf("numbers became the text %q", h.Software)
	}
}

// validTexts tells whether every text of a header can go into JSON.
func validTexts(h *geotiff.Header) bool {
	texts := []string{h.Description, h.Software, h.DateTime, h.Nodata, h.COG.Reason}
	for _, m := range h.Metadata {
		texts = append(texts, m.Name, m.Domain, m.Role, m.Value)
	}
	if h.Geo != nil {
		for _, s := range h.Geo.ASCII {
			texts = append(texts, s)
		}
	}
	for _, s := range append(texts, h.Warnings...) {
		if !utf8.ValidString(s) {
			return false
		}
	}
	return true
}
