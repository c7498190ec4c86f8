package geotiff_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

// TestColours holds what GDAL 3.10 says of the same tags.
func TestColours(t *testing.T) {
	tag := func(id uint16, values ...uint16) tiffwrite.Tag { return tiffwrite.Tag{ID: id, Value: values} }
	photo := func(v uint16) tiffwrite.Tag { return tag(262, v) }
	extra := func(v ...uint16) tiffwrite.Tag { return tag(338, v...) }
	noExtra := tiffwrite.Tag{ID: 338}
	colourMap := func(values int) tiffwrite.Tag { return tiffwrite.Tag{ID: 320, Value: make([]uint16, values)} }
	role := func(s string) tiffwrite.Tag {
		return tiffwrite.Tag{ID: 42112, Value: `<GDALMetadata><Item name="COLORINTERP" sample="1" role="ColorInterp">` + s +
			`</Item></GDALMetadata>`}
	}
	const cmyk, rgba = "cyan magenta yellow black", "red green blue alpha"
	for _, c := range []struct {
		name     string
		dataType string
		bands    int
		tags     []tiffwrite.Tag
		want     string
	}{
		{"gray", "uint8", 1, nil, "gray"},
		{"no photometric", "uint8", 3, []tiffwrite.Tag{{ID: 262}, noExtra}, "gray undefined undefined"},
		{"gray of 4", "float32", 4, []tiffwrite.Tag{noExtra}, "gray undefined undefined undefined"},
		{"gray and alpha", "uint16", 2, []tiffwrite.Tag{extra(2)}, "gray alpha"},
		{"gray, two, premultiplied alpha", "uint16", 4, []tiffwrite.Tag{extra(0, 0, 1)}, "gray undefined undefined alpha"},
		{"gray that says it is alpha", "uint8", 1, []tiffwrite.Tag{extra(2)}, "gray"},
		{"white is 0", "uint8", 1, []tiffwrite.Tag{photo(0)}, "palette"},
		{"white is 0, with alpha", "uint8", 2, []tiffwrite.Tag{photo(0), extra(2)}, "palette alpha"},
		{"white is 0, deep", "uint32", 1, []tiffwrite.Tag{photo(0)}, "undefined"},
		{"black and white", "uint8", 1, []tiffwrite.Tag{tag(258, 1)}, "palette"},
		{"three of one bit", "uint8", 3, []tiffwrite.Tag{tag(258, 1), photo(1), noExtra}, "gray undefined undefined"},
		{"RGB", "uint8", 3, []tiffwrite.Tag{photo(2)}, "red green blue"},
		{"RGB without ExtraSamples", "uint8", 4, []tiffwrite.Tag{photo(2), noExtra}, "red green blue undefined"},
		{"RGB with alpha", "uint8", 4, []tiffwrite.Tag{photo(2), extra(2)}, rgba},
		{"RGB with Corel's alpha", "uint8", 4, []tiffwrite.Tag{photo(2), extra(999)}, rgba},
		{"RGB, one more, alpha", "uint16", 5, []tiffwrite.Tag{photo(2), extra(0, 2)}, "red green blue undefined alpha"},
		{"RGB with too few ExtraSamples", "uint8", 5, []tiffwrite.Tag{photo(2), extra(1)}, rgba + " undefined"},
		{"RGB with too many ExtraSamples", "uint8", 4, []tiffwrite.Tag{photo(2), extra(2, 2)}, rgba},
		{"RGB of one band", "uint8", 1, []tiffwrite.Tag{photo(2)}, "red"},
		{"palette", "uint8", 1, []tiffwrite.Tag{photo(3), colourMap(768)}, "palette"},
		{"palette with alpha", "uint8", 2, []tiffwrite.Tag{photo(3), colourMap(768), extra(2)}, "palette alpha"},
		{"palette of 16 bits", "uint16", 1, []tiffwrite.Tag{photo(3), colourMap(3 << 16)}, "palette"},
		{"palette that is too short", "uint8", 1, []tiffwrite.Tag{photo(3), colourMap(3)}, "gray"},
		{"palette without a map", "uint8", 1, []tiffwrite.Tag{photo(3)}, "gray"},
		{"palette of three bands", "uint8", 3, []tiffwrite.Tag{photo(3), noExtra}, "red green blue"},
		{"gray with a map", "uint8", 1, []tiffwrite.Tag{colourMap(768)}, "palette"},
		{"mask", "uint8", 1, []tiffwrite.Tag{photo(4)}, "undefined"},
		{"CMYK", "uint8", 4, []tiffwrite.Tag{photo(5), noExtra}, rgba},
		{"CMYK and one more", "uint8", 5, []tiffwrite.Tag{photo(5), extra(0)}, rgba},
		{"CMYK of 16 bits", "uint16", 5, []tiffwrite.Tag{photo(5), extra(2)}, cmyk + " alpha"},
		{"other inks", "uint8", 4, []tiffwrite.Tag{photo(5), tag(332, 2), noExtra}, cmyk},
		{"three inks", "uint8", 3, []tiffwrite.Tag{photo(5), noExtra}, "cyan magenta yellow"},
		{"YCbCr", "uint8", 3, []tiffwrite.Tag{photo(6), noExtra}, "red green blue"},
		{"YCbCr JPEG", "uint8", 3, []tiffwrite.Tag{photo(6), noExtra, tag(259, 7)}, "red green blue"},
		{"YCbCr of 16 bits", "uint16", 3, []tiffwrite.Tag{photo(6), noExtra}, "ycbcr_y ycbcr_cb ycbcr_cr"},
		{"Lab", "uint8", 3, []tiffwrite.Tag{photo(8), noExtra}, rgba},
		{"Lab of 16 bits", "uint16", 3, []tiffwrite.Tag{photo(8), noExtra}, "undefined undefined undefined"},
		{"Lab and one more", "uint8", 4, []tiffwrite.Tag{photo(8), extra(0)}, "undefined undefined undefined undefined"},
		{"colour filter", "uint16", 1, []tiffwrite.Tag{photo(32803)}, "undefined"},
		{"colour filter and alpha", "uint16", 2, []tiffwrite.Tag{photo(32803), extra(2)}, "undefined alpha"},
		{"role of a converted band", "uint8", 4, []tiffwrite.Tag{photo(5), noExtra, role("magenta")}, rgba},
		{"role", "uint8", 3, []tiffwrite.Tag{role("NIR")}, "red nir blue"},
		{"role in capitals", "uint8", 3, []tiffwrite.Tag{role("ALPHA")}, "red alpha blue"},
		{"role that says no more", "uint8", 3, []tiffwrite.Tag{role("undefined")}, "red undefined blue"},
		{"role that GDAL does not know", "uint8", 3, []tiffwrite.Tag{role("Near infrared")}, "red undefined blue"},
	} {
		b := bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Bands: c.bands, DataType: c.dataType, Tags: c.tags})
		var got []string
		for _, band := range read(t, b).Bands {
			got = append(got, band.ColorInterp)
			if len(got) > c.bands && band.DataType != "uint8" {
				t.Errorf("%s: converted to %s", c.name, band.DataType)
			}
		}
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
