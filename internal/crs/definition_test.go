package crs

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"math"
	"os"
	"regexp"
	"testing"
)

// A known CRS of testdata/definitions.json.gz, which gen/definitions.py writes and describes.
type known struct {
	Code             int
	Name             string
	GDAL, ESRI, WKT2 string
	Method           string
	Values           map[string]float64
	Points           [][4]float64
}

func knownCRSs(t testing.TB) (all []known) {
	f, err := os.Open("testdata/definitions.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var k known
		if err := json.Unmarshal(lines.Bytes(), &k); err != nil {
			t.Fatal(err)
		}
		all = append(all, k)
	}
	if err := lines.Err(); err != nil || len(all) < 250 {
		t.Fatalf("%d CRSs, %v", len(all), err)
	}
	return all
}

// ids are the codes of a text, without which only its definition counts.
var ids = regexp.MustCompile(`,\s*(AUTHORITY|ID)\["[^"]*",("[^"]*"|\d+)\]`)

// apart is how far a CRS is from where PROJ says that the points lie, in metres; NaN where it has no place for one.
func (k known) apart(c *CRS) (worst float64) {
	for _, p := range k.Points {
		lon, lat, ok := c.onDatum(p[0], p[1])
		if !ok {
			return math.NaN()
		}
		worst = max(worst, metres(lon, lat, p[2], p[3]))
	}
	return worst
}

// otherwise are methods that package crs computes other than PROJ 9.5 does, and says why where it does.
func (k known) otherwise(notation string) bool {
	switch k.Method {
	case "Equidistant Cylindrical": // on the ellipsoid, as PROJ does since 9.8
		return notation == "WKT 2"
	case "Lambert Conic Conformal (2SP Belgium)": // PROJ leaves its angle out
		return true
	case "Gnomonic": // of the sphere, as PROJ before 9.5
		return true
	}
	return false
}

// Each notation with its codes and without them gives the CRS that PROJ makes of it.
func TestFromWKT(t *testing.T) {
	good, coded, unknown := 0, 0, map[string]int{}
	for _, k := range knownCRSs(t) {
		for notation, text := range map[string]string{
			"GDAL": k.GDAL, "Esri": k.ESRI, "WKT 2": k.WKT2,
			"GDAL without codes": ids.ReplaceAllString(k.GDAL, ""), "WKT 2 without codes": ids.ReplaceAllString(k.WKT2, ""),
		} {
			if text == "" {
				continue
			}
			c, err := FromWKT(text)
			if err != nil {
				unknown[k.Method]++
				if !errors.Is(err, ErrUnknown) || methodByName(k.Method) != nil {
					t.Errorf("%s in %s: %v\n%s", k.Name, notation, err, text)
				}
				continue
			}
			near := 0.005
			if k.Method == "Laborde Oblique Mercator" {
				near = 0.02
			}
			if d := k.apart(c); !(d < near) && !k.otherwise(notation) {
				t.Errorf("%s in %s (%s): %v m from PROJ\n%s", k.Name, notation, k.Method, d, text)
				continue
			}
			good++
			switch {
			case c.Code != 0:
				coded++
				if k.Code != 0 && c.Code != k.Code {
					t.Logf("%s in %s: EPSG:%d, not %d", k.Name, notation, c.Code, k.Code)
				}
			case k.Code != 0 && !k.otherwise(notation):
				t.Logf("%s in %s: no code: %s", k.Name, notation, text)
			}
		}
	}
	t.Logf("%d right, %d of them with a code, unknown: %v", good, coded, unknown)
}
