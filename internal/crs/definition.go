package crs

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A definition is what a file says of a projected CRS.
type definition struct {
	code   int // in the EPSG dataset, if the file says so
	name   string
	base   geodetic
	method *method
	values []float64 // of the method's parameters in degrees and metres
	unit   float64   // metres a unit
}

// crs is the CRS so defined: that of the EPSG dataset if one is meant, by its code, its name or all that is said of it.
func (d definition) crs() (*CRS, error) {
	for i, v := range d.values {
		// Longitudes beyond a turn are met with, those of many turns are not.
		if p := d.method.params[i]; p.kind == angle && !(math.Abs(v) <= 720) || p.kind == length && !(math.Abs(v) <= 1e9) {
			return nil, fmt.Errorf("%s: %s of %v: %w", d.name, p.name, v, ErrUnknown)
		}
	}
	if d.webMercator() {
		return ByCode(3857)
	}
	for _, code := range append([]int{d.code}, codesOf("crs", d.name)...) {
		if known, ok := definitionByCode(code); ok && (d.same(known) || d.alike(known)) {
			return ByCode(code)
		}
	}
	if code := d.find(); code != 0 {
		return ByCode(code)
	}
	d.code = 0
	if d.name == "" {
		d.name = "unknown"
	}
	c, err := newCRS(d.name, d.base.on(), d.method, d.values, d.unit)
	if err == nil {
		c.def = &d
	}
	return c, err
}

// definitionByCode is the definition of a projected CRS of the EPSG dataset. ok is false where there is none that is supported.
func definitionByCode(code int) (d definition, ok bool) {
	c, err := ByCode(code)
	if err != nil || c.Geographic {
		return d, false
	}
	return c.definition(), true
}

// definition is that of a projected CRS of the EPSG dataset.
func (c *CRS) definition() definition {
	base, _ := geodeticByCode(c.datum.code)
	return definition{c.Code, c.Name, base, c.method, c.values, c.unit}
}

// webMercator tells EPSG:3857 in its older forms: Mercator's projection of a sphere that has the semi-major axis of WGS 84, and its
// longitudes and latitudes; and what is called EPSG:3857, in WKT 1 that has no name for the method.
func (d *definition) webMercator() bool {
	const sphere, ellipsoid = 6055, 6326 // "Popular Visualisation Datum", WGS 84
	named := d.base.datumCode == sphere || d.base.datumCode == ellipsoid && d.code == 3857
	if !named || d.unit != 1 || d.method.code != methodMercatorA && d.method.code != methodMercatorB {
		return false
	}
	for i, v := range d.values {
		if v != d.method.params[i].fallback {
			return false
		}
	}
	return true
}

// find looks through the projected CRSs of the EPSG dataset that are on the same geographic CRS for one that is defined the same; 0
// where there is none. Where several differ in nothing but their axes' order, it is the UTM zone that has no remark, if there is one.
func (d *definition) find() (code int) {
	if d.base.code == 0 {
		return 0
	}
	base, method := "\t"+strconv.Itoa(d.base.code)+"\t", strconv.Itoa(d.method.code)
	found := 0
	for at := 0; ; {
		i := strings.Index(epsgTable[at:], base)
		if i < 0 {
			break
		}
		at += i + len(base)
		// Fields are cut off one by one, since most lines are of no use.
		line, _, _ := strings.Cut(epsgTable[at:], "\n")
		next := func() (field string) {
			field, line, _ = strings.Cut(line, "\t")
			return field
		}
		num := func() float64 {
			v, _ := strconv.ParseFloat(next(), 64)
			return v
		}
		unit := num()
		if next() != method || next() != "" { // other axes than the method's
			continue
		}
		next() // shift
		next() // accuracy
		if !d.agrees(unit, func(int) float64 { return num() }) {
			continue
		}
		r := row(strings.Split(epsgTable[strings.LastIndexByte(epsgTable[:at], '\n')+1:at-1], "\t"))
		const google = 900913 // another code for 3857
		if r.text(1) != "P" || r.int(3) != d.base.code || r.int(0) == google {
			continue
		}
		if found++; found == 1 || strings.HasPrefix(r.text(2), "/UTM zone ") && !strings.HasSuffix(r.text(2), ")") {
			code = r.int(0)
		}
	}
	if c, err := ByCode(code); found > 1 && (err != nil || !strings.Contains(c.Name, " / UTM zone ")) {
		return 0
	}
	return code
}

// same tells whether two definitions are the same, apart from their names.
func (d *definition) same(e definition) bool {
	return d.method == e.method && d.base.sameDatum(e.base) && d.agrees(e.unit, func(i int) float64 { return e.values[i] })
}

