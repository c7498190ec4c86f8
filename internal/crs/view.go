package crs

import "math"

// Views of the Earth: from infinitely far away (Guidance Note 7-2, 3.3.5) and from geostationary satellites (CGMS 03,
// LRIT/HRIT global specification, 4.4.3.2). All of them are lines of sight that meet the ellipsoid.
var viewMethods = []method{
	{"Orthographic", 9840, nil, 21, placeParams,
		func(e ellipsoid, v []float64) (projection, error) {
			return orthographic(e, []float64{v[0], v[1], 0, 1, v[2], v[3]})
		}},
	// What Esri calls Orthographic.
	{"Orthographic (Spherical)", 0, nil, 0, placeParams,
		func(e ellipsoid, v []float64) (projection, error) {
			return orthographic(ellipsoid{a: e.a}, []float64{v[0], v[1], 0, 1, v[2], v[3]})
		}},
	{"Local Orthographic", 1130, []string{"Local"}, 0,
		[]param{latCentre, lonCentre, azimuth, scaleCentre, eastCentre, northCentre}, orthographic},
	{"Geostationary Satellite (Sweep Y)", 0, []string{"Geostationary_Satellite"}, 0,
		[]param{lonNatOrigin, satelliteHeight, falseEasting, falseNorthing},
		func(e ellipsoid, v []float64) (projection, error) { return geostationary(e, v, false) }},
	{"Geostationary Satellite (Sweep X)", 0, nil, 0,
		[]param{lonNatOrigin, satelliteHeight, falseEasting, falseNorthing},
		func(e ellipsoid, v []float64) (projection, error) { return geostationary(e, v, true) }},
}

var satelliteHeight = param{"Satellite Height", 0, length, satelliteNames, nil, 0}

func orthographic(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, azimuth, k0, east, north := v[0], v[1], v[2], v[3], v[4], v[5]
	if err := within(90, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	sin, cos := math.Sincos(lat0 * radians)
	if math.Abs(lat0) == 90 {
		cos = 0
	}
	turnSin, turnCos := math.Sincos(azimuth * radians)
	nu := e.nu(lat0*radians) / e.a
	ox, oz := nu*cos, nu*(1-e.e2)*sin // the origin, in semi-major axes
	return frame(e.a*k0, lon0, east, north, func(x, y float64) (lam, phi float64) {
		x, y = float64(x*turnCos)+float64(y*turnSin), float64(y*turnCos)-float64(x*turnSin)
		px, py, pz, ok := e.meet(ox-float64(y*sin), x, oz+float64(y*cos), cos, 0, sin)
		if !ok {
			return off()
		}
		return math.Atan2(py, px), math.Atan2(pz, (1-e.e2)*math.Hypot(px, py))
	})
}

// geostationary: a scan swept along x (GOES-R) counts the angle to the north first, one along y (Meteosat, Himawari) the
// one to the east.
func geostationary(e ellipsoid, v []float64, sweepX bool) (projection, error) {
	lon0, height, east, north := v[0], v[1], v[2], v[3]
	away := 1 + height/e.a // from the Earth's centre, in semi-major axes
	return frame(height, lon0, east, north, func(x, y float64) (lam, phi float64) {
		if !(math.Abs(x) < halfPi && math.Abs(y) < halfPi) {
			return off()
		}
		// The line of sight, whose third coordinate is towards the Earth.
		dy, dz := math.Tan(x), math.Tan(y)
		if sweepX {
			dy *= math.Hypot(1, dz)
		} else {
			dz *= math.Hypot(1, dy)
		}
		px, py, pz, ok := e.meet(away, 0, 0, 1, -dy, -dz)
		if !ok {
			return off()
		}
		return math.Atan2(py, px), math.Atan2(pz, (1-e.e2)*math.Hypot(px, py))
	})
}

// meet returns where a line through a point meets the ellipsoid of semi-major axis 1, the place that is furthest in its
// direction; ok is false where it does not.
func (e ellipsoid) meet(x, y, z, dx, dy, dz float64) (px, py, pz float64, ok bool) {
	w := 1 / (1 - e.e2) // in a space where the ellipsoid is a sphere but z weighs more
	a := float64(dx*dx) + float64(dy*dy) + float64(w*float64(dz*dz))
	b := float64(x*dx) + float64(y*dy) + float64(w*float64(z*dz))
	c := float64(x*x) + float64(y*y) + float64(w*float64(z*z)) - 1
	root := float64(b*b) - float64(a*c)
	if !(root >= -brim*brim) {
		return 0, 0, 0, false
	}
	t := (math.Sqrt(max(root, 0)) - b) / a
	return x + float64(t*dx), y + float64(t*dy), z + float64(t*dz), true
}
