package crs

import (
	"cmp"
	"math"
	"slices"
)

// onGlobe turns traced rings into polygons between -180 and 180.
func (t *tracer) onGlobe(rings []lifted) (Footprint, error) {
	if slices.ContainsFunc(rings, func(r lifted) bool { return r.turns != 0 || !(signedArea(r.points) > 0) }) {
		rings = t.oriented(rings)
	}
	if len(rings) == 1 && rings[0].turns == 0 && !rings[0].outside && t.elsewhere(rings[0]) {
		// A projection that folds at its border, as on an ellipsoid opposite to its middle: a hole, turned inside out.
		slices.Reverse(rings[0].points)
		rings[0].outside = true
	}
	for i, r := range rings {
		west, south, east, north := bounds(r.points)
		// A raster all round the Earth need not close to the last digit, but to half a pixel; more than half a degree is a gap.
		slack := min((east-west)/(2*max(t.width, t.height)), 0.5)
		round := r.turns == 0 && north > south && signedArea(r.points) >= 2*(360-slack)*(north-south)
		if round || math.Abs(r.turns) > 1 || east-west > 360+slack && r.turns == 0 {
			rings[i] = r.box()
		}
		t.rounded(rings[i].points)
	}
	shells, holes := t.window(rings)
	if !t.covers(shells, holes, rings) { // a line that crosses itself
		for i, r := range rings {
			rings[i] = r.box()
		}
		shells, holes = t.window(rings)
	}
	if shells == nil {
		return Footprint{}, ErrDegenerate
	}
	f := Footprint{BBox: boundingBox(shells)}
	slices.SortStableFunc(shells, func(a, b [][2]float64) int { return cmp.Compare(eastOf(f.BBox[0], a), eastOf(f.BBox[0], b)) })
	for _, shell := range shells {
		polygon := [][][2]float64{shell}
		for _, hole := range holes {
			if holdsHole(shell, hole) {
				polygon = append(polygon, hole)
			}
		}
		f.Polygons = append(f.Polygons, polygon)
	}
	return f, nil
}

// holdsHole tells whether a hole lies within a shell, perhaps touching it.
func holdsHole(shell, hole [][2]float64) bool {
	west, south, east, north := bounds(shell)
	w, s, e, n := bounds(hole)
	return west <= w && e <= east && south <= s && n <= north &&
		slices.ContainsFunc(hole, func(p [2]float64) bool { return ringHolds(shell, p) })
}

// oriented turns rings round where the Earth is seen from the other side, and drops those that are clockwise for no good reason:
// their inside is within them, as where nothing but rounding errors is left of a raster, and no pole is.
func (t *tracer) oriented(rings []lifted) []lifted {
	inner, mirrored := t.inner()
	if mirrored {
		for i := range rings {
			slices.Reverse(rings[i].points)
			rings[i].turns = -rings[i].turns
		}
	}
	kept := rings[:0]
	for _, r := range rings {
		if r.turns == 0 && !(signedArea(r.points) > 0) {
			west, south, east, north := bounds(r.points)
			lon := near(inner.lon, (west+east)/2)
			small := max(east-west, north-south) < 1e-3 && math.Abs(lon-west) < 1e-3 && math.Abs(inner.lat-south) < 1e-3
			if !inner.ok || small || ringHolds(r.points, [2]float64{lon, inner.lat}) {
				continue
			}
			r.outside = true
		}
		kept = append(kept, r)
	}
	return kept
}

// elsewhere tells whether most of what is within a border is far from it.
func (t *tracer) elsewhere(r lifted) bool {
	west, south, east, north := bounds(r.points)
	far := 0
	for _, s := range t.within {
		lon := near(s.lon, (west+east)/2)
		if lon < west-t.coarse || lon > east+t.coarse || s.lat < south-t.coarse || s.lat > north+t.coarse {
			far++
		}
	}
	return far > len(t.within)/2
}

// box is what a ring becomes that no polygon has: all round the Earth where it is as wide, up to the pole where it goes round
// one.
func (r lifted) box() lifted {
	west, south, east, north := bounds(r.points)
	if r.turns > 0 || r.outside {
		north = 90
	}
	if r.turns < 0 || r.outside {
		south = -90
	}
	if r.turns != 0 || r.outside || east-west >= 359 {
		west, east = -180, 180
	}
	return lifted{points: [][2]float64{{west, north}, {west, south}, {east, south}, {east, north}}}
}

