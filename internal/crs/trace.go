package crs

import "math"

const (
	// straightness is how far, in pixels, the outline may be from the chord that stands for it. Half of one keeps the long
	// sides of a raster that is one pixel wide from touching. Thumbnails, whose pixels are large, are held to likeness
	// instead: a share of their longer side.
	straightness = 0.5
	likeness     = 1. / 2000
	// maxDepth bounds the points of an edge to 128 and its evaluations to about 1,300. Bisection gains a factor of four a
	// level, so what is smooth is as good as it can be long before.
	maxDepth = 7
	// maxTurn is a difference of longitudes in degrees between samples that tells nothing: a pole is near the line between
	// them, on the one side or the other. Only there is an edge bisected further than maxDepth, down to straightness.
	maxTurn = 150
	// maxSearches bounds that, and the points of a border of the domain, each of which takes 50 evaluations.
	maxSearches = 500
	// atPole is how far from a pole, in degrees, longitudes have no meaning.
	atPole = 1e-9
)

// A tracer walks round a raster, or round what of it is on the Earth. Its positions u and v are shares of the raster's sides,
// such that what is counter-clockwise in u and v is so in x and y.
type tracer struct {
	place         func(col, row float64) (lon, lat float64, ok bool)
	width, height float64 // pixels
	aspect        float64 // the side along v as a share of that along u
	southUp       bool    // v grows with the rows instead of against them
	decimals      int     // of the coordinates in degrees
	fine          float64 // a distance in degrees that rounding to them hides

	ring [][2]float64 // what it found; longitudes are continuous
	pole bool         // the last point is at a pole, and the next one tells by which meridian the line leaves it
	off  bool         // some of the line is outside the domain

	searches int      // for poles and for the border of the domain
	within   []sample // where there is such a border: corners of cells that are within
	coarse   float64  // a distance in degrees that does not count along it
}

// A vertex of an outline, and what leads to the next one.
type vertex struct {
	at     sample
	border bool // the border of the domain; else a straight line
}

// A sample is a position and where it lies.
type sample struct {
	u, v     float64
	lon, lat float64
	raw      float64 // the longitude before it was made continuous
	ok       bool
	pole     bool // at a pole where meridians meet; lon is the one that leads into the raster
}

// A lifted ring is a closed line on the Earth whose longitudes are continuous rather than normalised; its last point does not
// repeat the first. It goes round the Earth eastwards turns times.
type lifted struct {
	points  [][2]float64
	turns   float64
	outside bool // what it is about is all but what it encloses
}

// setDecimals chooses the decimals for an outline: 7, and more where the shortest of its sides, in degrees, is less than two hundred
// of their units. A double has no more than 12 to give.
func (t *tracer) setDecimals(shortest float64) {
	t.decimals = 7
	for t.decimals < 12 && shortest > 0 && shortest*math.Pow10(t.decimals) < 200 {
		t.decimals++
	}
	t.fine = 0.5 * math.Pow10(-t.decimals)
}

func (t *tracer) sample(u, v float64) sample {
	row := v
	if !t.southUp {
		row = 1 - v
	}
	lon, lat, ok := t.place(float64(u*t.width), float64(row*t.height))
	return sample{u: u, v: v, lon: lon, raw: lon, lat: lat, ok: ok}
}

func (t *tracer) at(u, v float64) sample {
	s := t.sample(u, v)
	if s.ok && math.Abs(s.lat) >= 90-atPole {
		// Meridians meet here, unless the map draws the pole as a line. Steps inwards and to its side tell.
		inU, inV := 2e-3*(0.5-u)/t.width, 2e-3*(0.5-v)/t.height
		in, aside := t.sample(u+inU, v+inV), t.sample(u-inV*t.height/t.width, v+inU*t.width/t.height)
		if in.ok && aside.ok && math.Abs(math.Remainder(in.lon-aside.lon, 360)) > 1 {
			s.lon, s.raw, s.pole = in.lon, in.raw, true
		}
	}
	return s
}

// between returns the sample at a share of the way from a to b.
func (t *tracer) between(a, b sample, share float64) sample {
	return t.at(a.u+float64((b.u-a.u)*share), a.v+float64((b.v-a.v)*share))
}

// outline traces the closed line through the vertices, the first of which lies within the domain.
func (t *tracer) outline(vertices []vertex) lifted {
	t.ring, t.pole = make([][2]float64, 0, 64), false
	n, start := len(vertices), 0
	for start < n-1 && vertices[start].at.pole { // begin where the longitude is known
		start++
	}
	first := vertices[start].at
	t.emit(first)
	from := first
	for i := range vertices {
		way, to := vertices[(start+i)%n], vertices[(start+i+1)%n].at
		if way.border {
			from = t.follow(from, to, 0)
		} else {
			from = t.walk(from, to, 0)
		}
	}
	// The first point again, perhaps turns further.
	last := len(t.ring) - 1
	turns := math.Round((t.ring[last][0] - first.lon) / 360)
	return lifted{points: t.ring[:last], turns: turns}
}

func (t *tracer) emit(s sample) {
	switch {
	case !s.ok:
		return
	case s.pole: // by the meridian of the point before
		if n := len(t.ring); n > 0 && !t.pole {
			s.lon = t.ring[n-1][0]
		}
	case t.pole: // by the meridian of the point behind
		t.ring = append(t.ring, [2]float64{s.lon, math.Copysign(90, t.ring[len(t.ring)-1][1])})
	}
	t.pole = s.pole
	t.ring = append(t.ring, [2]float64{s.lon, s.lat})
}

