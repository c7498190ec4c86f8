package crs

import "errors"

var (
	// ErrNone: nothing names or defines a CRS.
	ErrNone = errors.New("no coordinate reference system is given")
	// ErrNotEarth: the CRS is of another body, so that there is no WGS 84 for it.
	ErrNotEarth = errors.New("coordinate reference system is not of the Earth")
)
