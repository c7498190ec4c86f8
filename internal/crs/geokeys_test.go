package crs

import (
	"bufio"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strconv"
	"testing"
)

// keysOf makes keys of JSON: numbers are of the kind SHORT, unless they are written with a point.
func keysOf(t *testing.T, raw map[string]json.RawMessage) GeoKeys {
	k := GeoKeys{map[uint16]uint16{}, map[uint16][]float64{}, map[uint16]string{}}
	for name, v := range raw {
		n, err := strconv.ParseUint(name, 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		key := uint16(n)
		var short uint16
		var text string
		var doubles []float64
		var double float64
		switch {
		case json.Unmarshal(v, &short) == nil && string(v) == strconv.Itoa(int(short)):
			k.Short[key] = short
		case json.Unmarshal(v, &text) == nil:
			k.ASCII[key] = text
		case json.Unmarshal(v, &doubles) == nil:
			k.Double[key] = doubles
		case json.Unmarshal(v, &double) == nil:
			k.Double[key] = []float64{double}
		default:
			t.Fatalf("key %s: %s", name, v)
		}
	}
	return k
}

// What GDAL reads from the same keys (gen/geokeys.py).
func TestFromGeoKeysAsGDAL(t *testing.T) {
	f, err := os.Open("testdata/geokeys.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files := 0
	for lines := bufio.NewScanner(f); lines.Scan(); files++ {
		var row struct {
			What   string
			Keys   map[string]json.RawMessage
			Method string
			Axes   [2]float64
			Unit   float64
			known
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		c, origin, err := FromGeoKeys(keysOf(t, row.Keys))
		if len(row.Points) == 0 {
			if err == nil {
				t.Errorf("%s: %s %+v, where GDAL finds no CRS of the Earth", row.What, origin, c)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", row.What, err)
			continue
		}
		if d := row.apart(c); !(d < 0.005) {
			t.Errorf("%s: %v m from PROJ: %s %+v", row.What, d, origin, c)
		}
		e := c.datum.ellipsoid
		if !sameFigure(e.a, e.inverseFlattening, row.Axes[0], row.Axes[1]) || math.Abs(c.UnitMetres-row.Unit) > 1e-12 {
			t.Errorf("%s: ellipsoid %v, unit %v; GDAL has %v, %v", row.What, e, c.UnitMetres, row.Axes, row.Unit)
		}
	}
	if files < 120 {
		t.Errorf("%d files", files)
	}
}

func TestFromGeoKeys(t *testing.T) {
	mars := map[uint16][]float64{keySemiMajor: {3396190}, keyInvFlattening: {169.9}}
	for _, test := range []struct {
		keys     GeoKeys
		code     int
		accuracy float64
		like     int // the code of a CRS that is as accurate
		origin   string
		err      error
	}{
		{keys: GeoKeys{}, err: ErrNone},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 32767, 1025: 1, 3076: 9001}, ASCII: map[uint16]string{1026: "x"}}, err: ErrNone},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 1, 3072: 2163}}, code: 9311, like: 9311, origin: "ProjectedCRS key 2163, which 9311 replaces"},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 2, 2048: 4902}}, code: 4902, like: 4902, origin: "GeodeticCRS key 4902"},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 32767, 2048: 4326}}, err: ErrUnknown},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 3, 2048: 4978}}, err: ErrUnknown},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 1, 3072: 54009}}, err: ErrUnknown},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 1, 3072: 32767, 2048: 32767, 3074: 16001}, Double: mars}, err: ErrNotEarth},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 1, 3072: 32633}}, code: 32633, origin: "ProjectedCRS key 32633"},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 2, 2048: 4326}}, code: 4326, origin: "GeodeticCRS key 4326"},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 1, 3072: 32633, 2048: 4267}}, like: 4267, origin: "ProjectedCRS key 32633 as other keys change it"},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 1, 3072: 25832, 2048: 4937}}, code: 25832, like: 4258, origin: "ProjectedCRS key 25832"},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 1, 3072: 32633, 3076: 9002}}, origin: "ProjectedCRS key 32633 as other keys change it"},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 2, 2050: 6267}}, code: 4267, like: 4267, origin: "datum keys"},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 1, 3072: 2218, 3076: 9002}}, err: ErrUnknown},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 1, 3074: 16033, 2048: 4326}}, code: 32633, origin: "projection and datum keys"},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 1, 3074: 16033, 2048: 4258}}, code: 25833, like: 4258, origin: "projection and datum keys"},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 1, 3074: 16033, 2048: 32767, 2056: 7030}}, accuracy: -1, origin: "projection and datum keys"},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 2, 2048: 32767, 2056: 7004}, Double: map[uint16][]float64{2062: {598.1, 73.7, 418.2}}},
			accuracy: 999, origin: "datum keys"},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 32767}, ASCII: map[uint16]string{3073: "ESRI PE String = " +
			`GEOGCS["GCS_North_American_1927",DATUM["D_North_American_1927",SPHEROID["Clarke_1866",6378206.4,294.9786982]],PRIMEM["Greenwich",0],UNIT["Degree",0.0174532925199433]]`}},
			code: 4267, like: 4267, origin: "Esri WKT in the citation"},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 32767}, ASCII: map[uint16]string{3073: `ESRI PE String = PROJCS["a",GEOG`}}, err: ErrUnknown},
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 1, 3072: 32767, 3074: 16033, 3076: 9001, 2048: 4326}, ASCII: map[uint16]string{1026: "WGS_1984_UTM_Zone_33N"}},
			code: 32633, origin: "projection and datum keys"},
		// Paris in radians, as GDAL writes it beside grads.
		{keys: GeoKeys{Short: map[uint16]uint16{1024: 2, 2048: 32767, 2050: 6807, 2054: 9105}, Double: map[uint16][]float64{2061: {0.03671310995113854}},
			ASCII: map[uint16]string{2049: "GCS Name = NTF (Paris)|Primem = Paris|AUnits = Grad|"}}, code: 4807, like: 4807, origin: "datum keys"},
	} {
		c, origin, err := FromGeoKeys(test.keys)
		if test.err != nil {
			if c != nil || origin != "" || !errors.Is(err, test.err) {
				t.Errorf("%v: %+v, %q, %v: want %v", test.keys, c, origin, err, test.err)
			}
			continue
		}
		if test.like != 0 {
			test.accuracy = must(t, test.like).Accuracy
		}
		if err != nil || c.Code != test.code || c.Accuracy != test.accuracy || origin != test.origin {
			t.Errorf("%v: %+v, %q, %v: want EPSG:%d, accuracy %v, %q", test.keys, c, origin, err, test.code, test.accuracy, test.origin)
		}
	}
}

func BenchmarkFromGeoKeys(b *testing.B) {
	for name, keys := range map[string]GeoKeys{
		"code": {Short: map[uint16]uint16{1024: 1, 3072: 32633, 2048: 4326}},
		"user-defined": {Short: map[uint16]uint16{1024: 1, 3072: 32767, 2048: 4269, 3075: 11, 3076: 9001},
			Double: map[uint16][]float64{3078: {29.5}, 3079: {45.5}, 3080: {-97}, 3081: {23}}, ASCII: map[uint16]string{1026: "a"}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := FromGeoKeys(keys); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFromWKT(b *testing.B) {
	for i, k := range knownCRSs(b) {
		if i != 0 && k.Method == "Albers Equal Area" {
			b.Run("Esri", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					FromWKT(k.ESRI)
				}
			})
			break
		}
	}
}
