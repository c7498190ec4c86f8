package crs

import (
	"errors"
	"math"
)

// Azimuthal projections but the stereographic and orthographic ones.
var azimuthalMethods = []method{
	{"Lambert Azimuthal Equal Area", 9820, nil, 10, placeParams, equalAreaAzimuthal},
	{"Lambert Azimuthal Equal Area (Spherical)", 1027, nil, 0, placeParams,
		equalAreaAzimuthalSpherical},
	{"Lambert Azimuthal Equal Area (Spherical)", 9821, nil, 0,
		[]param{{"Spherical latitude of origin", 8828, angle, latNames, latKeys, 0},
			{"Spherical longitude of origin", 8829, angle, lonNames, lonKeys, 0}, falseEasting, falseNorthing},
		equalAreaAzimuthalSpherical},
	{"Azimuthal Equidistant", 1125, nil, 12, placeParams, equidistantAzimuthal},
	// Its formulas are for small areas, where they agree with the exact ones, which PROJ uses for it too.
	{"Modified Azimuthal Equidistant", 9832, nil, 0, placeParams, equidistantAzimuthal},
	{"Guam Projection", 9831, nil, 0, placeParams, guam},
	{"Gnomonic", 0, nil, 19, placeParams, gnomonic},
}

var placeParams = []param{latNatOrigin, lonNatOrigin, falseEasting, falseNorthing}

// equalAreaAzimuthal (Guidance Note 7-2, 3.4.2) is the spherical projection of authalic latitudes, stretched so that
// the scale is the same in both directions at the origin.
func equalAreaAzimuthal(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, east, north := v[0], v[1], v[2], v[3]
	if err := within(90, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	authalic, radius := e.authalic(), e.authalicRadius()
	sin := e.q(lat0*radians) / e.q(halfPi)
	cos := math.Sqrt(1 - float64(sin*sin))
	stretch := 1.0
	if math.Abs(lat0) == 90 {
		sin, cos = math.Copysign(1, lat0), 0
	} else {
		stretch = e.parallel(lat0) / (radius * cos)
	}
	return frame(radius, lon0, east, north, func(x, y float64) (lam, phi float64) {
		x, y = x/stretch, y*stretch
		half := float64(x*x)/4 + float64(y*y)/4 // squared sine of half the distance: 1 at the antipode
		if half > 1 {
			if half > 1+brim {
				return off()
			}
			half = 1
		}
		up, out := 1-2*half, math.Sqrt(1-half)
		east, north := x*out, y*out
		px, pz := float64(up*cos)-float64(north*sin), float64(up*sin)+float64(north*cos)
		return math.Atan2(east, px), authalic.geographic(math.Atan2(pz, math.Hypot(px, east)))
	})
}

func equalAreaAzimuthalSpherical(e ellipsoid, v []float64) (projection, error) {
	return equalAreaAzimuthal(e.sphere(), v)
}

// equidistantAzimuthal shows distance and azimuth of the geodesics from its origin, as far as the longest one, half a
// meridian.
func equidistantAzimuthal(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, east, north := v[0], v[1], v[2], v[3]
	if err := within(90, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	radius, _ := e.meridian()
	if math.Abs(lat0) == 90 {
		pole, rectifying := math.Copysign(1, lat0), e.rectifying()
		return frame(radius, lon0, east, north, func(x, y float64) (lam, phi float64) {
			return math.Atan2(x, -pole*y), pole * rectifying.geographic(halfPi-math.Hypot(x, y))
		})
	}
	origin := newGeodesics(e, lat0)
	return frame(radius, lon0, east, north, func(x, y float64) (lam, phi float64) {
		r := math.Hypot(x, y)
		if !(r <= math.Pi+brim) {
			return off()
		}
		if r == 0 {
			return 0, lat0 * radians
		}
		return origin.direct(x/r, y/r, r*radius)
	})
}

// guam is Guidance Note 7-2, 3.4.3.1: good near its origin, and defined as long as the latitude converges.
func guam(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, east, north := v[0], v[1], v[2], v[3]
	if err := within(89, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	radius, arc := e.meridian()
	rectifying := e.rectifying()
	return frame(1, lon0, east, north-arc(lat0*radians), func(x, y float64) (lam, phi float64) {
		phi = lat0 * radians
		for range 20 {
			last := phi
			phi = rectifying.geographic((y - float64(x*x*math.Tan(phi)/(2*e.nu(phi)))) / radius)
			if !(math.Abs(phi) < 1.5) {
				return off()
			}
			if math.Abs(phi-last) < 1e-12 {
				return x / (e.nu(phi) * math.Cos(phi)), phi
			}
		}
		return off()
	})
}

// gnomonic is of a sphere (Snyder, page 164), and shows half of it.
func gnomonic(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, east, north := v[0], v[1], v[2], v[3]
	if err := within(90, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	if e.f != 0 { // nothing in a file says which was meant, and they are kilometres apart
		return nil, errors.New("on an ellipsoid, which PROJ before version 9.5 took for a sphere")
	}
	sin, cos := math.Sincos(lat0 * radians)
	return frame(e.a, lon0, east, north, func(x, y float64) (lam, phi float64) {
		px, pz := cos-float64(y*sin), sin+float64(y*cos)
		return math.Atan2(x, px), math.Atan2(pz, math.Hypot(px, x))
	})
}
