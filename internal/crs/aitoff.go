package crs

import "math"

// World maps with curved parallels, of the sphere with the semi-major axis (Van der Grinten's: of the one of the same
// area), as in PROJ.
var curvedMethods = []method{
	{"Aitoff", 0, nil, 0, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromAitoff) }},
	{"Winkel Tripel", 0, nil, 0, []param{lonNatOrigin, standardParallel, falseEasting, falseNorthing}, winkelTripel},
	{"Van Der Grinten", 0, []string{"VanDerGrinten", "Van_der_Grinten_I"}, 25, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e.sphere(), v, fromVanDerGrinten) }},
}

// fromAitoff: an equatorial azimuthal equidistant map of half the longitudes, at twice the width.
func fromAitoff(x, y float64) (lam, phi float64) {
	x /= 2
	r := math.Hypot(x, y)
	if !(r <= halfPi+brim) {
		return off()
	}
	if r == 0 {
		return 0, 0
	}
	sin, cos := math.Sincos(r)
	return 2 * math.Atan2(sin*x/r, max(cos, 0)), arcsin(sin * y / r)
}

// winkelTripel is the mean of Aitoff's projection and the equidistant cylindrical one, inverted by Newton's iteration
// (İpbüker and Bildirici 2002).
func winkelTripel(e ellipsoid, v []float64) (projection, error) {
	lon0, parallel, east, north := v[0], v[1], v[2], v[3]
	if err := within(89.9, "standard parallel", parallel); err != nil {
		return nil, err
	}
	flat := math.Cos(parallel * radians)
	return frame(e.a, lon0, east, north, func(x, y float64) (lam, phi float64) {
		if !(math.Abs(y) <= halfPi+brim && math.Abs(x) <= math.Pi) {
			return off()
		}
		south := math.Signbit(y)
		west := math.Signbit(x)
		x, y = math.Abs(x), math.Abs(y)
		lam, phi = min(2*x/(1+flat), math.Pi), y
		for range 50 {
			fx, fy, xl, xp, yl, yp := tripel(lam, phi, flat)
			fx, fy = fx-x, fy-y
			det := float64(xl*yp) - float64(xp*yl)
			dl, dp := (float64(fx*yp)-float64(fy*xp))/det, (float64(fy*xl)-float64(fx*yl))/det
			lam, phi = min(max(lam-dl, 0), math.Pi+1e-6), min(max(phi-dp, 0), halfPi)
			if math.Abs(dl)+math.Abs(dp) < 1e-13 {
				break
			}
		}
		fx, fy, _, _, _, _ := tripel(lam, phi, flat)
		if !(math.Hypot(fx-x, fy-y) < brim) {
			return off()
		}
		if south {
			phi = -phi
		}
		if west {
			lam = -lam
		}
		return lam, phi
	})
}

// tripel returns the place on the map of a longitude and a latitude, neither of them negative, and its derivatives by them.
func tripel(lam, phi, flat float64) (x, y, xl, xp, yl, yp float64) {
	sinL, cosL := math.Sincos(lam / 2)
	sinP, cosP := math.Sincos(phi)
	cosA := cosP * cosL
	sinA := math.Hypot(sinP, cosP*sinL)
	a := math.Atan2(sinA, cosA)
	// a / sin a and its derivative by cos a.
	s, ds := 1.0, -1./3
	if sinA > 1e-4 {
		s = a / sinA
		ds = (float64(s*cosA) - 1) / float64(sinA*sinA)
	}
	sl, sp := ds*(-cosP*sinL/2), ds*(-sinP*cosL)
	x = float64(s*cosP*sinL) + float64(lam*flat)/2
	y = (float64(s*sinP) + phi) / 2
	xl = float64(sl*cosP*sinL) + float64(s*cosP*cosL)/2 + flat/2
	xp = float64(sp*cosP*sinL) - float64(s*sinP*sinL)
	yl = float64(sl*sinP) / 2
	yp = (float64(sp*sinP) + float64(s*cosP) + 1) / 2
	return
}

// fromVanDerGrinten is Snyder's inverse (Map Projections: A Working Manual, 1987, page 241).
func fromVanDerGrinten(x, y float64) (lam, phi float64) {
	x, y = x/math.Pi, y/math.Pi
	x2, y2 := float64(x*x), float64(y*y)
	r2 := x2 + y2
	if !(r2 <= 1+2*brim) {
		return off()
	}
	if y != 0 {
		c1 := float64(-math.Abs(y) * (1 + r2))
		c2 := c1 - 2*y2 + x2
		c3 := -2*c1 + 1 + 2*y2 + float64(r2*r2)
		d := y2/c3 + (2*float64(c2*c2*c2)/float64(c3*c3*c3)-9*float64(c1*c2)/float64(c3*c3))/27
		a1 := (c1 - float64(float64(c2*c2)/(3*c3))) / c3
		m1 := 2 * math.Sqrt(-a1/3)
		third := math.Acos(min(max(3*d/(a1*m1), -1), 1)) / 3
		phi = math.Copysign(math.Pi*(-float64(m1*math.Cos(third+math.Pi/3))-c2/(3*c3)), y)
	}
	if math.Abs(x) < 1e-15 {
		return 0, phi
	}
	root := math.Sqrt(1 + 2*(x2-y2) + float64(r2*r2))
	return math.Pi * (r2 - 1 + root) / (2 * x), phi
}
