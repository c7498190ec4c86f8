package crs

import (
	"fmt"
	"math"
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

// crs is the CRS so defined: that of the EPSG dataset if one is meant, by its code or its name, and defined the same.
func (d definition) crs() (*CRS, error) {
	for _, code := range append([]int{d.code}, codesOf("crs", d.name)...) {
		if known, ok := definitionByCode(code); ok && d.same(known) {
			return ByCode(code)
		}
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

// same tells whether two definitions agree, apart from their names and within what decimals lose.
func (d *definition) same(e definition) bool {
	if d.method != e.method || math.Abs(d.unit/e.unit-1) > 1e-8 || !d.base.sameDatum(e.base) {
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
		if !(math.Abs(v-e.values[i]) <= near) {
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
