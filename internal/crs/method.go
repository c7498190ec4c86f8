package crs

import (
	"fmt"
	"math"
)

// A method is a coordinate operation method: a map projection, how its parameters are called in each notation, and what makes
// the projection from their values. Adding one is described in docs/extending.md.
type method struct {
	name   string   // as in the EPSG dataset; where EPSG has none, as PROJ writes it in WKT 2
	code   int      // EPSG code of the method; 0 where EPSG has none
	other  []string // names in WKT 1 as GDAL and Esri write it, and older ones; compared by sameName
	geo    uint16   // ProjMethodGeoKey (GeoTIFF 1.1 annex C, key 3075); 0 where GeoTIFF has none
	params []param  // in the order in which build takes their values
	// build makes the projection on an ellipsoid. Angles are degrees (longitudes from the CRS's prime meridian), lengths metres.
	// What no projection can be made of is an error that says which value is wrong.
	build func(e ellipsoid, v []float64) (projection, error)
}

// A param is a parameter of a method.
type param struct {
	name     string   // as in the EPSG dataset
	code     int      // EPSG code; 0 where EPSG has none
	kind     kind     // of quantity
	other    []string // names in WKT 1 as GDAL and Esri write it; compared by sameName
	keys     []uint16 // the GeoKeys that may hold it, best first
	fallback float64  // the value where a definition leaves it out: 1 for a scale, mostly 0 for the rest
}

// A kind of quantity.
type kind uint8

const (
	angle  kind = iota // degrees
	length             // metres
	ratio              // a number without unit
)

// methods are all there are, file by file. They are plain data, so that a program that starts pays nothing for them.
var methods = [...][]method{
	pseudoMercatorMethods,
	transverseMercatorMethods,
	conicMethods,
	polyconicMethods,
	cassiniMethods,
	miningGridMethods,
	mercatorMethods,
	cylindricalMethods,
	stereographicMethods,
	azimuthalMethods,
	viewMethods,
	obliqueMethods,
	krovakMethods,
	islandMethods,
	pseudocylindricalMethods,
	curvedMethods,
}

// eachMethod is an iterator over methods.
func eachMethod(yield func(*method) bool) {
	for _, family := range methods {
		for i := range family {
			if !yield(&family[i]) {
				return
			}
		}
	}
}

// methodByCode returns the method with an EPSG code, or nil. Of several, the first.
func methodByCode(code int) *method {
	for m := range eachMethod {
		if m.code == code && code != 0 {
			return m
		}
	}
	return nil
}

// called tells whether a method has a name, EPSG's or another one.
func (m *method) called(name string) bool { return sameName(m.name, name) || anyName(m.other, name) }

// called tells whether a parameter has a name, EPSG's or another one.
func (p *param) called(name string) bool { return sameName(p.name, name) || anyName(p.other, name) }

func anyName(names []string, name string) bool {
	for _, n := range names {
		if sameName(n, name) {
			return true
		}
	}
	return false
}

// sameName compares names by their letters and digits alone, without regard to case: as PROJ does, since each notation puts its
// own signs between words.
func sameName(a, b string) bool {
	i, j := 0, 0
	for {
		for i < len(a) && !counts(a[i]) {
			i++
		}
		for j < len(b) && !counts(b[j]) {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if lower(a[i]) != lower(b[j]) {
			return false
		}
		i, j = i+1, j+1
	}
}

// counts tells whether a byte of a name is of a letter or a digit; all beyond ASCII are taken for letters.
func counts(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= lower(c) && lower(c) <= 'z' || c >= 0x80
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// newCRS makes a projected CRS: on a datum, by a method with the values of its parameters in its order (degrees from the datum's
// prime meridian, metres, ratios), with unit metres a unit of x and y. Code stays 0 for the caller to set. Values that are not
// numbers and those that no projection can be made of are errors; they wrap ErrUnknown.
func newCRS(name string, d datum, m *method, values []float64, unit float64) (*CRS, error) {
	if len(values) != len(m.params) {
		return nil, fmt.Errorf("%s: %d values for the %d parameters of %s: %w", name, len(values), len(m.params), m.name, ErrUnknown)
	}
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s: %s is %v: %w", name, m.params[i].name, v, ErrUnknown)
		}
	}
	if !(unit > 0 && unit <= math.MaxFloat64) {
		return nil, fmt.Errorf("%s: a unit of %v m: %w", name, unit, ErrUnknown)
	}
	p, err := m.build(d.ellipsoid, values)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w: %w", name, m.name, err, ErrUnknown)
	}
	return &CRS{Name: name, UnitMetres: unit, Accuracy: d.accuracy, unit: unit, datum: d, method: m, values: values, proj: p}, nil
}

// newGeographic makes a geographic CRS: on a datum, with unit degrees a unit of x and y. Code stays 0 for the caller to set.
func newGeographic(name string, d datum, unit float64) (*CRS, error) {
	if !(unit > 0 && unit <= math.MaxFloat64) {
		return nil, fmt.Errorf("%s: a unit of %v degrees: %w", name, unit, ErrUnknown)
	}
	return &CRS{Name: name, Geographic: true, Accuracy: d.accuracy, unit: unit, datum: d, proj: geographic{}}, nil
}
