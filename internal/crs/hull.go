package crs

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// HullFootprint is the footprint of a raster that is placed by ground control points alone: their convex hull, given their x and
// y. It is straight in the CRS's plane, as the sides of a raster are that is placed by a transform, so that points at the corners
// say the same as that would. It reaches no further than they do, since how a raster goes on beyond them nobody knows. Longitudes
// may come in any round; points round a pole hold it. Those that are not on the Earth are left out. Errors are ErrOffEarth, and
// ErrDegenerate where the points are on a line.
func (c *CRS) HullFootprint(points [][2]float64) (Footprint, error) {
	f, err := c.hullFootprint(points)
	if err != nil {
		return Footprint{}, fmt.Errorf("footprint of %d ground control points in %s: %w", len(points), c.label(), err)
	}
	return f, nil
}

func (c *CRS) hullFootprint(points [][2]float64) (Footprint, error) {
	var plane, places [][2]float64
	for _, p := range points {
		if lon, lat, ok := c.ToWGS84(p[0], p[1]); ok {
			plane, places = append(plane, p), append(places, [2]float64{lon, lat})
		}
	}
	if plane == nil {
		return Footprint{}, ErrOffEarth
	}
	place := c.ToWGS84
	if c.Geographic { // its plane is torn at the antimeridian and at the poles
		plane, place = unrolled(places)
	}
	plane = hull(plane)
	west, south, east, north := bounds(plane)
	if !(signedArea(plane) > 1e-9*(east-west)*(north-south)) {
		return Footprint{}, ErrDegenerate
	}
	t := tracer{width: 1, height: 1, southUp: true, aspect: (north - south) / (east - west)}
	t.place = func(u, v float64) (lon, lat float64, ok bool) {
		return place(west+float64(u*(east-west)), south+float64(v*(north-south)))
	}
	vertices := make([]vertex, 0, len(plane))
	around := make([][2]float64, 0, len(plane))
	for _, p := range plane {
		if s := t.at((p[0]-west)/(east-west), (p[1]-south)/(north-south)); s.ok {
			vertices = append(vertices, vertex{at: s})
			around = append(around, [2]float64{s.lon, s.lat})
		}
	}
	if vertices == nil {
		return Footprint{}, ErrOffEarth
	}
	west84, south84, east84, north84 := bounds(around)
	t.setDecimals(min(east84-west84, north84-south84))
	ring := t.outline(vertices)
	if len(ring.points) > maxRing {
		t.coarse = (north84 - south84) * likeness
		ring = t.simple(ring)
	}
	return t.onGlobe([]lifted{ring})
}

// unrolled lays places on a plane where those that are neighbours on the Earth are so too, and says how it came from there: that
// of longitude and latitude, begun where the places leave the widest gap, or that round a pole if they go all round it.
func unrolled(places [][2]float64) (plane [][2]float64, place func(x, y float64) (lon, lat float64, ok bool)) {
	lons := make([]float64, len(places))
	_, south, _, north := bounds(places)
	for i, p := range places {
		lons[i] = p[0] - 360*math.Floor(p[0]/360)
	}
	slices.SortFunc(lons, cmp.Compare[float64])
	last := len(lons) - 1
	first, gap := lons[0], lons[0]+360-lons[last]
	for i, lon := range lons[1:] {
		if lon-lons[i] > gap {
			first, gap = lon, lon-lons[i]
		}
	}
	switch {
	case gap < 180 && south*north > 0:
		pole := math.Copysign(90, north)
		for _, p := range places {
			sin, cos := math.Sincos(p[0] * radians)
			plane = append(plane, [2]float64{(90 - math.Abs(p[1])) * cos, (90 - math.Abs(p[1])) * sin})
		}
		return plane, func(x, y float64) (lon, lat float64, ok bool) {
			return math.Atan2(y, x) * degrees, math.Copysign(90-math.Hypot(x, y), pole), true
		}
	case gap < 180: // all round, and no pole in the middle
		return places, placed
	}
	for _, p := range places {
		lon := p[0] - 360*math.Floor((p[0]-first)/360)
		plane = append(plane, [2]float64{lon, p[1]})
	}
	return plane, placed
}

func placed(lon, lat float64) (float64, float64, bool) { return lon, lat, true }

// hull returns the corners of the convex hull of points, counter-clockwise (Andrew's monotone chains). It changes their order.
func hull(points [][2]float64) (out [][2]float64) {
	slices.SortFunc(points, func(a, b [2]float64) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	points = slices.Compact(points)
	half := func(p [2]float64, least int) {
		for n := len(out); n > least; n-- {
			a, b := out[n-2], out[n-1]
			if float64((b[0]-a[0])*(p[1]-a[1])) > float64((b[1]-a[1])*(p[0]-a[0])) {
				break
			}
			out = out[:n-1]
		}
		out = append(out, p)
	}
	for _, p := range points {
		half(p, 1)
	}
	lower := len(out)
	for i := len(points) - 2; i >= 0; i-- {
		half(points[i], lower)
	}
	return out[:max(len(out)-1, 1)]
}
