package crs

import (
	"math"
	"strconv"
	"strings"
)

// WKT2 is the definition of a user-defined CRS (Code 0) in WKT 2 (ISO 19162:2019) on one line; "" for others. It says what
// PROJJSON says.
func (c *CRS) WKT2() string {
	if c.def == nil {
		return ""
	}
	d := c.def
	s := d.base.wkt2("GEOGCRS")
	if d.method != nil {
		unit := "," + unitWKT(length, d.unit) + "]"
		a := d.method.axes()
		s = "PROJCRS[" + quote(d.name) + "," + d.base.wkt2("BASEGEOGCRS") + "," + d.conversionWKT() + ",CS[Cartesian,2]" +
			",AXIS[" + quote(strings.ToLower(a[0])+" ("+a[1]+")") + "," + a[2] + ",ORDER[1]" + unit +
			",AXIS[" + quote(strings.ToLower(a[3])+" ("+a[4]+")") + "," + a[5] + ",ORDER[2]" + unit + "]"
	}
	if d.base.towgs84 == nil {
		return s
	}
	wgs84, _ := geodeticByCode(4326)
	return "BOUNDCRS[SOURCECRS[" + s + "],TARGETCRS[" + wgs84.wkt2("GEOGCRS") + "]," + d.base.shiftWKT() + "]"
}

func (g *geodetic) wkt2(keyword string) string {
	s := keyword + "[" + quote(g.name) + ",DATUM[" + quote(g.datum) +
		",ELLIPSOID[" + quote(g.figure) + "," + number(g.a) + "," + number(g.rf) + `,LENGTHUNIT["metre",1]]],PRIMEM[` + quote(g.meridian) + "," + number(g.longitude) + "," + unitWKT(angle, 1) + "]"
	if keyword == "BASEGEOGCRS" {
		s += "," + unitWKT(angle, g.unit)
	} else {
		unit := "," + unitWKT(angle, g.unit) + "]"
		s += `,CS[ellipsoidal,2],AXIS["geodetic latitude (Lat)",north,ORDER[1]` + unit +
			`,AXIS["geodetic longitude (Lon)",east,ORDER[2]` + unit
	}
	return s + idWKT(g.code) + "]"
}

func (g *geodetic) shiftWKT() string {
	var s strings.Builder
	s.WriteString("ABRIDGEDTRANSFORMATION[" + quote("Transformation from "+g.name+" to WGS84"))
	s.WriteString(",METHOD[" + quote(positionVector) + idWKT(9606) + "]")
	for i, v := range g.towgs84 {
		name, code, _ := shiftParameter(i)
		if i == 6 {
			v = 1 + float64(v*1e-6) // an abridged transformation has the scale itself
		}
		s.WriteString(",PARAMETER[" + quote(name) + "," + number(v) + idWKT(code) + "]")
	}
	return s.String() + "]"
}

func (d *definition) conversionWKT() string {
	var s strings.Builder
	s.WriteString(`CONVERSION["unnamed",METHOD[` + quote(d.method.name) + idWKT(d.method.code) + "]")
	for i, p := range d.method.params {
		unit := map[kind]string{angle: unitWKT(angle, 1), length: unitWKT(length, 1), ratio: `SCALEUNIT["unity",1]`}[p.kind]
		s.WriteString(",PARAMETER[" + quote(p.name) + "," + number(d.values[i]) + "," + unit + idWKT(p.code) + "]")
	}
	return s.String() + "]"
}

func unitWKT(k kind, size float64) string {
	keyword := map[kind]string{angle: "ANGLEUNIT", length: "LENGTHUNIT"}[k]
	name := unitName(k, size)
	if k == angle {
		size *= radians
	}
	return keyword + "[" + quote(name) + "," + number(size) + "]"
}

func idWKT(code int) string {
	if code == 0 {
		return ""
	}
	return `,ID["EPSG",` + strconv.Itoa(code) + "]"
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// number is the shortest form of a number, with an exponent as encoding/json has it.
func number(v float64) string {
	format := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.FormatFloat(v, format, -1, 64)
}
