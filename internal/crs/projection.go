package crs

import "math"

// A projection turns coordinates of a projected CRS, in metres, into degrees from the prime meridian and from the equator on the
// CRS's own datum. Longitudes are continuous rather than normalised. ok is false where the coordinates are not of its domain, NaN
// and infinities among them.
//
// Mostly it keeps orientation: what goes round a point counter-clockwise in x and y does so in longitude and latitude. Where one
// axis points to the west or to the south and the other one does not, it mirrors; who needs to know which looks at places
// next to each other.
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

// geographic is the projection of a geographic CRS: none. Its coordinates are degrees.
type geographic struct{}

func (geographic) inverse(x, y float64) (lon, lat float64, ok bool) {
	// Written so that NaN is not ok.
	if !(math.Abs(x) <= maxLongitude && math.Abs(y) <= maxLatitude) {
		return 0, 0, false
	}
	return x, min(max(y, -90), 90), true
}
