package crs

import (
	"fmt"
	"math"
)

var transverseMercatorMethods = []method{
	{"Transverse Mercator", 9807, []string{"Gauss_Kruger", "Transverse_Mercator_Complex"}, 1, transverseMercatorParams, newTransverseMercator},
	{"Transverse Mercator 3D", 1111, nil, 0, transverseMercatorParams, newTransverseMercator},
	// Its coordinates are westing and southing.
	{"Transverse Mercator (South Orientated)", 9808, nil, 27, transverseMercatorParams, transverseMercatorSouth},
	{"Transverse Mercator Zoned Grid System", 9824, nil, 0,
		[]param{latNatOrigin, {"Initial longitude", 8830, angle, nil, nil, -180}, {"Zone width", 8831, angle, nil, nil, 6},
			scaleNatOrigin, falseEasting, falseNorthing}, newZonedGrid},
}

var transverseMercatorParams = []param{latNatOrigin, lonNatOrigin, scaleNatOrigin, falseEasting, falseNorthing}

// transverseMercator is EPSG method 9807 in the JHS formulas (Guidance Note 7-2, 3.5.3.1), which are Krüger's series, here
// to the sixth order in the third flattening as in Engsager and Poder (2007). Within 3,900 km of the central meridian the
// series are good to nanometres.
type transverseMercator struct {
	lon0        float64        // degrees
	radius      float64        // rectifying radius times scale
	east, north float64        // of the equator on the central meridian
	beta, delta [order]float64 // beta with its sign turned, to be added
}

const (
	order = 6
	// maxEta is where the inverse is given up, 150 degrees of arc from the central meridian: as PROJ does.
	maxEta = 2.623395162778
)

