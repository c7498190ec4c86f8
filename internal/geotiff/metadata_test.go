package geotiff_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

// TestMetadata holds what GDAL 3.10 makes of the same texts.
func TestMetadata(t *testing.T) {
	item := func(name, value string) geotiff.Meta { return geotiff.Meta{Name: name, Sample: -1, Value: value} }
	in := func(items string) string { return "<GDALMetadata>" + items + "</GDALMetadata>" }
	for _, c := range []struct {
		xml      string
		want     []geotiff.Meta
		warnings int
	}{
		{in(""), nil, 0},
		{`<?xml version="1.0" encoding="ISO-8859-1"?>` + in(`<Item name="a">b</Item>`), []geotiff.Meta{item("a", "b")}, 0},
		{in("\n  <Item name=\"a\">\n b \n</Item>\n") + "\n\x00\x00", []geotiff.Meta{item("a", "b \n")}, 0},
		{in(`<Item name="a">1 &amp;lt; 2 &amp;amp;amp; 3</Item>`), []geotiff.Meta{item("a", "1 < 2 &amp; 3")}, 0},
		{in(`<Item name="a">&amp;#176;C &#xb0; &amp;#xB0; &amp;quot;&amp;apos;&amp;gt;</Item>`),
			[]geotiff.Meta{item("a", `°C ° ° "'>`)}, 0},
		{in(`<Item name="a">R&amp;D &amp;nbsp; &amp;#; &amp;#xZ; &amp;; 50 &amp;#99999999; &amp;</Item>`),
			[]geotiff.Meta{item("a", "R&D &nbsp; &#; &#xZ; &; 50 &#99999999; &")}, 0},
		{in(`<Item name="a"><![CDATA[<b>]]></Item>`), []geotiff.Meta{item("a", "<b>")}, 0},
		{in(`<Item name="a">one<i>two</i>three</Item><Item name="b"><i>two</i></Item>` +
			`<Item name="c"><!-- no -->text</Item><Item name="d">e</Item>`), []geotiff.Meta{item("d", "e")}, 0},
		{in(`<!-- no --><Other>x</Other><Item name="a">b</Item>`), []geotiff.Meta{item("a", "b")}, 0},
		{in(`<Item name="a"/><Item name="b"></Item><Item name="c"> </Item><Item>d</Item>`), nil, 0},
		{in("<Item name=\"u\">\xb0C</Item>"), []geotiff.Meta{item("u", "°C")}, 0},
		{in(`<item NAME="a">b</item><ITEM name='c'>d</ITEM><Item name=e>f</Item>`),
			[]geotiff.Meta{item("a", "b"), item("c", "d"), item("e", "f")}, 0},
		{in(`<Item name="o" sample="1" role="offset" domain="D">-3.5</Item>`),
			[]geotiff.Meta{{Name: "o", Sample: 1, Role: "offset", Domain: "D", Value: "-3.5"}}, 0},
		{in(`<Item name="no such band" sample="2">x</Item><Item name="below" sample="-2">x</Item>` +
			`<Item name="above" sample="65536">x</Item><Item name="all" sample="-1">x</Item>`), []geotiff.Meta{item("all", "x")}, 0},
		{in(`<Item name="a" sample="abc">x</Item><Item name="b" sample=" 1x">y</Item>`),
			[]geotiff.Meta{{Name: "a", Value: "x"}, {Name: "b", Sample: 1, Value: "y"}}, 0},
		{in(`<Item name="a" domain="image_structure">x</Item>`), nil, 0},
		{in(`<Item name="a" role="scale">2</Item>`), []geotiff.Meta{item("a", "2")}, 0},
		{in(`<Item name="a">b</Item>`) + in(`<Item name="c">d</Item>`), []geotiff.Meta{item("a", "b")}, 0},
		{"junk " + in(`<Item name="a">b</Item>`), []geotiff.Meta{item("a", "b")}, 0},
		{"<Other/>" + in(`<Item name="a">b</Item>`), []geotiff.Meta{item("a", "b")}, 0},
		{`<Other><Item name="a">b</Item></Other>`, nil, 0},
		{`<GDALMetadata><Item name="a">b</Item><Item name="c">d</Item>`, nil, 1},
		{`<GDALMetadata><Item name="a">b</Item><Item name="c`, nil, 1},
		{`</GDALMetadata>` + in(`<Item name="a">b</Item>`), nil, 1},
		{"not XML at all", nil, 0},
		{"<GDALMetadata>" + strings.Repeat("<Item>", 1000), nil, 1},
	} {
		h := read(t, bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Bands: 2, Metadata: c.xml}))
		if !reflect.DeepEqual(h.Metadata, c.want) || len(h.Warnings) != c.warnings {
			t.Errorf("%.100q: %+v, warnings %q", c.xml, h.Metadata, h.Warnings)
		}
	}
}

func TestMetadataIsBounded(t *testing.T) {
	many := "<GDALMetadata>" + strings.Repeat(`<Item name="a">b</Item>`, 10_000) + "</GDALMetadata>"
	h := read(t, bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Metadata: many}))
	if len(h.Metadata) != 8192 || len(h.Warnings) != 1 {
		t.Errorf("%d items, warnings %q", len(h.Metadata), h.Warnings)
	}
	long := fmt.Sprintf("<GDALMetadata><Item name=\"a\">%s</Item></GDALMetadata>", strings.Repeat("x", 1<<20))
	h = read(t, bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Metadata: long, Nodata: "7"}))
	if h.Metadata != nil || h.Nodata != "7" || len(h.Warnings) != 1 {
		t.Errorf("%d items, nodata %q, warnings %q", len(h.Metadata), h.Nodata, h.Warnings)
	}
}
