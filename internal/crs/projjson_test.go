package crs

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
)

// defined is a CRS as if it were user-defined, those of the EPSG dataset too.
func defined(t *testing.T, c *CRS) *CRS {
	t.Helper()
	if c.def != nil {
		return c
	}
	d := c.definition()
	if c.Geographic {
		base, ok := geodeticByCode(c.Code)
		if !ok {
			t.Fatalf("EPSG:%d is no geographic CRS", c.Code)
		}
		d = definition{name: c.Name, base: base}
	}
	user := *c
	user.Code, user.def = 0, &d
	return &user
}

// Methods and parameters are called as PROJ calls them and have the values that it has; what is written is read again as the same.
func TestDefinitionsAreWritten(t *testing.T) {
	written := 0
	for _, k := range knownCRSs(t) {
		c, err := FromWKT(ids.ReplaceAllString(k.WKT2, ""))
		if err != nil || k.otherwise("WKT 2 without codes") {
			continue // TestFromWKT tells
		}
		c = defined(t, c)
		again, err := FromWKT(c.WKT2())
		if err != nil {
			t.Errorf("%s: %v\n%s", k.Name, err, c.WKT2())
			continue
		}
		again = defined(t, again)
		if c.unit != again.unit || c.method != again.method || !reflect.DeepEqual(c.values, again.values) ||
			c.datum.ellipsoid != again.datum.ellipsoid || c.datum.meridian != again.datum.meridian || c.Accuracy != again.Accuracy {
			t.Errorf("%s: %+v becomes %+v\n%s", k.Name, c, again, c.WKT2())
		}
		var o struct {
			Conversion struct {
				Method     struct{ Name string }
				Parameters []struct {
					Name  string
					Value float64
				}
			}
		}
		b, err := json.Marshal(c.PROJJSON())
		if err == nil {
			err = json.Unmarshal(b, &o)
		}
		if err != nil {
			t.Fatal(err)
		}
		if o.Conversion.Method.Name != k.Method && k.Method != "Equidistant Cylindrical" { // which we call spherical
			t.Errorf("%s: method %s, PROJ %s", k.Name, o.Conversion.Method.Name, k.Method)
		}
		values := map[string]float64{}
		for _, p := range o.Conversion.Parameters {
			values[p.Name] = p.Value
		}
		for name, want := range k.Values {
			if v, ok := values[name]; (ok || want != 0) && !(math.Abs(v-want) <= 1e-9*max(1, math.Abs(want))) {
				t.Errorf("%s: %s is %v, PROJ %v", k.Name, name, v, want)
			}
		}
		written++
	}
	if written < 250 {
		t.Errorf("%d CRSs", written)
	}
}

