package crs

import "math"

// Auxiliary latitudes: series in the third flattening to the sixth order (Karney, "On auxiliary latitudes", 2022, whose
// rows for the conformal one are deltas), good to 1e-15 radians on the Earth's ellipsoids.

// n is the third flattening.
func (e ellipsoid) n() float64 { return e.f / (2 - e.f) }

// an auxiliary latitude, by the series that lead from it to the geographic one.
type auxiliary [order]float64

func (e ellipsoid) conformal() auxiliary  { return series(e.n(), &deltas) }
func (e ellipsoid) rectifying() auxiliary { return series(e.n(), &fromRectifying) }
func (e ellipsoid) authalic() auxiliary   { return series(e.n(), &fromAuthalic) }

// geographic returns the geographic latitude of an auxiliary one; radians.
func (a *auxiliary) geographic(aux float64) float64 {
	sin2, cos2 := math.Sincos(2 * aux)
	return aux + float64(sines((*[order]float64)(a), sin2, cos2))
}

// isometric latitude of a geographic one in radians. It is finite at the poles, since their tangents are.
func (e ellipsoid) isometric(phi float64) float64 {
	ecc := math.Sqrt(e.e2)
	sin, cos := math.Sincos(phi)
	return math.Asinh(sin/cos) - float64(ecc*math.Atanh(ecc*sin))
}

// fromIsometric returns the geographic latitude of an isometric one.
func (a *auxiliary) fromIsometric(psi float64) float64 {
	return a.geographic(math.Atan(math.Sinh(psi)))
}

// q is the area in units of a²/2 between the equator and a parallel, per radian of longitude: 2 sin of the latitude on
// a sphere.
func (e ellipsoid) q(phi float64) float64 {
	sin := math.Sin(phi)
	if e.e2 == 0 {
		return 2 * sin
	}
	ecc := math.Sqrt(e.e2)
	return (1 - e.e2) * (sin/(1-float64(e.e2*float64(sin*sin))) + math.Atanh(ecc*sin)/ecc)
}

// authalicRadius is that of the sphere with the ellipsoid's area, in metres.
func (e ellipsoid) authalicRadius() float64 { return e.a * math.Sqrt(e.q(halfPi)/2) }

// meridian is the radius in metres by which rectifying latitudes are lengths of meridian, and arc that of one from the
// equator to a geographic latitude.
func (e ellipsoid) meridian() (radius float64, arc func(phi float64) float64) {
	n := e.n()
	radius = e.a / (1 + n) * wholeness(n*n)
	to := auxiliary(series(n, &toRectifying))
	return radius, func(phi float64) float64 { return radius * to.geographic(phi) }
}

// wholeness is the length of an ellipse's circumference in those of a circle that is as wide as its axes together, by
// the square of the third flattening of the ellipse.
func wholeness(n2 float64) float64 { return 1 + float64(n2/4*(1+float64(n2/16*(1+n2/4)))) }

// nu is the radius of curvature in the prime vertical in metres, at a latitude in radians.
func (e ellipsoid) nu(phi float64) float64 {
	sin := math.Sin(phi)
	return e.a / math.Sqrt(1-float64(e.e2*float64(sin*sin)))
}

var (
	fromRectifying = [order][]float64{
		{3. / 2, 0, -27. / 32, 0, 269. / 512},
		{21. / 16, 0, -55. / 32, 0, 6759. / 4096},
		{151. / 96, 0, -417. / 128},
		{1097. / 512, 0, -15543. / 2560},
		{8011. / 2560},
		{293393. / 61440},
	}
	toRectifying = [order][]float64{
		{-3. / 2, 0, 9. / 16, 0, -3. / 32},
		{15. / 16, 0, -15. / 32, 0, 135. / 2048},
		{-35. / 48, 0, 105. / 256},
		{315. / 512, 0, -189. / 512},
		{-693. / 1280},
		{1001. / 2048},
	}
	fromAuthalic = [order][]float64{
		{4. / 3, 4. / 45, -16. / 35, -2582. / 14175, 60136. / 467775, 28112932. / 212837625},
		{46. / 45, 152. / 945, -11966. / 14175, -21016. / 51975, 251310128. / 638512875},
		{3044. / 2835, 3802. / 14175, -94388. / 66825, -8797648. / 10945935},
		{6059. / 4725, 41072. / 93555, -1472637812. / 638512875},
		{768272. / 467775, 455935736. / 638512875},
		{4210684958. / 1915538625},
	}
)
