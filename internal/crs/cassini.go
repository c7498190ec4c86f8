package crs

import "math"

// Cassini's projection: distances from the central meridian are true (Guidance Note 7-2, 3.2.2).
var cassiniMethods = []method{
	{"Cassini-Soldner", 9806, []string{"Cassini"}, 18, []param{latNatOrigin, lonNatOrigin, falseEasting, falseNorthing},
		func(e ellipsoid, v []float64) (projection, error) { return cassini(e, v, false) }},
	{"Hyperbolic Cassini-Soldner", 9833, nil, 0, []param{latNatOrigin, lonNatOrigin, falseEasting, falseNorthing},
		func(e ellipsoid, v []float64) (projection, error) { return cassini(e, v, true) }},
}

// cassini is exact on a sphere. On an ellipsoid it is defined by series in the distance from the central meridian, which are of use as
// far as they can be inverted.
func cassini(e ellipsoid, v []float64, hyperbolic bool) (projection, error) {
	lat0, lon0, east, north := v[0], v[1], v[2], v[3]
	if err := within(89.99, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	if e.f == 0 && !hyperbolic {
		return frame(e.a, lon0, east, north-float64(e.a*lat0*radians), func(x, y float64) (lam, phi float64) {
			if !(math.Abs(x) <= halfPi+brim && math.Abs(y) <= math.Pi+brim) {
				return off()
			}
			sinX, cosX := math.Sincos(x)
			sinY, cosY := math.Sincos(y)
			return math.Atan2(sinX, cosX*cosY), arcsin(sinY * cosX)
		})
	}
	radius, arc := e.meridian()
	rectifying := e.rectifying()
	start := arc(lat0*radians) / e.a
	forward := func(lam, phi float64) (x, y float64) {
		sin, cos := math.Sincos(phi)
		nu := e.nu(phi) / e.a
		tan := sin / cos
		t, c := float64(tan*tan), float64(cos*cos)*e.e2/(1-e.e2)
		a := lam * cos
		a2 := a * a
		x = nu * a * (1 - float64(a2*t*(1./6+float64((8-t+float64(8*c))*a2)/120)))
		y = arc(phi)/e.a - start + float64(nu*tan*a2*(1./2+float64((5-t+float64(6*c))*a2)/24))
		if hyperbolic {
			rho := nu * nu * nu * (1 - e.e2)
			y -= y * y * y / (6 * rho * nu)
		}
		return x, y
	}
	return frame(e.a, lon0, east, north, func(x, y float64) (lam, phi float64) {
		if !(math.Abs(x) < 0.4 && math.Abs(y) < 4) {
			return off()
		}
		u, w := x, y
		if hyperbolic {
			w += float64(y * y * y / 6) // about
		}
		for range 30 {
			// The series for the way back, at the place where it came out right last time.
			phi1 := rectifying.geographic((start + w) * e.a / radius)
			sin, cos := math.Sincos(phi1)
			nu := e.nu(phi1) / e.a
			tan := sin / cos
			t := tan * tan
			d := u / nu
			d2 := d * d
			w2 := 1 - float64(e.e2*float64(sin*sin))
			phi = phi1 - float64(tan*w2/(1-e.e2)*d2*(1./2-float64((1+float64(3*t))*d2)/24))
			lam = d * (1 + float64(t*d2*(-1./3+float64((1+float64(3*t))*d2)/15))) / cos
			gotX, gotY := forward(lam, phi)
			dx, dy := x-gotX, y-gotY
			if math.Abs(dx)+math.Abs(dy) < 1e-13 {
				return lam, phi
			}
			u, w = u+dx, w+dy
		}
		return off()
	})
}
