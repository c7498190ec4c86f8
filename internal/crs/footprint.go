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
// counter-clockwise and holes clockwise, cut at the antimeridian, degrees rounded to 7 decimals (a centimetre), or to more
// where the raster is so small that this would bend it.
type Footprint struct {
	Polygons [][][][2]float64 // polygons, rings, positions (longitude, latitude); from west to east
	BBox     [4]float64       // west, south, east, north of just these; west > east over the antimeridian (RFC 7946, 5.2)
}

// Footprint traces the outline of a raster of width by height pixels. apply maps pixel corners, (0, 0) being the outer
// corner of the first, to the CRS's coordinates, and is affine. What is not on the Earth (the corners of a full disk or of a
// map of the world) is left out. Errors are ErrOffEarth and ErrDegenerate.
func (c *CRS) Footprint(apply func(col, row float64) (x, y float64), width, height int64) (Footprint, error) {
	if width <= 0 || height <= 0 {
		return Footprint{}, fmt.Errorf("footprint of %d by %d pixels: %w", width, height, ErrDegenerate)
	}
	t := tracer{place: func(col, row float64) (lon, lat float64, ok bool) { return c.ToWGS84(apply(col, row)) }}
	out, err := t.raster(apply, width, height)
	if err != nil {
		return Footprint{}, fmt.Errorf("footprint of %d by %d pixels in %s: %w", width, height, c.label(), err)
	}
	return out, nil
}

// label is what errors call a CRS.
func (c *CRS) label() string {
	switch {
	case c.Code != 0:
		return fmt.Sprintf("EPSG:%d", c.Code)
	case c.Name != "unknown":
		return c.Name
	case c.method != nil:
		return "a user-defined " + c.method.name
	}
	return "a user-defined geographic CRS"
}

// raster traces the outline of a whole raster.
func (t *tracer) raster(apply func(col, row float64) (x, y float64), width, height int64) (Footprint, error) {
	t.width, t.height = float64(width), float64(height)
	var xy [4][2]float64
	for i, p := range [4][2]float64{{0, 0}, {0, t.height}, {t.width, t.height}, {t.width, 0}} {
		xy[i][0], xy[i][1] = apply(p[0], p[1])
	}
	area := float64((xy[2][0]-xy[0][0])*(xy[3][1]-xy[1][1])) - float64((xy[3][0]-xy[1][0])*(xy[2][1]-xy[0][1]))
	switch {
	case math.IsNaN(area):
		return Footprint{}, ErrOffEarth
	case area == 0:
		return Footprint{}, ErrDegenerate
	}
	t.southUp = area < 0
	t.aspect = math.Hypot(xy[1][0]-xy[0][0], xy[1][1]-xy[0][1]) / math.Hypot(xy[3][0]-xy[0][0], xy[3][1]-xy[0][1])
	corners := [4]vertex{{at: t.at(0, 0)}, {at: t.at(1, 0)}, {at: t.at(1, 1)}, {at: t.at(0, 1)}}
	if !t.southUp { // begin at the first pixel here, too
		corners = [4]vertex{corners[3], corners[0], corners[1], corners[2]}
	}
	onEarth := true
	shortest := math.Inf(1)
	for i, c := range corners {
		a, b := c.at, corners[(i+1)%4].at
		onEarth = onEarth && a.ok
		shortest = min(shortest, math.Hypot(b.lon-a.lon, b.lat-a.lat))
	}
	if onEarth {
		t.setDecimals(shortest)
		if ring := t.outline(corners[:]); !t.off {
			return t.onGlobe([]lifted{ring})
		}
	}
	t.setDecimals(1)
	for _, n := range []int{cells, 4 * cells} {
		if rings := t.withinBorder(n); rings != nil {
			return t.onGlobe(rings)
		}
	}
	return Footprint{}, ErrOffEarth
}
