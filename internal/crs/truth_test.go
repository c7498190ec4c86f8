package crs

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A truth is a line of testdata/truth.tsv.gz, which gen/truth.py writes and explains.
type truth struct {
	kind string
	code int
	v    []float64
}

func truths(t testing.TB, kind string) (found []truth) {
	t.Helper()
	for line := range fixture(t, "truth.tsv.gz") {
		r := row(strings.Split(strings.TrimRight(string(line), "\t"), "\t"))
		if r[0] != kind {
			continue
		}
		p := truth{kind: kind, code: r.int(1)}
		for _, s := range r[2:] {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			p.v = append(p.v, v)
		}
		found = append(found, p)
	}
	return found
}

// otherwise are the CRSs for which PROJ 9.5.1 is not the truth.
var otherwise = map[int]string{
	4087:  "PROJ before 9.8 multiplies latitudes with the semi-major axis, the definition takes the length of the meridian",
	31300: "PROJ leaves out the rotation by 29.2985 seconds",
}

// Every projected CRS in force agrees with PROJ on its own datum to a centimetre, and on WGS 84 to ten metres or calls itself
// approximate.
func TestProjectedAgainstPROJ(t *testing.T) {
	type outcome struct{ own, shifted bool }
	outcomes := map[int]outcome{}
	worst := 0.0
	points := truths(t, "p")
	for _, p := range points {
		o, seen := outcomes[p.code]
		if !seen {
			o = outcome{true, true}
		}
		x, y, lon, lat := p.v[0], p.v[1], p.v[2], p.v[3]
		c, err := ByCode(p.code)
		if err != nil {
			if !errors.Is(err, ErrUnknown) {
				t.Error(err)
			}
			t.Log(err)
			outcomes[p.code] = outcome{}
			continue
		}
		gotLon, gotLat, ok := c.onDatum(x, y)
		d := metres(gotLon, gotLat, lon, lat)
		if !ok || !(d < 0.01) {
			o.own = false
			if why := otherwise[p.code]; why != "" && c.Approximate() {
				t.Logf("EPSG:%d: %.0f m from PROJ: %s", p.code, d, why)
			} else {
				t.Errorf("EPSG:%d %s: (%v, %v) = (%v, %v) %v, PROJ (%v, %v): %.4f m apart", p.code, c.Name, x, y, gotLon, gotLat, ok,
					lon, lat, d)
			}
		} else {
			worst = max(worst, d)
		}
		lon, lat = lon+p.v[4]*1e-7, lat+p.v[5]*1e-7
		gotLon, gotLat, ok = c.ToWGS84(x, y)
		d = metres(gotLon, gotLat, lon, lat)
		if !ok || !(d < 10) {
			o.shifted = false
			if !c.Approximate() {
				t.Errorf("EPSG:%d %s, accuracy %v: %.1f m from PROJ on WGS 84", p.code, c.Name, c.Accuracy, d)
			} else {
				t.Logf("EPSG:%d %s, accuracy %v: %.1f m from PROJ on WGS 84", p.code, c.Name, c.Accuracy, d)
			}
		}
		outcomes[p.code] = o
	}
	own, shifted := 0, 0
	for _, o := range outcomes {
		if o.own {
			own++
		}
		if o.shifted {
			shifted++
		}
	}
	t.Logf("%d CRSs at %d places: %d (%.2f %%) to a centimetre on their own datum, at most %.2g m off; %d (%.2f %%) within 10 m on WGS 84",
		len(outcomes), len(points), own, 100*float64(own)/float64(len(outcomes)), worst, shifted, 100*float64(shifted)/float64(len(outcomes)))
	if len(outcomes) < 5200 || own*1000 < len(outcomes)*997 || shifted*100 < len(outcomes)*94 {
		t.Errorf("%d CRSs, %d on their own datum, %d on WGS 84", len(outcomes), own, shifted)
	}
}

