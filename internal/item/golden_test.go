package item

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

var update = flag.Bool("update", false, "write the golden files anew")

const gdalMetadata = `<GDALMetadata>
  <Item name="ACQUISITIONDATETIME" domain="IMAGERY">2024-03-04 05:06:07</Item>
  <Item name="DESCRIPTION" sample="0" role="description">surface temperature</Item>
  <Item name="UNITTYPE" sample="0" role="unittype">K</Item>
  <Item name="OFFSET" sample="0" role="offset">149</Item>
  <Item name="SCALE" sample="0" role="scale">0.00341802</Item>
  <Item name="STATISTICS_MINIMUM" sample="0">1</Item>
  <Item name="STATISTICS_MAXIMUM" sample="0">65535</Item>
  <Item name="STATISTICS_MEAN" sample="0">812.25</Item>
  <Item name="STATISTICS_STDDEV" sample="0">nan</Item>
  <Item name="STATISTICS_VALID_PERCENT" sample="0">99.5</Item>
  <Item name="OFFSET" sample="1" role="offset">0</Item>
  <Item name="SCALE" sample="1" role="scale">1</Item>
</GDALMetadata>`

// goldens are the rasters with golden Items, by key.
func goldens() map[string]tiffwrite.Raster {
	cog := utm()
	cog.Width, cog.Height, cog.Bands, cog.DataType, cog.Nodata, cog.Metadata = 1024, 1024, 2, "uint16", "0", gdalMetadata
	pacific := tiffwrite.Raster{Width: 40, Height: 20, DataType: "float32", Nodata: "nan", DateTime: "2021:06:08 23:28:52",
		Keys: tiffwrite.Geographic(4326)}
	pacific.NorthUp(170, 10, 0.5, 0.5)
	rotated := tiffwrite.Raster{Width: 100, Height: 50, DataType: "int16", Nodata: "-32768", Keys: tiffwrite.Projected(32633),
		Matrix: []float64{8, 6, 0, 500_000, 6, -8, 0, 5_000_000, 0, 0, 0, 0, 0, 0, 0, 1}}
	return map[string]tiffwrite.Raster{
		"landsat/LC08_20210101_ST.tif": cog.Optimized(),
		"pacific.tif":                  pacific,
		"drone/2024/02/rotated 1.TIF":  rotated,
	}
}

func TestGolden(t *testing.T) {
	for key, raster := range goldens() {
		it := itemOf(t, "properties: {constants: {platform: test}}", key, raster)
		var got bytes.Buffer
		if err := json.Indent(&got, checkItem(t, it), "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		path := filepath.Join("testdata", it.ID+".json")
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if want = bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n")); !bytes.Equal(got.Bytes(), want) {
			t.Errorf("the Item of %s is\n%s\nwant\n%s", key, got.Bytes(), want)
		}
	}
}
