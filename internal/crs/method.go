package crs

// A method is a coordinate operation method: a map projection, how its parameters are called in each notation, and what makes
// the projection from their values. Adding one is described in docs/extending.md.
type method struct {
	name   string   // as in the EPSG dataset; where EPSG has none, as PROJ writes it in WKT 2
	code   int      // EPSG code of the method; 0 where EPSG has none
	other  []string // names in WKT 1 as GDAL and Esri write it, and older ones; compared without regard to case, "_" and " "
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
	other    []string // names in WKT 1 as GDAL and Esri write it; compared without regard to case, "_" and " "
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

// methods are all there are, file by file.
var methods = [][]method{}
