package crs

import (
	"errors"
	"math"
)

// Conic projections (Guidance Note 7-2, 3.1). GeoTIFF's names and those of WKT 1 have 1SP and 2SP for one and two standard
// parallels; Esri has one name for both, which the parameters tell apart.
var conicMethods = []method{
	{"Lambert Conic Conformal (2SP)", 9802, []string{"Lambert_Conformal_Conic_2SP", "Lambert_Conformal_Conic"}, 8,
		twoParallels, conformalConic2SP},
	{"Lambert Conic Conformal (1SP)", 9801, []string{"Lambert_Conformal_Conic_1SP", "Lambert_Conformal_Conic"}, 9,
		[]param{latTangent, lonNatOrigin, scaleNatOrigin, falseEasting, falseNorthing}, conformalConic1SP},
	{"Lambert Conic Conformal (1SP variant B)", 1102, []string{"Lambert_Conformal_Conic_1SP_Variant_B", "Lambert_Conformal_Conic"}, 0,
		[]param{
			{"Latitude of natural origin", 8801, angle, []string{"standard_parallel_1"}, nil, 0}, scaleNatOrigin,
			latFalseOrigin, lonFalseOrigin, eastFalseOrigin, northFalseOrigin,
		}, conformalConic1SPB},
	{"Lambert Conic Conformal (2SP Belgium)", 9803, []string{"Lambert_Conformal_Conic_2SP_Belgium"}, 0,
		twoParallels, conformalConicBelgium},
	{"Lambert Conic Conformal (2SP Michigan)", 1051, []string{"Lambert_Conformal_Conic_2SP_Michigan", "Lambert_Conformal_Conic"}, 0,
		[]param{latFalseOrigin, lonFalseOrigin, standardParallel, standardParallel2, eastFalseOrigin, northFalseOrigin,
			{"Ellipsoid scaling factor", 1038, ratio, []string{"scale_factor"}, nil, 1}}, conformalConicMichigan},
	// Its coordinates are westing and northing.
	{"Lambert Conic Conformal (West Orientated)", 9826, []string{"Lambert_Conformal_Conic_West_Orientated"}, 0,
		[]param{latTangent, lonNatOrigin, scaleNatOrigin, falseEasting, falseNorthing}, conformalConicWest},
	{"Lambert Conic Near-Conformal", 9817, nil, 0,
		[]param{latNatOrigin, lonNatOrigin, scaleNatOrigin, falseEasting, falseNorthing}, nearConformalConic},
	{"Albers Equal Area", 9822, []string{"Albers_Conic_Equal_Area", "Albers"}, 11, twoParallels, equalAreaConic},
	{"Equidistant Conic", 1119, nil, 13, twoParallels, equidistantConic},
}

var (
	lonFalseOrigin    = param{"Longitude of false origin", 8822, angle, lonNames, lonKeys, 0}
	standardParallel2 = param{"Latitude of 2nd standard parallel", 8824, angle, parallel2Names, parallel2Keys, 0}
	latTangent        = param{"Latitude of natural origin", 8801, angle, tangentNames, latKeys, 0}

	// By names of their own, since the compiler copies literals within a variable when the program starts.
	parallel2Names = []string{"standard_parallel_2"}
	parallel2Keys  = []uint16{3079}
	tangentNames   = []string{"latitude_of_origin", "standard_parallel_1", "latitude_of_center"}

	twoParallels = []param{latFalseOrigin, lonFalseOrigin, standardParallel, standardParallel2, eastFalseOrigin, northFalseOrigin}
)

// A cone is what is the same in all conic projections but the polyconic ones: meridians are straight and meet in an apex, with angles
// between them that are n times the longitudes'.
type cone struct {
	n    float64 // negative where the apex is to the south
	apex float64 // northing of the apex minus that of the origin
	turn float64 // of the map about its apex, in radians
}

