package crs

import "math"

const (
	// cells is how many cells a side of the raster is cut into to find what of it is on the Earth.
	cells = 32
	// halvings of a cell bring the border to centimetres even where longitudes and latitudes run to it like square roots.
	halvings = 48
	// maxBorderDepth bounds the points of the border in one cell.
	maxBorderDepth = 6
	maxRing        = 500 // points of a ring that follows a border
	// atSeam is how far in degrees from the antimeridian or a pole the border of a map is that is drawn along it.
	atSeam = 1e-5
)

// withinBorder traces what of the raster lies within the domain, where that ends inside of it: contours round the corners of
// n by n cells that do, brought to the border by bisection. It returns nil where none does.
func (t *tracer) withinBorder(n int) (rings []lifted) {
	c := cover{tracer: t, n: n, corners: make([]sample, (n+1)*(n+1))}
	south, north := math.Inf(1), math.Inf(-1)
	for j := range n + 1 {
		for i := range n + 1 {
			s := t.at(float64(i)/float64(n), float64(j)/float64(n))
			if c.corners[j*(n+1)+i] = s; s.ok {
				t.within = append(t.within, s)
				south, north = min(south, s.lat), max(north, s.lat)
			}
		}
	}
	if south > north {
		return nil
	}
	t.coarse = max((north-south)*likeness, atSeam)
	for _, vertices := range c.contours() {
		ring := t.outline(vertices)
		seam(ring.points)
		rings = append(rings, t.simple(ring))
	}
	return rings
}

// A cover is the corners of n by n cells over a raster, row by row.
type cover struct {
	*tracer
	n       int
	corners []sample
}

// corner returns the one at the beginning of a cell. Those round about the raster are not ok, and u is -1.
func (c *cover) corner(i, j int) sample {
	if i < 0 || j < 0 || i > c.n || j > c.n {
		return sample{u: -1}
	}
	return c.corners[j*(c.n+1)+i]
}

// A crossing is where a contour comes into a cell.
type crossing struct {
	in, out sample // the ends of the cell's edge: within the domain, and not
	leaves  int    // the edge by which it leaves the cell
	border  bool   // through a cell of the raster, and not of those round about
}

// contours returns closed lines with what is within the domain to their left (marching squares). They cross the edges of
// cells, also of those round about the raster, that lead from a corner within the domain to one that is not.
func (c *cover) contours() (lines [][]vertex) {
	edge := func(i, j, k int) int { // the k-th edge of a cell, counter-clockwise from its lower one
		i, j = i+1+[4]int{0, 1, 0, 0}[k], j+1+[4]int{0, 0, 1, 0}[k]
		return 2*(j*(c.n+3)+i) + k%2
	}
	crossings := make(map[int]crossing, 8*c.n)
	var order []int // a map has none
	for j := -1; j <= c.n; j++ {
		for i := -1; i <= c.n; i++ {
			s := [4]sample{c.corner(i, j), c.corner(i+1, j), c.corner(i+1, j+1), c.corner(i, j+1)}
			// A contour turns back round the corners within, unless the middle of the cell joins two that lie opposite.
			turn := 3
			if s[0].ok == s[2].ok && s[1].ok == s[3].ok && s[0].ok != s[1].ok &&
				c.at((float64(i)+0.5)/float64(c.n), (float64(j)+0.5)/float64(c.n)).ok {
				turn = 1
			}
			for k := range 4 {
				if !s[k].ok || s[(k+1)%4].ok {
					continue
				}
				to := (k + turn) % 4
				for s[to].ok || !s[(to+1)%4].ok {
					to = (to + turn) % 4
				}
				e := edge(i, j, k)
				order = append(order, e)
				crossings[e] = crossing{s[k], s[(k+1)%4], edge(i, j, to), i >= 0 && j >= 0 && i < c.n && j < c.n}
			}
		}
	}
	for _, e := range order {
		var line []vertex
		for x, found := crossings[e]; found; x, found = crossings[e] {
			delete(crossings, e)
			at := x.in
			if x.out.u >= 0 {
				at = c.toBorder(x.in, x.out)
			}
			line = append(line, vertex{at, x.border})
			e = x.leaves
		}
		if line = c.merge(line); len(line) > 2 {
			lines = append(lines, line)
		}
	}
	return lines
}