// walk adds the straight line behind a up to b, with as many points between as it is bent, and returns b with its longitude
// continuous with what was before. Points outside the domain are left out, and its border is approached.
func (t *tracer) walk(a, b sample, depth int) sample {
	s := [5]sample{a, t.between(a, b, 0.25), t.between(a, b, 0.5), t.between(a, b, 0.75), b}
	whole, pole := a.ok, false
	for i := 1; i < len(s); i++ {
		before := s[i-1].lon
		if !s[i].ok {
			s[i].lon = before // where it was, until it comes back
			whole, t.off = false, true
			continue
		}
		// Quarters keep longitudes apart by less than half a turn even along the edge of a global raster.
		s[i].lon = near(s[i].lon, before)
		pole = pole || math.Abs(s[i].lon-before) > maxTurn || s[i].pole && i < 4
	}
	switch {
	case pole && t.searches < maxSearches && t.pixels(a, b) > t.limit():
		t.searches++
	case depth >= maxDepth || whole && t.straight(s):
		t.emit(s[4])
		return s[4]
	}
	return t.walk(t.walk(a, s[2], depth+1), s[4], depth+1)
}

// pixels is how far two samples are apart in the raster.
func (t *tracer) pixels(a, b sample) float64 {
	return math.Hypot((b.u-a.u)*t.width, (b.v-a.v)*t.height)
}

// limit is the distance in pixels up to which an outline counts as straight.
func (t *tracer) limit() float64 {
	return min(straightness, likeness*max(t.width, t.height))
}

// straight tells whether the samples lie on the chord from the first to the last.
func (t *tracer) straight(s [5]sample) bool {
	if s[0].pole {
		s[0].lon = s[1].lon
	}
	if s[4].pole {
		s[4].lon = s[3].lon
	}
	a, m := s[0], s[2]
	chordLon, chordLat := s[4].lon-a.lon, s[4].lat-a.lat
	chord := math.Hypot(chordLon, chordLat)
	var off, far float64 // the largest distance from the chord, times the chord; and that from its beginning
	for _, p := range s[1:4] {
		dLon, dLat := p.lon-a.lon, p.lat-a.lat
		off = max(off, math.Abs(float64(dLon*chordLat)-float64(dLat*chordLon)))
		far = max(far, math.Hypot(dLon, dLat))
	}
	if chord <= t.fine {
		return far <= 2*t.fine // else it comes back to where it began
	}
	if off <= t.fine*chord {
		return true
	}
	// How many pixels that is: the derivatives of the longitude and latitude by u and v, up to one pixel inwards.
	inU, inV := min(1/t.width, 1./16), min(1/t.height, 1./16)
	if m.u > 0.5 {
		inU = -inU
	}
	if m.v > 0.5 {
		inV = -inV
	}
	byU, byV := t.sample(m.u+inU, m.v), t.sample(m.u, m.v+inV)
	if !byU.ok || !byV.ok {
		return false
	}
	perU, perV := 1/(inU*t.width), 1/(inV*t.height)
	lonU, latU := (near(byU.lon, m.lon)-m.lon)*perU, (byU.lat-m.lat)*perU
	lonV, latV := (near(byV.lon, m.lon)-m.lon)*perV, (byV.lat-m.lat)*perV
	det := float64(lonU*latV) - float64(lonV*latU)
	// The chord in pixels, times the determinant, which cancels against the one of the cross product.
	us := float64(chordLon*latV) - float64(lonV*chordLat)
	vs := float64(lonU*chordLat) - float64(chordLon*latU)
	return off <= t.limit()*math.Hypot(us, vs) && det != 0
}

// inner returns a sample within the outline, and whether what is counter-clockwise in x and y is clockwise on the Earth there,
// as in a CRS whose x points west. It is not ok where it found none.
func (t *tracer) inner() (s sample, mirrored bool) {
	unit := func(s sample) [3]float64 {
		sinLon, cosLon := math.Sincos(s.lon * radians)
		sinLat, cosLat := math.Sincos(s.lat * radians)
		return [3]float64{cosLat * cosLon, cosLat * sinLon, sinLat}
	}
	stepU, stepV := min(1/t.width, 1./256), min(1/t.height, 1./256)
	for i := range 81 {
		var s sample
		if n := len(t.within); n > 0 {
			s = t.within[(i+40)*n/81%n]
		} else {
			s = t.sample(float64((i+40)%81%9)/8, float64((i+40)%81/9)/8)
		}
		byU, byV := t.sample(s.u+stepU, s.v), t.sample(s.u, s.v+stepV)
		if !s.ok || !byU.ok || !byV.ok {
			continue
		}
		// The sign of the volume that the three span with the Earth's centre; it knows neither poles nor antimeridian.
		a, b, c := unit(s), unit(byU), unit(byV)
		for k := range a {
			b[k] -= a[k]
			c[k] -= a[k]
		}
		volume := float64(a[0]*(float64(b[1]*c[2])-float64(b[2]*c[1]))) + float64(a[1]*(float64(b[2]*c[0])-float64(b[0]*c[2]))) +
			float64(a[2]*(float64(b[0]*c[1])-float64(b[1]*c[0])))
		if volume != 0 {
			return s, volume < 0
		}
	}
	return sample{}, false
}