// area is twice that to the left of a ring in square degrees, up to the pole if it goes round one; negative where it is all but
// what the ring encloses.
func (r lifted) area() float64 {
	if r.turns == 0 {
		return signedArea(r.points)
	}
	first, pole := r.points[0], 90*r.turns
	end := first[0] + float64(360*r.turns)
	return signedArea(append(r.points[:len(r.points):len(r.points)], [2]float64{end, first[1]}, [2]float64{end, pole},
		[2]float64{first[0], pole}))
}

// covers tells whether polygons have the area that is to the left of the rings.
func (t *tracer) covers(shells, holes [][][2]float64, rings []lifted) bool {
	var want, got, lengths float64
	for _, r := range rings {
		west, south, east, north := bounds(r.points)
		want += r.area()
		lengths += east - west + north - south
	}
	const all = 2 * 360 * 180
	if want < 0 {
		want += all
	} else if want > all {
		want -= all
	}
	for _, shell := range shells {
		got += signedArea(shell)
	}
	for _, hole := range holes {
		got += signedArea(hole)
	}
	return math.Abs(want-got) <= float64(0.01*want)+float64(8*t.fine*lengths)
}

// A chain is a part of a ring from where it comes over the antimeridian to where it leaves over it, as degrees along the sides of
// the plane of longitude and latitude, counter-clockwise from its lower right corner.
type chain struct {
	points       [][2]float64
	enter, leave float64
	used         bool
}

// allSides is the length of those sides as they are counted, and planeCorners where they meet.
const allSides = 720

var planeCorners = [4]struct {
	along float64
	point [2]float64
}{{180, [2]float64{180, 90}}, {360, [2]float64{-180, 90}}, {540, [2]float64{-180, -90}}, {720, [2]float64{180, -90}}}

// alongSide is where the right or left side has a latitude.
func alongSide(lon, lat float64) float64 {
	if lon > 0 {
		return 90 + lat
	}
	return 450 - lat
}

// window returns the polygons that are to the left of the rings: exteriors and holes, rounded and closed. What crosses the
// antimeridian is cut there and closed along it, and by way of a pole where there is no other.
func (t *tracer) window(rings []lifted) (shells, holes [][][2]float64) {
	var chains []chain
	add := func(ring [][2]float64) {
		if closed, clockwise := t.closed(ring); clockwise {
			holes = append(holes, closed)
		} else if closed != nil {
			shells = append(shells, closed)
		}
	}
	hole := false
	for _, r := range rings {
		west, _, east, _ := bounds(r.points)
		if r.turns != 0 || west < -180 || east > 180 {
			if cut := t.cut(r); cut != nil {
				chains = append(chains, cut...)
				continue
			}
		}
		hole = hole || r.outside
		shift := 360 * lap(west)
		ring := make([][2]float64, len(r.points))
		for i, p := range r.points {
			ring[i] = [2]float64{p[0] - shift, p[1]}
		}
		add(ring)
	}
	for i := range chains {
		if chains[i].used {
			continue
		}
		var ring [][2]float64
		for k := i; ; {
			ring = append(ring, chains[k].points...)
			chains[k].used = true
			// On along the sides to the next chain that comes in, the first one being the last.
			leave := chains[k].leave
			next, way := i, math.Inf(1)
			for j, c := range chains {
				if d := math.Mod(c.enter-leave+allSides, allSides); d < way && (!c.used || j == i) {
					next, way = j, d
				}
			}
			for _, lapped := range [2]float64{0, allSides} {
				for _, c := range planeCorners {
					if d := c.along + lapped - leave; d > 0 && d < way {
						ring = append(ring, c.point)
					}
				}
			}
			if k = next; k == i {
				break
			}
		}
		add(ring)
	}
	if shells == nil && chains == nil && hole { // all the Earth but for it
		add([][2]float64{{-180, 90}, {-180, -90}, {180, -90}, {180, 90}})
	}
	return shells, holes
}

