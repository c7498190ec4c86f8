package crs

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/cairn-stac/cairn/internal/sharedtest"
)

// openCorpus opens a file of the corpus that may lie beside the repository.
func openCorpus(t *testing.T, name string) *os.File {
	dir, ok := sharedtest.Dir("corpus")
	if !ok {
		t.Skip("the corpus is not beside the repository")
	}
	f, _ := sharedtest.Open(t, filepath.Join(dir, name))
	t.Cleanup(func() { f.Close() })
	return f
}

// Footprints of real rasters against GDAL's densest ones.
func TestFootprintsOfCorpus(t *testing.T) {
	lines := bufio.NewScanner(openCorpus(t, "truth.jsonl"))
	lines.Buffer(nil, 1<<20)
	known, unknown, agree, close := 0, 0, 0, 0
	for lines.Scan() {
		var truth struct {
			File      string
			EPSG      int
			Transform *[6]float64
			GDAL      struct{ Width, Height int64 }
			Ring      *struct {
				Bounds [4]float64
				Bad    int    `json:"bad_points"`
				Full   bool   `json:"full_circle"`
				Pole   string `json:"pole"`
				Across bool   `json:"crosses_antimeridian"`
			} `json:"ring84_dense500"`
		}
		if err := json.Unmarshal(lines.Bytes(), &truth); err != nil {
			t.Logf("%s: %v", truth.File, err) // one transform is NaN
			continue
		}
		if truth.EPSG == 0 || truth.Transform == nil || truth.Ring == nil || truth.Ring.Bad > 0 {
			continue
		}
		c, err := ByCode(truth.EPSG)
		if err != nil {
			unknown++
			t.Log(truth.File, err)
			continue
		}
		known++
		a := affine{truth.Transform[0], truth.Transform[1], truth.Transform[2], truth.Transform[3], truth.Transform[4],
			truth.Transform[5]}
		f, err := c.Footprint(a.Apply, truth.GDAL.Width, truth.GDAL.Height)
		if err != nil {
			t.Errorf("%s: %v: %v", truth.File, err, truth.Ring.Bounds)
			continue
		}
		check(t, f)
		want := truth.Ring.Bounds
		want[1], want[3] = max(want[1], -90), min(want[3], 90)
		extent := max(math.Mod(want[2]-want[0]+360, 360), want[3]-want[1])
		pixel := extent / float64(min(truth.GDAL.Width, truth.GDAL.Height))
		off := 0.0
		for i := range want {
			off = max(off, math.Abs(f.BBox[i]-want[i]))
		}
		all := f.BBox[0] == -180 && f.BBox[2] == 180
		if off > max(extent/1000, pixel) || (truth.Ring.Full || truth.Ring.Pole != "") && !all ||
			truth.Ring.Across != (f.BBox[0] > f.BBox[2]) {
			t.Errorf("%s: EPSG:%d %v %v: bbox %v, GDAL %+v", truth.File, truth.EPSG, a, truth.GDAL, f.BBox, *truth.Ring)
			continue
		}
		agree++
		if off <= extent/1000+1e-7 {
			close++
		} else if truth.EPSG == 4087 {
			close++ // PROJ 9.1 has the sphere's formulas for it
		} else {
			t.Logf("%s: EPSG:%d: bbox %v, GDAL %v: %.2g of the extent", truth.File, truth.EPSG, f.BBox, want, off/extent)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d known, %d unknown, %d agree, %d of them to 0.1 %% of the extent", known, unknown, agree, close)
	if known < 239 || agree < known || close < known-2 {
		t.Errorf("of %d rasters with a known CRS %d agree, %d of them to 0.1 %% of the extent", known, agree, close)
	}
}
