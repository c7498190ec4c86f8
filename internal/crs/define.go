package crs

import "errors"

var (
	// ErrNone: nothing names or defines a CRS.
	ErrNone = errors.New("no coordinate reference system is given")
	// ErrNotEarth: the CRS is of another body, so that there is no WGS 84 for it.
	ErrNotEarth = errors.New("coordinate reference system is not of the Earth")
)

// GeoKeys are the keys of a GeoKeyDirectory (GeoTIFF 1.1, requirements class 7) by their numbers.
type GeoKeys struct {
	Short  map[uint16]uint16
	Double map[uint16][]float64
	ASCII  map[uint16]string
}

// FromGeoKeys is the horizontal CRS that the keys of a GeoTIFF name, or define: by a code, by projection and datum keys, or by
// Esri's or GDAL's WKT in a citation. origin says in words which of these it was. Errors wrap ErrNone, ErrUnknown or ErrNotEarth and say what is
// missing.
func FromGeoKeys(k GeoKeys) (c *CRS, origin string, err error) { return nil, "", ErrUnknown }

// FromWKT is the horizontal CRS of a well-known text: WKT 1 as GDAL or Esri write it (.prj), or WKT 2 (ISO 19162). Errors wrap ErrNone (an empty text), ErrUnknown or
// ErrNotEarth and say what is missing.
func FromWKT(text string) (*CRS, error) { return nil, ErrUnknown }

// PROJJSON is the definition of a user-defined CRS (Code 0) as a PROJJSON object (PROJ schema 0.7), of values that encoding/json writes; nil for others.
func (c *CRS) PROJJSON() map[string]any { return nil }

// WKT2 is the definition of a user-defined CRS (Code 0) in WKT 2 (ISO 19162:2019) on one line; "" for others.
func (c *CRS) WKT2() string { return "" }
