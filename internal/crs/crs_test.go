package crs

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
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
			for i := range r {
				if table == epsgTable && (i == 1 || i == 2 || i == 6 && r[1] == "P") {
					continue
				}
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
	methods := map[int]bool{}
	rows(epsgTable, func(r row) {
		kind, code := r.text(1), r.int(0)
		counts[kind]++
		if kind == "V" {
			if VerticalUnit(code) == "" {
				t.Errorf("the heights of EPSG:%d have no unit", code)
			}
			if _, err := ByCode(code); !errors.Is(err, ErrUnknown) {
				t.Errorf("ByCode(%d): %v", code, err)
			}
			return
		}
		if unit := VerticalUnit(code); kind == "C" != (unit != "") {
			t.Errorf("the heights of EPSG:%d are in %q", code, unit)
		}
		c, err := ByCode(code)
		if err != nil {
			t.Errorf("ByCode(%d): %v", code, err)
			return
		}
		if kind == "C" {
			code = r.int(2)
		}
		if c.Code != code || c.Name == "" || strings.HasPrefix(c.Name, "/") || c.datum.ellipsoid.a < 6.3e6 || c.datum.ellipsoid.a > 6.4e6 ||
			c.Geographic != (c.UnitMetres == 0) || c.Geographic != (c.method == nil) {
			t.Errorf("ByCode(%d) = %+v", code, c)
		}
		if c.Accuracy < 0 && c.datum.shift != nil {
			t.Errorf("EPSG:%d is shifted although no shift is known", code)
		}
		i := 7
		if r.text(i) != "" && find(shiftTable, r.int(i)) == nil {
			t.Errorf("EPSG:%d: shift %s is not in the table", code, r.text(i))
		}
		if kind == "P" {
			methods[c.method.code] = true
			if !slices.Contains([]string{"", "yx", "-y-x"}, r.text(6)) {
				t.Errorf("EPSG:%d: axes %s", code, r.text(6))
			}
			if len(r) > 9+len(c.method.params) {
				t.Errorf("EPSG:%d: %d values for %d parameters", code, len(r)-9, len(c.method.params))
			}
		}
	})
	if counts["G"] < 900 || counts["P"] < 5600 || counts["C"] < 400 || counts["V"] < 250 || len(methods) < 45 {
		t.Errorf("rows by kind: %v; %d methods", counts, len(methods))
	}
	if len(epsgTable) > 520_000 {
		t.Errorf("the table has %d bytes", len(epsgTable))
	}
}

func TestByCode(t *testing.T) {
	for code, want := range map[int]CRS{
		4326:  {Name: "WGS 84", Geographic: true},
		4979:  {Name: "WGS 84", Geographic: true},
		4267:  {Name: "NAD27", Geographic: true, Accuracy: 50},
		4258:  {Name: "ETRS89", Geographic: true, Accuracy: 1},
		4035:  {Name: "Unknown datum based upon the Authalic Sphere", Geographic: true, Accuracy: -1},
		3857:  {Name: "WGS 84 / Pseudo-Mercator", UnitMetres: 1},
		32633: {Name: "WGS 84 / UTM zone 33N", UnitMetres: 1},
		26711: {Name: "NAD27 / UTM zone 11N", UnitMetres: 1, Accuracy: 24.3},
		2154:  {Name: "RGF93 v1 / Lambert-93", UnitMetres: 1, Accuracy: 1},
		27572: {Name: "NTF (Paris) / Lambert zone II", UnitMetres: 1, Accuracy: 2},
		22300: {Name: "Carthage (Paris) / Tunisia Mining Grid", UnitMetres: 1000, Accuracy: 14},
		3410:  {Name: "NSIDC EASE-Grid Global", UnitMetres: 1, Accuracy: -1},
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
	for _, code := range []int{0, -1, 1, 32599, 32767, math.MaxInt, math.MinInt} {
		if _, err := ByCode(code); !errors.Is(err, ErrUnknown) {
			t.Errorf("ByCode(%d): %v, want ErrUnknown", code, err)
		}
	}
	for _, c := range []struct {
		row  string
		want string
	}{
		{"1\tP\tWhere\t4326\t1\t4711", "Where: projection method EPSG:4711: coordinate reference system is not supported"},
		{"1\tP\t/here\t4326\t1\t9807\t\t\t\t91", "WGS 84 / here: Transverse Mercator: "},
		{"1\tC\t1", "coordinate reference system is not supported"},
	} {
		if got, err := byRow(strings.Split(c.row, "\t")); !errors.Is(err, ErrUnknown) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("row %q: %v, %v", c.row, got, err)
		}
	}
	// Compound ones are their horizontal part.
	for compound, want := range map[int]int{5498: 4269, 7405: 27700, 9518: 4326} {
		if c, err := ByCode(compound); err != nil || c.Code != want {
			t.Errorf("ByCode(%d) = %+v, %v; want EPSG:%d", compound, c, err, want)
		}
	}
}

// metres between two places in degrees.
func metres(lon, lat, lon2, lat2 float64) float64 {
	const degree = 111_320
	return math.Hypot(math.Remainder(lon-lon2, 360)*math.Cos(lat*radians), lat-lat2) * degree
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

func TestWGS84(t *testing.T) {
	if want := newEllipsoid(6378137, 298.257223563); wgs84 != want {
		t.Errorf("%v, want %v", wgs84, want)
	}
}

func TestAllocations(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { ByCode(32633) }); n > 12 {
		t.Errorf("ByCode allocates %v times", n)
	}
	for _, p := range onePerMethod(t) {
		c := must(t, p.code)
		if n := testing.AllocsPerRun(10, func() { c.ToWGS84(p.v[0], p.v[1]) }); n > 0 {
			t.Errorf("%s: a point allocates %v times", c.method.name, n)
		}
	}
}

// onePerMethod are points in the area of use of the first CRS of each method.
func onePerMethod(t testing.TB) (found []truth) {
	seen := map[string]bool{}
	for _, p := range append(truths(t, "p"), truths(t, "d")...) {
		if m := must(t, p.code).method; !seen[m.name] {
			seen[m.name] = true
			found = append(found, p)
		}
	}
	if len(found) < 44 {
		t.Fatalf("%d methods", len(found))
	}
	return found
}

func BenchmarkByCode(b *testing.B) {
	for name, code := range map[string]int{"UTM": 32633, "conic": 2154, "geographic": 4326, "compound": 5498, "shifted": 26711} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ByCode(code)
			}
		})
	}
}

// The cost of a point by every method that the EPSG dataset has CRSs of, shift included; the slowest again at the end.
func BenchmarkToWGS84(b *testing.B) {
	const points = 1000
	var worst time.Duration
	var slowest truth
	run := func(name string, p truth) {
		c := must(b, p.code)
		b.Run(name+strings.ReplaceAll(c.method.name, " ", "_"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for i := range points {
					c.ToWGS84(p.v[0]+float64(i), p.v[1]-float64(i))
				}
			}
			each := b.Elapsed() / time.Duration(b.N*points)
			b.ReportMetric(float64(each.Nanoseconds()), "ns/point")
			if each > worst {
				worst, slowest = each, p
			}
		})
	}
	for _, p := range onePerMethod(b) {
		run("", p)
	}
	if worst > 0 {
		run("slowest:", slowest)
	}
}