// lap is in which round of 360 degrees a longitude lies, 0 being from -180 up to, but not with, 180.
func lap(lon float64) float64 { return math.Floor((lon + 180) / 360) }

// cut parts a ring at the antimeridian; nil where it does not come over it.
func (t *tracer) cut(r lifted) (chains []chain) {
	n := len(r.points)
	at := func(i int) [2]float64 {
		p := r.points[i%n]
		return [2]float64{p[0] + float64(360*r.turns*float64(i/n)), p[1]}
	}
	start := 0
	for start < n && lap(at(start)[0]) == lap(at(start + 1)[0]) {
		start++
	}
	if start == n {
		return nil
	}
	var c *chain
	for i := start; i <= start+n; i++ {
		a, b := at(i), at(i+1)
		from, to := lap(a[0]), lap(b[0])
		for from != to {
			step := math.Copysign(1, to-from)
			border := 360*max(from, from+step) - 180
			lat := t.rounding(a[1] + float64((b[1]-a[1])*(border-a[0])/(b[0]-a[0])))
			if c != nil {
				c.points = append(c.points, [2]float64{180 * step, lat})
				c.leave = alongSide(step, lat)
				chains = append(chains, *c)
				if i == start+n {
					return chains
				}
			}
			c = &chain{points: [][2]float64{{-180 * step, lat}}, enter: alongSide(-step, lat)}
			from += step
		}
		c.points = append(c.points, [2]float64{b[0] - 360*to, b[1]})
	}
	return chains
}

// closed rounds a ring, drops what it repeats and closes it. One that is thinner than the rounding is nil.
func (t *tracer) closed(ring [][2]float64) (out [][2]float64, clockwise bool) {
	t.rounded(ring)
	out = make([][2]float64, 0, len(ring)+1)
	for _, p := range ring {
		if len(out) == 0 || out[len(out)-1] != p {
			out = append(out, p)
		}
	}
	for len(out) > 1 && out[len(out)-1] == out[0] {
		out = out[:len(out)-1]
	}
	if len(out) < 3 {
		return nil, false
	}
	west, south, east, north := bounds(out)
	area := signedArea(out)
	if !(math.Abs(area) > 2*t.fine*max(east-west, north-south)) {
		return nil, false
	}
	return append(out, out[0]), area < 0
}

// rounding rounds a coordinate and makes a negative zero positive.
func (t *tracer) rounding(v float64) float64 {
	unit := math.Pow10(t.decimals)
	return math.Round(v*unit)/unit + 0
}

func (t *tracer) rounded(ring [][2]float64) {
	for i, p := range ring {
		ring[i] = [2]float64{t.rounding(p[0]), t.rounding(p[1])}
	}
}

// boundingBox is that of rings between -180 and 180: the shortest way round the Earth that holds them all.
func boundingBox(rings [][][2]float64) (box [4]float64) {
	if len(rings) == 1 {
		w, s, e, n := bounds(rings[0])
		return [4]float64{w, s, e, n}
	}
	arcs := make([][2]float64, len(rings))
	south, north := 90., -90.
	for i, r := range rings {
		w, s, e, n := bounds(r)
		arcs[i] = [2]float64{w, e}
		south, north = min(south, s), max(north, n)
	}
	slices.SortFunc(arcs, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
	east := arcs[0][1]
	for _, a := range arcs {
		east = max(east, a[1])
	}
	west, end := arcs[0][0], east // where the widest gap ends and begins; first the one over the antimeridian
	gap := west + 360 - east
	reach := arcs[0][1]
	for _, a := range arcs[1:] {
		if a[0]-reach > gap {
			gap, west, end = a[0]-reach, a[0], reach
		}
		reach = max(reach, a[1])
	}
	return [4]float64{west, south, end, north}
}

// eastOf is how far to the east of a longitude a ring begins.
func eastOf(lon float64, ring [][2]float64) float64 {
	west, _, _, _ := bounds(ring)
	return math.Mod(west-lon+360, 360)
}

// ringHolds tells whether a point is within a ring.
func ringHolds(ring [][2]float64, p [2]float64) (in bool) {
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < a[0]+float64((b[0]-a[0])*(p[1]-a[1])/(b[1]-a[1])) {
			in = !in
		}
	}
	return in
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
