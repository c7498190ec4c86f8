package crs

import "math"

// Goode's homolosine: sinusoidal up to the parallel where Mollweide's projection, moved towards the equator, fits on.
const (
	goodeSeam = (40 + 44/60. + 11.8/3600) * radians // of the interrupted one
	goodeMove = 0.0528
)

func fromGoode(x, y float64) (lam, phi float64) {
	if math.Abs(y) <= 0.71093078197902358062 { // 40°44'
		return fromSinusoidal(x, y)
	}
	return fromMollweide(x, y+math.Copysign(goodeMove, y))
}

// A lobe of the interrupted map, between meridians in degrees.
type lobe struct{ west, east, middle float64 }

var (
	northernLobes = []lobe{{-180, -40, -100}, {-40, 180, 30}}
	southernLobes = []lobe{{-180, -100, -160}, {-100, -20, -60}, {-20, 80, 20}, {80, 180, 140}}
)

// fromInterruptedGoode: lobes meet on the map where they do on Earth at the equator. As in PROJ, Greenland and the east
// of Siberia are whole on both of the northern lobes.
func fromInterruptedGoode(x, y float64) (lam, phi float64) {
	lobes := northernLobes
	if y < 0 {
		lobes = southernLobes
	}
	k := 0
	for k < len(lobes)-1 && x > lobes[k].east*radians {
		k++
	}
	l := lobes[k]
	x -= float64(l.middle * radians)
	if math.Abs(y) < goodeSeam {
		lam, phi = fromSinusoidal(x, y)
	} else {
		lam, phi = fromMollweide(x, y+math.Copysign(goodeShift(), y))
	}
	lam += float64(l.middle * radians)
	lon, lat := lam*degrees, phi*degrees
	const rim = brim * degrees
	in := func(west, east, south float64) bool { return lon >= west-rim && lon <= east+rim && lat >= south-rim }
	switch {
	case in(l.west, l.east, -90):
		return min(max(lam, l.west*radians), l.east*radians), phi
	case y > 0 && k == 0 && in(-40, -10, 60), y > 0 && k == 1 && (in(-180, -160, 50) || in(-50, -40, 60)):
		return lam, phi
	}
	return off()
}

// goodeShift is how much further from the equator Mollweide's projection has the seam than the sinusoidal one.
func goodeShift() float64 {
	theta := goodeSeam
	for range 10 {
		sin, cos := math.Sincos(2 * theta)
		theta -= (2*theta + sin - float64(math.Pi*math.Sin(goodeSeam))) / (2 + 2*cos)
	}
	return float64(math.Sqrt2*math.Sin(theta)) - goodeSeam
}
