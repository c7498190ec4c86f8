package crs

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

// A methodCase is what PROJ makes of places by a method; see gen/methods.py.
type methodCase struct {
	Name      string
	Code      int
	Values    []float64
	Ellipsoid [2]float64
	On        [][4]float64
	Off       [][2]float64
}

// methodByName returns the method with a name, EPSG's or another one, or nil. Of several, the first.
func methodByName(name string) *method {
	for m := range eachMethod {
		if m.called(name) {
			return m
		}
	}
	return nil
}

func (c methodCase) String() string { return fmt.Sprintf("%s %v", c.Name, c.Values) }

func (c methodCase) projection(t testing.TB) projection {
	t.Helper()
	m := methodByCode(c.Code)
	if m == nil {
		m = methodByName(c.Name)
	}
	if m == nil || m.name != c.Name {
		t.Fatalf("method %s (%d): %v", c.Name, c.Code, m)
	}
	p, err := m.build(newEllipsoid(c.Ellipsoid[0], c.Ellipsoid[1]), c.Values)
	if err != nil {
		t.Fatalf("%v: %v", c, err)
	}
	return p
}

// methodCases reads the fixture; CAIRN_METHODS names another file that gen/methods.py wrote, with more points.
func methodCases(t testing.TB) (cases []methodCase) {
	t.Helper()
	file := "testdata/methods.json"
	if f := os.Getenv("CAIRN_METHODS"); f != "" {
		file = f
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 80 {
		t.Fatalf("%d cases", len(cases))
	}
	return cases
}

// Everywhere on their maps the formulas agree with PROJ's to a millimetre on the ground, and what PROJ does not find is
// no place.
func TestMethodsAgainstPROJ(t *testing.T) {
	const millimetre = 1e-3
	tolerances := map[string]float64{
		// PROJ's series for the radius of the sphere with the ellipsoid's area ends a quarter of a millimetre early,
		// which grows where such maps are flat.
		"Lambert Cylindrical Equal Area (Spherical)": 20 * millimetre,
		"Lambert Azimuthal Equal Area (Spherical)":   20 * millimetre,
		"Miller Cylindrical":                         20 * millimetre,
		// PROJ breaks off the series that the Guidance Note has in closed form.
		"Laborde Oblique Mercator": 20 * millimetre,
		// The series from and to the map fit each other no better.
		"New Zealand Map Grid": 2 * millimetre,
	}
	points := 0
	for _, c := range methodCases(t) {
		p := c.projection(t)
		worst := 0.0
		for _, at := range c.On {
			lon, lat, ok := p.inverse(at[0], at[1])
			d := metres(lon, lat, at[2], at[3])
			worst = max(worst, d)
			tolerance := max(millimetre, tolerances[c.Name])
			if math.Abs(at[3]) > 89.9999 {
				tolerance = 0.2 // an arc sine near 1 has half of the digits
			}
			if !ok || !(d < tolerance) {
				t.Errorf("%v: (%v, %v) = (%v, %v) %v, PROJ (%v, %v): %.4f m apart", c, at[0], at[1], lon, lat, ok, at[2], at[3], d)
			}
		}
		for _, at := range c.Off {
			if lon, lat, ok := p.inverse(at[0], at[1]); ok {
				t.Errorf("%v: (%v, %v) = (%v, %v), which PROJ does not find", c, at[0], at[1], lon, lat)
			}
		}
		points += len(c.On) + len(c.Off)
		t.Logf("%-45s %3d places, at most %.1g m apart; %3d that are none", c.Name, len(c.On), worst, len(c.Off))
	}
	t.Logf("%d points", points)
}

// Where PROJ has no formulas, or none that agree with the definition: examples of Guidance Note 7-2, and equal methods
// by other names.
func TestMethodsByExample(t *testing.T) {
	sphere, wgs := [2]float64{6378137, 0}, [2]float64{6378137, 298.257223563}
	krassowsky, international := [2]float64{6378245, 298.3}, [2]float64{6378388, 297}
	bessel := [2]float64{6377397.155, 299.1528128}
	krovak := []float64{49.5, 24.8333333333333, 30.2881397527778, 78.5, 0.9999, 11, 22}
	for _, c := range []methodCase{
		{"Mercator (variant B)", 9805, []float64{42, 51, 0, 0}, krassowsky,
			[][4]float64{{165704.29, 5171848.07, 53, 53}}, nil},
		{"Mercator (variant C)", 1044, []float64{42, 51, 42, 0, 0}, krassowsky,
			[][4]float64{{165704.29, 1351950.22, 53, 53}}, nil},
		{"Mercator (variant A)", 9804, []float64{42, 51, 1, 0, 0}, krassowsky,
			[][4]float64{{165704.29, 5171848.07, 53, 53}}, nil},
		{"Polar Stereographic (variant C)", 9830, []float64{-67, 140, 300000, 200000}, international,
			[][4]float64{{303169.52, 244055.72, 140 + 4./60 + 17.04/3600, -66 - 36./60 - 18.82/3600}, {300000, 200000, 140, -67}}, nil},
		{"Polar Stereographic (variant C)", 9830, []float64{67, 140, 300000, 200000}, international,
			[][4]float64{{300000, 200000, 140, 67}}, nil},
		// https://github.com/OSGeo/PROJ/issues/4654
		{"Equidistant Cylindrical", 1028, []float64{0, 0, 0, 0, 0}, wgs,
			[][4]float64{{-16030002.350, 7992053.817, -143.9999611505, 71.9993230521}}, nil},
		{"Equidistant Cylindrical", 9842, []float64{0, 0, 0, 0}, wgs,
			[][4]float64{{-16030002.350, 7992053.817, -143.9999611505, 71.9993230521}}, nil},
		{"Equidistant Cylindrical (Spherical)", 9823, []float64{0, 0, 0, 0}, wgs,
			[][4]float64{{-16030002.350, 8014927.980, -143.9999611505, 71.9993230521}}, nil},
		{"Mercator (1SP) (Spherical)", 9841, []float64{0, 0, 1, 0, 0}, sphere,
			[][4]float64{{1113194.9079, 6446275.8410, 10, 50}}, nil},
		{"Mercator (Spherical)", 1026, []float64{0, 0, 0, 0}, sphere,
			[][4]float64{{1113194.9079, 6446275.8410, 10, 50}}, nil},
		{"Lambert Azimuthal Equal Area (Spherical)", 9821, []float64{90, 0, 0, 0}, [2]float64{6371228, 0},
			[][4]float64{{0, -9010277.05, 0, 0}}, nil},
		{"Laborde Oblique Mercator", 9813, []float64{-18.9, 44.1, 18.9, 0.9995, 400000, 800000}, international,
			[][4]float64{{188333.848, 1098841.091, 46.800381173 * 0.9, -17.988666667 * 0.9}}, nil},
		// PROJ adds the false easting and northing to westing and southing, as it should, but does not take them off again.
		{"Krovak", 9819, krovak, bessel, [][4]float64{{1058241.6008, 703116.6899, 15, 50}}, nil},
		{"Krovak (North Orientated)", 1041, krovak, bessel, [][4]float64{{-703116.6899, -1058241.6008, 15, 50}}, nil},
		// The pole of a double projection is that of the single one.
		{"Oblique Stereographic", 9809, []float64{90, 0, 0.994, 2000000, 2000000}, wgs,
			[][4]float64{{2000000, 2000000, 0, 90}}, nil},
		// What GDAL writes of variant B in the keys of a GeoTIFF.
		{"Polar Stereographic (variant A)", 9810, []float64{-71, 0, 1, 0, 0}, wgs,
			[][4]float64{{0, 2082760.109, 0, -71}}, nil},
	} {
		p := c.projection(t)
		for _, at := range c.On {
			lon, lat, ok := p.inverse(at[0], at[1])
			if d := metres(lon, lat, at[2], at[3]); !ok || !(d < 0.01) {
				t.Errorf("%v: (%v, %v) = (%v, %v) %v, want (%v, %v): %.4f m apart", c, at[0], at[1], lon, lat, ok, at[2], at[3], d)
			}
		}
	}
}

// Far beyond the poles formulas come back to the Earth, which is no place of the map.
func TestOffTheMap(t *testing.T) {
	for name, at := range map[string][][2]float64{
		"Eckert II":   {{769993.3106981001, 29153728.171508666}, {-16734123.967991648, 40378696.03076772}, {0, -30e6}},
		"Equal Earth": {{-129371.22335962905, 72541961.2073103}, {0, 72541961.2073103}, {0, -72541961.2073103}},
	} {
		for _, e := range []ellipsoid{wgs84, newEllipsoid(6371000, 0)} {
			p, err := methodByName(name).build(e, []float64{0, 0, 0})
			if err != nil {
				t.Fatal(err)
			}
			for _, xy := range at {
				if lon, lat, ok := p.inverse(xy[0], xy[1]); ok {
					t.Errorf("%s: %v is (%v, %v)", name, xy, lon, lat)
				}
			}
		}
	}
}

// What PROJ's versions disagree on is refused.
func TestGnomonicOfAnEllipsoid(t *testing.T) {
	values := []float64{40, 20, 0, 0}
	if _, err := gnomonic(wgs84, values); err == nil || !strings.Contains(err.Error(), "ellipsoid") {
		t.Error(err)
	}
	if _, err := gnomonic(newEllipsoid(6371000, 0), values); err != nil {
		t.Error(err)
	}
}

// Names, codes and keys lead to one method, whose values it can take as they are where a definition leaves them out.
func TestMethodRegistry(t *testing.T) {
	codes := map[int]string{}
	for m := range eachMethod {
		if m.name == "" || m.build == nil || len(m.params) == 0 {
			t.Errorf("%+v", m)
		}
		if other, twice := codes[m.code]; twice && m.code != 0 && other != m.name {
			t.Errorf("code %d is of %s and of %s", m.code, other, m.name)
		}
		codes[m.code] = m.name
		for _, name := range append([]string{m.name}, m.other...) {
			if methodByName(name) == nil {
				t.Errorf("%s is not found as %s", m.name, name)
			}
		}
		for i, p := range m.params {
			for _, q := range m.params[:i] {
				if p.called(q.name) || q.called(p.name) || p.code != 0 && p.code == q.code {
					t.Errorf("%s: %s may be taken for %s", m.name, p.name, q.name)
				}
			}
			if wanted := map[kind]float64{angle: p.fallback, length: 0, ratio: 1}[p.kind]; p.fallback != wanted {
				t.Errorf("%s: %s is %v where it is left out", m.name, p.name, p.fallback)
			}
		}
	}
	for name, want := range map[string]string{
		"Mercator":                               "Mercator (variant B)",
		"Mercator_1SP":                           "Mercator (variant A)",
		"Mercator_2SP":                           "Mercator (variant B)",
		"Polar_Stereographic":                    "Polar Stereographic (variant A)",
		"Stereographic_South_Pole":               "Polar Stereographic (variant B)",
		"Stereographic":                          "Stereographic",
		"Double_Stereographic":                   "Oblique Stereographic",
		"Oblique_Stereographic":                  "Oblique Stereographic",
		"Equirectangular":                        "Equidistant Cylindrical (Spherical)",
		"Equidistant_Cylindrical":                "Equidistant Cylindrical (Spherical)",
		"Plate_Carree":                           "Equidistant Cylindrical (Spherical)",
		"Equidistant_Cylindrical_Ellipsoidal":    "Equidistant Cylindrical",
		"Cylindrical_Equal_Area":                 "Lambert Cylindrical Equal Area",
		"Lambert_Azimuthal_Equal_Area":           "Lambert Azimuthal Equal Area",
		"VanDerGrinten":                          "Van Der Grinten",
		"Van_der_Grinten_I":                      "Van Der Grinten",
		"Local":                                  "Local Orthographic",
		"Orthographic":                           "Orthographic",
		"Hotine_Oblique_Mercator":                "Hotine Oblique Mercator (variant A)",
		"Hotine_Oblique_Mercator_Azimuth_Center": "Hotine Oblique Mercator (variant B)",
		"Geostationary_Satellite":                "Geostationary Satellite (Sweep Y)",
		"Laborde_Oblique_Mercator":               "Laborde Oblique Mercator",
		"Krovak":                                 "Krovak",
		"Natural_Earth":                          "Natural Earth",
		"Eckert_IV":                              "Eckert IV",
		"Winkel_Tripel":                          "Winkel Tripel",
		"New_Zealand_Map_Grid":                   "New Zealand Map Grid",
		"Gauss_Schreiber_Transverse_Mercator":    "Gauss Schreiber Transverse Mercator",
		"IGAC_Plano_Cartesiano":                  "Colombia Urban",
		"Behrmann":                               "Lambert Cylindrical Equal Area",
	} {
		if m := methodByName(name); m == nil || m.name != want {
			t.Errorf("%s is %+v, want %s", name, m, want)
		}
	}
	// Esri's equal-area one of 30 degrees needs no parallel.
	if p := methodByName("Behrmann").params[0]; !p.called("standard_parallel_1") || p.fallback != 30 {
		t.Errorf("Behrmann: %+v", p)
	}
}

// What GDAL 3.10 writes in the keys of a GeoTIFF for a definition; the values are false easting 11, false northing 22
// and others as they say.
func TestMethodGeoKeys(t *testing.T) {
	for _, c := range []struct {
		name   string
		geo    uint16
		keys   map[uint16]float64
		values []float64
	}{
		{"Mercator (variant B)", 7, map[uint16]float64{3078: 40, 3080: 7, 3081: 0}, []float64{40, 7, 11, 22}},
		{"Mercator (variant A)", 7, map[uint16]float64{3080: 7, 3081: 0, 3092: 0.9}, []float64{0, 7, 0.9, 11, 22}},
		{"Equidistant Cylindrical (Spherical)", 17, map[uint16]float64{3078: 40, 3088: 7, 3089: 0}, []float64{40, 0, 7, 11, 22}},
		{"Lambert Cylindrical Equal Area", 28, map[uint16]float64{3078: 40, 3080: 7}, []float64{40, 7, 11, 22}},
		{"Polar Stereographic (variant A)", 15, map[uint16]float64{3081: 90, 3092: 0.994, 3095: 7}, []float64{90, 7, 0.994, 11, 22}},
		{"Polar Stereographic (variant B)", 15, map[uint16]float64{3081: -70, 3092: 1, 3095: 7}, []float64{-70, 7, 11, 22}},
		{"Stereographic", 14, map[uint16]float64{3088: 7, 3089: 40, 3092: 0.99}, []float64{40, 7, 0.99, 11, 22}},
		{"Oblique Stereographic", 16, map[uint16]float64{3080: 7, 3081: 40, 3092: 0.999}, []float64{40, 7, 0.999, 11, 22}},
		{"Lambert Azimuthal Equal Area", 10, map[uint16]float64{3088: 7, 3089: 40}, []float64{40, 7, 11, 22}},
		{"Azimuthal Equidistant", 12, map[uint16]float64{3088: 7, 3089: 40}, []float64{40, 7, 11, 22}},
		{"Orthographic", 21, map[uint16]float64{3088: 7, 3089: 40}, []float64{40, 7, 11, 22}},
		{"Gnomonic", 19, map[uint16]float64{3088: 7, 3089: 40}, []float64{40, 7, 11, 22}},
		{"Hotine Oblique Mercator (variant A)", 3, map[uint16]float64{3088: 115, 3089: 4, 3093: 0.9, 3094: 53, 3096: 50},
			[]float64{4, 115, 53, 50, 0.9, 11, 22}},
		{"Hotine Oblique Mercator (variant B)", 9815, map[uint16]float64{3088: 115, 3089: 4, 3093: 0.9, 3094: 53},
			[]float64{4, 115, 53, 90, 0.9, 11, 22}},
		{"Laborde Oblique Mercator", 4, map[uint16]float64{3088: 46, 3089: -18.9, 3093: 0.9995, 3094: 18.9}, []float64{-18.9, 46, 18.9, 0.9995, 11, 22}},
		{"New Zealand Map Grid", 26, map[uint16]float64{3080: 7, 3081: 0}, []float64{0, 7, 11, 22}},
		{"Sinusoidal", 24, map[uint16]float64{3088: 7}, []float64{7, 11, 22}},
		{"Robinson", 23, map[uint16]float64{3088: 7}, []float64{7, 11, 22}},
		{"Van Der Grinten", 25, map[uint16]float64{3088: 7}, []float64{7, 11, 22}},
		{"Miller Cylindrical", 20, map[uint16]float64{3088: 7, 3089: 0}, []float64{7, 11, 22}},
	} {
		c.keys[3082], c.keys[3083] = 11, 22
		m := methodByName(c.name)
		if m.geo != c.geo {
			t.Errorf("%s: %d, want %d", c.name, m.geo, c.geo)
		}
		for i, p := range m.params {
			got := p.fallback
			for _, k := range p.keys {
				if v, ok := c.keys[k]; ok {
					got = v
					break
				}
			}
			if got != c.values[i] {
				t.Errorf("%s: %s is %v, want %v", c.name, p.name, got, c.values[i])
			}
		}
	}
}

// Values that no projection can be made of are errors that say which.
func TestMethodsRefuse(t *testing.T) {
	for _, c := range []struct {
		code   int
		name   string
		values []float64
		want   string
	}{
		{9804, "", []float64{10, 0, 0.9, 0, 0}, "latitude of natural origin"},
		{9804, "", []float64{0, 0, 0, 0, 0}, "scale"},
		{9804, "", []float64{0, 0, -1, 0, 0}, "scale"},
		{9805, "", []float64{90, 0, 0, 0}, "standard parallel 90"},
		{1044, "", []float64{42, 51, 90, 0, 0}, "latitude of false origin 90"},
		{1026, "", []float64{0, 0, 0, 0}, "spherical"},
		{1028, "", []float64{-90, 0, 0, 0, 0}, "standard parallel -90"},
		{9835, "", []float64{100, 0, 0, 0}, "standard parallel 100"},
		{9810, "", []float64{60, 0, 0.99, 0, 0}, "no pole"},
		{9829, "", []float64{0, 0, 0, 0}, "neither pole"},
		{9830, "", []float64{91, 0, 0, 0}, "standard parallel 91"},
		{9809, "", []float64{-91, 0, 1, 0, 0}, "latitude of natural origin -91"},
		{9820, "", []float64{91, 0, 0, 0}, "latitude of natural origin 91"},
		{1125, "", []float64{91, 0, 0, 0}, "latitude of natural origin 91"},
		{9812, "", []float64{90, 0, 30, 30, 1, 0, 0}, "latitude of projection centre 90"},
		{9815, "", []float64{40, 0, 143, 143, 1, 0, 0}, "azimuth"},
		{9819, "", []float64{49.5, 24, 30, 90, 1, 0, 0}, "pseudo standard parallel 90"},
		{0, "Geostationary Satellite (Sweep X)", []float64{0, 0, 0, 0}, "scale"},
		{0, "Geostationary Satellite (Sweep Y)", []float64{0, -5, 0, 0}, "scale"},
		{0, "Winkel I", []float64{0, 95, 0, 0}, "standard parallel 95"},
	} {
		m := methodByCode(c.code)
		if m == nil {
			m = methodByName(c.name)
		}
		if _, err := m.build(wgs84, c.values); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: %v, want %q", m.name, c.values, err, c.want)
		}
	}
}

