// Package crs turns projected and geographic coordinates into WGS 84 longitudes and latitudes, and the outline of a raster
// into a GeoJSON footprint. It knows the geographic CRSs of the EPSG dataset, its Transverse Mercator CRSs (the UTM zones
// of every datum among them) and EPSG:3857.
package crs

import (
	"errors"
	"fmt"
	"math"
)

//go:generate python3 gen/table.py
//go:generate python3 gen/truth.py

// ErrUnknown: the code names no CRS of the table. The caller tells the user; it is a fact about the file, not a failure.
var ErrUnknown = errors.New("coordinate reference system is not supported")

// A CRS is a horizontal coordinate reference system with x to the east and y to the north, whatever its axis order is in
// the EPSG dataset. It is immutable and safe for use by many goroutines.
type CRS struct {
	Code int    // EPSG code
	Name string // as in the EPSG dataset
	// Geographic: x and y are degrees (other angular units are in the table's unit factor). Otherwise projected.
	Geographic bool
	// UnitMetres is the length of one unit of x in metres; 0 for a geographic CRS.
	UnitMetres float64
	// Accuracy of the shift from the CRS's datum to WGS 84 in metres, as the EPSG dataset states it (999 where it says
	// that it is not known), and larger where the shift was not made for all of the CRS's area; 0 where the datum is
	// WGS 84. -1: no shift is known and coordinates are given on the CRS's own datum.
	Accuracy float64

	proj      projection
	ellipsoid ellipsoid
	shift     *helmert // nil: none is needed or known
}

// ByCode returns the CRS with an EPSG code. A geographic 3D one stands for its horizontal part. Codes that it does not know
// are ErrUnknown, with the projection method that is missing where that is why.
func ByCode(code int) (*CRS, error) {
	row := find(epsgTable, code)
	if row == nil {
		return nil, fmt.Errorf("EPSG:%d: %w", code, ErrUnknown)
	}
	c := &CRS{Code: code, Name: row.text(2)}
	switch row.text(1) {
	case "G": // a, 1/f, prime meridian, degrees a unit, shift, accuracy
		c.Geographic = true
		c.ellipsoid = newEllipsoid(row.num(3), row.num(4))
		c.proj = geographic{meridian: row.num(5), unit: row.num(6)}
		c.shift, c.Accuracy = shiftByCode(row.int(7), c.ellipsoid), row.num(8)
	case "T": // base, metres a unit, latitude and longitude of origin, scale, false easting and northing, shift, accuracy
		base := c.on(row.int(3))
		c.UnitMetres = row.num(4)
		c.proj = newTransverseMercator(c.ellipsoid, row.num(4), row.num(5), row.num(6)+base.meridian, row.num(7), row.num(8),
			row.num(9))
		if row.text(11) != "" {
			c.shift, c.Accuracy = shiftByCode(row.int(10), c.ellipsoid), row.num(11)
		}
	case "W": // base, metres a unit
		c.on(row.int(3))
		c.UnitMetres = row.num(4)
		c.proj = pseudoMercator{radius: c.ellipsoid.a / c.UnitMetres}
	default: // projection method
		return nil, fmt.Errorf("EPSG:%d (%s): projection method %s: %w", code, c.Name, row.text(3), ErrUnknown)
	}
	return c, nil
}

// on takes over the datum and its shift from the geographic CRS that c is projected from.
func (c *CRS) on(code int) geographic {
	row := find(epsgTable, code)
	c.ellipsoid = newEllipsoid(row.num(3), row.num(4))
	c.shift, c.Accuracy = shiftByCode(row.int(7), c.ellipsoid), row.num(8)
	return geographic{meridian: row.num(5), unit: row.num(6)}
}

// ToWGS84 returns the longitude and latitude in degrees of a position in the CRS's units: on WGS 84, or on the CRS's own
// datum where Accuracy is -1, from Greenwich in any case. Longitudes are continuous rather than normalised: a geographic x
// of 190 stays 190. Latitudes are within ±90. ok is false outside the projection's domain, and for NaN and infinities.
func (c *CRS) ToWGS84(x, y float64) (lon, lat float64, ok bool) {
	lon, lat, ok = c.proj.inverse(x, y)
	if !ok {
		return 0, 0, false
	}
	if c.shift != nil {
		lon, lat = c.shift.apply(c.ellipsoid, lon, lat)
	}
	if math.IsNaN(lon) || math.IsNaN(lat) {
		return 0, 0, false
	}
	return lon, lat, true
}
