package geotiff_test

import (
	"fmt"
	"reflect"
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

func TestMetadata(t *testing.T) {
	item := func(name, value string) geotiff.Meta { return geotiff.Meta{Name: name, Sample: -1, Value: value} }
	deep := "<GDALMetadata>" + strings.Repeat("<Item>", 1000)
	for _, c := range []struct {
		xml      string
		want     []geotiff.Meta
		warnings int
	}{
		{"<GDALMetadata></GDALMetadata>", nil, 0},
		{`<?xml version="1.0" encoding="ISO-8859-1"?><GDALMetadata><Item name="a">b</Item></GDALMetadata>`,
			[]geotiff.Meta{item("a", "b")}, 0},
		{"<GDALMetadata>\n  <Item name=\"a\">\n b \n</Item>\n</GDALMetadata>\n\x00\x00", []geotiff.Meta{item("a", "b \n")}, 0},
		{`<GDALMetadata><Item name="a">1 &amp;lt; 2 &amp;amp;amp; 3</Item></GDALMetadata>`,
			[]geotiff.Meta{item("a", "1 < 2 &amp; 3")}, 0},
		{`<GDALMetadata><Item name="a"><![CDATA[<b>]]></Item></GDALMetadata>`, []geotiff.Meta{item("a", "<b>")}, 0},
		{`<GDALMetadata><Item name="a">one<i>two</i>three</Item></GDALMetadata>`, []geotiff.Meta{item("a", "onethree")}, 0},
		{`<GDALMetadata><!-- no --><Other>x</Other><Item name="a">b</Item></GDALMetadata>`, []geotiff.Meta{item("a", "b")}, 0},
		{"<GDALMetadata><Item name=\"u\">\xb0C</Item></GDALMetadata>", []geotiff.Meta{item("u", "°C")}, 0},
		{`<GDALMetadata><Item name="o" sample="12" role="offset" domain="D">-3.5</Item></GDALMetadata>`,
			[]geotiff.Meta{{Name: "o", Sample: 12, Role: "offset", Domain: "D", Value: "-3.5"}}, 0},
		{`<GDALMetadata><Item name="o" sample="-7">x</Item></GDALMetadata>`, []geotiff.Meta{item("o", "x")}, 0},
		{`<GDALMetadata><Item name="a">b</Item><Item name="c">`, []geotiff.Meta{item("a", "b"), item("c", "")}, 1},
		{"not XML at all", nil, 0},
		{deep, []geotiff.Meta{item("", "")}, 1},
	} {
		h := read(t, bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Metadata: c.xml}))
		if !reflect.DeepEqual(h.Metadata, c.want) || len(h.Warnings) != c.warnings {
			t.Errorf("%.100q: %+v, warnings %q", c.xml, h.Metadata, h.Warnings)
		}
	}
}

func TestMetadataIsBounded(t *testing.T) {
	var many strings.Builder
	many.WriteString("<GDALMetadata>")
	for range 20_000 {
		many.WriteString("<Item/>")
	}
	h := read(t, bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Metadata: many.String()}))
	if len(h.Metadata) != 8192 || len(h.Warnings) != 1 {
		t.Errorf("%d items, warnings %q", len(h.Metadata), h.Warnings)
	}
	long := fmt.Sprintf("<GDALMetadata><Item name=\"a\">%s</Item></GDALMetadata>", strings.Repeat("x", 1<<20))
	h = read(t, bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Metadata: long, Nodata: "7"}))
	if h.Metadata != nil || h.Nodata != "7" || len(h.Warnings) != 1 {
		t.Errorf("%d items, nodata %q, warnings %q", len(h.Metadata), h.Nodata, h.Warnings)
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