// alike tells whether two definitions with different methods give the same places: as those of one name do where a notation has
// another method for it (Esri's Mercator has a standard parallel for a scale; on a sphere the spherical methods are the others).
func (d *definition) alike(e definition) bool {
	if d.method == e.method || !d.base.sameDatum(e.base) || math.Abs(d.unit/e.unit-1) > 1e-8 {
		return false
	}
	figure := newEllipsoid(d.base.a, d.base.rf)
	p, err := d.method.build(figure, d.values)
	if err != nil {
		return false
	}
	q, err := e.method.build(figure, e.values)
	if err != nil {
		return false
	}
	var east, north float64
	for i, v := range e.values {
		switch e.method.params[i].code {
		case 8806, 8816, 8826:
			east = v
		case 8807, 8817, 8827:
			north = v
		}
	}
	for i := range 9 { // 300 km around the false origin
		x, y := east+float64(i%3-1)*300_000, north+float64(i/3-1)*300_000
		lon, lat, ok := p.inverse(x, y)
		lon2, lat2, ok2 := q.inverse(x, y)
		if ok != ok2 || ok && !(math.Abs(lat-lat2) < 1e-9 && math.Abs(lon-lon2)*math.Cos(lat*radians) < 1e-9) {
			return false
		}
	}
	return true
}

// agrees tells whether unit and values, which it asks for in their order, are the definition's, within what decimals lose.
func (d *definition) agrees(unit float64, value func(i int) float64) bool {
	if !(math.Abs(d.unit/unit-1) < 1e-8) {
		return false
	}
	for i, v := range d.values {
		near := 1e-8 // a millimetre
		switch d.method.params[i].kind {
		case length:
			near = 1e-3
		case ratio:
			near = 1e-9
		}
		if !(math.Abs(v-value(i)) <= near) {
			return false
		}
	}
	return true
}

// value is that of the method's parameter with an EPSG code. ok is false where it has none.
func (d *definition) value(code int) (v float64, ok bool) {
	for i, p := range d.method.params {
		if p.code == code {
			return d.values[i], true
		}
	}
	return 0, false
}

// become changes the method to another one and hands over the values of parameters, from one EPSG code to another.
func (d *definition) become(code int, from map[int]int) {
	m := methodByCode(code)
	if m == nil {
		return
	}
	values := make([]float64, len(m.params))
	for i, p := range m.params {
		values[i] = p.fallback
		source := p.code
		if other, ok := from[p.code]; ok {
			source = other
		}
		if v, ok := d.value(source); ok {
			values[i] = v
		}
	}
	d.method, d.values = m, values
}

// EPSG codes of methods and parameters.
const (
	methodPseudoMercator  = 1024
	methodSouthOrientated = 9808
	methodConicWest       = 9826
	methodBonneSouth      = 9828
	methodKrovak          = 9819
	methodKrovakModified  = 1042
	methodMercatorA       = 9804
	methodMercatorB       = 9805
	methodPolarA          = 9810
	methodPolarB          = 9829
	paramLatOrigin        = 8801
	paramLonOrigin        = 8802
	paramFirstParallel    = 8823
	paramScale            = 8805
	paramGridAngle        = 8814
	paramPolarParallel    = 8832
	paramPolarLongitude   = 8833
)

// pointing is where the coordinates of a method point to, as axes of WKT have it.
func (m *method) pointing() (first, second string) {
	switch m.code {
	case methodSouthOrientated, methodBonneSouth:
		return "WEST", "SOUTH"
	case methodKrovak, methodKrovakModified:
		return "SOUTH", "WEST"
	case methodConicWest:
		return "WEST", "NORTH"
	}
	return "EAST", "NORTH"
}

// convert takes method and parameters from a conversion of the EPSG dataset.
func (d *definition) convert(code int) error {
	r := find(conversionTable, code)
	if r == nil {
		return fmt.Errorf("conversion %d: %w", code, ErrUnknown)
	}
	made, ok := definitionByCode(r.int(1))
	if !ok {
		_, err := ByCode(r.int(1))
		return fmt.Errorf("conversion %d: %w", code, err)
	}
	d.method, d.values = made.method, made.values
	return nil
}

// polar makes variant B of a polar stereographic projection whose latitude of origin is no pole: that of true scale, which WKT 1
// and GeoTIFF do not tell apart from variant A's.
func (d *definition) polar() {
	if d.method.code != methodPolarA {
		return
	}
	lat, _ := d.value(paramLatOrigin)
	if k, _ := d.value(paramScale); k == 1 && math.Abs(math.Abs(lat)-90) > 1e-8 {
		d.become(methodPolarB, map[int]int{paramPolarParallel: paramLatOrigin, paramPolarLongitude: paramLonOrigin})
	}
}
