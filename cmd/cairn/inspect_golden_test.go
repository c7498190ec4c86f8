package main

import (
	"bytes"
	"context"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

var update = flag.Bool("update", false, "write the golden files anew")

// imagery goes to a temporary folder with a folder of files of every sort, of which each is alike in each run.
func imagery(t testing.TB) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	write := func(key string, r tiffwrite.Raster) {
		body, err := r.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		put(t, ".", key, body)
	}
	city := tiffwrite.Raster{Width: 1024, Height: 600, Bands: 3, DataType: "int16", Nodata: "-9999", Keys: tiffwrite.Projected(32633),
		Software: "made by hand", Metadata: `<GDALMetadata>
  <Item name="DESCRIPTION" sample="0" role="description">surface temperature</Item>
  <Item name="UNITTYPE" sample="0" role="unittype">K</Item>
  <Item name="OFFSET" sample="0" role="offset">149</Item>
  <Item name="SCALE" sample="0" role="scale">0.00341802</Item>
  <Item name="STATISTICS_MINIMUM" sample="0">1</Item>
  <Item name="STATISTICS_MAXIMUM" sample="0">6553</Item>
</GDALMetadata>`}
	city.NorthUp(400000, 5100000, 2.5, 2.5)
	write("imagery/city/city_20240102.tif", city.Optimized())

	pacific := tiffwrite.Raster{Width: 40, Height: 20, DataType: "float32", Nodata: "nan", DateTime: "2021:06:08 23:28:52",
		Keys: tiffwrite.Geographic(4326), BigTIFF: true, BigEndian: true, RowsPerStrip: 8, Description: "a \x1b[31mred\x1b[0m one"}
	pacific.NorthUp(170, 10, 0.5, 0.5)
	write("imagery/pacific.tif", pacific)

	band := tiffwrite.Raster{Width: 100, Height: 100, DataType: "uint16", Nodata: "0", Keys: tiffwrite.Projected(32733)}
	band.NorthUp(600000, 7400020, 10, 10)
	write("imagery/s2/T33KWP_20240105T101301_B02.tif", band)
	coarse := band
	coarse.Width, coarse.Height = 50, 50
	coarse.NorthUp(600000, 7400020, 20, 20)
	write("imagery/s2/T33KWP_20240105T101301_B8A.tif", coarse.Optimized())
	put(t, ".", "imagery/s2/T33KWP_20240105T101301_B03.tif", []byte("<html>not found</html>"))
	put(t, ".", "imagery/s2/T33KWP_20240105T101301_thumb.jpg", []byte("no picture"))

	nowhere := tiffwrite.Raster{Width: 16, Height: 16, Bands: 12, DataType: "uint8", Nodata: "255", Deflate: true, Tile: 16}
	nowhere.NorthUp(0, 40, 10, 10)
	write("imagery/scan/nowhere.tif", nowhere)
	turned := tiffwrite.Raster{Width: 100, Height: 50, DataType: "uint8", Mask: true,
		Matrix: []float64{8, 6, 0, 500_000, 6, -8, 0, 5_000_000, 0, 0, 0, 0, 0, 0, 0, 1}}
	turned.Keys = append(tiffwrite.Projected(4326), tiffwrite.Key{ID: 1026, Value: "not projected"})
	write("imagery/scan/turned.tif", turned)
	gcps := tiffwrite.Raster{Width: 16, Height: 16, Keys: tiffwrite.Geographic(4326),
		Tiepoints: []float64{0, 0, 0, 10, 50, 0, 16, 0, 0, 11, 50, 0, 16, 16, 0, 11, 49, 0, 0, 16, 0, 10, 49, 0}}
	write("imagery/scan/points.tif", gcps)

	beside := tiffwrite.Raster{Width: 16, Height: 16}
	write("imagery/beside/map_20230401.tif", beside)
	put(t, ".", "imagery/beside/map_20230401.tfw", []byte("10\n0\n0\n-10\n400005\n5099995\n"))
	put(t, ".", "imagery/beside/map_20230401.tif.aux.xml", []byte(`<PAMDataset><SRS>EPSG:23033</SRS></PAMDataset>`))
	put(t, ".", "imagery/README.txt", []byte("hello"))

	day := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(path, day, day)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestInspectReports(t *testing.T) {
	if filepath.Separator != '/' {
		t.Skip("the golden files have paths with slashes")
	}
	texts, err := filepath.Abs(filepath.Join("testdata", "inspect"))
	if err != nil {
		t.Fatal(err)
	}
	imagery(t)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	put(t, ".", "null.yaml", []byte("without_footprint: item\n"))
	for name, c := range map[string]struct {
		width  int
		args   []string
		config string
	}{
		"cog":     {100, []string{"imagery/city/city_20240102.tif"}, ""},
		"narrow":  {40, []string{"imagery/pacific.tif"}, ""},
		"scene":   {100, []string{"imagery/s2/T33KWP_20240105T101301_B8A.tif"}, ""},
		"left":    {100, []string{"imagery/s2/T33KWP_20240105T101301_B03.tif"}, ""},
		"nowhere": {100, []string{"imagery/scan/nowhere.tif"}, ""},
		"turned":  {100, []string{"imagery/scan/turned.tif"}, ""},
		"points":  {100, []string{"imagery/scan/points.tif"}, ""},
		"sidecar": {100, []string{"imagery/beside/map_20230401.tfw"}, ""},
		"other":   {100, []string{"imagery/README.txt"}, ""},
		"named":   {70, []string{"imagery/README.txt", "imagery/beside/map_20230401.tfw", "imagery/s2/T33KWP_20240105T101301_B02.tif"}, ""},
		"folder":  {100, []string{"imagery"}, ""},
		"null":    {100, []string{"imagery/scan/nowhere.tif"}, "null.yaml"},
		"nulls":   {100, []string{"imagery/scan"}, "null.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			report := newReporter(&out, false)
			report.sheet.width = c.width
			o := inspectOptions{config: c.config, bucket: bucketOptions{parallel: 1}}
			if err := (&app{stdout: &out, stderr: &out}).inspectTo(context.Background(), report, c.args, o); err != nil {
				t.Fatal(err)
			}
			got := strings.NewReplacer(fileURL(here), "file:///HERE", here, "/HERE").Replace(out.String())
			golden := filepath.Join(texts, name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("it says\n%s; want\n%s", got, want)
			}
		})
	}
}
