package crs

import "math"

// Cylindrical projections but Mercator's.
//
// On an ellipsoid, an equidistant one is two things. EPSG method 1028 measures along the meridian, as PROJ does since
// 9.8. All else that is called so (methods 1029 and 9823, GeoTIFF's and GDAL's Equirectangular, Esri's
// Equidistant_Cylindrical and Plate_Carree) multiplies latitudes with the semi-major axis, which is also what GDAL made
// of 1028 until then. Of two of one name the first is what a name without a code means.
var cylindricalMethods = []method{
	{"Equidistant Cylindrical (Spherical)", 1029, []string{"Equirectangular", "Equidistant_Cylindrical", "Plate_Carree"}, 17,
		[]param{standardParallel, latNatOrigin, lonNatOrigin, falseEasting, falseNorthing}, equidistantSpherical},
	{"Equidistant Cylindrical (Spherical)", 9823, nil, 0,
		[]param{latNatOrigin, lonNatOrigin, falseEasting, falseNorthing},
		func(e ellipsoid, v []float64) (projection, error) {
			return equidistantSpherical(e, []float64{0, v[0], v[1], v[2], v[3]})
		}},
	{"Equidistant Cylindrical", 1028, []string{"Equidistant_Cylindrical_Ellipsoidal"}, 0,
		[]param{standardParallel, latNatOrigin, lonNatOrigin, falseEasting, falseNorthing}, equidistantCylindrical},
	{"Equidistant Cylindrical", 9842, nil, 0,
		[]param{latNatOrigin, {"Longitude of false origin", 8822, angle, lonNames, lonKeys, 0}, falseEasting, falseNorthing},
		func(e ellipsoid, v []float64) (projection, error) {
			return equidistantCylindrical(e, []float64{0, v[0], v[1], v[2], v[3]})
		}},
	{"Lambert Cylindrical Equal Area", 9835, []string{"Cylindrical_Equal_Area"}, 28,
		[]param{standardParallel, lonNatOrigin, falseEasting, falseNorthing}, equalAreaCylindrical},
	{"Lambert Cylindrical Equal Area", 9835, []string{"Behrmann"}, 0,
		[]param{{"Latitude of 1st standard parallel", 8823, angle, []string{"standard_parallel_1"}, nil, 30},
			lonNatOrigin, falseEasting, falseNorthing}, equalAreaCylindrical},
	{"Lambert Cylindrical Equal Area (Spherical)", 9834, nil, 0,
		[]param{standardParallel, lonNatOrigin, falseEasting, falseNorthing},
		func(e ellipsoid, v []float64) (projection, error) { return equalAreaCylindrical(e.sphere(), v) }},
	{"Miller Cylindrical", 0, nil, 20, []param{lonNatOrigin, falseEasting, falseNorthing},
		func(e ellipsoid, v []float64) (projection, error) {
			return rolled(e.authalicRadius(), v[0], v[1], v[2], func(x, y float64) (lam, phi float64) {
				return x, 1.25 * math.Atan(math.Sinh(0.8*y))
			})
		}},
	{"Gall Stereographic", 0, nil, 0, []param{lonNatOrigin, falseEasting, falseNorthing},
		func(e ellipsoid, v []float64) (projection, error) {
			return rolled(e.a, v[0], v[1], v[2], func(x, y float64) (lam, phi float64) {
				return x * math.Sqrt2, 2 * math.Atan(y/(1+math.Sqrt2/2))
			})
		}},
}

// sphere is the one of the same area.
func (e ellipsoid) sphere() ellipsoid { return ellipsoid{a: e.authalicRadius()} }

func equidistantSpherical(e ellipsoid, v []float64) (projection, error) {
	return equidistantCylindrical(ellipsoid{a: e.a}, v)
}

func equidistantCylindrical(e ellipsoid, v []float64) (projection, error) {
	parallel, lat0, lon0, east, north := v[0], v[1], v[2], v[3], v[4]
	if err := within(89.9, "standard parallel", parallel); err != nil {
		return nil, err
	}
	if err := within(90, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	radius, arc := e.meridian()
	rectifying := e.rectifying()
	width := e.parallel(parallel) / radius
	return rolled(radius, lon0, east, north-arc(lat0*radians), func(x, y float64) (lam, phi float64) {
		return x / width, beyondPole(rectifying.geographic(y))
	})
}

func equalAreaCylindrical(e ellipsoid, v []float64) (projection, error) {
	parallel, lon0, east, north := v[0], v[1], v[2], v[3]
	if err := within(89.9, "standard parallel", parallel); err != nil {
		return nil, err
	}
	authalic, half := e.authalic(), e.q(halfPi)/2
	width := e.parallel(parallel) / e.a
	return rolled(e.a, lon0, east, north, func(x, y float64) (lam, phi float64) {
		return x / width, authalic.geographic(arcsin(y * width / half))
	})
}

// beyondPole takes latitudes as far as maxLatitude for the pole: grids of all the Earth whose first row is the pole
// reach half a cell beyond.
func beyondPole(phi float64) float64 {
	if math.Abs(phi) <= maxLatitude*radians {
		return min(max(phi, -halfPi), halfPi)
	}
	return phi
}
