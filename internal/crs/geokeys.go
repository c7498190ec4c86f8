package crs

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Numbers of GeoKeys (GeoTIFF 1.1 annex A) that define CRSs.
const (
	keyModelType       = 1024
	keyCitation        = 1026
	keyGeodeticCRS     = 2048
	keyGeodCitation    = 2049
	keyDatum           = 2050
	keyMeridian        = 2051
	keyAngularUnit     = 2054
	keyAngularSize     = 2055
	keyEllipsoid       = 2056
	keySemiMajor       = 2057
	keySemiMinor       = 2058
	keyInvFlattening   = 2059
	keyMeridianLong    = 2061
	keyToWGS84         = 2062
	keyProjectedCRS    = 3072
	keyProjCitation    = 3073
	keyConversion      = 3074
	keyMethod          = 3075
	keyLinearUnit      = 3076
	keyLinearSize      = 3077
	keyStdParallel1    = 3078
	keyStdParallel2    = 3079
	keyNatOriginLat    = 3081
	keyFalseOriginLat  = 3085
	keyCenterLat       = 3089
	modelProjected     = 1
	modelGeographic    = 2
	modelGeocentric    = 3
	userDefined        = 32767
	angularDegree      = 9102
	angularSupplierMin = 9107 // degrees, minutes and seconds in some writing, 9107 to 9120: degrees to GDAL, and to everybody else
)

// GeoKeys are the keys of a GeoKeyDirectory (GeoTIFF 1.1, requirements class 7) by their numbers.
type GeoKeys struct {
	Short  map[uint16]uint16
	Double map[uint16][]float64
	ASCII  map[uint16]string
}

// FromGeoKeys is the horizontal CRS that the keys of a GeoTIFF name or define: by a code, by projection and datum keys, or by
// Esri's WKT in a citation. origin says in words which of these it was. It reads the keys as GDAL does, in what contradicts
// itself too: a deprecated projected code stands for the one that replaced it, and keys of the datum, method or unit beside a code change what the code stands for, which then is no CRS of the
// EPSG dataset any more. Vertical keys are passed over, and of a three-dimensional CRS the horizontal part counts. Errors wrap
// ErrNone, ErrUnknown or ErrNotEarth and say what is missing.
func FromGeoKeys(k GeoKeys) (c *CRS, origin string, err error) {
	if c, origin, err = k.crs(); err != nil {
		return nil, "", err
	}
	if r := find(replacedTable, c.Code); r != nil && c.Code != 0 && !c.Geographic {
		if c, err = ByCode(r.int(1)); err != nil {
			return nil, "", err
		}
		origin += fmt.Sprintf(", which %d replaces", c.Code)
	}
	return c, origin, nil
}

// defining are the keys of which one at least is there where keys define a CRS.
var defining = []uint16{keyGeodeticCRS, keyDatum, keyEllipsoid, keyProjectedCRS, keyConversion, keyMethod}

func (k GeoKeys) crs() (*CRS, string, error) {
	model, told := k.Short[keyModelType]
	projected, geographic := k.code(keyProjectedCRS), k.code(keyGeodeticCRS)
	switch {
	case model == modelGeocentric:
		return nil, "", errGeocentric()
	case model == modelGeographic:
		return k.geographic(geographic)
	case model == modelProjected, projected != 0 && (!told || model == userDefined):
		return k.projected(projected)
	}
	// A geographic code alone says nothing: it is what the projection is on that the other keys do not tell.
	if c, origin, err := k.citedWKT(); c != nil || err != nil {
		return c, origin, err
	}
	if !k.has(defining...) {
		return nil, "", ErrNone
	}
	return nil, "", fmt.Errorf("GeoTIFF keys of model type %d without a definition: %w", model, ErrUnknown)
}

// code is the value of a key that is there and not user-defined; else 0.
func (k GeoKeys) code(key uint16) int {
	if v := k.Short[key]; v != userDefined {
		return int(v)
	}
	return 0
}

// number is the first value of a key. ok is false where there is none, or none that is finite.
func (k GeoKeys) number(keys ...uint16) (v float64, ok bool) {
	for _, key := range keys {
		if values := k.Double[key]; len(values) > 0 && !math.IsNaN(values[0]) && !math.IsInf(values[0], 0) {
			return values[0], true
		}
	}
	return 0, false
}

