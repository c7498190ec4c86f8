package crs

import (
	"errors"
	"math"
)

// Projections whose parallels are arcs of circles, each of its own (American Polyconic) or all about one centre (Bonne).
var polyconicMethods = []method{
	{"American Polyconic", 9818, []string{"Polyconic"}, 22, []param{latNatOrigin, lonNatOrigin, falseEasting, falseNorthing}, polyconic},
	{"Bonne", 9827, nil, 0, []param{latTangent, lonNatOrigin, falseEasting, falseNorthing}, bonne},
	// Its coordinates are westing and southing.
	{"Bonne (South Orientated)", 9828, nil, 0, []param{latTangent, lonNatOrigin, falseEasting, falseNorthing}, bonneSouth},
}

// polyconic is Guidance Note 7-2, 3.1.5. The parallel of a place is found between the equator and the pole, where there is just one: the
// circles do not meet.
func polyconic(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, east, north := v[0], v[1], v[2], v[3]
	if err := within(90, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	_, arc := e.meridian()
	return frame(e.a, lon0, east, north-arc(lat0*radians), func(x, y float64) (lam, phi float64) {
		if y == 0 {
			return x, 0
		}
		up := math.Abs(y)
		if !(up <= 4 && math.Abs(x) <= 4) { // the map is 3.2 high and wide
			return off()
		}
		lo, hi := 0.0, halfPi
		phi = min(up/(1+float64(x*x)/2), 1.5)
		var sin, cos, nu, over float64
		for range 60 {
			sin, cos = math.Sincos(phi)
			w2 := 1 - float64(e.e2*float64(sin*sin))
			nu = 1 / math.Sqrt(w2)
			rho := nu * (1 - e.e2) / w2
			over = up - arc(phi)/e.a // above the place where the circle crosses the central meridian
			square := float64(x*x) + float64(over*over)
			// How far outside of the circle, in a form that is finite everywhere, and its slope.
			f := float64(square*sin) - float64(2*over*float64(nu*cos))
			slope := float64(square*cos) - float64(2*over*float64(rho*sin)) + float64(2*rho*float64(nu*cos)) +
				float64(2*over*float64(nu*sin)*(1-float64(e.e2*float64(cos*cos))/w2))
			if f < 0 {
				lo = phi
			} else {
				hi = phi
			}
			next := phi - f/slope
			if !(next > lo && next < hi) {
				next = (lo + hi) / 2
			}
			step := next - phi
			phi = next
			if math.Abs(step) < 1e-15 {
				break
			}
		}
		lam = math.Atan2(x*sin, float64(nu*cos)-float64(over*sin)) / sin
		return lam, math.Copysign(phi, y)
	})
}

// bonne is Guidance Note 7-2, 3.1.6: parallels of true length and distance.
func bonne(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, east, north := v[0], v[1], v[2], v[3]
	if err := within(90, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	if math.Abs(lat0) < 1e-6 {
		return nil, errors.New("the latitude of natural origin is the equator, which makes another projection")
	}
	radius, arc := e.meridian()
	rectifying := e.rectifying()
	c := cone{n: math.Copysign(1, lat0)}
	if math.Abs(lat0) < 90 {
		c.apex = e.nu(lat0*radians) / math.Tan(lat0*radians) / radius
	}
	whole := c.apex + arc(lat0*radians)/radius
	return frame(radius, lon0, east, north, func(x, y float64) (lam, phi float64) {
		r, theta := c.polar(x, y)
		phi = rectifying.geographic(whole - math.Copysign(r, c.n))
		return narrowed(r*theta*radius, e.nu(phi)*math.Cos(phi)), phi
	})
}

func bonneSouth(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, falseWest, falseSouth := v[0], v[1], v[2], v[3]
	p, err := bonne(e, []float64{lat0, lon0, 0, 0})
	if err != nil {
		return nil, err
	}
	return reversed{p, falseWest, true, falseSouth}, nil
}
