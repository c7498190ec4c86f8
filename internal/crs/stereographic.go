package crs

import (
	"errors"
	"math"
)

// Stereographic projections (Guidance Note 7-2, 3.3). GeoTIFF and GDAL's WKT 1 have one name for the polar variants A
// and B, which the latitude tells apart: a pole makes it A.
var stereographicMethods = []method{
	{"Polar Stereographic (variant A)", 9810, []string{"Polar_Stereographic", "Polar_Stereographic_Variant_A"}, 15,
		[]param{latNatOrigin, lonPole, scaleNatOrigin, falseEasting, falseNorthing}, polarA},
	{"Polar Stereographic (variant B)", 9829,
		[]string{"Polar_Stereographic", "Stereographic_North_Pole", "Stereographic_South_Pole",
			"Polar_Stereographic_Variant_B"}, 15,
		[]param{latPolarParallel, lonOrigin, falseEasting, falseNorthing}, polarB},
	{"Polar Stereographic (variant C)", 9830, []string{"Polar_Stereographic_Variant_C"}, 0,
		[]param{latPolarParallel, lonOrigin, eastFalseOrigin, northFalseOrigin}, polarC},
	{"Oblique Stereographic", 9809, []string{"Double_Stereographic"}, 16,
		[]param{latNatOrigin, lonNatOrigin, scaleNatOrigin, falseEasting, falseNorthing}, doubleStereographic},
	{"Stereographic", 0, nil, 14,
		[]param{latNatOrigin, lonNatOrigin, scaleNatOnly, falseEasting, falseNorthing}, stereographic},
}

var (
	lonPole          = param{"Longitude of natural origin", 8802, angle, lonNames, poleLonKeys, 0}
	lonOrigin        = param{"Longitude of origin", 8833, angle, lonNames, poleLonKeys, 0}
	latPolarParallel = param{"Latitude of standard parallel", 8832, angle, polarParallelNames, latKeys, 90}
)

// polar makes the projection from a pole, of which north is 1 or -1. k is the radius in metres at the pole, 2 a k0 and
// a factor near 1; see polarRadius.
func polar(e ellipsoid, pole, radius, lon0, east, north float64) (projection, error) {
	conformal := e.conformal()
	return frame(radius, lon0, east, north, func(x, y float64) (lam, phi float64) {
		chi := halfPi - float64(2*math.Atan(math.Hypot(x, y)))
		return math.Atan2(x, -pole*y), pole * conformal.geographic(chi)
	})
}

// polarRadius is the radius in metres of the place on the map whose conformal latitude is the equator's, where the
// scale at the pole is 1.
func polarRadius(e ellipsoid) float64 {
	ecc := math.Sqrt(e.e2)
	return 2 * e.a / math.Sqrt(math.Pow(1+ecc, 1+ecc)*math.Pow(1-ecc, 1-ecc))
}

// polarRadiusAt is that radius where the scale is 1 at a parallel north of the equator, in degrees.
func polarRadiusAt(e ellipsoid, lat float64) float64 {
	if lat == 90 {
		return polarRadius(e)
	}
	return e.parallel(lat) * math.Exp(e.isometric(lat*radians))
}

func polarA(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, k0, east, north := v[0], v[1], v[2], v[3], v[4]
	switch {
	case math.Abs(lat0) == 90:
		return polar(e, math.Copysign(1, lat0), polarRadius(e)*k0, lon0, east, north)
	case k0 == 1: // what GDAL writes for variant B
		return polarB(e, []float64{lat0, lon0, east, north})
	}
	return nil, errors.New("polar stereographic has a latitude of natural origin that is no pole, and a scale factor there")
}

func polarB(e ellipsoid, v []float64) (projection, error) {
	lat, lon0, east, north := v[0], v[1], v[2], v[3]
	if err := standardOfPole(lat); err != nil {
		return nil, err
	}
	return polar(e, math.Copysign(1, lat), polarRadiusAt(e, math.Abs(lat)), lon0, east, north)
}

func polarC(e ellipsoid, v []float64) (projection, error) {
	lat, lon0, east, north := v[0], v[1], v[2], v[3]
	if err := standardOfPole(lat); err != nil {
		return nil, err
	}
	pole := math.Copysign(1, lat)
	rho := 0.0 // of the false origin, which is where the standard parallel meets the meridian
	if math.Abs(lat) < 90 {
		rho = e.parallel(lat)
	}
	return polar(e, pole, polarRadiusAt(e, math.Abs(lat)), lon0, east, north+float64(pole*rho))
}

func standardOfPole(lat float64) error {
	if lat == 0 {
		return errors.New("standard parallel 0 is of neither pole")
	}
	return within(90, "standard parallel", lat)
}

// doubleStereographic is a stereographic projection of Gauss's sphere.
func doubleStereographic(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, k0, east, north := v[0], v[1], v[2], v[3], v[4]
	if math.Abs(lat0) == 90 { // where Gauss's sphere becomes the conformal one
		return polarA(e, v)
	}
	if err := within(89.99, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	g := newGauss(e, lat0)
	return frame(2*g.radius*k0, lon0, east, north, func(x, y float64) (lam, phi float64) {
		return g.geographic(fromStereographic(x, y, g.sin, g.cos))
	})
}

// stereographic is Snyder's (Map Projections: A Working Manual, 1987, pages 159 to 163): conformal latitudes on a
// sphere whose scale is true in the direction of the parallel of origin.
func stereographic(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, k0, east, north := v[0], v[1], v[2], v[3], v[4]
	if math.Abs(lat0) == 90 {
		return polarA(e, v)
	}
	if err := within(89.99, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	conformal := e.conformal()
	psi := e.isometric(lat0 * radians)
	sin, cos := math.Tanh(psi), 1/math.Cosh(psi)
	return frame(2*k0*e.parallel(lat0)/cos, lon0, east, north, func(x, y float64) (lam, phi float64) {
		px, py, pz := fromStereographic(x, y, sin, cos)
		return math.Atan2(py, px), conformal.fromIsometric(math.Asinh(pz / math.Hypot(px, py)))
	})
}

// fromStereographic returns the vector (to the meridian of origin, to the east, to the pole) of a place on a
// stereographic map of a sphere of diameter 1, from the sine and cosine of the latitude of origin.
func fromStereographic(x, y, sin, cos float64) (px, py, pz float64) {
	r2 := float64(x*x) + float64(y*y)
	up := 1 - r2 // towards the origin
	return float64(up*cos) - float64(2*y*sin), 2 * x, float64(up*sin) + float64(2*y*cos)
}