// has tells whether one of the keys is there.
func (k GeoKeys) has(keys ...uint16) bool {
	for _, key := range keys {
		if _, ok := k.Short[key]; ok {
			return true
		}
	}
	return false
}

func (k GeoKeys) geographic(code int) (*CRS, string, error) {
	if code != 0 {
		c, err := ByCode(code)
		return c, fmt.Sprintf("GeodeticCRS key %d", code), err
	}
	g, err := k.geodetic(0)
	if err != nil {
		return nil, "", err
	}
	c, err := g.crs()
	return c, "datum keys", err
}

func (k GeoKeys) projected(code int) (*CRS, string, error) {
	method, conversion := k.code(keyMethod), k.code(keyConversion)
	d := definition{name: k.cited(keyProjCitation, keyCitation)["PCS Name"], unit: 1}
	origin := "projection and datum keys"
	if code != 0 {
		c, err := ByCode(code)
		origin = fmt.Sprintf("ProjectedCRS key %d", code)
		switch {
		case err == nil && c.Geographic:
			return c, origin, nil
		case err == nil:
			return k.changed(c, origin)
		case method == 0 && conversion == 0:
			return nil, "", err
		}
		origin = "projection and datum keys"
	}
	var err error
	if method == 0 && conversion == 0 {
		if c, origin, err := k.citedWKT(); c != nil || err != nil {
			return c, origin, err
		}
		return nil, "", fmt.Errorf("GeoTIFF keys of a projected CRS without a projection: %w", ErrUnknown)
	}
	if d.base, err = k.geodetic(0); err != nil {
		return nil, "", err
	}
	if d.unit, err = k.linearUnit(1); err != nil {
		return nil, "", err
	}
	// That of a citation is the axes' unit, but not the parameters', as in GDAL.
	if size := citedUnit(k.cited(keyProjCitation, keyCitation)["LUnits"]); size != 0 {
		d.unit = size
	}
	if method != 0 {
		err = k.project(&d, method)
	} else {
		err = d.convert(conversion)
	}
	if err != nil {
		return nil, "", err
	}
	c, err := d.crs()
	return c, origin, err
}

// changed is a projected CRS of the EPSG dataset with what other keys make of it.
func (k GeoKeys) changed(c *CRS, origin string) (*CRS, string, error) {
	unit, err := k.linearUnit(c.unit)
	if err != nil {
		return nil, "", err
	}
	if base := k.code(keyGeodeticCRS); (base == c.datum.code || !k.has(keyGeodeticCRS)) && !k.has(keyDatum, keyEllipsoid, keyMethod) &&
		math.Abs(unit/c.unit-1) < 1e-8 {
		g := geodetic{a: c.datum.ellipsoid.a, rf: c.datum.ellipsoid.inverseFlattening}
		if k.figure(&g); base == 0 || sameFigure(g.a, g.rf, c.datum.ellipsoid.a, c.datum.ellipsoid.inverseFlattening) {
			return c, origin, nil // as almost all files are
		}
	}
	d, was := c.definition(), c.definition()
	d.unit = unit
	if k.has(keyGeodeticCRS, keyDatum, keyEllipsoid, keyMethod) {
		if d.base, err = k.geodetic(d.base.code); err != nil {
			return nil, "", err
		}
		if d.base.sameDatum(was.base) { // by the code of its three-dimensional CRS, say
			d.base = was.base
		}
		if method := k.code(keyMethod); method != 0 {
			if err := k.project(&d, method); err != nil {
				return nil, "", err
			}
		}
	}
	if d.same(was) {
		return c, origin, nil
	}
	if _, ok := c.proj.(swapped); ok {
		return nil, "", fmt.Errorf("%s, whose axes are no definition's, with keys that change it: %w", c.Name, ErrUnknown)
	}
	d.code = 0
	c, err = d.crs()
	return c, origin + " as other keys change it", err
}

