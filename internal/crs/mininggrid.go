package crs

import "math"

var miningGridMethods = []method{
	{"Tunisia Mining Grid", 9816, nil, 0, []param{latFalseOrigin, lonFalseOrigin, eastFalseOrigin, northFalseOrigin}, newMiningGrid},
}

// miningGrid is linear in degrees from Paris (Guidance Note 7-2, 3.2.9). Its references have three digits of kilometres each, which
// bounds it.
type miningGrid struct{ lat, lon, east, north float64 }

func newMiningGrid(_ ellipsoid, v []float64) (projection, error) {
	return miningGrid{lat: v[0], lon: v[1], east: v[2], north: v[3]}, nil
}

func (g miningGrid) inverse(x, y float64) (lon, lat float64, ok bool) {
	const grad, kilometre = 0.9, 1000
	if !(x >= 0 && x <= 1000*kilometre && y >= 0 && y <= 1000*kilometre) {
		return 0, 0, false
	}
	interval := 0.01002 // grads a kilometre
	if y > g.north {
		interval = 0.010015
	}
	lam, lat := (x-g.east)/kilometre*0.012185*grad, g.lat+float64((y-g.north)/kilometre*interval*grad)
	if !(math.Abs(lam) <= 180 && math.Abs(lat) <= 90) { // an origin out of the ordinary
		return 0, 0, false
	}
	return g.lon + float64(lam), lat, true
}
