package crs

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// A globe is a sphere of radius 1 as a projection shows it, for tests that must not depend on the real ones: its inverse, and
// how far from the origin it reaches.
type globe struct {
	name    string
	reach   [2]float64
	inverse func(x, y float64) (lon, lat float64, ok bool)
}

// turned looks at the sphere from above another place.
func turned(lon0, lat0 float64, inverse func(x, y float64) (lon, lat float64, ok bool)) func(x, y float64) (lon, lat float64, ok bool) {
	sin0, cos0 := math.Sincos(lat0 * radians)
	return func(x, y float64) (float64, float64, bool) {
		lon, lat, ok := inverse(x, y)
		sinLon, cosLon := math.Sincos(lon * radians)
		sinLat, cosLat := math.Sincos(lat * radians)
		x, y, z := cosLat*cosLon, cosLat*sinLon, sinLat
		x, z = x*cos0-z*sin0, x*sin0+z*cos0
		return lon0 + math.Atan2(y, x)*degrees, math.Atan2(z, math.Hypot(x, y)) * degrees, ok
	}
}

// azimuthal makes a projection of what turns a distance from the middle into an angle.
func azimuthal(angle func(r float64) (c float64, ok bool)) func(x, y float64) (lon, lat float64, ok bool) {
	return func(x, y float64) (float64, float64, bool) {
		r := math.Hypot(x, y)
		c, ok := angle(r)
		if !ok {
			return 0, 0, false
		}
		if r == 0 {
			return 0, 0, true
		}
		sin, cos := math.Sincos(c)
		return math.Atan2(x*sin, r*cos) * degrees, math.Asin(y*sin/r) * degrees, true
	}
}

// within180 is the domain of a map with straight borders at its edges.
func within180(lon0, lon, lat float64) (float64, float64, bool) {
	return lon0 + lon*degrees, lat * degrees, math.Abs(lon) <= math.Pi && math.Abs(lat) <= math.Pi/2
}

func globes(r *rand.Rand) []globe {
	lon0, lat0 := r.Float64()*360-180, math.Asin(r.Float64()*2-1)*degrees
	switch r.IntN(4) {
	case 0:
		lon0, lat0 = math.Round(lon0/90)*90, math.Round(lat0/90)*90
	case 1:
		lat0 = math.Copysign(90, lat0)
	}
	equalArea := azimuthal(func(r float64) (float64, bool) { return 2 * math.Asin(r/2), r <= 2 })
	equidistant := azimuthal(func(r float64) (float64, bool) { return r, r <= math.Pi })
	stereographic := azimuthal(func(r float64) (float64, bool) { return 2 * math.Atan(r/2), r <= 1e6 })
	orthographic := azimuthal(func(r float64) (float64, bool) { return math.Asin(r), r <= 1 })
	const height = 6.6 // of a satellite, in radii of the Earth from its centre; distances are angles
	satellite := azimuthal(func(r float64) (float64, bool) {
		sin := math.Sin(r) * height
		return math.Asin(sin) - r, sin <= 1
	})
	return []globe{
		{"plate carrée", [2]float64{math.Pi, math.Pi / 2}, func(x, y float64) (float64, float64, bool) { return within180(lon0, x, y) }},
		{"Mercator", [2]float64{math.Pi, math.Pi}, func(x, y float64) (float64, float64, bool) { return within180(lon0, x, math.Atan(math.Sinh(y))) }},
		{"sinusoidal", [2]float64{math.Pi, math.Pi / 2}, func(x, y float64) (float64, float64, bool) {
			if math.Abs(y) >= math.Pi/2 {
				return lon0, math.Copysign(90, y), x == 0 && math.Abs(y) == math.Pi/2
			}
			return within180(lon0, x/math.Cos(y), y)
		}},
		{"Mollweide", [2]float64{2 * math.Sqrt2, math.Sqrt2}, func(x, y float64) (float64, float64, bool) {
			theta := math.Asin(y / math.Sqrt2)
			if math.IsNaN(theta) || math.Cos(theta) == 0 {
				return lon0, math.Copysign(90, y), theta == theta && x == 0
			}
			return within180(lon0, math.Pi*x/(2*math.Sqrt2*math.Cos(theta)), math.Asin((2*theta+math.Sin(2*theta))/math.Pi))
		}},
		{"a pole of half the equator's length", [2]float64{math.Pi, math.Pi / 2}, func(x, y float64) (float64, float64, bool) {
			return within180(lon0, x/(1-math.Abs(y)/math.Pi), y)
		}},
		{"equal area", [2]float64{2, 2}, turned(lon0, lat0, equalArea)},
		{"equidistant", [2]float64{math.Pi, math.Pi}, turned(lon0, lat0, equidistant)},
		{"stereographic", [2]float64{4, 4}, turned(lon0, lat0, stereographic)},
		{"orthographic", [2]float64{1, 1}, turned(lon0, lat0, orthographic)},
		{"satellite", [2]float64{0.152, 0.152}, turned(lon0, 0, satellite)},
		{"conic", [2]float64{3, 3}, func(x, y float64) (float64, float64, bool) { // equidistant, along 50 degrees north
			const n = 0.7660444431
			c := 1/math.Tan(50*radians) + 50*radians
			y = c - y
			return within180(lon0, math.Atan2(x, y)/n, c-math.Hypot(x, y))
		}},
		{"across", [2]float64{math.Pi / 2, math.Pi}, turned(lon0, lat0, func(x, y float64) (float64, float64, bool) {
			return within180(0, y, x) // oblique plate carrée
		})},
	}
}

