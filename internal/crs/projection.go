package crs

import "math"

// A projection turns coordinates of a CRS into degrees from Greenwich and from the equator on the CRS's own datum. ok is
// false where they are not of its domain, NaN and infinities among them. It keeps orientation: what goes round a point
// counter-clockwise in x and y does so in longitude and latitude.
type projection interface {
	inverse(x, y float64) (lon, lat float64, ok bool)
}

const (
	// maxLongitude lets rasters reach from -180 to 180 or from 0 to 360, and beyond by some way: rasters that begin in the
	// middle of a cell, or on another prime meridian.
	maxLongitude = 540
	// maxLatitude: grids whose first row is the pole itself reach half a cell beyond it.
	maxLatitude = 95
)

// geographic is the projection of a geographic CRS: none.
type geographic struct {
	meridian float64 // prime meridian in degrees east of Greenwich
	unit     float64 // degrees a unit
}

func (g geographic) inverse(x, y float64) (lon, lat float64, ok bool) {
	lon, lat = float64(x*g.unit)+g.meridian, y*g.unit
	// Written so that NaN is not ok.
	if !(math.Abs(lon) <= maxLongitude && math.Abs(lat) <= maxLatitude) {
		return 0, 0, false
	}
	return lon, min(max(lat, -90), 90), true
}

// pseudoMercator is EPSG method 1024: the formulas of the sphere applied to ellipsoidal coordinates.
type pseudoMercator struct{ radius float64 } // semi-major axis in the CRS's units

func (m pseudoMercator) inverse(x, y float64) (lon, lat float64, ok bool) {
	lon = x / m.radius * degrees
	lat = math.Atan(math.Sinh(y/m.radius)) * degrees
	if !(math.Abs(lon) <= maxLongitude && math.Abs(y) <= math.MaxFloat64) {
		return 0, 0, false
	}
	return lon, lat, true
}
