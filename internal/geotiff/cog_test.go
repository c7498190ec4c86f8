package geotiff_test

import (
	"fmt"
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
	noGhost := func(f tifftest.File) tifftest.File { return f.Replace("GDAL_STRUCTURAL", "gdal_structural") }
	small := tiffwrite.Raster{Width: 512, Height: 512, Tile: 256, Value: gradient}
	strips := tiffwrite.Raster{Width: 53, Height: 38, Value: gradient}
	last := withOverviews
	last.Layout = tiffwrite.IFDsLast
	masked := cog
	masked.Mask = true

	for _, c := range []struct {
		name   string
		file   tifftest.File
		reason string
	}{
		{"optimized", write(cog), ""},
		{"optimized, with masks", write(masked), ""},
		{"edited since", write(cog).Replace("EDITION=NO\n ", "EDITION=YES\n"),
			"the file was changed after it had been laid out as a COG"},
		{"without the ghost area", noGhost(write(cog)), ""},
		{"ghost area without overviews", write(cogOf(plain)), ""},
		{"no overviews", write(plain), "no overviews, though larger than 512 pixels"},
		{"small, no overviews", write(small), ""},
		{"strips", write(strips), "not tiled"},
		{"strips and a ghost area", write(cogOf(strips)), ""},
		{"large strips and a ghost area", write(cogOf(tiffwrite.Raster{Width: 600, Height: 10})), "not tiled"},
		{"IFDs at the end", write(last), fmt.Sprintf("IFD at offset %d lies behind pixels at 8", write(last).IFD(0))},
		{"full image first", write(withOverviews), "pixels of an overview lie behind those of a larger image"},
		{"overviews without data order", noGhost(write(cogOf(withOverviews))), ""},
		{"overviews of one size", write(cog).Value(2, 256, 550).Value(2, 257, 300),
			"overviews are not sorted from the largest to the smallest"},
		{"a larger overview", write(cog).Value(1, 256, 2200), "overviews are not sorted from the largest to the smallest"},
		{"a chain that breaks off", write(cog).Next(1, 1<<30), "not every IFD can be read"},
		{"a chain that loops", write(cog).Next(overviews, write(cog).IFD(0)), "not every IFD can be read"},
	} {
		h := read(t, c.file)
		if h.COG.Valid != (c.reason == "") || h.COG.Reason != c.reason {
			t.Errorf("%s: %+v", c.name, h.COG)
		}
	}
}