// angularUnit is the size of the unit of angles in degrees. usual is that of the CRS.
func (k GeoKeys) angularUnit(usual float64) (float64, error) {
	switch code := k.code(keyAngularUnit); {
	case code == 0:
		// GDAL takes the size of a user-defined unit only where the citation has its name.
		if size, ok := k.number(keyAngularSize); ok && k.Short[keyAngularUnit] == userDefined && k.cited(keyGeodCitation)["AUnits"] != "" {
			return exactSize(size*degrees, angle), nil
		}
		return usual, nil
	case code >= angularSupplierMin && code < 9200:
		return 1, nil
	default:
		_, size, ok := unitByCode(code)
		if !ok || code < 9100 {
			return 0, fmt.Errorf("angular unit %d: %w", code, ErrUnknown)
		}
		return size, nil
	}
}

// linearUnit is the size of the unit of lengths in metres. usual is that of the CRS.
func (k GeoKeys) linearUnit(usual float64) (float64, error) {
	code := k.code(keyLinearUnit)
	if code == 0 {
		if size, ok := k.number(keyLinearSize); ok && size > 0 {
			return exactSize(size, length), nil
		}
		return usual, nil
	}
	_, size, ok := unitByCode(code)
	if !ok || code > 9100 && code < 9200 {
		return 0, fmt.Errorf("linear unit %d: %w", code, ErrUnknown)
	}
	return size, nil
}

// citedUnit is a unit as Erdas Imagine names it in citations, in metres; 0 for other names. Its plain feet are those of the US.
func citedUnit(name string) float64 {
	switch normal(name) {
	case "meters", "meter", "m":
		return 1
	case "kilometers", "kilometer", "km":
		return 1000
	case "ussurveyfeet", "ussurveyfoot", "feet", "foot", "ft":
		return usFoot
	case "internationalfeet", "internationalfoot":
		return 0.3048
	}
	return 0
}

// geodetic is what the keys say of the datum. base is the geographic CRS that goes without saying.
func (k GeoKeys) geodetic(base int) (g geodetic, err error) {
	code := k.code(keyGeodeticCRS)
	if k.has(keyGeodeticCRS) {
		base = code
	}
	var codes []int
	g, known := geodeticByCode(base)
	if !known {
		g = geodetic{meridian: "Greenwich", unit: 1}
		cited := k.cited(keyGeodCitation)
		g.name, g.datum, g.figure = cited["GCS Name"], cited["Datum"], cited["Ellipsoid"]
		if m := cited["Primem"]; m != "" {
			g.meridian = m
		}
	}
	own := g
	g.shift, g.accuracy, g.code, g.datumCode = nil, 0, 0, 0
	if g.unit, err = k.angularUnit(g.unit); err != nil {
		return g, err
	}

	if datum := find(datumTable, k.code(keyDatum)); datum != nil {
		base = datum.int(4)
		if b, ok := geodeticByCode(base); ok {
			g.datum, g.figure, g.a, g.rf = b.datum, b.figure, b.a, b.rf
		}
	}
	if base != 0 {
		codes = []int{base}
	}
	k.figure(&g)

	if r := find(meridianTable, k.code(keyMeridian)); r != nil {
		g.meridian, g.longitude = r.text(1), r.num(2)
	} else if v, ok := k.number(keyMeridianLong); ok && !known {
		g.longitude = meridianDegrees(g.meridian, v, g.unit)
	}
	// Where the other keys say nothing else than the code it is as the dataset has it.
	if known && base == own.code && sameFigure(g.a, g.rf, own.a, own.rf) && g.longitude == own.longitude && g.unit == own.unit {
		return own, nil
	}
	if g.name == "" {
		g.name = g.datum
	}
	return g, g.settle(codes, k.Double[keyToWGS84])
}

// figure reads the ellipsoid: by code, by axes.
func (k GeoKeys) figure(g *geodetic) {
	if r := find(ellipsoidTable, k.code(keyEllipsoid)); r != nil {
		g.figure, g.a, g.rf = r.text(1), r.num(2), r.num(3)
	}
	a, ok := k.number(keySemiMajor)
	if ok {
		if g.a == 0 {
			g.rf = 0 // a sphere, unless another key says more
		}
		g.a = a
	}
	if rf, ok := k.number(keyInvFlattening); ok && rf != 0 {
		g.rf = rf
	} else if b, ok := k.number(keySemiMinor); ok && g.a != 0 {
		g.rf = 0
		if b != g.a {
			g.rf = g.a / (g.a - b)
		}
	}
	if g.a == 0 { // nothing is said, so that GDAL takes this one
		g.a, g.rf = wgs84.a, wgs84.inverseFlattening
		if g.figure == "" {
			g.figure = "WGS 84"
		}
	}
	if g.figure == "" {
		g.figure = "unknown"
	}
}