// merge drops vertices that repeat the one before or lie amid a side of the raster.
func (c *cover) merge(line []vertex) (out []vertex) {
	for i, x := range line {
		next, before := line[(i+1)%len(line)], line[(i+len(line)-1)%len(line)]
		corner := (x.at.u == 0 || x.at.u == 1) && (x.at.v == 0 || x.at.v == 1)
		amid := !before.border && !x.border && !corner
		if amid || x.at.u == next.at.u && x.at.v == next.at.v {
			continue
		}
		out = append(out, x)
	}
	return out
}

// toBorder returns the last sample within the domain on the way from one within to one outside.
func (t *tracer) toBorder(in, out sample) sample {
	from := in
	for range halvings {
		if m := t.between(in, out, 0.5); m.ok {
			in = m
		} else {
			out = m
		}
	}
	if 90-math.Abs(in.lat) < atSeam { // so close to a pole only what is further inside tells the longitude
		s := t.sample(in.u+float64((from.u-in.u)*1e-6), in.v+float64((from.v-in.v)*1e-6))
		in.lon, in.raw, in.lat, in.pole = s.lon, s.raw, math.Copysign(90, in.lat), false
	}
	return in
}

// follow adds the border of the domain behind a up to b, which both lie on it, and returns b with its longitude continuous with
// what was before.
func (t *tracer) follow(a, b sample, depth int) sample {
	turn := t.turn(a, b)
	b.lon = a.lon + turn
	pole := math.Abs(turn) > maxTurn // on the border, between them: a map's top
	deeper := depth < maxBorderDepth
	if pole {
		deeper = t.pixels(a, b) > t.limit()
	}
	if deeper && t.searches < maxSearches {
		t.searches++
		if m, ok := t.onBorder(a, b); ok {
			m.lon = a.lon + t.turn(a, m)
			from, to := [2]float64{a.lon, a.lat}, [2]float64{b.lon, b.lat}
			if a.pole {
				from[0] = m.lon
			}
			if b.pole {
				to[0] = m.lon
			}
			if pole || distance([2]float64{m.lon, m.lat}, from, to) > t.coarse {
				return t.follow(t.follow(a, m, depth+1), b, depth+1)
			}
		}
	}
	if pole {
		top := math.Copysign(90, b.lat)
		t.ring = append(t.ring, [2]float64{a.lon, top}, [2]float64{b.lon, top})
	}
	t.emit(b)
	return b
}

// onBorder returns a sample on the border midway between two: looked for from the middle of their chord, further and further to
// the side, lest it be on another stretch of the border, but no further than they are apart or than the raster's side.
func (t *tracer) onBorder(a, b sample) (sample, bool) {
	m := t.between(a, b, 0.5)
	away := 1. // to the left, where the domain is
	if m.ok {
		away = -1
	}
	du, dv := away*(a.v-b.v)*t.aspect, away*(b.u-a.u)/t.aspect
	reach := min(1, room(m.u, du), room(m.v, dv))
	last := m
	for _, share := range []float64{1. / 32, 1. / 8, 1. / 2, 1} {
		step := reach * share
		s := t.at(min(max(m.u+float64(step*du), 0), 1), min(max(m.v+float64(step*dv), 0), 1))
		switch {
		case m.ok && !s.ok:
			return t.toBorder(last, s), true
		case !m.ok && s.ok:
			return t.toBorder(s, last), true
		}
		last = s
	}
	return last, last.ok // as far as the raster's side it is all within the domain, or none of it is
}

// room is how many times d may be added to a share w until it is 0 or 1.
func room(w, d float64) float64 {
	switch {
	case d > 0:
		return (1 - w) / d
	case d < 0:
		return w / -d
	}
	return math.Inf(1)
}

