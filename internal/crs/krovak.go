package crs

import "math"

// Krovak's oblique conformal conic of Gauss's sphere (Guidance Note 7-2, 3.1.3). Its own axes are southing and westing,
// in this order, which GDAL and PROJ keep as x and y; the variants that are north orientated have x = -westing, y =
// -southing.
var krovakMethods = []method{
	{"Krovak", 9819, nil, 0, krovakParams,
		func(e ellipsoid, v []float64) (projection, error) { return krovak(e, v, false, false) }},
	{"Krovak (North Orientated)", 1041, nil, 0, krovakParams,
		func(e ellipsoid, v []float64) (projection, error) { return krovak(e, v, true, false) }},
	{"Krovak Modified", 1042, nil, 0, krovakParams,
		func(e ellipsoid, v []float64) (projection, error) { return krovak(e, v, false, true) }},
	{"Krovak Modified (North Orientated)", 1043, nil, 0, krovakParams,
		func(e ellipsoid, v []float64) (projection, error) { return krovak(e, v, true, true) }},
}

var krovakParams = []param{
	latCentre,
	{"Longitude of origin", 8833, angle, lonNames, lonKeys, 0},
	{"Co-latitude of cone axis", 1036, angle, []string{"azimuth"}, nil, 30.2881397527777778},
	{"Latitude of pseudo standard parallel", 8818, angle, []string{"pseudo_standard_parallel_1"}, nil, 78.5},
	{"Scale factor on pseudo standard parallel", 8819, ratio, scaleNames, nil, 1},
	falseEasting,
	falseNorthing,
}

func krovak(e ellipsoid, v []float64, north, modified bool) (projection, error) {
	lat0, lon0, colatitude, parallel, k0, falseWest, falseSouth := v[0], v[1], v[2], v[3], v[4], v[5], v[6]
	if err := within(89.99, "latitude of projection centre", lat0); err != nil {
		return nil, err
	}
	if err := within(89.99, "pseudo standard parallel", parallel); err != nil {
		return nil, err
	}
	g := newGauss(e, lat0)
	n, flat := math.Sincos(parallel * radians)
	rho := g.radius * k0 * flat / n // of the parallel on the map
	tan := math.Tan(math.Pi/4 + float64(parallel*radians)/2)
	axisSin, axisCos := math.Sincos(colatitude * radians)
	return frame(1, lon0, 0, 0, func(x, y float64) (lam, phi float64) {
		south, west := x, y
		if north {
			south, west = -y, -x
		}
		south, west = south-falseSouth, west-falseWest
		if modified {
			ds, dw, ok := krovakCorrection(south, west)
			if !ok {
				return off()
			}
			south, west = south+ds, west+dw
		}
		d := math.Atan2(west, south) / n
		if !(math.Abs(d) <= halfPi) { // as far as the note's formulas go, a quarter round the cone
			return off()
		}
		// A place by its distance from the cone's axis and the direction there, then from the pole.
		t := 2*math.Atan(math.Pow(rho/math.Hypot(south, west), 1/n)*tan) - halfPi
		sinT, cosT := math.Sincos(t)
		sinD, cosD := math.Sincos(d)
		return g.geographic(float64(axisSin*sinT)+float64(axisCos*float64(cosT*cosD)), -cosT*sinD,
			float64(axisCos*sinT)-float64(axisSin*float64(cosT*cosD)))
	})
}

// krovakCorrection is what the modified variants add to southing and westing: a polynomial of the fourth degree for the
// Czech Republic, decimetres there, that goes astray some hundreds of kilometres beyond.
func krovakCorrection(south, west float64) (ds, dw float64, ok bool) {
	z := complex(south-1089000, west-654000)
	if !(math.Abs(real(z)) < 1e6 && math.Abs(imag(z)) < 1e6) {
		return 0, 0, false
	}
	const (
		c0 = 2.946529277e-02 + 2.515965696e-02i
		c1 = 1.193845912e-07 - 4.668270147e-07i
		c2 = 9.233980362e-12 + 1.523735715e-12i
		c3 = 1.696780024e-18 + 4.408314235e-18i
		c4 = -3.689471323e-24 + 8.331083518e-24i
	)
	z2 := times(z, z)
	z4 := times(z2, z2)
	sum := c0 + times(c1, z) + times(c2, z2) + times(c3, times(z2, z))
	last := times(c4, z4)
	return real(sum) + real(last), imag(sum) - imag(last), true
}