// polar returns the distance from the apex and the longitude in radians from the central meridian.
func (c cone) polar(x, y float64) (r, lam float64) {
	down := c.apex - y
	if c.n < 0 {
		x, down = -x, -down
	}
	return math.Hypot(x, down), (math.Atan2(x, down) + c.turn) / c.n
}

// coneOf returns n of a cone: sine of the parallel where both are the same, else what makes a length true at both, which by gives for
// a latitude in radians, with radii of parallels.
func coneOf(e ellipsoid, lat1, lat2 float64, n func(m1, m2, phi1, phi2 float64) float64) (float64, error) {
	if err := errors.Join(within(89.99, "standard parallel", lat1), within(89.99, "standard parallel", lat2)); err != nil {
		return 0, err
	}
	phi1, phi2 := float64(lat1*radians), float64(lat2*radians)
	if math.Abs(phi1+phi2) < 1e-10 {
		return 0, errors.New("standard parallels on either side of the equator, or on it, make a cylinder")
	}
	if math.Abs(phi1-phi2) < 1e-10 {
		return math.Sin(phi1), nil
	}
	return n(e.parallel(lat1)/e.a, e.parallel(lat2)/e.a, phi1, phi2), nil
}

// conformalConic makes Lambert's projection from n, a latitude in degrees where the scale is true but for a factor k0, the
// latitude of the origin, and the rotation of the map in radians.
func conformalConic(e ellipsoid, n, lat1, k0, lat0, lon0, east, north, turn float64) (projection, error) {
	if err := within(90, "latitude of origin", lat0); err != nil {
		return nil, err
	}
	// The radius of a parallel is this times exp(-n psi).
	equator := e.parallel(lat1) / math.Abs(n) * math.Exp(n*e.isometric(lat1*radians))
	apex := 0.0
	switch {
	case math.Abs(lat0) < 90:
		apex = math.Copysign(equator*math.Exp(-n*e.isometric(lat0*radians)), n)
	case lat0*n < 0:
		return nil, errors.New("latitude of origin is the pole that lies at infinity")
	}
	conformal := e.conformal()
	c := cone{n: n, apex: apex / equator, turn: turn}
	return frame(equator*k0, lon0, east, north, func(x, y float64) (lam, phi float64) {
		r, lam := c.polar(x, y)
		return lam, conformal.fromIsometric(-math.Log(r) / n)
	})
}

// conformalConic2SP: Guidance Note 7-2, 3.1.1.1.
func conformalConic2SP(e ellipsoid, v []float64) (projection, error) {
	return conformalConicTurned(e, v, 0)
}

func conformalConicTurned(e ellipsoid, v []float64, turn float64) (projection, error) {
	lat0, lon0, lat1, lat2, east, north := v[0], v[1], v[2], v[3], v[4], v[5]
	n, err := coneOf(e, lat1, lat2, func(m1, m2, phi1, phi2 float64) float64 {
		return math.Log(m1/m2) / (e.isometric(phi2) - e.isometric(phi1))
	})
	if err != nil {
		return nil, err
	}
	return conformalConic(e, n, lat1, 1, lat0, lon0, east, north, turn)
}

// conformalConic1SP: 3.1.1.2.
func conformalConic1SP(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, k0, east, north := v[0], v[1], v[2], v[3], v[4]
	return conformalConic1SPB(e, []float64{lat0, k0, lat0, lon0, east, north})
}

// conformalConic1SPB has its false origin elsewhere than on the standard parallel: 3.1.1.3.
func conformalConic1SPB(e ellipsoid, v []float64) (projection, error) {
	lat1, k0, lat0, lon0, east, north := v[0], v[1], v[2], v[3], v[4], v[5]
	n, err := coneOf(e, lat1, lat1, nil)
	if err != nil {
		return nil, err
	}
	return conformalConic(e, n, lat1, k0, lat0, lon0, east, north, 0)
}

// conformalConicWest: 3.1.1.4.
func conformalConicWest(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, k0, falseWest, north := v[0], v[1], v[2], v[3], v[4]
	p, err := conformalConic1SP(e, []float64{lat0, lon0, k0, 0, north})
	if err != nil {
		return nil, err
	}
	return reversed{p, falseWest, false, 0}, nil
}

