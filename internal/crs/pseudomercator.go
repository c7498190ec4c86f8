package crs

import "math"

// Web maps' Mercator: the formulas of the sphere applied to ellipsoidal coordinates (Guidance Note 7-2, 3.2.1.2).
var pseudoMercatorMethods = []method{
	{"Popular Visualisation Pseudo Mercator", 1024, []string{"Mercator_Auxiliary_Sphere", "Popular Visualisation Pseudo-Mercator"}, 0,
		[]param{latNatOrigin, lonNatOrigin, falseEasting, falseNorthing}, newPseudoMercator},
}

type pseudoMercator struct{ radius, lon0, east, north float64 }

// newPseudoMercator: the latitude of natural origin does not enter the formulas; it is 0 in all definitions.
func newPseudoMercator(e ellipsoid, v []float64) (projection, error) {
	return pseudoMercator{radius: e.a, lon0: v[1], east: v[2], north: v[3]}, nil
}

func (m pseudoMercator) inverse(x, y float64) (lon, lat float64, ok bool) {
	lon = (x - m.east) / m.radius * degrees
	lat = math.Atan(math.Sinh((y-m.north)/m.radius)) * degrees
	if !(math.Abs(lon) <= maxLongitude && math.Abs(y) <= math.MaxFloat64) {
		return 0, 0, false
	}
	return m.lon0 + float64(lon), lat, true
}