// So do deprecated ones on their own datum.
func TestDeprecatedAgainstPROJ(t *testing.T) {
	points := truths(t, "d")
	shifted := 0
	for _, p := range points {
		c := must(t, p.code)
		lon, lat, ok := c.onDatum(p.v[0], p.v[1])
		if d := metres(lon, lat, p.v[2], p.v[3]); !ok || !(d < 0.01) {
			t.Errorf("EPSG:%d %s: (%v, %v) = (%v, %v) %v, PROJ (%v, %v): %.4f m apart", p.code, c.Name, p.v[0], p.v[1], lon, lat, ok,
				p.v[2], p.v[3], d)
		}
		lon, lat, _ = c.ToWGS84(p.v[0], p.v[1])
		switch d := metres(lon, lat, p.v[2]+p.v[4]*1e-7, p.v[3]+p.v[5]*1e-7); {
		case d < 10:
			shifted++
		case !c.Approximate(): // PROJ knows no transformation of a deprecated datum, the table takes that of its successor
			t.Logf("EPSG:%d %s, accuracy %v: %.1f m from PROJ on WGS 84", p.code, c.Name, c.Accuracy, d)
		}
	}
	t.Logf("%d places, %d of them within 10 m on WGS 84", len(points), shifted)
	if len(points) < 340 {
		t.Errorf("%d places", len(points))
	}
}

// Far from the area of use there is the place that PROJ projects to the coordinates, or none.
func TestOutsideAgainstPROJ(t *testing.T) {
	points := truths(t, "o")
	same, none, neither, stretched := 0, 0, 0, 0
	tolerances := map[string]float64{ // series that PROJ breaks off, so that its two ways drift apart
		"Laborde Oblique Mercator": 0.5,
		"New Zealand Map Grid":     0.05,
	}
	for _, p := range points {
		c := must(t, p.code)
		lon, lat, ok := c.onDatum(p.v[0], p.v[1])
		switch {
		case !ok && len(p.v) == 2:
			neither++
		case !ok:
			none++
			t.Logf("EPSG:%d %s (%s): (%v, %v) is no place, for PROJ (%v, %v)", p.code, c.Name, c.method.name, p.v[0], p.v[1], p.v[2], p.v[3])
		case len(p.v) == 2:
			// PROJ's way forth loses its digits where the map is stretched ten thousandfold.
			if lon2, lat2, ok := c.onDatum(p.v[0]+1, p.v[1]); ok && metres(lon2, lat2, lon, lat) < 1e-4*c.UnitMetres {
				stretched++
				continue
			}
			t.Errorf("EPSG:%d %s (%s): (%v, %v) = (%v, %v), which PROJ does not find", p.code, c.Name, c.method.name, p.v[0], p.v[1], lon, lat)
		default:
			if d := metres(lon, lat, p.v[2], p.v[3]); !(d < max(0.01, tolerances[c.method.name])) && otherwise[p.code] == "" {
				t.Errorf("EPSG:%d %s (%s): (%v, %v) = (%v, %v), PROJ (%v, %v): %.3f m apart", p.code, c.Name, c.method.name, p.v[0], p.v[1],
					lon, lat, p.v[2], p.v[3], d)
			}
			same++
		}
	}
	t.Logf("%d places: %d are PROJ's, %d are PROJ's and none here, %d are none for either, %d are beyond PROJ's digits",
		len(points), same, none, neither, stretched)
	if len(points) < 3000 || none > len(points)/20 || stretched > 10 {
		t.Errorf("%d places, %d of them refused", len(points), none)
	}
}

// Geographic ones agree with PROJ wherever PROJ chooses the same transformation for the place as the table does for the CRS. Deprecated
// ones are given the transformation of what replaced them, where PROJ has none.
func TestGeographicAgainstPROJ(t *testing.T) {
	points := append(truths(t, "g"), truths(t, "h")...)
	same, within := 0, 0
	for _, p := range points {
		c := must(t, p.code)
		lon, lat, ok := c.ToWGS84(p.v[0], p.v[1])
		d := metres(lon, lat, p.v[2], p.v[3])
		switch {
		case !ok || !(d < 10 || c.Approximate() || p.kind == "h" && d < 1500):
			t.Errorf("EPSG:%d: %v = (%v, %v) %v: accuracy %v, %.0f m from PROJ", p.code, p.v, lon, lat, ok, c.Accuracy, d)
		case d < 0.001:
			same++
		case c.Accuracy >= 0 && d <= 2*c.Accuracy+1:
			within++
		default:
			t.Logf("EPSG:%d %s, accuracy %v: %.1f m from PROJ", p.code, c.Name, c.Accuracy, d)
		}
	}
	t.Logf("%d CRSs: %d the same, %d within twice the accuracy", len(points), same, within)
	if len(points) < 650 || same < len(points)*85/100 || same+within < len(points)*95/100 {
		t.Errorf("of %d CRSs %d agree to a millimetre and %d within the accuracy", len(points), same, within)
	}
}