func newTransverseMercator(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, k0, east, north := v[0], v[1], v[2], v[3], v[4]
	if !(k0 > 0) {
		return nil, fmt.Errorf("scale factor %v is not positive", k0)
	}
	if err := within(90, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	n := e.n()
	radius, _ := e.meridian()
	t := &transverseMercator{
		lon0:   lon0,
		radius: radius * k0,
		east:   east,
		north:  north,
		beta:   series(n, &betas),
		delta:  series(n, &deltas),
	}
	if lat0 != 0 { // bring the northing of the origin to the equator
		chi := math.Atan(math.Sinh(e.isometric(lat0 * radians)))
		alpha := series(n, &alphas)
		sin2, cos2 := math.Sincos(2 * chi)
		t.north -= float64(t.radius * (chi + float64(sines(&alpha, sin2, cos2))))
	}
	return t, nil
}

func transverseMercatorSouth(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, k0, falseWest, falseSouth := v[0], v[1], v[2], v[3], v[4]
	p, err := newTransverseMercator(e, []float64{lat0, lon0, k0, 0, 0})
	if err != nil {
		return nil, err
	}
	return reversed{p, falseWest, true, falseSouth}, nil
}

// A zonedGrid is one of zones whose number stands before the six digits of the easting (Guidance Note 7-2, 3.2.3.3).
type zonedGrid struct {
	zone           projection // about the meridian 0
	initial, width float64    // degrees
}

func newZonedGrid(e ellipsoid, v []float64) (projection, error) {
	lat0, initial, width, k0, east, north := v[0], v[1], v[2], v[3], v[4], v[5]
	if !(width > 0 && width <= 360) {
		return nil, fmt.Errorf("zone width %v", width)
	}
	p, err := newTransverseMercator(e, []float64{lat0, 0, k0, east, north})
	return zonedGrid{p, initial, width}, err
}

func (g zonedGrid) inverse(x, y float64) (lon, lat float64, ok bool) {
	zone := math.Floor(x / 1e6)
	if !(zone >= 1 && (zone-1)*g.width < 360) {
		return 0, 0, false
	}
	lon, lat, ok = g.zone.inverse(x-float64(zone*1e6), y)
	return g.initial + float64((zone-0.5)*g.width) + lon, lat, ok
}

func (t *transverseMercator) inverse(x, y float64) (lon, lat float64, ok bool) {
	xi, eta := (y-t.north)/t.radius, (x-t.east)/t.radius
	// Beyond a pole the central meridian goes on, down the other side; not more than once round. NaN is not ok either.
	if !(math.Abs(eta) <= maxEta && math.Abs(xi) <= 2*math.Pi) {
		return 0, 0, false
	}
	// Clenshaw's sum of beta[j] sin 2(j+1)(xi + i eta).
	sin, cos := math.Sincos(2 * xi)
	sinh := math.Sinh(2 * eta)
	cosh := math.Sqrt(1 + float64(sinh*sinh))
	re, im := 2*float64(cos*cosh), -2*float64(sin*sinh)
	var u, v, u1, v1 float64
	for j := order - 1; j >= 0; j-- {
		u, v, u1, v1 = t.beta[j]+float64(re*u)-float64(im*v)-u1, float64(re*v)+float64(im*u)-v1, u, v
	}
	re, im = sin*cosh, cos*sinh
	xi += float64(re*u) - float64(im*v)
	eta += float64(re*v) + float64(im*u)

	sin, cos = math.Sincos(xi)
	sinh = math.Sinh(eta)
	out := math.Hypot(sinh, cos)
	chi := math.Atan2(sin, out)
	// sin and cos of twice the conformal latitude, whose tangent is sin / out.
	r2 := float64(sin*sin) + float64(out*out)
	sin2, cos2 := 2*float64(sin*out)/r2, (float64(out*out)-float64(sin*sin))/r2
	lat = (chi + float64(sines(&t.delta, sin2, cos2))) * degrees
	return t.lon0 + float64(math.Atan2(sinh, cos)*degrees), min(max(lat, -90), 90), true
}

// sines returns the sum of c[j] sin 2(j+1)x.
func sines(c *[order]float64, sin2, cos2 float64) float64 {
	var u, u1 float64
	for j := order - 1; j >= 0; j-- {
		u, u1 = c[j]+float64(2*cos2*u)-u1, u
	}
	return u * sin2
}

// series evaluates polynomials in n. Row j starts with n to the power of j+1.
func series(n float64, rows *[order][]float64) (c [order]float64) {
	power := 1.0
	for j, row := range rows {
		power *= n
		sum := 0.0
		for i := len(row) - 1; i >= 0; i-- {
			sum = float64(sum*n) + row[i]
		}
		c[j] = power * sum
	}
	return c
}

// From the sphere to the plane, from the plane to the sphere, and from conformal to geographic latitude (Engsager and Poder,
// "A highly accurate world wide algorithm for the transverse Mercator mapping (almost)", ICC 2007; Karney 2011).
var (
	alphas = [order][]float64{
		{1. / 2, -2. / 3, 5. / 16, 41. / 180, -127. / 288, 7891. / 37800},
		{13. / 48, -3. / 5, 557. / 1440, 281. / 630, -1983433. / 1935360},
		{61. / 240, -103. / 140, 15061. / 26880, 167603. / 181440},
		{49561. / 161280, -179. / 168, 6601661. / 7257600},
		{34729. / 80640, -3418889. / 1995840},
		{212378941. / 319334400},
	}
	betas = [order][]float64{
		{-1. / 2, 2. / 3, -37. / 96, 1. / 360, 81. / 512, -96199. / 604800},
		{-1. / 48, -1. / 15, 437. / 1440, -46. / 105, 1118711. / 3870720},
		{-17. / 480, 37. / 840, 209. / 4480, -5569. / 90720},
		{-4397. / 161280, 11. / 504, 830251. / 7257600},
		{-4583. / 161280, 108847. / 3991680},
		{-20648693. / 638668800},
	}
	deltas = [order][]float64{
		{2, -2. / 3, -2, 116. / 45, 26. / 45, -2854. / 675},
		{7. / 3, -8. / 5, -227. / 45, 2704. / 315, 2323. / 945},
		{56. / 15, -136. / 35, -1262. / 105, 73814. / 2835},
		{4279. / 630, -332. / 35, -399572. / 14175},
		{4174. / 315, -144838. / 6237},
		{601676. / 22275},
	}
)
