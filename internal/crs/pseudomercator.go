package crs

import "math"

// Web maps' Mercator: the formulas of the sphere applied to ellipsoidal coordinates (Guidance Note 7-2, 3.2.1.2).
var mercatorSphereMethods = []method{
	{"Popular Visualisation Pseudo Mercator", 1024, []string{"Mercator_Auxiliary_Sphere", "Popular Visualisation Pseudo-Mercator"}, 0,
		[]param{
			{"Latitude of natural origin", 8801, angle, []string{"latitude_of_origin"}, []uint16{3081}, 0},
			{"Longitude of natural origin", 8802, angle, []string{"central_meridian"}, []uint16{3080}, 0},
			{"False easting", 8806, length, []string{"false_easting"}, []uint16{3082}, 0},
			{"False northing", 8807, length, []string{"false_northing"}, []uint16{3083}, 0},
		}, newPseudoMercator},
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
	return lon + m.lon0, lat, true
}
