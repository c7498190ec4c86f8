// Package crs turns projected and geographic coordinates into WGS 84 longitudes and latitudes, and the outline of a raster
// into a GeoJSON footprint. It knows the CRSs of the EPSG dataset by their codes, and makes others from their definitions.
package crs

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

//go:generate python3 gen/table.py
//go:generate python3 gen/truth.py

// ErrUnknown: the code names no CRS of the table, or there is no such projection. The caller tells the user; it is a fact about
// the file, not a failure.
var ErrUnknown = errors.New("coordinate reference system is not supported")

// A CRS is a horizontal coordinate reference system. x is its first axis and y the second one, except that where these are north and
// east x is the one to the east: GDAL's "traditional GIS order" and PROJ's always_xy. So x and y are almost always to the east and to
// the north, but westing and southing in South Africa, southing and westing in EPSG's Krovak without "East North", and northing and
// westing in Greenland. A CRS is immutable and safe for use by many goroutines.
type CRS struct {
	Code int    // EPSG code; 0 where the CRS is not one of EPSG's
	Name string // as in the EPSG dataset or the definition
	// Geographic: x and y are angles. Otherwise projected.
	Geographic bool
	// UnitMetres is the length of one unit of x in metres; 0 for a geographic CRS.
	UnitMetres float64
	// Accuracy of the shift from the CRS's datum to WGS 84 in metres, as the EPSG dataset states it (999 where it says
	// that it is not known), and larger where the shift was not made for all of the CRS's area, or where the usual software
	// is known to make something else of the CRS; 0 where the datum is WGS 84. -1: no shift is known and coordinates are
	// given on the CRS's own datum.
	Accuracy float64

	unit   float64 // metres a unit, or degrees a unit where geographic
	datum  datum
	method *method   // nil where geographic
	values []float64 // of the method's parameters
	proj   projection
	def    *definition // what a file says of it; nil where the CRS is EPSG's
}

// approximately is the accuracy in metres from which positions on WGS 84 are called approximate.
const approximately = 10

// Approximate tells whether positions on WGS 84 are not known to be good to 10 m: the shift from the CRS's datum is missing, or
// less accurate.
func (c *CRS) Approximate() bool { return !(c.Accuracy >= 0 && c.Accuracy <= approximately) }

// ByCode returns the CRS with an EPSG code. A geographic 3D one stands for its horizontal part, and a compound one is its horizontal
// CRS, with that one's code. Codes that it does not know are ErrUnknown, with the projection method that is missing where that is
// why.
func ByCode(code int) (*CRS, error) {
	c, err := byRow(find(epsgTable, code))
	if err != nil {
		return nil, fmt.Errorf("EPSG:%d: %w", code, err)
	}
	return c, nil
}

// byRow makes the CRS of a row of the EPSG table, whose fields gen/table.py explains.
func byRow(r row) (*CRS, error) {
	var c *CRS
	var err error
	switch r.text(1) {
	case "G":
		c, err = newGeographic(r.text(2), datumOf(r), r.num(6))
	case "P":
		d := datumOf(find(epsgTable, r.int(3)))
		name := r.text(2)
		if rest, ok := strings.CutPrefix(name, "/"); ok {
			name = d.name + " / " + rest
		}
		if r.text(8) != "" {
			d.shift, d.accuracy = shiftByCode(r.int(7), d.ellipsoid), r.num(8)
		}
		m := methodByCode(r.int(5))
		if m == nil {
			return nil, fmt.Errorf("%s: projection method EPSG:%s: %w", name, r.text(5), ErrUnknown)
		}
		values := make([]float64, len(m.params))
		for i := range values {
			values[i] = r.num(9 + i)
		}
		if c, err = newCRS(name, d, m, values, r.num(4)); err == nil {
			c.proj = facing(r.text(6), c.proj)
		}
	case "C":
		return byRow(find(epsgTable, r.int(2)))
	case "V":
		return nil, fmt.Errorf("it is one of heights alone: %w", ErrUnknown)
	default:
		return nil, ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	c.Code = r.int(0)
	return c, nil
}

// VerticalUnit is the unit of the heights of a vertical or compound CRS of the EPSG dataset, by its code; "" for any other.
func VerticalUnit(code int) string {
	r := find(epsgTable, code)
	if r.text(1) == "C" {
		r = find(epsgTable, r.int(3))
	}
	if r.text(1) == "V" {
		return r.text(2)
	}
	return ""
}

// onDatum returns the longitude and latitude in degrees, from Greenwich, on the CRS's own datum.
func (c *CRS) onDatum(x, y float64) (lon, lat float64, ok bool) {
	lon, lat, ok = c.proj.inverse(x*c.unit, y*c.unit)
	if !ok || math.IsNaN(lon) || math.IsNaN(lat) {
		return 0, 0, false
	}
	return lon + c.datum.meridian, lat, true
}

// ToWGS84 returns the longitude and latitude in degrees of a position in the CRS's units: on WGS 84, or on the CRS's own
// datum where Accuracy is -1, from Greenwich in any case. Longitudes are continuous rather than normalised: a geographic x
// of 190 stays 190. Latitudes are within ±90. ok is false outside the projection's domain, and for NaN and infinities.
func (c *CRS) ToWGS84(x, y float64) (lon, lat float64, ok bool) {
	lon, lat, ok = c.onDatum(x, y)
	if ok && c.datum.shift != nil {
		lon, lat = c.datum.shift.apply(c.datum.ellipsoid, lon, lat)
		ok = !math.IsNaN(lon) && !math.IsNaN(lat)
	}
	if !ok {
		return 0, 0, false
	}
	return lon, lat, true
}
