package geotiff_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff/tifftest"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

func TestCOGVerdict(t *testing.T) {
	write := func(r tiffwrite.Raster) tifftest.File { return bytesOf(t, r) }
	cog := tiffwrite.Raster{Width: 1100, Height: 600, Value: gradient}.Optimized()
	overviews := cog.Overviews
	plain := tiffwrite.Raster{Width: 600, Height: 300, Tile: 128}
	withOverviews, cogOf := plain, func(r tiffwrite.Raster) tiffwrite.Raster { r.Layout = tiffwrite.COG; return r }
	withOverviews.Overviews, withOverviews.Value = 2, gradient
	noGhost := func(r tiffwrite.Raster) tiffwrite.Raster { r.NoGhost = true; return r }
	small := tiffwrite.Raster{Width: 512, Height: 512, Tile: 256, Value: gradient}
	strips := tiffwrite.Raster{Width: 53, Height: 38, Value: gradient}
	last := withOverviews
	last.Layout = tiffwrite.IFDsLast
	masked := cog
	masked.Mask = true

	moved := slices.Concat(write(cog), write(cog)[write(cog).IFD(1):])
	moved = moved.Next(0, uint64(len(write(cog))))
	// The IFDs of the two overviews change places, and what they say their sizes are.
	crossed := write(cog).Value(1, 256, 275).Value(1, 257, 150).Value(2, 256, 550).Value(2, 257, 300)
	crossed = crossed.Next(2, crossed.IFD(1)).Next(0, crossed.IFD(2)).Next(2, 0)
	sparse := write(scene(600, 128, 1))
	farOff := slices.Concat(sparse, make([]byte, 40<<10), sparse[sparse.IFD(1):])
	farOff = farOff.Next(0, uint64(len(farOff)-len(sparse))+sparse.IFD(1))
	tile := write(tiffwrite.Raster{Width: 16, Height: 16, Tile: 16, Value: gradient})
	at16 := slices.Concat(tile[:8], make([]byte, 8), tile[8:]).First(16)

	for _, c := range []struct {
		name   string
		file   tifftest.File
		reason string // or the start of it
	}{
		{"optimized", write(cog), ""},
		{"optimized, with masks", write(masked), ""},
		{"edited since", write(cog).Replace("EDITION=NO\n ", "EDITION=YES\n"),
			"the file was changed after it had been laid out as a COG"},
		{"without the ghost area", write(noGhost(cog)), ""},
		{"something else before the IFD", write(cog).Replace("GDAL_STRUCTURAL", "gdal_structural"),
			"the first IFD lies at offset 192, not at 8"},
		{"a ghost area of another length", write(cog).Replace("SIZE=000140", "SIZE=000130"),
			"the first IFD lies at offset 192, not at 182"},
		{"ghost area without overviews", write(cogOf(plain)), ""},
		{"no overviews", write(plain), ""},
		{"small, no overviews", write(small), ""},
		{"strips", write(strips), "not tiled"},
		{"strips and a ghost area", write(cogOf(strips)), ""},
		{"large strips and a ghost area", write(cogOf(tiffwrite.Raster{Width: 1025, Height: 10})), "not tiled"},
		{"IFDs at the end", write(last), fmt.Sprintf("the first IFD lies at offset %d, not at 8", write(last).IFD(0))},
		{"second IFD at the end", moved, fmt.Sprintf("IFD at offset %d lies behind pixels at", moved.IFD(1))},
		{"IFDs out of order", crossed, "IFDs are not in the order of their images"},
		{"second IFD far off, pixels unknown", farOff, fmt.Sprintf("IFD at offset %d is not at the start", farOff.IFD(1))},
		{"first IFD at 16", at16, ""},
		{"full image first", write(withOverviews), "pixels of an overview lie behind those of a larger image"},
		{"overviews in strips", write(cog).Retag(1, 324, 273), ""},
		{"wide overviews in strips", write(tiffwrite.Raster{Width: 4000, Height: 16, Tile: 16, Overviews: 1,
			Layout: tiffwrite.COG}).Retag(1, 324, 273), "overview of 2000 × 8 pixels is not tiled"},
		{"a larger overview", write(cog).Value(1, 256, 2200), "overviews are not sorted from the largest to the smallest"},
		{"a chain that breaks off", write(cog).Next(1, 1<<30), "not every IFD can be read"},
		{"a chain that loops", write(cog).Next(overviews, write(cog).IFD(0)), "not every IFD can be read"},
	} {
		h := read(t, c.file)
		if h.COG.Valid != (c.reason == "") || h.COG.Valid != (h.COG.Reason == "") || !strings.HasPrefix(h.COG.Reason, c.reason) {
			t.Errorf("%s: %+v", c.name, h.COG)
		}
		lacking := h.COG.Valid && len(h.Overviews) == 0 && max(h.Width, h.Height) > 512
		if (h.COG.Remark != "") != lacking {
			t.Errorf("%s: remark %q", c.name, h.COG.Remark)
		}
	}
}
