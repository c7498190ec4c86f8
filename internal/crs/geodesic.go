package crs

import "math"

// geodesics are those that begin at one latitude, with Karney's series to the sixth order ("Algorithms for geodesics",
// J. Geodesy 87, 2013, equations 15 to 25), good to nanometres.
type geodesics struct {
	e        ellipsoid
	phi      float64 // radians
	sin, cos float64 // of the reduced latitude
	a3       [6]float64
	c3       [5][5]float64 // row l-1 begins with the power l of epsilon
}

// newGeodesics: latitude in degrees, not a pole.
func newGeodesics(e ellipsoid, lat float64) *geodesics {
	phi := lat * radians
	sin, cos := math.Sincos(phi)
	sin *= 1 - e.f
	h := math.Hypot(sin, cos)
	n := e.n()
	n2 := n * n
	return &geodesics{e: e, phi: phi, sin: sin / h, cos: cos / h,
		a3: [6]float64{
			1,
			-(1 - n) / 2,
			-(1./4 + n/8 - float64(3*n2)/8),
			-(1./16 + float64(3*n)/16 + n2/16),
			-(3./64 + n/32),
			-3. / 128,
		},
		c3: [5][5]float64{
			{(1 - n) / 4, (1 - n2) / 8, 3./64 + float64(3*n)/64 - n2/64, 5./128 + n/64, 3. / 128},
			{1./16 - float64(3*n)/32 + n2/32, 3./64 - n/32 - float64(3*n2)/64, 3./128 + n/128, 5. / 256},
			{5./192 - float64(3*n)/64 + float64(5*n2)/192, 3./128 - float64(5*n)/192, 7. / 512},
			{7./512 - float64(7*n)/256, 7. / 512},
			{21. / 2560},
		}}
}

// direct returns the longitude from the start and the latitude, both in radians, of the end of a geodesic that leaves
// in the direction of a unit vector and is s metres long, up to half a turn.
func (g *geodesics) direct(east, north, s float64) (lam, phi float64) {
	sin0 := east * g.cos
	cos0 := math.Hypot(north, east*g.sin)
	sigma1 := math.Atan2(g.sin, g.cos*north)
	second := g.e.e2 / (1 - g.e.e2)
	k := math.Sqrt(1 + float64(second*float64(cos0*cos0)))
	eps := (k - 1) / (k + 1)

	// Along the great circle of the auxiliary sphere.
	ofSphere := series(eps, &distances)
	back := series(eps, &arcs)
	e2 := eps * eps
	scale := g.e.a * (1 - g.e.f) * wholeness(e2) / (1 - eps)
	tau := s/scale + (*auxiliary)(&ofSphere).geographic(sigma1)
	sigma2 := (*auxiliary)(&back).geographic(tau)

	sin2, cos2 := math.Sincos(sigma2)
	omega := math.Atan2(sin0*sin2, cos2) - math.Atan2(sin0*g.sin, g.cos*north)
	// From longitudes on that sphere to those on the ellipsoid.
	a3, power := 0.0, 1.0
	for _, c := range g.a3 {
		a3 += float64(c * power)
		power *= eps
	}
	var c3 [order]float64
	lead := 1.0
	for l, row := range g.c3 {
		lead *= eps
		power := lead
		for _, c := range row {
			c3[l] += float64(c * power)
			power *= eps
		}
	}
	third := auxiliary(c3)
	omega -= float64(g.e.f * sin0 * a3 * (third.geographic(sigma2) - third.geographic(sigma1)))

	z, r := cos0*sin2, math.Hypot(cos0*cos2, sin0)
	return math.Remainder(omega, 2*math.Pi), math.Atan2(z, (1-g.e.f)*r)
}

// Series for distances as functions of arcs on the auxiliary sphere (C1, equation 18) and for arcs as functions of
// distances (C1', equation 21).
var (
	distances = [order][]float64{
		{-1. / 2, 0, 3. / 16, 0, -1. / 32},
		{-1. / 16, 0, 1. / 32, 0, -9. / 2048},
		{-1. / 48, 0, 3. / 256},
		{-5. / 512, 0, 3. / 512},
		{-7. / 1280},
		{-7. / 2048},
	}
	arcs = [order][]float64{
		{1. / 2, 0, -9. / 32, 0, 205. / 1536},
		{5. / 16, 0, -37. / 96, 0, 1335. / 4096},
		{29. / 96, 0, -75. / 128},
		{539. / 1536, 0, -2391. / 2560},
		{3467. / 7680},
		{38081. / 61440},
	}
)