// conformalConicBelgium turns the map by 29.2985 seconds: 3.1.1.5.
func conformalConicBelgium(e ellipsoid, v []float64) (projection, error) {
	return conformalConicTurned(e, v, 29.2985/3600*radians)
}

// conformalConicMichigan is of an ellipsoid that is larger: 3.1.1.6.
func conformalConicMichigan(e ellipsoid, v []float64) (projection, error) {
	e.a *= v[6]
	return conformalConic2SP(e, v)
}

// nearConformalConic has a truncated cubic for the radius of a parallel (3.1.2), here with the exact meridian distance, as PROJ.
func nearConformalConic(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, k0, east, north := v[0], v[1], v[2], v[3], v[4]
	if _, err := coneOf(e, lat0, lat0, nil); err != nil {
		return nil, err
	}
	radius, arc := e.meridian()
	rectifying := e.rectifying()
	phi0 := lat0 * radians
	n, nu, start := math.Sin(phi0), e.nu(phi0)/e.a, arc(phi0)/e.a
	rho := nu * nu * nu * (1 - e.e2)
	cubic := 1 / (6 * rho * nu)
	c := cone{n: n, apex: nu / math.Tan(phi0)}
	return frame(e.a*k0, lon0, east, north, func(x, y float64) (lam, phi float64) {
		r, lam := c.polar(x, y)
		d := c.apex - math.Copysign(r, n)
		s, _ := solve(d, d, func(s float64) (value, slope float64) {
			s2 := float64(s * s)
			return s + float64(s2*s*cubic), 1 + float64(3*s2*cubic)
		})
		return lam, rectifying.geographic((s + start) * e.a / radius)
	})
}

// equalAreaConic is Albers's: 3.1.4.
func equalAreaConic(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, lat1, lat2, east, north := v[0], v[1], v[2], v[3], v[4], v[5]
	n, err := coneOf(e, lat1, lat2, func(m1, m2, phi1, phi2 float64) float64 {
		return (float64(m1*m1) - float64(m2*m2)) / (e.q(phi2) - e.q(phi1))
	})
	if err := errors.Join(err, within(90, "latitude of origin", lat0)); err != nil {
		return nil, err
	}
	m1 := e.parallel(lat1) / e.a
	constant := float64(m1*m1) + float64(n*e.q(lat1*radians))
	whole := e.q(halfPi)
	r2 := constant - float64(n*e.q(lat0*radians))
	if r2 < 0 {
		return nil, errors.New("latitude of origin beyond the apex of the cone")
	}
	authalic := e.authalic()
	c := cone{n: n, apex: math.Sqrt(r2) / n}
	return frame(e.a, lon0, east, north, func(x, y float64) (lam, phi float64) {
		r, lam := c.polar(x, y)
		r *= n
		return lam, authalic.geographic(arcsin((constant - float64(r*r)) / n / whole))
	})
}

// equidistantConic has meridians of true length (Snyder, Map Projections: A Working Manual, 1987, pages 111 to 115).
func equidistantConic(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, lat1, lat2, east, north := v[0], v[1], v[2], v[3], v[4], v[5]
	radius, arc := e.meridian()
	n, err := coneOf(e, lat1, lat2, func(m1, m2, phi1, phi2 float64) float64 {
		return (m1 - m2) * e.a / (arc(phi2) - arc(phi1))
	})
	if err := errors.Join(err, within(90, "latitude of origin", lat0)); err != nil {
		return nil, err
	}
	rectifying := e.rectifying()
	whole := (e.parallel(lat1)/n + arc(lat1*radians)) / radius // from the equator to the apex
	c := cone{n: n, apex: whole - arc(lat0*radians)/radius}
	return frame(radius, lon0, east, north, func(x, y float64) (lam, phi float64) {
		r, lam := c.polar(x, y)
		return lam, rectifying.geographic(whole - math.Copysign(r, n))
	})
}