// project reads the parameters of a method by its ProjMethodGeoKey (GeoTIFF 1.1 annex C), in the file's units.
func (k GeoKeys) project(d *definition, code int) error {
	var err error
	if d.method = k.method(code); d.method == nil {
		return fmt.Errorf("projection method %d of GeoTIFF: %w", code, ErrUnknown)
	}
	angular, err := k.angularUnit(d.base.unit)
	if err != nil {
		return err
	}
	linear, err := k.linearUnit(1)
	if err != nil {
		return err
	}
	d.values = make([]float64, len(d.method.params))
	for i, p := range d.method.params {
		v, ok := k.number(p.keys...)
		switch {
		case ok && p.kind == angle:
			v *= angular
		case ok && p.kind == length:
			v *= linear
		case ok:
		case p.code == paramGridAngle:
			v = 90
		case slices.Contains(p.keys, keyStdParallel2):
			return fmt.Errorf("%s without its second standard parallel: %w", d.method.name, ErrUnknown)
		default:
			v = p.fallback
		}
		d.values[i] = v
	}
	switch lat, _ := k.number(keyNatOriginLat, keyFalseOriginLat, keyCenterLat); {
	case d.method.code == methodMercatorB && lat != 0:
		return fmt.Errorf("%s with a latitude of origin of %v: %w", d.method.name, lat, ErrUnknown)
	case d.method.code == methodMercatorA && lat != 0:
		// Without a scale that is the standard parallel, to GDAL; with one it is nothing.
		if k, _ := d.value(paramScale); k == 1 {
			d.become(methodMercatorB, map[int]int{paramFirstParallel: paramLatOrigin})
		}
	}
	d.polar()
	return nil
}

// method is that of a ProjMethodGeoKey. Of the two for Mercator's it is the one with a standard parallel, where there is one.
func (k GeoKeys) method(code int) *method {
	_, parallel := k.number(keyStdParallel1)
	for m := range eachMethod {
		other := m.code == methodMercatorA && parallel || m.code == methodMercatorB && !parallel || m.code == methodPolarB
		if int(m.geo) == code && !other {
			return m
		}
	}
	return nil
}

// citedWKT is the CRS of the well-known text that Esri's and GDAL's software puts into citations; nil where there is none.
func (k GeoKeys) citedWKT() (*CRS, string, error) {
	for _, key := range []uint16{keyProjCitation, keyCitation, keyGeodCitation} {
		if _, text, ok := strings.Cut(k.ASCII[key], "ESRI PE String = "); ok {
			c, err := FromWKT(text)
			return c, "Esri WKT in the citation", err
		}
	}
	return nil, "", nil
}

// cited takes the parts of citations of the form "Name = value|Name = value|", as GDAL writes them, and as it turns those of
// Erdas Imagine ("Name = value" lines after its copyright) into such. A text without parts is the name of the CRS.
func (k GeoKeys) cited(keys ...uint16) map[string]string {
	parts := map[string]string{}
	for _, key := range keys {
		name := "PCS Name"
		if key == keyGeodCitation {
			name = "GCS Name"
		}
		text := k.ASCII[key]
		if len(text) > maxCitation {
			text = text[:maxCitation]
		}
		separator := "|"
		if strings.HasPrefix(text, "IMAGINE GeoTIFF Support") {
			separator = "\n"
			text = text[strings.LastIndexByte(text, '$')+1:]
		}
		for part := range strings.SplitSeq(text, separator) {
			n, v, ok := strings.Cut(part, " = ")
			if !ok {
				n, v = name, part
			}
			switch n {
			case "Projection Name":
				n = "PCS Name"
			case "Units":
				n = "LUnits"
			case "ESRI PE String":
				continue
			}
			if v = label(v); v != "" && parts[n] == "" && !strings.HasPrefix(v, "Unable to match") {
				parts[n] = v
			}
		}
	}
	return parts
}

const maxCitation = 2048
