package geotiff_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff/tifftest"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

// TestRolesOfImages gives the images of one file other roles by their NewSubfileType (254): 1 reduced, 2 page, 4 mask.
func TestRolesOfImages(t *testing.T) {
	eachKind(t, func(t *testing.T, r tiffwrite.Raster) {
		r.Width, r.Height, r.Bands, r.Tile, r.Overviews, r.Mask = 64, 48, 3, 16, 2, true
		r.Tags = []tiffwrite.Tag{{ID: 254, Value: []uint32{0}}}
		f := tifftest.File(bytesOf(t, r)) // image, mask, overview, its mask, overview, its mask
		r.Mask, r.SubIFDs = false, true
		inSub := tifftest.File(bytesOf(t, r))
		// The first IFD once more, behind the first.
		twice := tifftest.File(slices.Concat(inSub, inSub[inSub.IFD(0):])).Next(0, uint64(len(inSub)))

		for _, c := range []struct {
			name             string
			file             tifftest.File
			overviews, pages int
			mask             bool
			warning          string
		}{
			{"as written", f, 2, 1, true, ""},
			{"pages", f.Long(1, 254, 2).Long(2, 254, 0).Long(3, 254, 2), 1, 4, false, ""},
			{"a thumbnail first", f.Long(0, 254, 1), 2, 0, true, ""},
			{"a mask first", f.Long(0, 254, 4), 2, 0, true, ""},
			{"a mask of another size", f.Long(1, 256, 63), 2, 1, false, "does not fit"},
			{"a mask of three bands", f.Short(1, 277, 3), 2, 1, true, ""},
			{"a mask of two bands", f.Short(1, 277, 2), 2, 1, false, "does not fit"},
			{"masks of overviews alone", f.Long(1, 254, 5), 2, 1, false, ""},
			{"overviews in SubIFDs", inSub, 2, 1, false, ""},
			{"a page behind SubIFDs", twice, 2, 2, false, ""},
			{"a reduced image behind SubIFDs", twice.Long(1, 254, 1), 2, 1, false, ""},
		} {
			h := read(t, c.file)
			if len(h.Overviews) != c.overviews || h.Pages != c.pages || h.HasMask != c.mask || h.Width != 64 {
				t.Errorf("%s: overviews %v, %d pages, mask %v", c.name, h.Overviews, h.Pages, h.HasMask)
			}
			if text := strings.Join(h.Warnings, "; "); (text != "") != (c.warning != "") || !strings.Contains(text, c.warning) {
				t.Errorf("%s: warnings %q", c.name, h.Warnings)
			}
		}
	})
}

func TestPlanar(t *testing.T) {
	for value, want := range map[uint16]bool{1: false, 2: true} {
		r := tiffwrite.Raster{Width: 1, Height: 1, Bands: 3, Tags: []tiffwrite.Tag{{ID: 284, Value: []uint16{value}}}}
		if h := read(t, bytesOf(t, r)); h.Planar != want {
			t.Errorf("PlanarConfiguration %d: %v", value, h.Planar)
		}
	}
}
