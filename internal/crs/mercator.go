package crs

import (
	"errors"
	"math"
)

// Mercator's projection (Guidance Note 7-2, 3.2.1). GeoTIFF and Esri have one name for variants A and B, which the
// parameters tell apart: a standard parallel makes it B.
var mercatorMethods = []method{
	{"Mercator (variant A)", 9804, []string{"Mercator_1SP", "Mercator_Variant_A", "Mercator (1SP)"}, 7,
		[]param{latNatOrigin, lonNatOrigin, scaleNatOrigin, falseEasting, falseNorthing}, mercatorA},
	{"Mercator (variant B)", 9805, []string{"Mercator_2SP", "Mercator", "Mercator (2SP)"}, 7,
		[]param{standardParallel, lonNatOrigin, falseEasting, falseNorthing}, mercatorB},
	{"Mercator (variant C)", 1044, nil, 0,
		[]param{standardParallel, lonNatOrigin, latFalseOrigin, eastFalseOrigin, northFalseOrigin}, mercatorC},
	{"Mercator (1SP) (Spherical)", 9841, nil, 0,
		[]param{latNatOrigin, lonNatOrigin, scaleNatOrigin, falseEasting, falseNorthing}, mercatorSpherical},
	{"Mercator (Spherical)", 1026, nil, 0, []param{latNatOrigin, lonNatOrigin, falseEasting, falseNorthing},
		func(e ellipsoid, v []float64) (projection, error) {
			return mercatorSpherical(e, []float64{v[0], v[1], 1, v[2], v[3]})
		}},
}

var latFalseOrigin = param{"Latitude of false origin", 8821, angle, latNames, latKeys, 0}

// mercator makes the projection with a radius at the equator in metres.
func mercator(e ellipsoid, radius, lon0, east, north float64) (projection, error) {
	conformal := e.conformal()
	return rolled(radius, lon0, east, north, func(x, y float64) (lam, phi float64) {
		return x, conformal.fromIsometric(y)
	})
}

// mercatorA: the natural origin of this variant is on the equator. GDAL and PROJ take another latitude for a standard
// parallel where there is no scale, and understand nothing where there is one.
func mercatorA(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, k0, east, north := v[0], v[1], v[2], v[3], v[4]
	switch {
	case lat0 == 0:
		return mercator(e, e.a*k0, lon0, east, north)
	case k0 == 1:
		return mercatorB(e, []float64{lat0, lon0, east, north})
	}
	return nil, errors.New("the Mercator projection has a latitude of natural origin that is not the equator, and a scale factor there")
}

func mercatorB(e ellipsoid, v []float64) (projection, error) {
	parallel, lon0, east, north := v[0], v[1], v[2], v[3]
	if err := within(89.9, "standard parallel", parallel); err != nil {
		return nil, err
	}
	return mercator(e, e.parallel(parallel), lon0, east, north)
}

func mercatorC(e ellipsoid, v []float64) (projection, error) {
	parallel, lon0, lat, east, north := v[0], v[1], v[2], v[3], v[4]
	err := errors.Join(within(89.9, "standard parallel", parallel), within(89.9, "latitude of false origin", lat))
	if err != nil {
		return nil, err
	}
	radius := e.parallel(parallel)
	return mercator(e, radius, lon0, east, north-float64(radius*e.isometric(lat*radians)))
}

// mercatorSpherical: its radius on an ellipsoid is not what those who used it made of it, so that only a sphere is taken.
func mercatorSpherical(e ellipsoid, v []float64) (projection, error) {
	if e.f != 0 {
		return nil, errors.New("spherical Mercator of an ellipsoid")
	}
	return mercatorA(e, v)
}

// parallel is the radius in metres of a parallel at a latitude in degrees.
func (e ellipsoid) parallel(lat float64) float64 {
	return e.nu(lat*radians) * math.Cos(lat*radians)
}
