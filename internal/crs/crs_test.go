package crs

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// rows calls f with every line of a table.
func rows(table string, f func(row)) {
	for line := range strings.Lines(table) {
		f(strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
}

func TestTables(t *testing.T) {
	for name, table := range map[string]string{"epsg": epsgTable, "shifts": shiftTable} {
		last := 0
		rows(table, func(r row) {
			code, err := strconv.Atoi(r[0])
			if err != nil || code <= last {
				t.Fatalf("%s: %q after %d: codes must be numbers that grow", name, r[0], last)
			}
			last = code
			first := 1
			if table == epsgTable {
				first = 3
			}
			for i := first; i < len(r) && r.text(1) != "X"; i++ {
				if _, err := strconv.ParseFloat(r[i], 64); err != nil && r[i] != "" {
					t.Errorf("%s: %d: field %d: %v", name, code, i, err)
				}
			}
			if got := find(table, code); strings.Join(got, "\t") != strings.Join(r, "\t") {
				t.Errorf("%s: find(%d) = %q", name, code, got)
			}
		})
	}
	counts := map[string]int{}
	rows(epsgTable, func(r row) {
		counts[r.text(1)]++
		code := r.int(0)
		c, err := ByCode(code)
		if r.text(1) == "X" {
			if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), r.text(3)) {
				t.Errorf("ByCode(%d): %v: want ErrUnknown and the method", code, err)
			}
			return
		}
		if err != nil {
			t.Fatalf("ByCode(%d): %v", code, err)
		}
		if c.Code != code || c.Name == "" || c.datum.ellipsoid.a < 6.3e6 || c.datum.ellipsoid.a > 6.4e6 || c.Geographic != (c.UnitMetres == 0) {
			t.Errorf("ByCode(%d) = %+v", code, c)
		}
		if c.Accuracy < 0 && c.datum.shift != nil {
			t.Errorf("EPSG:%d is shifted although no shift is known", code)
		}
		if i := map[string]int{"G": 7, "T": 10, "W": 10}[r.text(1)]; r.text(i) != "" && find(shiftTable, r.int(i)) == nil {
			t.Errorf("EPSG:%d: shift %s is not in the table", code, r.text(i))
		}
	})
	if counts["G"] < 900 || counts["T"] < 4000 || counts["W"] < 1 || counts["X"] < 1000 {
		t.Errorf("rows by kind: %v", counts)
	}
}

func TestByCode(t *testing.T) {
	for code, want := range map[int]CRS{
		4326:  {Name: "WGS 84", Geographic: true},
		4979:  {Name: "WGS 84", Geographic: true},
		4267:  {Name: "NAD27", Geographic: true, Accuracy: 20.2},
		4258:  {Name: "ETRS89", Geographic: true, Accuracy: 1},
		4035:  {Name: "Unknown datum based upon the Authalic Sphere", Geographic: true, Accuracy: -1},
		3857:  {Name: "WGS 84 / Pseudo-Mercator", UnitMetres: 1},
		32633: {Name: "WGS 84 / UTM zone 33N", UnitMetres: 1},
		26711: {Name: "NAD27 / UTM zone 11N", UnitMetres: 1, Accuracy: 7},
		2236:  {Name: "NAD83 / Florida East (ftUS)", UnitMetres: 0.304800609601219, Accuracy: 4},
	} {
		c, err := ByCode(code)
		if err != nil {
			t.Errorf("ByCode(%d): %v", code, err)
			continue
		}
		if c.Name != want.Name || c.Geographic != want.Geographic || math.Abs(c.UnitMetres-want.UnitMetres) > 1e-15 ||
			c.Accuracy != want.Accuracy {
			t.Errorf("ByCode(%d) = %+v, want %+v", code, c, want)
		}
	}
	for _, code := range []int{0, -1, 1, 32600, 32767, math.MaxInt, math.MinInt} {
		if _, err := ByCode(code); !errors.Is(err, ErrUnknown) {
			t.Errorf("ByCode(%d): %v, want ErrUnknown", code, err)
		}
	}
	const want = "EPSG:2154 (RGF93 v1 / Lambert-93): projection method Lambert Conic Conformal (2SP): " +
		"coordinate reference system is not supported"
	if _, err := ByCode(2154); err == nil || err.Error() != want {
		t.Errorf("ByCode(2154): %v", err)
	}
}

// metres between two places in degrees.
func metres(lon, lat, lon2, lat2 float64) float64 {
	const degree = 111_320
	return math.Hypot(math.Remainder(lon-lon2, 360)*math.Cos(lat*radians), lat-lat2) * degree
}