// What PROJ has no formulas for: the example of the Guidance Note, in degrees from Paris.
func TestMiningGrid(t *testing.T) {
	c := must(t, 22300)
	lon, lat, ok := c.onDatum(302, 598)
	if d := metres(lon, lat, 8.22437*0.9+c.datum.meridian, 38.97997*0.9); !ok || !(d < 1) {
		t.Errorf("(%v, %v) %v: %.2f m off", lon, lat, ok, d)
	}
}

// Approximate is what Accuracy says.
func TestApproximate(t *testing.T) {
	for code, want := range map[int]bool{4326: false, 32633: false, 4267: true, 4035: true, 3410: true, 4269: false} {
		if got := must(t, code).Approximate(); got != want {
			t.Errorf("EPSG:%d: approximate %v", code, got)
		}
	}
	for accuracy, want := range map[float64]bool{0: false, 10: false, 10.1: true, -1: true, math.NaN(): true} {
		if got := (&CRS{Accuracy: accuracy}).Approximate(); got != want {
			t.Errorf("accuracy %v: approximate %v", accuracy, got)
		}
	}
}

// A method has one projection however it is named: names and codes lead to it, and no name leads to another one with a code.
func TestMethods(t *testing.T) {
	var codes []int
	for m := range eachMethod {
		if m.name == "" || m.build == nil {
			t.Errorf("%+v", m)
		}
		if got := methodByName(strings.ToUpper(strings.ReplaceAll(m.name, " ", "_"))); got == nil || !got.called(m.name) {
			t.Errorf("%s by its name is %v", m.name, got)
		}
		if m.code != 0 && !slices.Contains(codes, m.code) {
			codes = append(codes, m.code)
			if got := methodByCode(m.code); got != m {
				t.Errorf("%s by its code is %v", m.name, got)
			}
		}
		for i, p := range m.params {
			if p.name == "" || !p.called(strings.ToLower(p.name)) {
				t.Errorf("%s: parameter %d: %+v", m.name, i, p)
			}
		}
	}
	if methodByCode(0) != nil || methodByName("") != nil || methodByName("Mercator (variant Z)") != nil {
		t.Error("a method that there is not")
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"Lambert_Conformal_Conic_2SP", "lambert conformal conic (2sp)", true}, {"a", "ab", false}, {"ab", "a", false}, {"_", "", true},
		{"é", "e", false}, {"1", "", false},
	} {
		if got := sameName(c.a, c.b); got != c.want {
			t.Errorf("sameName(%q, %q) = %v", c.a, c.b, got)
		}
	}
}

// Values that are no numbers, or of which no projection can be made, are errors for every method.
func TestNewCRSRefuses(t *testing.T) {
	d := must(t, 4326).datum
	for m := range eachMethod {
		values := make([]float64, len(m.params))
		for i, p := range m.params {
			values[i] = p.fallback
		}
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for i := range values {
				v := slices.Clone(values)
				v[i] = bad
				if c, err := newCRS("it", d, m, v, 1); !errors.Is(err, ErrUnknown) {
					t.Errorf("%s with %s = %v: %v, %v", m.name, m.params[i].name, bad, c, err)
				}
			}
			if c, err := newCRS("it", d, m, values, bad); !errors.Is(err, ErrUnknown) {
				t.Errorf("%s in units of %v m: %v, %v", m.name, bad, c, err)
			}
		}
		if c, err := newCRS("it", d, m, append(values, 0), 1); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s with a value too many: %v, %v", m.name, c, err)
		}
		if c, err := newCRS("it", d, m, values, 0); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s in units of nothing: %v, %v", m.name, c, err)
		}
	}
	if c, err := newGeographic("it", d, math.NaN()); !errors.Is(err, ErrUnknown) {
		t.Errorf("in units that are no number: %v, %v", c, err)
	}
}
