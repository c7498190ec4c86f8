package crs

import "math"

// Projections of the whole Earth with straight parallels. None but Equal Earth has an EPSG code. All but Equal Earth
// and the sinusoidal one are of the sphere with the semi-major axis, whatever the ellipsoid, as in PROJ.
var pseudocylindricalMethods = []method{
	{"Equal Earth", 1078, nil, 0, worldParams, equalEarth},
	{"Sinusoidal", 0, nil, 24, worldParams, sinusoidal},
	{"Mollweide", 0, nil, 0, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromMollweide) }},
	{"Robinson", 0, nil, 23, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromRobinson) }},
	{"Goode Homolosine", 0, nil, 0, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromGoode) }},
	{"Interrupted Goode Homolosine", 0, nil, 0, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromInterruptedGoode) }},
	{"Eckert I", 0, nil, 0, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromEckert1) }},
	{"Eckert II", 0, nil, 0, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromEckert2) }},
	{"Eckert III", 0, nil, 0, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromEckert3) }},
	{"Eckert IV", 0, nil, 0, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromEckert4) }},
	{"Eckert V", 0, nil, 0, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromEckert5) }},
	{"Eckert VI", 0, nil, 0, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromEckert6) }},
	{"Wagner IV", 0, nil, 0, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromWagner4) }},
	{"Natural Earth", 0, nil, 0, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromNaturalEarth) }},
	{"Quartic Authalic", 0, nil, 0, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromQuarticAuthalic) }},
	{"Times", 0, nil, 0, worldParams,
		func(e ellipsoid, v []float64) (projection, error) { return world(e, v, fromTimes) }},
	{"Loximuthal", 0, nil, 0, placeParams, loximuthal},
	{"Winkel I", 0, nil, 0, []param{lonNatOrigin, standardParallel, falseEasting, falseNorthing}, winkel1},
}

var worldParams = []param{lonNatOrigin, falseEasting, falseNorthing}

// world makes a projection of formulas on the unit sphere.
func world(e ellipsoid, v []float64, formulas func(x, y float64) (lam, phi float64)) (projection, error) {
	return frame(e.a, v[0], v[1], v[2], formulas)
}

// equalEarth is Šavrič, Patterson and Jenny (2018), of authalic latitudes.
func equalEarth(e ellipsoid, v []float64) (projection, error) {
	const a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
	authalic, m := e.authalic(), math.Sqrt(3)/2
	return frame(e.authalicRadius(), v[0], v[1], v[2], func(x, y float64) (lam, phi float64) {
		theta, slope := solve(y, y/a1, func(t float64) (value, slope float64) {
			t2 := float64(t * t)
			t6 := t2 * t2 * t2
			return t * (a1 + float64(a2*t2) + float64(t6*(a3+float64(a4*t2)))),
				a1 + float64(3*a2*t2) + float64(t6*(7*a3+float64(9*a4*t2)))
		})
		if !(math.Abs(theta) < halfPi) { // the polynomial and the sine go on, to come back to the Earth
			return off()
		}
		sin, cos := math.Sincos(theta)
		return narrowed(x*m*slope, cos), authalic.geographic(arcsin(sin / m))
	})
}

// sinusoidal has parallels and the central meridian of true length; MODIS uses it on a sphere.
func sinusoidal(e ellipsoid, v []float64) (projection, error) {
	radius, _ := e.meridian()
	rectifying := e.rectifying()
	return frame(radius, v[0], v[1], v[2], func(x, y float64) (lam, phi float64) {
		phi = rectifying.geographic(y)
		return narrowed(x*radius, e.nu(phi)*math.Cos(phi)), phi
	})
}

func fromSinusoidal(x, y float64) (lam, phi float64) { return narrowed(x, math.Cos(y)), y }

func fromMollweide(x, y float64) (lam, phi float64) {
	theta := arcsin(y / math.Sqrt2)
	sin2, _ := math.Sincos(2 * theta)
	return narrowed(x*math.Pi/(2*math.Sqrt2), math.Cos(theta)), arcsin((2*theta + sin2) / math.Pi)
}

func fromWagner4(x, y float64) (lam, phi float64) {
	const sin = 0.8660254037844386467637 // of 60 degrees
	const whole = 2*math.Pi/3 + sin      // of 2 theta + sin 2 theta at the pole
	r := math.Sqrt(2 * math.Pi * sin / whole)
	theta := arcsin(y * sin / r)
	return narrowed(x*math.Pi/(2*r), math.Cos(theta)), arcsin((2*theta + math.Sin(2*theta)) / whole)
}

