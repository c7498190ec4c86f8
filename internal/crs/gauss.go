package crs

import "math"

// gauss is Gauss's conformal map of the ellipsoid on a sphere that touches it in one parallel: longitudes are
// multiplied, isometric latitudes as well and shifted. Oblique conformal projections begin with it (Guidance Note 7-2:
// oblique stereographic, Hotine, Krovak, Laborde).
type gauss struct {
	n           float64 // longitudes on the sphere to those on the ellipsoid
	shift       float64 // of isometric latitudes
	radius      float64 // of the sphere in metres
	sin, cos    float64 // of the sphere's latitude of the parallel
	ellipsoidal auxiliary
}

// newGauss: latitude of the parallel in degrees, not a pole.
func newGauss(e ellipsoid, lat0 float64) *gauss {
	phi := lat0 * radians
	sin, cos := math.Sincos(phi)
	w := 1 - float64(e.e2*float64(sin*sin))
	n := math.Sqrt(1 + e.e2*cos*cos*cos*cos/(1-e.e2))
	g := &gauss{n: n, radius: e.a * math.Sqrt(1-e.e2) / w, ellipsoidal: e.conformal(),
		sin: sin / n, cos: cos * math.Sqrt(w/(1-e.e2)) / n}
	g.shift = math.Asinh(g.sin/g.cos) - float64(n*e.isometric(phi))
	return g
}

// geographic returns the longitude and latitude on the ellipsoid of a place on the sphere, given as a vector of any
// length: to the meridian of origin, to the east, to the pole.
func (g *gauss) geographic(x, y, z float64) (lam, phi float64) {
	psi := math.Asinh(z / math.Hypot(x, y))
	return math.Atan2(y, x) / g.n, g.ellipsoidal.fromIsometric((psi - g.shift) / g.n)
}