type point struct {
	code     int
	x, y     float64
	lon, lat float64
}

func (p *point) UnmarshalJSON(b []byte) error {
	var v [5]float64
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*p = point{code: int(v[0]), x: v[1], y: v[2], lon: v[3], lat: v[4]}
	return nil
}

func truth(t *testing.T) (truth struct{ Own, WGS84 []point }) {
	b, err := os.ReadFile("testdata/truth.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &truth); err != nil {
		t.Fatal(err)
	}
	return truth
}

// On a CRS's own datum the formulas agree with PROJ to a tenth of a millimetre.
func TestProjectionsAgainstPROJ(t *testing.T) {
	points := truth(t).Own
	worst := 0.0
	for _, p := range points {
		c, err := ByCode(p.code)
		if err != nil {
			t.Fatal(err)
		}
		lon, lat, ok := c.onDatum(p.x, p.y)
		d := metres(lon, lat, p.lon, p.lat)
		worst = max(worst, d)
		if !ok || !(d < 1e-4) {
			t.Errorf("EPSG:%d: (%v, %v) = (%v, %v) %v, PROJ (%v, %v): %.4f m apart", p.code, p.x, p.y, lon, lat, ok, p.lon, p.lat, d)
		}
	}
	if len(points) < 900 {
		t.Errorf("%d points", len(points))
	}
	t.Logf("%d points, at most %.2g m apart", len(points), worst)
}

// On WGS 84 the two agree wherever PROJ chooses the same transformation for the place as the table does for the CRS.
func TestShiftsAgainstPROJ(t *testing.T) {
	points := truth(t).WGS84
	same, within := 0, 0
	for _, p := range points {
		c, err := ByCode(p.code)
		if err != nil {
			t.Fatal(err)
		}
		lon, lat, ok := c.ToWGS84(p.x, p.y)
		d := metres(lon, lat, p.lon, p.lat)
		switch {
		case !ok || !(d < 1500):
			t.Errorf("EPSG:%d: (%v, %v) = (%v, %v) %v, PROJ (%v, %v): %.0f m apart", p.code, p.x, p.y, lon, lat, ok, p.lon, p.lat, d)
		case d < 0.001:
			same++
		case c.Accuracy >= 0 && d <= 2*c.Accuracy+1:
			within++
		default:
			t.Logf("EPSG:%d %s, accuracy %v: %.1f m from PROJ", p.code, c.Name, c.Accuracy, d)
		}
	}
	t.Logf("%d CRSs: %d the same, %d within twice the accuracy", len(points), same, within)
	if same < len(points)*85/100 || same+within < len(points)*95/100 {
		t.Errorf("of %d CRSs %d agree to a millimetre and %d within the accuracy", len(points), same, within)
	}
}

func TestDomain(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, code := range []int{4326, 4267, 3857, 32633, 26711} {
		c, err := ByCode(code)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range [][2]float64{{nan, 0}, {0, nan}, {inf, 0}, {0, inf}, {-inf, -inf}, {1e300, 0}, {math.MaxFloat64, math.MaxFloat64}} {
			if lon, lat, ok := c.ToWGS84(p[0], p[1]); ok {
				t.Errorf("EPSG:%d: %v is (%v, %v), want not ok", code, p, lon, lat)
			}
		}
	}
	wgs, _ := ByCode(4326)
	if lon, lat, ok := wgs.ToWGS84(359.5, 90.125); !ok || lon != 359.5 || lat != 90 {
		t.Errorf("half a cell over the pole: %v %v %v", lon, lat, ok)
	}
	if _, _, ok := wgs.ToWGS84(500000, 4649776); ok {
		t.Error("metres taken for degrees")
	}
	if _, lat, ok := must(t, 3857).ToWGS84(0, 1e12); !ok || lat != 90 {
		t.Errorf("far north in Mercator: %v %v", lat, ok)
	}
	if _, _, ok := must(t, 32633).ToWGS84(2e7, 0); ok {
		t.Error("20,000 km east of the central meridian")
	}
}

func must(t testing.TB, code int) *CRS {
	t.Helper()
	c, err := ByCode(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func BenchmarkByCode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		ByCode(32633)
	}
}

func BenchmarkToWGS84(b *testing.B) {
	for name, code := range map[string]int{"UTM": 32633, "NAD27_UTM": 26711, "geographic": 4326, "NAD27": 4267, "pseudo": 3857} {
		c := must(b, code)
		x, y := 600000.5, 4649776.25
		if c.Geographic {
			x, y = -100.5, 40.25
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.ToWGS84(x, y)
			}
		})
	}
}