// A picture is a raster of a globe.
type picture struct {
	globe
	affine
	width, height int64
}

func (p picture) String() string {
	return fmt.Sprintf("%s, %+v, %d by %d", p.name, p.affine, p.width, p.height)
}

func (p picture) place(col, row float64) (lon, lat float64, ok bool) {
	return p.inverse(p.Apply(col, row))
}

func (p picture) footprint() (Footprint, error) {
	t := tracer{place: p.place}
	return t.raster(p.Apply, p.width, p.height)
}

// random is a raster of a globe somewhere: of any size, turned, sheared and mirrored, or the whole of it.
func random(r *rand.Rand) picture {
	all := globes(r)
	p := picture{globe: all[r.IntN(len(all))]}
	p.width, p.height = 1+r.Int64N(int64(math.Pow(10, 1+3.5*r.Float64()))), 1+r.Int64N(int64(math.Pow(10, 1+3.5*r.Float64())))
	if r.IntN(3) > 0 {
		p.height = max(1, int64(float64(p.width)*(0.5+r.Float64())))
	}
	size := math.Pow(10, -5*r.Float64()) * 2 * p.reach[0]
	pixel := size / float64(max(p.width, p.height))
	x, y := (2*r.Float64()-1)*p.reach[0], (2*r.Float64()-1)*p.reach[1]
	switch r.IntN(6) {
	case 0: // the whole of it, and perhaps some more
		more := []float64{1, 1, 1.001, 1.2}[r.IntN(4)]
		p.affine = affine{X0: -p.reach[0] * more, DX: 2 * p.reach[0] * more / float64(p.width), Y0: p.reach[1] * more,
			DY: -2 * p.reach[1] * more / float64(p.height)}
		return p
	case 1: // beside the middle
		x, y = 0, 0
	}
	p.DX, p.DY = pixel, -pixel*(0.5+r.Float64())
	if r.IntN(2) == 0 {
		sin, cos := math.Sincos(r.Float64() * 2 * math.Pi)
		p.DX, p.RX, p.RY, p.DY = pixel*cos, pixel*sin*(0.7+0.5*r.Float64()), pixel*sin, -pixel*cos
	}
	if r.IntN(6) == 0 {
		p.DX, p.RY = -p.DX, -p.RY // mirrored
	}
	if r.IntN(6) == 0 {
		p.RX, p.DY = -p.RX, -p.DY
	}
	p.X0, p.Y0 = x, y
	if r.IntN(2) == 0 { // around the place rather than from it
		p.X0 -= p.DX*float64(p.width)/2 + p.RX*float64(p.height)/2
		p.Y0 -= p.RY*float64(p.width)/2 + p.DY*float64(p.height)/2
	}
	return p
}

// contains tells whether a footprint holds a place.
func contains(f Footprint, lon, lat float64) bool {
	lon = near(lon, 0)
	for _, polygon := range f.Polygons {
		in := false
		for _, ring := range polygon {
			in = in != ringHolds(ring, [2]float64{lon, lat})
		}
		if in {
			return true
		}
	}
	return false
}

// degreesFrom is how many degrees of a great circle a place is from the outline of a footprint.
func degreesFrom(f Footprint, lon, lat float64) float64 {
	nearest := math.Inf(1)
	k := math.Cos(lat * radians)
	for _, polygon := range f.Polygons {
		for _, ring := range polygon {
			for i, a := range ring[1:] {
				b := ring[i]
				for _, turn := range []float64{-360, 0, 360} {
					nearest = min(nearest, distance([2]float64{(lon + turn) * k, lat}, [2]float64{a[0] * k, a[1]}, [2]float64{b[0] * k, b[1]}))
				}
			}
		}
	}
	return nearest
}

var rasters = flag.Int("rasters", 1000, "how many random rasters to trace")