// plainValues are those that a definition leaves out, but for what they must not be.
func plainValues(m *method) (values []float64) {
	for _, p := range m.params {
		v := p.fallback
		switch {
		case p.code == 8832:
			v = 70
		case sameName(p.name, satelliteHeight.name):
			v = 35785831
		case p.code == 8824: // two standard parallels must not be opposite
			v = 20
		case p.kind == angle && v == 0 && strings.HasPrefix(p.name, "Latitude"):
			v = 40
		}
		values = append(values, v)
	}
	if m.code == 9804 || m.code == 9810 || m.code == 9841 || m.code == 1026 {
		values[0] = map[int]float64{9810: 90}[m.code]
	}
	return values
}

// No place is made of what is no number, is infinite, or cannot be on Earth.
func TestMethodsOffTheEarth(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for m := range eachMethod {
		e := wgs84
		if m.code == 9841 || m.code == 1026 || m.name == "Gnomonic" {
			e = newEllipsoid(6371000, 0)
		}
		p, err := m.build(e, plainValues(m))
		if err != nil {
			t.Errorf("%s %v: %v", m.name, plainValues(m), err)
			continue
		}
		for _, at := range [][2]float64{{nan, 0}, {0, nan}, {nan, nan}, {inf, 0}, {-inf, 0}, {0, inf}, {0, -inf}, {inf, inf},
			{-inf, inf}} {
			if lon, lat, ok := p.inverse(at[0], at[1]); ok {
				t.Errorf("%s: %v is (%v, %v)", m.name, at, lon, lat)
			}
		}
	}
}

