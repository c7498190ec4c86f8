package crs

import "math"

// onGlobe turns the traced ring into polygons between -180 and 180. turns is how often it goes round the Earth eastwards.
func (t *tracer) onGlobe(turns float64) (Footprint, error) {
	round(t.ring)
	if turns != 0 {
		return aroundPole(t.ring, turns)
	}
	west, south, east, north := bounds(t.ring)
	// A raster all round the Earth need not close to the last digit, but to half a pixel; more than half a degree is a gap.
	if slack := min((east-west)/(2*max(t.width, t.height)), 0.5); east-west >= 360-slack {
		return polygons([][2]float64{{-180, north}, {-180, south}, {180, south}, {180, north}}, nil)
	}
	if !(signedArea(t.ring) > 0) {
		// Counter-clockwise in x and y but not here: both poles are inside, or the outline crosses itself.
		return Footprint{}, ErrDegenerate
	}
	shift := 360 * math.Floor((west+180)/360)
	for i := range t.ring {
		t.ring[i][0] -= shift
	}
	round(t.ring)
	if east-shift <= 180 {
		return polygons(t.ring, nil)
	}
	return polygons(cut(t.ring, 1), cut(t.ring, -1))
}

// aroundPole closes a ring that goes once round the Earth over the pole to its left.
func aroundPole(ring [][2]float64, turns float64) (Footprint, error) {
	if math.Abs(turns) != 1 {
		return Footprint{}, ErrDegenerate
	}
	// Begin where the ring comes over the antimeridian: its longitudes modulo 360 are then one pass from side to side.
	closed := append(ring, [2]float64{ring[0][0] + float64(360*turns), ring[0][1]})
	lap := func(lon float64) float64 { return math.Floor((lon + 180) / 360) }
	i := 1
	for i < len(closed)-1 && lap(closed[i][0]) == lap(closed[i-1][0]) {
		i++
	}
	a, b := closed[i-1], closed[i]
	border := float64(360*max(lap(a[0]), lap(b[0]))) - 180
	lat := b[1]
	if a[0] != b[0] {
		lat = a[1] + float64((b[1]-a[1])*(border-a[0])/(b[0]-a[0]))
	}
	side := 180 * turns // the one that the pass ends on
	out := make([][2]float64, 0, len(ring)+4)
	out = append(out, [2]float64{-side, lat})
	for k := range ring {
		p := ring[(i+k)%len(ring)]
		// Counted from the border in the direction of travel; one that turns back over it stays on it.
		gone := (p[0] - border) * turns
		if i+k >= len(ring) {
			gone += 360
		}
		out = append(out, [2]float64{-side + float64(min(max(gone, 0), 360)*turns), p[1]})
	}
	pole := 90 * turns
	out = append(out, [2]float64{side, lat}, [2]float64{side, pole}, [2]float64{-side, pole})
	return polygons(out, nil)
}

// cut returns the part of a ring to the west (side 1) or to the east (side -1) of the antimeridian, the eastern one moved to
// where it is called by negative longitudes (Sutherland and Hodgman's clipping by one line).
func cut(ring [][2]float64, side float64) (out [][2]float64) {
	const border = 180
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		inside, next := (border-p[0])*side >= 0, (border-q[0])*side >= 0
		if inside {
			out = append(out, p)
		}
		if inside != next {
			out = append(out, [2]float64{border, p[1] + float64((q[1]-p[1])*(border-p[0])/(q[0]-p[0]))})
		}
	}
	if side < 0 {
		for i := range out {
			out[i][0] -= 360
		}
	}
	return out
}

// polygons makes the footprint of one ring, or of the two on either side of the antimeridian.
func polygons(west, east [][2]float64) (f Footprint, err error) {
	for _, ring := range [][][2]float64{west, east} {
		ring = closeRing(ring)
		if ring == nil {
			continue // a sliver that rounding took away, or none
		}
		w, s, e, n := bounds(ring)
		if f.Polygons == nil {
			f.BBox = [4]float64{w, s, e, n}
		} else {
			f.BBox = [4]float64{f.BBox[0], min(s, f.BBox[1]), e, max(n, f.BBox[3])}
		}
		f.Polygons = append(f.Polygons, [][][2]float64{ring})
	}
	if f.Polygons == nil {
		return f, ErrDegenerate
	}
	return f, nil
}

// closeRing rounds a ring, drops what it repeats and closes it; nil where nothing with an area, to its left, remains.
func closeRing(ring [][2]float64) [][2]float64 {
	round(ring)
	out := ring[:0]
	for _, p := range ring {
		if len(out) == 0 || out[len(out)-1] != p {
			out = append(out, p)
		}
	}
	for len(out) > 1 && out[len(out)-1] == out[0] {
		out = out[:len(out)-1]
	}
	if len(out) < 3 {
		return nil
	}
	west, south, east, north := bounds(out)
	if !(signedArea(out) > 1e-7*max(east-west, north-south)) { // thinner than the rounding
		return nil
	}
	return append(out, out[0])
}

// round rounds to 7 decimals and makes negative zeros positive.
func round(ring [][2]float64) {
	for i := range ring {
		for k, v := range ring[i] {
			ring[i][k] = math.Round(v*1e7)/1e7 + 0
		}
	}
}

func bounds(ring [][2]float64) (west, south, east, north float64) {
	west, south, east, north = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range ring {
		west, east = min(west, p[0]), max(east, p[0])
		south, north = min(south, p[1]), max(north, p[1])
	}
	return west, south, east, north
}

// signedArea is twice the area of a ring in square degrees, positive where it is counter-clockwise.
func signedArea(ring [][2]float64) (sum float64) {
	o := ring[0] // differences keep the digits of small rings
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		sum += float64((p[0]-o[0])*(q[1]-o[1])) - float64((q[0]-o[0])*(p[1]-o[1]))
	}
	return sum
}