// turn is by how much the longitude grows from a to b, as seen from within the domain: the two sides of a map are a whole turn
// apart, and at its top only what is below it tells so.
func (t *tracer) turn(a, b sample) float64 {
	turn := b.raw - a.raw
	if math.Abs(turn) <= 180 {
		return turn
	}
	du, dv := b.u-a.u, b.v-a.v
	inU, inV := -dv*t.aspect, du/t.aspect // to the left, as far as from a to b
	for _, bulge := range []float64{1, 0.5, 0} {
		way := [4]sample{3: b}
		ok := true
		for i, p := range [3][2]float64{{0.25, 0.75}, {0.5, 1}, {0.75, 0.75}} {
			way[i] = t.sample(a.u+float64(p[0]*du)+float64(bulge*p[1]*inU), a.v+float64(p[0]*dv)+float64(bulge*p[1]*inV))
			ok = ok && way[i].ok
		}
		if !ok {
			continue
		}
		turn, last := 0., a.raw
		for _, s := range way {
			step := s.raw - last
			if math.Abs(step) > 270 { // where the projection's longitudes begin again
				step = math.Remainder(step, 360)
			}
			turn, last = turn+step, s.raw
		}
		return turn
	}
	return near(b.raw, a.raw) - a.raw
}

// seam moves points onto the antimeridian and the poles where bisection came close to them.
func seam(points [][2]float64) {
	for i, p := range points {
		if side := 180 + 360*math.Round((p[0]-180)/360); math.Abs(p[0]-side) < atSeam {
			points[i][0] = side
		}
		if 90-math.Abs(p[1]) < atSeam {
			points[i][1] = math.Copysign(90, p[1])
		}
	}
}

// simple returns a ring of no more points than a ring may have, and of as few as do not count along a border unless it would
// cross itself then.
func (t *tracer) simple(ring lifted) (out lifted) {
	for tolerance := t.coarse / 4; ; tolerance *= 2 {
		out = lifted{points: simplify(ring.points, ring.turns, tolerance), turns: ring.turns}
		if len(out.points) <= maxRing {
			break
		}
	}
	for tolerance := t.coarse / 16; tolerance > t.fine && out.crosses(); tolerance /= 4 {
		finer := lifted{points: simplify(ring.points, ring.turns, tolerance), turns: ring.turns}
		if len(finer.points) > maxRing {
			break
		}
		out = finer
	}
	return out
}

// crosses tells whether a ring crosses itself.
func (r lifted) crosses() bool {
	side := func(a, b, c [2]float64) float64 {
		return float64((b[0]-a[0])*(c[1]-a[1])) - float64((c[0]-a[0])*(b[1]-a[1]))
	}
	n := len(r.points)
	for i, a := range r.points {
		b := r.points[(i+1)%n]
		for j := i + 2; j < n && i+n-1 > j; j++ {
			c, d := r.points[j], r.points[(j+1)%n]
			if r.turns != 0 && (i == n-1 || j == n-1) {
				continue
			}
			if side(a, b, c)*side(a, b, d) < 0 && side(c, d, a)*side(c, d, b) < 0 {
				return true
			}
		}
	}
	return false
}

// simplify returns the points of a lifted ring without which it would be further from its line (Douglas and Peucker).
func simplify(points [][2]float64, turns, tolerance float64) (out [][2]float64) {
	n := len(points)
	closed := append(points[:n:n], [2]float64{points[0][0] + float64(360*turns), points[0][1]})
	var keep func(i, j int)
	keep = func(i, j int) {
		far, at := tolerance, 0
		for k := i + 1; k < j; k++ {
			if d := distance(closed[k], closed[i], closed[j]); d > far {
				far, at = d, k
			}
		}
		if at > 0 {
			keep(i, at)
			out = append(out, closed[at])
			keep(at, j)
		}
	}
	out = append(out, points[0])
	keep(0, n)
	return out
}

// distance is that of a point from the line between two others.
func distance(p, a, b [2]float64) float64 {
	du, dv := b[0]-a[0], b[1]-a[1]
	pu, pv := p[0]-a[0], p[1]-a[1]
	along := 0.
	if square := float64(du*du) + float64(dv*dv); square > 0 {
		along = min(max((float64(pu*du)+float64(pv*dv))/square, 0), 1)
	}
	return math.Hypot(pu-float64(along*du), pv-float64(along*dv))
}