// FuzzMethods makes projections of any values and asks them for any place: none panics, and what is a place is on the
// Earth.
func FuzzMethods(f *testing.F) {
	for k, c := range methodCases(f) {
		v := append(c.Values, 0, 0, 0, 0, 0)
		f.Add(uint8(k), c.Ellipsoid[1], v[0], v[1], v[2], v[3], v[4], v[5], v[6], c.On[0][0], c.On[0][1])
	}
	var all []*method
	for m := range eachMethod {
		all = append(all, m)
	}
	f.Fuzz(func(t *testing.T, k uint8, rf, v0, v1, v2, v3, v4, v5, v6, x, y float64) {
		m := all[int(k)%len(all)]
		if !(rf == 0 || rf > 100) {
			return
		}
		values := append([]float64{v0, v1, v2, v3, v4, v5, v6}, make([]float64, 8)...)[:len(m.params)]
		c, err := newCRS("", datum{ellipsoid: newEllipsoid(6378137, rf)}, m, values, 1)
		if err != nil {
			return
		}
		lon, lat, ok := c.proj.inverse(x, y)
		if ok && !(math.Abs(lat) <= 90 && !math.IsInf(lon, 0) && !math.IsNaN(lon)) {
			t.Errorf("%s %v: (%v, %v) = (%v, %v)", m.name, values, x, y, lon, lat)
		}
		for i, p := range m.params {
			central := p.kind == angle && strings.HasPrefix(p.name, "Longitude") && math.Abs(values[i]) < 1e6
			if ok && central && !(math.Abs(lon-values[i]) <= maxLongitude+1) {
				t.Errorf("%s %v: (%v, %v) = (%v, %v)", m.name, values, x, y, lon, lat)
			}
		}
	})
}

// One place of each method, none of which may allocate.
func BenchmarkMethods(b *testing.B) {
	for k, c := range methodCases(b) {
		p := c.projection(b)
		at := c.On[len(c.On)/2]
		b.Run(fmt.Sprintf("%d_%s", k, c.Name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.inverse(at[0], at[1])
			}
		})
	}
}

func TestMethodsAllocateNothing(t *testing.T) {
	for _, c := range methodCases(t) {
		p := c.projection(t)
		if n := testing.AllocsPerRun(10, func() {
			for _, at := range c.On {
				p.inverse(at[0], at[1])
			}
		}); n > 0 {
			t.Errorf("%v: %v allocations", c, n)
		}
	}
}