func fromEckert1(x, y float64) (lam, phi float64) {
	scale := 2 * math.Sqrt(2/(3*math.Pi))
	phi = y / scale
	return x / (scale * (1 - math.Abs(phi)/math.Pi)), phi
}

func fromEckert2(x, y float64) (lam, phi float64) {
	t := 2 - float64(math.Abs(y)*math.Sqrt(3/(2*math.Pi))) // square root of 4 - 3 sin(phi)
	if !(t > 0) {
		return off() // where the square would come back to the Earth
	}
	return x * math.Sqrt(6*math.Pi) / (2 * t), math.Copysign(arcsin((4-float64(t*t))/3), y)
}

func fromEckert3(x, y float64) (lam, phi float64) {
	scale := 4 / math.Sqrt(math.Pi*(4+math.Pi))
	phi = y / scale
	t := phi / halfPi
	return 2 * x / (scale * (1 + math.Sqrt(max(0, 1-float64(t*t))))), phi
}

func fromEckert4(x, y float64) (lam, phi float64) {
	theta := arcsin(y / (2 * math.Sqrt(math.Pi/(4+math.Pi))))
	sin, cos := math.Sincos(theta)
	return x * math.Sqrt(math.Pi*(4+math.Pi)) / (2 * (1 + cos)), arcsin((theta + float64(sin*cos) + 2*sin) / (2 + halfPi))
}

func fromEckert5(x, y float64) (lam, phi float64) {
	scale := math.Sqrt(2 + math.Pi)
	phi = y * scale / 2
	return x * scale / (1 + math.Cos(phi)), phi
}

func fromEckert6(x, y float64) (lam, phi float64) {
	scale := math.Sqrt(2 + math.Pi)
	theta := y * scale / 2
	return x * scale / (1 + math.Cos(theta)), arcsin((theta + math.Sin(theta)) / (1 + halfPi))
}

func fromNaturalEarth(x, y float64) (lam, phi float64) {
	const b0, b1, b2, b3, b4 = 1.007226, 0.015085, -0.044475, 0.028874, -0.005916
	phi, _ = solve(y, y, func(t float64) (value, slope float64) {
		t2 := float64(t * t)
		t4 := float64(t2 * t2)
		return t * (b0 + float64(t2*(b1+float64(t4*(b2+float64(b3*t2)+float64(b4*t4)))))),
			b0 + float64(t2*(3*b1+float64(t4*(7*b2+float64(9*b3*t2)+float64(11*b4*t4)))))
	})
	t2 := float64(phi * phi)
	return x / (0.8707 + float64(t2*(-0.131979+float64(t2*(-0.013791+float64(t2*t2*t2*(0.003971-float64(0.001529*t2)))))))), phi
}

func fromQuarticAuthalic(x, y float64) (lam, phi float64) {
	half := arcsin(y / 2)
	return narrowed(x*math.Cos(half), math.Cos(2*half)), 2 * half
}

func fromTimes(x, y float64) (lam, phi float64) {
	t := y / 1.70711 // of five digits in PROJ too
	s := math.Sin(math.Pi / 4 * t)
	return x / (0.74482 - float64(0.34588*float64(s*s))), 2 * math.Atan(t)
}

func loximuthal(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, east, north := v[0], v[1], v[2], v[3]
	if err := within(89.9, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	phi0 := lat0 * radians
	psi0 := math.Asinh(math.Tan(phi0))
	return frame(e.a, lon0, east, north, func(x, y float64) (lam, phi float64) {
		phi = y + phi0
		if math.Abs(y) < 1e-8 {
			return x / math.Cos((phi+phi0)/2), phi
		}
		if !(math.Abs(phi) < halfPi) {
			return narrowed(x, 0), phi
		}
		return x * (math.Asinh(math.Tan(phi)) - psi0) / y, phi
	})
}

func winkel1(e ellipsoid, v []float64) (projection, error) {
	lon0, parallel, east, north := v[0], v[1], v[2], v[3]
	if err := within(89.9, "standard parallel", parallel); err != nil {
		return nil, err
	}
	cos := math.Cos(parallel * radians)
	return frame(e.a, lon0, east, north, func(x, y float64) (lam, phi float64) {
		return 2 * x / (cos + math.Cos(y)), y
	})
}

// solve returns where a function has a value, by Newton's iteration from a guess, and its slope there; NaN where it
// does not get there.
func solve(value, guess float64, f func(t float64) (value, slope float64)) (t, slope float64) {
	t = guess
	for range 30 {
		v, slope := f(t)
		step := (value - v) / slope
		t += step
		if math.Abs(step) < 1e-10 { // the next one would be its square
			_, slope = f(t)
			return t, slope
		}
	}
	return off()
}
