package crs

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/crs/wkt"
)

// sound checks what holds of every definition that is taken: numbers are numbers, what it is written as is read again and is the
// same, and errors are the ones that callers know.
func sound(t *testing.T, c *CRS, err error) {
	t.Helper()
	if err != nil {
		if c != nil || !errors.Is(err, ErrNone) && !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrNotEarth) {
			t.Fatalf("%+v, %v", c, err)
		}
		return
	}
	for _, p := range [][2]float64{{0, 0}, {500_000, 4_000_000}, {-100, 45}, {1e7, -1e7}, {math.NaN(), 0}, {math.Inf(1), 0}} {
		lon, lat, ok := c.ToWGS84(p[0], p[1])
		if ok && !(math.Abs(lon) <= 1e6 && math.Abs(lat) <= 90) || ok && math.IsNaN(p[0]) {
			t.Fatalf("%+v: %v is (%v, %v)", c, p, lon, lat)
		}
	}
	if (c.Code == 0) == (c.PROJJSON() == nil) || (c.Code == 0) == (c.WKT2() == "") {
		t.Fatalf("EPSG:%d with PROJJSON %v and WKT %q", c.Code, c.PROJJSON(), c.WKT2())
	}
	if c.Code != 0 {
		return
	}
	if _, err := json.Marshal(c.PROJJSON()); err != nil {
		t.Fatal(err)
	}
	again, err := FromWKT(c.WKT2())
	if err != nil {
		t.Fatalf("%s: %v", c.WKT2(), err)
	}
	// An odd unit is written in radians, whose last digit may be lost.
	if again.Code == 0 && (!reflect.DeepEqual(again.values, c.values) || again.method != c.method || again.datum.ellipsoid != c.datum.ellipsoid ||
		again.datum.meridian != c.datum.meridian || again.Accuracy != c.Accuracy || math.Abs(again.unit/c.unit-1) > 1e-12) {
		t.Fatalf("%s becomes\n%s", c.WKT2(), again.WKT2())
	}
}

// heapAllocs is how many bytes the program has allocated so far, to a few KiB.
func heapAllocs() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// modest holds what was allocated for a definition to a bound, as a text asks for what it likes.
func modest(t *testing.T, allocated uint64, text string) {
	t.Helper()
	if allocated > 1<<20+100*uint64(len(text)) {
		t.Fatalf("%d bytes allocated for a text of %d", allocated, len(text))
	}
}

func FuzzWKT(f *testing.F) {
	for i, k := range knownCRSs(f) {
		if i%10 == 0 {
			f.Add(k.GDAL)
			f.Add(k.ESRI)
			f.Add(k.WKT2)
		}
	}
	f.Add(`BOUNDCRS[SOURCECRS[GEOGCRS["a",DATUM["b",ELLIPSOID["c",6378388,297]]]],TARGETCRS[GEOGCRS["WGS 84",DATUM["World Geodetic System 1984",` +
		`ELLIPSOID["WGS 84",6378137,298.257223563]]]],ABRIDGEDTRANSFORMATION["d",METHOD["Geocentric translations (geog2D domain)"],` +
		`PARAMETER["X-axis translation",-87,ID["EPSG",8605]]]]`)
	f.Fuzz(func(t *testing.T, text string) {
		before := heapAllocs()
		c, err := FromWKT(text)
		modest(t, heapAllocs()-before, text)
		sound(t, c, err)
	})
}

// FuzzGeoKeys builds keys out of bytes: numbers, doubles and texts for the keys that matter.
func FuzzGeoKeys(f *testing.F) {
	f.Add([]byte{0, 1, 2, 0xff, 0x7f, 3, 15, 0}, 6378137.0, 298.257, 45.0, "GCS Name = a|Datum = WGS_1984|")
	f.Add([]byte{0, 0xff, 0x7f}, 0.0, 0.0, 0.0, "ESRI PE String = "+`GEOGCS["a",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137,298.257223563]]]`)
	f.Add([]byte{0, 1, 16, 1, 0, 17, 1, 0}, -90.0, 0.9996, 500000.0, "IMAGINE GeoTIFF Support\n$Date$\nUnits = feet")
	shorts := []uint16{1024, 2048, 2050, 2051, 2054, 2056, 3072, 3074, 3075, 3076, 4096}
	doubles := []uint16{2055, 2057, 2058, 2059, 2061, 2062, 3077, 3078, 3079, 3080, 3081, 3082, 3083, 3088, 3089, 3092, 3094, 3095}
	f.Fuzz(func(t *testing.T, b []byte, x, y, z float64, text string) {
		k := GeoKeys{map[uint16]uint16{}, map[uint16][]float64{}, map[uint16]string{keyCitation: text, keyGeodCitation: text, keyProjCitation: text}}
		for len(b) >= 3 && len(k.Short) < 20 {
			k.Short[shorts[int(b[0])%len(shorts)]] = uint16(b[1]) | uint16(b[2])<<8
			b = b[3:]
		}
		for i, key := range doubles {
			if len(b) == 0 || b[i%len(b)]>>(i%8)&1 == 0 {
				k.Double[key] = []float64{[]float64{x, y, z}[i%3], x, y, z, x, y, z}
			}
		}
		before := heapAllocs()
		c, origin, err := FromGeoKeys(k)
		modest(t, heapAllocs()-before, text)
		if (c == nil) == (origin != "" && err == nil) {
			t.Fatalf("%v, %q, %v", c, origin, err)
		}
		sound(t, c, err)
	})
}

// A text of any size takes a bounded number of allocations.
func TestWKTAllocations(t *testing.T) {
	for _, text := range []string{strings.Repeat("A[", wkt.MaxBytes/2), `A["` + strings.Repeat(`b",C["d"],"`, wkt.MaxBytes/11-1)} {
		if n := testing.AllocsPerRun(1, func() { FromWKT(text) }); n > 3*wkt.MaxItems {
			t.Errorf("%v allocations for %.20s…", n, text)
		}
	}
}