func TestWriteUserDefined(t *testing.T) {
	for _, test := range []struct{ text, wkt2, json string }{
		{`PROJCS["a ""b""",GEOGCS["c",DATUM["d",SPHEROID["e",6371007.181,0]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],` +
			`PROJECTION["Sinusoidal"],PARAMETER["longitude_of_center",10.25],UNIT["US survey foot",0.304800609601219]]`,
			`PROJCRS["a ""b""",BASEGEOGCRS["c",DATUM["d",ELLIPSOID["e",6371007.181,0,LENGTHUNIT["metre",1]]],` +
				`PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.017453292519943295]],ANGLEUNIT["degree",0.017453292519943295]],` +
				`CONVERSION["unnamed",METHOD["Sinusoidal"],` +
				`PARAMETER["Longitude of natural origin",10.25,ANGLEUNIT["degree",0.017453292519943295],ID["EPSG",8802]],` +
				`PARAMETER["False easting",0,LENGTHUNIT["metre",1],ID["EPSG",8806]],` +
				`PARAMETER["False northing",0,LENGTHUNIT["metre",1],ID["EPSG",8807]]],CS[Cartesian,2],` +
				`AXIS["easting (E)",east,ORDER[1],LENGTHUNIT["US survey foot",0.30480060960121924]],` +
				`AXIS["northing (N)",north,ORDER[2],LENGTHUNIT["US survey foot",0.30480060960121924]]]`,
			`{"$schema":"https://proj.org/schemas/v0.7/projjson.schema.json","base_crs":{"coordinate_system":{"axis":[` +
				`{"abbreviation":"Lat","direction":"north","name":"Geodetic latitude","unit":"degree"},` +
				`{"abbreviation":"Lon","direction":"east","name":"Geodetic longitude","unit":"degree"}],"subtype":"ellipsoidal"},` +
				`"datum":{"ellipsoid":{"name":"e","radius":6371007.181},"name":"d","type":"GeodeticReferenceFrame"},"name":"c","type":"GeographicCRS"},` +
				`"conversion":{"method":{"name":"Sinusoidal"},"name":"unnamed","parameters":[` +
				`{"id":{"authority":"EPSG","code":8802},"name":"Longitude of natural origin","unit":"degree","value":10.25},` +
				`{"id":{"authority":"EPSG","code":8806},"name":"False easting","unit":"metre","value":0},` +
				`{"id":{"authority":"EPSG","code":8807},"name":"False northing","unit":"metre","value":0}]},` +
				`"coordinate_system":{"axis":[` +
				`{"abbreviation":"E","direction":"east","name":"Easting","unit":{"conversion_factor":0.30480060960121924,"name":"US survey foot","type":"LinearUnit"}},` +
				`{"abbreviation":"N","direction":"north","name":"Northing","unit":{"conversion_factor":0.30480060960121924,"name":"US survey foot","type":"LinearUnit"}}],` +
				`"subtype":"Cartesian"},"name":"a \"b\"","type":"ProjectedCRS"}`},
		{`GEOGCS["a",DATUM["b",SPHEROID["c",6378388,297],TOWGS84[1,2,3,4,5,6,7]],PRIMEM["Paris",2.33722917],UNIT["grad",0.015707963267949]]`,
			`BOUNDCRS[SOURCECRS[GEOGCRS["a",DATUM["b",ELLIPSOID["c",6378388,297,LENGTHUNIT["metre",1]]],` +
				`PRIMEM["Paris",2.33722917,ANGLEUNIT["degree",0.017453292519943295]],CS[ellipsoidal,2],` +
				`AXIS["geodetic latitude (Lat)",north,ORDER[1],ANGLEUNIT["grad",0.015707963267948967]],` +
				`AXIS["geodetic longitude (Lon)",east,ORDER[2],ANGLEUNIT["grad",0.015707963267948967]]]],` +
				`TARGETCRS[GEOGCRS["WGS 84",DATUM["World Geodetic System 1984",ELLIPSOID["WGS 84",6378137,298.257223563,LENGTHUNIT["metre",1]]],` +
				`PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.017453292519943295]],CS[ellipsoidal,2],` +
				`AXIS["geodetic latitude (Lat)",north,ORDER[1],ANGLEUNIT["degree",0.017453292519943295]],` +
				`AXIS["geodetic longitude (Lon)",east,ORDER[2],ANGLEUNIT["degree",0.017453292519943295]],ID["EPSG",4326]]],` +
				`ABRIDGEDTRANSFORMATION["Transformation from a to WGS84",METHOD["Position Vector transformation (geog2D domain)",ID["EPSG",9606]],` +
				`PARAMETER["X-axis translation",1,ID["EPSG",8605]],PARAMETER["Y-axis translation",2,ID["EPSG",8606]],` +
				`PARAMETER["Z-axis translation",3,ID["EPSG",8607]],PARAMETER["X-axis rotation",4,ID["EPSG",8608]],` +
				`PARAMETER["Y-axis rotation",5,ID["EPSG",8609]],PARAMETER["Z-axis rotation",6,ID["EPSG",8610]],` +
				`PARAMETER["Scale difference",1.000007,ID["EPSG",8611]]]]`, ""},
	} {
		c, err := FromWKT(test.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.WKT2(); got != test.wkt2 {
			t.Errorf("WKT2() =\n%s, want\n%s", got, test.wkt2)
		}
		b, err := json.Marshal(c.PROJJSON())
		if err != nil || test.json != "" && string(b) != test.json {
			t.Errorf("PROJJSON() =\n%s, %v, want\n%s", b, err, test.json)
		}
		again, err := FromWKT(c.WKT2())
		if err != nil || again.WKT2() != c.WKT2() {
			t.Errorf("%s becomes\n%s, %v", c.WKT2(), again.WKT2(), err)
		}
	}
	if c := must(t, 4326); c.PROJJSON() != nil || c.WKT2() != "" {
		t.Error("a CRS of the EPSG dataset has a definition")
	}
}
