package crs

import (
	"errors"
	"fmt"
	"math"
)

// What a footprint cannot be made of. Both are facts about the raster, not failures.
var (
	ErrOffEarth   = errors.New("outline is not within the domain of the coordinate reference system")
	ErrDegenerate = errors.New("outline encloses no area")
)

// A Footprint is the outline of a raster in longitude and latitude, as GeoJSON wants it (RFC 7946): rings closed, exteriors
// counter-clockwise, cut at the antimeridian, degrees rounded to 7 decimals (a centimetre).
type Footprint struct {
	Polygons [][][][2]float64 // polygons, rings, positions (longitude, latitude); one, or two that meet at the antimeridian
	BBox     [4]float64       // west, south, east, north of just these; west > east over the antimeridian (RFC 7946, 5.2)
}

const (
	// straightness is how far, in pixels, the outline may be from the chord that stands for it. Half of one keeps the long
	// sides of a raster that is one pixel wide from touching. Thumbnails, whose pixels are large, are held to likeness
	// instead: a share of their longer side.
	straightness = 0.5
	likeness     = 1. / 2000
	// fine is a distance in degrees that rounding hides.
	fine = 5e-8
	// maxDepth bounds the points of an edge to 128 and its evaluations to about 1,300. Bisection gains a factor of four a
	// level, so what is smooth is as good as it can be long before.
	maxDepth = 7
	// blindDepth is how deep an edge is searched for a part within the domain when no sample of it is.
	blindDepth = 3
)

// Footprint traces the outline of a raster of width by height pixels. apply maps pixel corners, (0, 0) being the outer
// corner of the first, to the CRS's coordinates. Errors are ErrOffEarth and ErrDegenerate.
func (c *CRS) Footprint(apply func(col, row float64) (x, y float64), width, height int64) (Footprint, error) {
	if width <= 0 || height <= 0 {
		return Footprint{}, fmt.Errorf("footprint of %d by %d pixels: %w", width, height, ErrDegenerate)
	}
	t := tracer{crs: c, apply: apply, width: float64(width), height: float64(height)}
	out, err := t.footprint()
	if err != nil {
		return Footprint{}, fmt.Errorf("footprint of %d by %d pixels in EPSG:%d: %w", width, height, c.Code, err)
	}
	return out, nil
}

// A tracer walks round a raster.
type tracer struct {
	crs           *CRS
	apply         func(col, row float64) (x, y float64)
	width, height float64
	ring          [][2]float64 // what it found; longitudes are continuous
}

// A sample is a pixel position and where it lies.
type sample struct {
	col, row float64
	lon, lat float64
	ok       bool
}

func (t *tracer) at(col, row float64) sample {
	x, y := t.apply(col, row)
	lon, lat, ok := t.crs.ToWGS84(x, y)
	return sample{col, row, lon, lat, ok}
}

func (t *tracer) footprint() (Footprint, error) {
	// Down, right, up, left: counter-clockwise where north is up. The other way where x and y say so, so that the raster
	// is to the left all the way round, also round a pole.
	corners := [4][2]float64{{0, 0}, {0, t.height}, {t.width, t.height}, {t.width, 0}}
	var xy [4][2]float64
	for i, p := range corners {
		xy[i][0], xy[i][1] = t.apply(p[0], p[1])
	}
	area := float64((xy[2][0]-xy[0][0])*(xy[3][1]-xy[1][1])) - float64((xy[3][0]-xy[1][0])*(xy[2][1]-xy[0][1]))
	switch {
	case math.IsNaN(area):
		return Footprint{}, ErrOffEarth
	case area == 0:
		return Footprint{}, ErrDegenerate
	case area < 0:
		corners[1], corners[3] = corners[3], corners[1]
	}

	t.ring = make([][2]float64, 0, 64)
	first := t.at(corners[0][0], corners[0][1])
	t.emit(first)
	from := first
	for i := range corners {
		to := corners[(i+1)%4]
		from = t.walk(from, t.at(to[0], to[1]), 0)
	}
	if len(t.ring) < 3 {
		return Footprint{}, ErrOffEarth
	}
	turns := 0.0
	if first.ok { // the first corner again, perhaps a turn further
		last := len(t.ring) - 1
		turns = math.Round((t.ring[last][0] - first.lon) / 360)
		t.ring = t.ring[:last]
	}
	return t.onGlobe(turns)
}

func (t *tracer) emit(s sample) {
	if s.ok {
		t.ring = append(t.ring, [2]float64{s.lon, s.lat})
	}
}

// walk adds the outline behind a up to b, with as many points between as it is bent, and returns b with its longitude
// continuous with what was before. Points outside the domain are left out, and its border is approached.
func (t *tracer) walk(a, b sample, depth int) sample {
	between := func(share float64) sample {
		return t.at(a.col+float64((b.col-a.col)*share), a.row+float64((b.row-a.row)*share))
	}
	s := [5]sample{a, between(0.25), between(0.5), between(0.75), b}
	seen := 0
	for i := range s {
		if !s[i].ok {
			continue
		}
		seen++
		// Quarters keep longitudes apart by less than half a turn even along the edge of a global raster. Across a part
		// that is outside the domain there is no telling.
		if i > 0 && s[i-1].ok {
			s[i].lon = near(s[i].lon, s[i-1].lon)
		}
	}
	switch {
	case depth == maxDepth || seen == 0 && depth >= blindDepth || seen == len(s) && t.straight(&s):
		t.emit(s[4])
		return s[4]
	default:
		return t.walk(t.walk(a, s[2], depth+1), s[4], depth+1)
	}
}

// straight tells whether the samples lie on the chord from the first to the last.
func (t *tracer) straight(s *[5]sample) bool {
	a, m := s[0], s[2]
	chordLon, chordLat := s[4].lon-a.lon, s[4].lat-a.lat
	chord := math.Hypot(chordLon, chordLat)
	var off, far float64 // the largest distance from the chord, times the chord; and that from its beginning
	for _, p := range s[1:4] {
		dLon, dLat := p.lon-a.lon, p.lat-a.lat
		off = max(off, math.Abs(float64(dLon*chordLat)-float64(dLat*chordLon)))
		far = max(far, math.Hypot(dLon, dLat))
	}
	if chord <= fine {
		return far <= 2*fine // else it comes back to where it began
	}
	if off <= fine*chord {
		return true
	}
	// How many pixels that is: the derivatives of the longitude and latitude by column and row, one pixel inwards.
	inCol, inRow := 1.0, 1.0
	if m.col > t.width/2 {
		inCol = -1
	}
	if m.row > t.height/2 {
		inRow = -1
	}
	byCol, byRow := t.at(m.col+inCol, m.row), t.at(m.col, m.row+inRow)
	if !byCol.ok || !byRow.ok {
		return false
	}
	lonCol, latCol := (near(byCol.lon, m.lon)-m.lon)*inCol, (byCol.lat-m.lat)*inCol
	lonRow, latRow := (near(byRow.lon, m.lon)-m.lon)*inRow, (byRow.lat-m.lat)*inRow
	det := float64(lonCol*latRow) - float64(lonRow*latCol)
	// The chord in pixels, times the determinant, which cancels against the one of the cross product.
	cols := float64(chordLon*latRow) - float64(lonRow*chordLat)
	rows := float64(lonCol*chordLat) - float64(chordLon*latCol)
	limit := min(straightness, likeness*max(t.width, t.height))
	return off <= limit*math.Hypot(cols, rows) && det != 0
}
