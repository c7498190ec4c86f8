package crs

import (
	"fmt"
	"math"
)

// framed is a projection whose formulas work on a plane of their own: its origin where theirs is, its unit their
// radius, and longitudes counted from their meridian.
type framed struct {
	// unproject returns the longitude and latitude in radians of a place on that plane; what is not a place of the
	// Earth is off().
	unproject         func(x, y float64) (lam, phi float64)
	unit              float64 // metres
	lon0, east, north float64 // degrees; metres
	turn              float64 // the greatest longitude in radians
}

const (
	halfPi = math.Pi / 2
	// onceRound is the domain of projections that show each place once.
	onceRound = math.Pi
	// goesOn is that of cylindrical ones, whose maps may begin anywhere and go on beyond the turn; as far as maxLongitude.
	goesOn = maxLongitude * radians
	// brim is how far in radians a place may lie over the rim of the map and be on it: 6 mm, since rims are written in
	// decimals.
	brim = 1e-9
)

// frame makes a projection of formulas that show each place once: unit in metres, longitude of their meridian in
// degrees, false easting and northing in metres.
func frame(unit, lon0, east, north float64, unproject func(x, y float64) (lam, phi float64)) (projection, error) {
	if !(unit > 0 && unit <= math.MaxFloat64) {
		return nil, fmt.Errorf("its scale makes a radius of %v m", unit)
	}
	return &framed{unproject, unit, lon0, east, north, onceRound}, nil
}

// rolled is frame for cylindrical projections, which go on beyond a turn of the Earth.
func rolled(unit, lon0, east, north float64, unproject func(x, y float64) (lam, phi float64)) (projection, error) {
	p, err := frame(unit, lon0, east, north, unproject)
	if err == nil {
		p.(*framed).turn = goesOn
	}
	return p, err
}

func (f *framed) inverse(x, y float64) (lon, lat float64, ok bool) {
	lam, phi := f.unproject((x-f.east)/f.unit, (y-f.north)/f.unit)
	// Written so that NaN is not ok; infinite coordinates are not either, even where they are an end of the Earth.
	if !(math.Abs(lam) <= f.turn+brim && math.Abs(phi) <= halfPi+brim &&
		math.Abs(x) <= math.MaxFloat64 && math.Abs(y) <= math.MaxFloat64) {
		return 0, 0, false
	}
	lam, phi = min(max(lam, -f.turn), f.turn), min(max(phi, -halfPi), halfPi)
	return f.lon0 + float64(lam*degrees), phi * degrees, true
}

// off is no place.
func off() (lam, phi float64) { return math.NaN(), math.NaN() }

// narrowed is x/width: a longitude where a parallel has a width; at a pole, which has none, 0 on its axis and no place
// beside it.
func narrowed(x, width float64) float64 {
	if math.Abs(x) <= brim && math.Abs(width) <= brim {
		return 0
	}
	return x / width
}

// arcsin is the arc sine of what rounding may have taken beyond 1; NaN further out.
func arcsin(v float64) float64 {
	if a := math.Abs(v); a > 1 && a <= 1+brim {
		v = math.Copysign(1, v)
	}
	return math.Asin(v)
}

// within says which latitude in degrees is not, or not so well that anything could be made of it, within a limit.
func within(limit float64, what string, lat float64) error {
	if !(math.Abs(lat) <= limit) {
		return fmt.Errorf("%s %v is not within ±%v", what, lat, limit)
	}
	return nil
}
