// Package crs turns projected and geographic coordinates into WGS 84 longitudes and latitudes, and the outline of a raster
// into a GeoJSON footprint. It knows the geographic 2D CRSs of the EPSG dataset, EPSG:3857 and the UTM zones.
package crs

import "errors"

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
	// Accuracy of the shift from the CRS's datum to WGS 84 in metres, as the EPSG dataset states it; 0 where the datum
	// is taken as equal to WGS 84. -1: no shift is known and coordinates are given on the CRS's own datum.
	Accuracy float64

	proj projection
}