// hold holds a footprint against what it is of: places of the raster must be in it, and places beside the raster must not where
// the map shows no place twice.
func (p picture) hold(t *testing.T, r *rand.Rand, f Footprint, beside bool) {
	check(t, f)
	w, h := float64(p.width), float64(p.height)
	for range 60 {
		col, row := r.Float64()*w, r.Float64()*h
		if beside {
			col, row = 2*col-w/2, 2*row-h/2
		}
		inside := col > 0 && row > 0 && col < w && row < h
		lon, lat, ok := p.place(col, row)
		if !ok || contains(f, lon, lat) == inside {
			continue
		}
		// On the wrong side: it must be near the outline, by pixels or by the size of it all.
		pixels := max(1, max(w, h)/1000)
		if 90-math.Abs(lat) < 0.1 {
			pixels *= 3 // where a degree of longitude is no distance
		}
		allowed := (f.BBox[3] - f.BBox[1]) / 500
		for _, step := range [4][2]float64{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
			if lon2, lat2, ok := p.place(col+step[0]/100, row+step[1]/100); ok {
				pixel := 100 * math.Hypot(math.Remainder(lon2-lon, 360)*math.Cos(lat*radians), lat2-lat)
				allowed = max(allowed, pixels*pixel)
			}
		}
		if d := degreesFrom(f, lon, lat); !(d <= allowed) {
			t.Errorf("%v: column %.1f, row %.1f at %v, %v, inside %v, is %.4g degrees on the wrong side, %.2g allowed; bbox %v",
				p, col, row, lon, lat, inside, d, allowed, f.BBox)
			return
		}
	}
}

// nothing holds a raster without a footprint against what there is of it on the Earth.
func (p picture) nothing(t *testing.T, r *rand.Rand, err error) {
	for range 30 {
		_, lat, ok := p.place(r.Float64()*float64(p.width), r.Float64()*float64(p.height))
		if ok && math.Abs(lat) < 90 { // a place, and not the line or beyond that cylinders make of a pole
			t.Errorf("%v: %v, but some of it is on the Earth", p, err)
			return
		}
	}
}

func (f Footprint) crosses() bool {
	for _, polygon := range f.Polygons {
		for _, ring := range polygon {
			if (lifted{points: ring[1:]}).crosses() {
				return true
			}
		}
	}
	return false
}

// What random rasters cover is what their footprints hold.
func TestFootprintsOfRandomRasters(t *testing.T) {
	footprints, crossing := 0, 0
	for n := range *rasters {
		r := rand.New(rand.NewPCG(uint64(n), 1))
		p := random(r)
		f, err := p.footprint()
		if err != nil {
			p.nothing(t, r, err)
			continue
		}
		footprints++
		p.hold(t, r, f, true)
		if f.crosses() {
			t.Logf("%v: crosses itself", p)
			crossing++
		}
	}
	t.Logf("%d rasters, %d footprints, %d cross themselves", *rasters, footprints, crossing)
	// On the rim of an equal-area disk, which is one place on the Earth, rounding errors are degrees.
	if footprints < *rasters*8/10 || crossing > 1+*rasters/5000 {
		t.Errorf("of %d rasters %d have footprints, %d of which cross themselves", *rasters, footprints, crossing)
	}
}

// So it is with every projection method, near its middle and far out.
func TestFootprintsOfRandomRastersByMethod(t *testing.T) {
	footprints, crossing, methods := 0, 0, 0
	for m := range eachMethod {
		c, err := newCRS(m.name, datum{ellipsoid: wgs84}, m, plainValues(m), 1)
		if err != nil || m.code == 9824 { // only on spheres; zones side by side with nothing between
			continue
		}
		methods++
		for n := range *rasters / 100 {
			r := rand.New(rand.NewPCG(uint64(n), uint64(methods)))
			p := picture{globe: globe{name: m.name, inverse: c.ToWGS84}, width: 1 + r.Int64N(3000), height: 1 + r.Int64N(3000)}
			pixel := math.Pow(10, 2+5.6*r.Float64()) / float64(max(p.width, p.height))
			sin, cos := math.Sincos(math.Pi / 8 * float64(r.IntN(16)))
			p.affine = affine{r.NormFloat64() * 5e6, pixel * cos, pixel * sin, r.NormFloat64() * 5e6, pixel * sin, -pixel * cos}
			f, err := p.footprint()
			if err != nil {
				p.nothing(t, r, err)
				continue
			}
			footprints++
			p.hold(t, r, f, false)
			if f.crosses() {
				t.Logf("%v: crosses itself", p)
				crossing++
			}
		}
	}
	t.Logf("%d methods, %d footprints, %d cross themselves", methods, footprints, crossing)
	if methods < 60 || footprints < methods*(*rasters/100)/2 || crossing > 2+footprints/500 { // where maps fold or part
		t.Errorf("of %d methods %d footprints, %d of which cross themselves", methods, footprints, crossing)
	}
}
