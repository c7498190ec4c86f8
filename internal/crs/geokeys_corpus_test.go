package crs

import (
	"bufio"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/sharedtest"
)

// keysOfFile reads the keys of a file of the corpus.
func keysOfFile(t *testing.T, path string) (GeoKeys, bool) {
	f, size := sharedtest.Open(t, path)
	defer f.Close()
	h, err := geotiff.Read(f, size)
	if err != nil || h.Geo == nil {
		return GeoKeys{}, false
	}
	return GeoKeys{h.Geo.Short, h.Geo.Double, h.Geo.ASCII}, true
}

// gdalHasOneNameFor are methods that WKT 1 calls as it calls another one.
var gdalHasOneNameFor = map[string]bool{
	"Polar Stereographic (variant B)": true, "Popular Visualisation Pseudo Mercator": true, "Geostationary Satellite (Sweep X)": true,
	"Equidistant Cylindrical": true, "Krovak (North Orientated)": true,
}

// CRSs of real rasters have the method, the ellipsoid and the unit that GDAL reads, and the code that it names.
func TestGeoKeysOfCorpus(t *testing.T) {
	dir, ok := sharedtest.Dir("corpus")
	if !ok {
		t.Skip("the corpus is not beside the repository")
	}
	lines := bufio.NewScanner(openCorpus(t, "truth.jsonl"))
	lines.Buffer(nil, 1<<20)
	counts := map[string]int{}
	for lines.Scan() {
		var truth struct {
			File string
			Kind string `json:"crs_kind"`
			EPSG int
			Not  bool `json:"non_earth"`
			GDAL struct {
				CRS struct {
					Name, Method, Type string
					Unit               float64 `json:"unit_factor"`
					Ellipsoid          [3]any
				}
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &truth); err != nil && truth.File == "" {
			continue // one transform is NaN
		}
		keys, ok := keysOfFile(t, filepath.Join(dir, filepath.FromSlash(truth.File)))
		c, origin, err := FromGeoKeys(keys)
		switch {
		case truth.Kind == "none":
			if err == nil {
				t.Errorf("%s: %s %+v, where GDAL has no CRS", truth.File, origin, c)
			}
			continue
		case truth.Not:
			if !errors.Is(err, ErrNotEarth) {
				t.Errorf("%s: %+v, %v: want ErrNotEarth", truth.File, c, err)
			}
			continue
		case truth.Kind == "":
			continue
		case errors.Is(err, ErrUnknown) && truth.GDAL.CRS.Method == "Polar_Stereographic":
			// One has its pole at 60° and a scale of 90: oblique to GDAL 3.6, refused by later ones.
			counts["refused"]++
			continue
		case !ok || err != nil:
			t.Errorf("%s: %v; GDAL has %+v", truth.File, err, truth.GDAL.CRS)
			continue
		}
		counts[truth.Kind]++
		if c.Code != 0 {
			counts[truth.Kind+" with a code"]++
		}
		g := truth.GDAL.CRS
		a, rf := g.Ellipsoid[1].(float64), g.Ellipsoid[2].(float64)
		unit := c.UnitMetres
		if c.Geographic {
			unit = c.unit * radians
		}
		e := c.datum.ellipsoid
		if !sameFigure(e.a, e.inverseFlattening, a, rf) || math.Abs(unit-g.Unit) > 1e-9 || c.Geographic != (g.Method == "") {
			t.Errorf("%s: %s %+v; GDAL has %+v", truth.File, origin, c, g)
		}
		if m := methodByName(g.Method); !c.Geographic && m != c.method && !gdalHasOneNameFor[c.method.name] {
			t.Errorf("%s: %s; GDAL has %s", truth.File, c.method.name, g.Method)
		}
		// GDAL makes a three-dimensional CRS of a vertical key that says so.
		if other, _ := geodeticByCode(truth.EPSG); truth.Kind == "epsg" && truth.EPSG != 0 && c.Code != truth.EPSG {
			if own, _ := geodeticByCode(c.Code); !own.sameDatum(other) {
				t.Errorf("%s: %s EPSG:%d, GDAL has EPSG:%d", truth.File, origin, c.Code, truth.EPSG)
			}
		}
		if truth.Kind != "epsg" {
			t.Logf("%s: %s: EPSG:%d %s, accuracy %v; GDAL has %s", truth.File, origin, c.Code, c.Name, c.Accuracy, g.Name)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Log(counts)
	if counts["refused"] > 1 || counts["epsg"] < 240 || counts["user-defined"] < 39 || counts["autoid with a code"] < counts["autoid"] ||
		counts["match90 with a code"] < counts["match90"] {
		t.Errorf("CRSs by kind: %v", counts)
	}
}
