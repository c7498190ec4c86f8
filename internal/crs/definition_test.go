package crs

import (
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"strings"
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
	for line := range fixture(t, "definitions.json.gz") {
		var k known
		if err := json.Unmarshal(line, &k); err != nil {
			t.Fatal(err)
		}
		all = append(all, k)
	}
	if len(all) < 250 {
		t.Fatalf("%d CRSs", len(all))
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
	}
	return false
}

// Each notation with its codes and without them gives the CRS that PROJ makes of it.
func TestFromWKT(t *testing.T) {
	good, coded, nameless, unknown := 0, 0, 0, map[string]int{}
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
				if !errors.Is(err, ErrUnknown) || methodByName(k.Method) != nil && k.Method != "Gnomonic" { // refused on an ellipsoid
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
				nameless++
				t.Logf("%s in %s: no code", k.Name, notation)
			}
		}
	}
	t.Logf("%d right, %d of them with a code, %d without the one that they have; unknown: %v", good, coded, nameless, unknown)
	if good < 1300 || coded < 600 || nameless > coded/20 {
		t.Errorf("%d right, %d with a code, %d without", good, coded, nameless)
	}
}

// Texts as software writes them beside what PROJ does.
func TestFromWKTOddities(t *testing.T) {
	const wgs84 = `GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]`
	const zeros = `PARAMETER["central_meridian",0],PARAMETER["scale_factor",1],PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1]`
	const zone33 = `PROJCS["x",` + wgs84 + `,PROJECTION["Transverse_Mercator"],PARAMETER["central_meridian",15],PARAMETER["scale_factor",0.9996],` +
		`PARAMETER["false_easting",500000],UNIT["metre",1]]`
	for _, test := range []struct {
		what, text string
		code       int
		accuracy   float64
		err        error
	}{
		{"nothing", " \n", 0, 0, ErrNone},
		{"no text", "EPSG:4326", 0, 0, ErrUnknown},
		{"a geocentric CRS", `GEOCCS["x",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]]]`, 0, 0, ErrUnknown},
		{"another geocentric CRS", `GEODCRS["x",DATUM["y",ELLIPSOID["z",6378137,298.257223563]],CS[Cartesian,3]]`, 0, 0, ErrUnknown},
		{"a local CRS", `LOCAL_CS["x",UNIT["metre",1]]`, 0, 0, ErrUnknown},
		{"a rotated pole", `GEOGCRS["x",BASEGEOGCRS["y",DATUM["z",ELLIPSOID["e",6371229,0]]],DERIVINGCONVERSION["c",METHOD["m"]]]`, 0, 0, ErrUnknown},
		{"Mars", `GEOGCS["Mars 2000",DATUM["D_Mars_2000",SPHEROID["Mars_2000_IAU_IAG",3396190,169.894447223612]],PRIMEM["0",0],UNIT["degree",0.0174532925199433]]`,
			0, 0, ErrNotEarth},
		{"an unknown method", `PROJCS["x",` + wgs84 + `,PROJECTION["Peirce"],` + zeros + `]`, 0, 0, ErrUnknown},
		{"an unknown parameter", `PROJCS["x",` + wgs84 + `,PROJECTION["Sinusoidal"],PARAMETER["rotation",5],` + zeros + `]`, 0, 0, ErrUnknown},
		{"axes to the west", zone33[:len(zone33)-1] + `,AXIS["Y",WEST],AXIS["X",NORTH]]`, 0, 0, ErrUnknown},
		{"UTM by its definition", zone33, 32633, 0, nil},
		{"Web Mercator by its extension", `PROJCS["x",` + wgs84 + `,PROJECTION["Mercator_1SP"],` + zeros +
			`,EXTENSION["PROJ4","+proj=merc +a=6378137 +b=6378137 +lat_ts=0.0 +lon_0=0.0 +x_0=0.0 +y_0=0 +k=1.0 +units=m +nadgrids=@null +wktext +no_defs"]]`,
			3857, 0, nil},
		{"Web Mercator by its code", `PROJCS["x",` + wgs84 + `,PROJECTION["Mercator_1SP"],` + zeros + `,AUTHORITY["EPSG","3857"]]`, 3857, 0, nil},
		{"Web Mercator of a sphere", `PROJCS["WGS_1984_Web_Mercator",GEOGCS["GCS_WGS_1984_Major_Auxiliary_Sphere",DATUM["D_WGS_1984_Major_Auxiliary_Sphere",` +
			`SPHEROID["WGS_1984_Major_Auxiliary_Sphere",6378137,0]],PRIMEM["Greenwich",0],UNIT["Degree",0.0174532925199433]],PROJECTION["Mercator"],` +
			`PARAMETER["Standard_Parallel_1",0],PARAMETER["Central_Meridian",0],UNIT["Meter",1]]`, 3857, 0, nil},
		{"the ellipsoid's Mercator", `PROJCS["WGS_1984_World_Mercator",` + wgs84 + `,PROJECTION["Mercator"],PARAMETER["Standard_Parallel_1",0],UNIT["Meter",1]]`,
			3395, 0, nil},
		{"a wrong code", strings.Replace(zone33, "15", "15.5", 1)[:len(zone33)+1] + `,AUTHORITY["EPSG","32633"]]`, 0, 0, nil},
		{"an Esri file with a vertical CRS", zone33 + `,VERTCS["v",VDATUM["d"],PARAMETER["Vertical_Shift",0],UNIT["Meter",1]]`, 32633, 0, nil},
		{"a compound CRS", `COMPD_CS["x",` + zone33 + `,VERT_CS["v",VERT_DATUM["d",2005],UNIT["metre",1]]]`, 32633, 0, nil},
		{"a datum of its own", strings.Replace(wgs84, "WGS_1984", "unknown", 1), 0, -1, nil},
		{"an ellipsoid of its own", strings.Replace(wgs84, "6378137", "6378140", 1), 0, -1, nil},
		{"a shift of its own", strings.Replace(wgs84, `]],PRIMEM`, `],TOWGS84[1,2,3]],PRIMEM`, 1), 0, 999, nil},
		{"a shift beside a code", strings.Replace(wgs84[:len(wgs84)-1], `]],PRIMEM`, `],TOWGS84[1,2,3]],PRIMEM`, 1) + `,AUTHORITY["EPSG","4326"]]`, 4326, 0, nil},
		{"zeros for a shift", strings.Replace(wgs84, `]],PRIMEM`, `],TOWGS84[0,0,0,0,0,0,0]],PRIMEM`, 1), 4326, 0, nil},
	} {
		c, err := FromWKT(test.text)
		if test.err != nil || err != nil {
			if c != nil || !errors.Is(err, test.err) {
				t.Errorf("%s: %+v, %v, want %v", test.what, c, err, test.err)
			}
			continue
		}
		if c.Code != test.code || c.Accuracy != test.accuracy {
			t.Errorf("%s: EPSG:%d, accuracy %v, want EPSG:%d, %v", test.what, c.Code, c.Accuracy, test.code, test.accuracy)
		}
	}
}
