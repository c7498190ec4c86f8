package crs

import (
	"errors"
	"math"
	"testing"
)

// affine is a transform in GDAL's order.
type affine struct{ X0, DX, RX, Y0, RY, DY float64 }

func (a affine) Apply(col, row float64) (x, y float64) {
	return a.X0 + float64(a.DX*col) + float64(a.RX*row), a.Y0 + float64(a.RY*col) + float64(a.DY*row)
}

// grid is a raster for tests: a CRS, a transform and a size.
type grid struct {
	epsg int
	affine
	width, height int64
}

func northUp(epsg int, x0, y0, pixel float64, width, height int64) grid {
	return grid{epsg, affine{X0: x0, DX: pixel, Y0: y0, DY: -pixel}, width, height}
}

func (g grid) footprint(t testing.TB) (Footprint, error) {
	t.Helper()
	return must(t, g.epsg).Footprint(g.Apply, g.width, g.height)
}

// check holds a footprint against what is true of all.
func check(t testing.TB, f Footprint) {
	t.Helper()
	west, south, east, north := f.BBox[0], f.BBox[1], f.BBox[2], f.BBox[3]
	if len(f.Polygons) == 0 || west == east || !(south < north) || west > east && len(f.Polygons) < 2 {
		t.Fatalf("bbox %v of %d polygons", f.BBox, len(f.Polygons))
	}
	var touched [4]bool
	for _, polygon := range f.Polygons {
		for k, ring := range polygon {
			if len(ring) < 4 || len(ring) > 4<<maxDepth+16 || ring[0] != ring[len(ring)-1] {
				t.Fatalf("%d points, from %v to %v", len(ring), ring[0], ring[len(ring)-1])
			}
			if (signedArea(ring[1:]) > 0) != (k == 0) {
				t.Errorf("ring %d is turned the wrong way: %v", k, ring)
			}
			const decimals = 1e12
			for i, p := range ring {
				if !(math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 90) {
					t.Errorf("point %d: %v", i, p)
				}
				if i > 0 && p == ring[i-1] {
					t.Errorf("point %d: %v twice", i, p)
				}
				for _, v := range p {
					if v != math.Round(v*decimals)/decimals || v == 0 && math.Signbit(v) {
						t.Errorf("point %d: %v is not rounded", i, v)
					}
				}
				in := west <= p[0] && p[0] <= east
				if west > east {
					in = p[0] >= west || p[0] <= east
				}
				if !in || p[1] < south || p[1] > north {
					t.Errorf("point %d: %v is outside of %v", i, p, f.BBox)
				}
				touched[0] = touched[0] || p[0] == west || p[0] == west+360
				touched[1] = touched[1] || p[1] == south
				touched[2] = touched[2] || p[0] == east || p[0] == east-360
				touched[3] = touched[3] || p[1] == north
			}
		}
	}
	if touched != [4]bool{true, true, true, true} {
		t.Errorf("bbox %v is larger than the geometry", f.BBox)
	}
}

func points(f Footprint) (n int) {
	for _, p := range f.Polygons {
		n += len(p[0])
	}
	return n
}

func TestFootprint(t *testing.T) {
	world := [4]float64{-180, -90, 180, 90}
	for _, c := range []struct {
		name     string
		grid     grid
		bbox     [4]float64
		slack    float64 // degrees, for bbox
		polygons int
		points   int // 0: any
	}{
		{"small UTM raster", northUp(32633, 500000, 5000000, 10, 100, 100), [4]float64{15, 45.1444, 15.0127, 45.1535}, 1e-4, 1, 5},
		{"south up", grid{32633, affine{X0: 500000, DX: 10, Y0: 4999000, DY: 10}, 100, 100}, [4]float64{15, 45.1444, 15.0127, 45.1535}, 1e-4, 1, 5},
		{"one pixel high", northUp(32633, 400000, 5000000, 10, 20000, 1), [4]float64{13.7286, 45.1475, 16.2714, 45.1536}, 1e-2, 1, 0},
		{"half the world in Mercator", northUp(3857, -20037508.342789244, 20037508.342789244, 156543.03392804097, 128, 256), [4]float64{-180, -85.0511288, 0, 85.0511288}, 1e-7, 1, 5},
		{"the world in Mercator", northUp(3857, -20037508.342789244, 20037508.342789244, 156543.03392804097, 256, 256), [4]float64{-180, -85.0511288, 180, 85.0511288}, 1e-7, 1, 5},
		{"the world", northUp(4326, -180, 90, 0.5, 720, 360), world, 0, 1, 5},
		{"the world from Greenwich", northUp(4326, 0, 90, 0.25, 1440, 720), world, 0, 1, 5},
		{"cells centred on the poles", northUp(4979, -180.125, 90.125, 0.25, 1440, 721), world, 0, 1, 5},
		{"first column again at the end", northUp(4326, -180.25, 90.25, 0.5, 721, 361), world, 0, 1, 5},
		{"pixel size cut short", northUp(4326, 0, 90, 0.0083333, 43200, 21600), world, 3e-3, 1, 5},
		{"upside down", grid{4326, affine{X0: -180, DX: 0.5, Y0: -90, DY: 0.5}, 720, 360}, world, 0, 1, 5},
		{"beyond 180", northUp(4326, 190, 10, 1, 10, 10), [4]float64{-170, 0, -160, 10}, 0, 1, 5},
		{"up to 180", northUp(4326, 170, 10, 1, 10, 10), [4]float64{170, 0, 180, 10}, 0, 1, 5},
		{"from 180", northUp(4326, 180, 10, 1, 10, 10), [4]float64{-180, 0, -170, 10}, 0, 1, 5},
		{"antimeridian", northUp(4269, 179.5, 55, 0.25, 4, 4), [4]float64{179.5, 54, -179.5, 55}, 0, 2, 10},
		{"antimeridian, from -180.5", northUp(4326, -180.5, 55, 0.25, 4, 4), [4]float64{179.5, 54, -179.5, 55}, 0, 2, 10},
		{"a hair over it", northUp(4326, 179, 55, 0.25+1e-9, 4, 4), [4]float64{179, 54, 180, 55}, 1e-7, 1, 5},
		{"antimeridian in UTM", northUp(32660, 570585, 5847615, 100, 2325, 2355), [4]float64{177.9985, 50.5819, -178.5142, 52.7737}, 2e-3, 2, 0},
		{"north pole", northUp(32633, 400000, 10100000, 1000, 200, 200), [4]float64{-180, 88.7, 180, 90}, 0.1, 1, 0},
		{"south pole", northUp(2193, -10018754.1713946, 10018754.1713946, 313086.06785608124, 64, 64), [4]float64{-180, -90, 180, 0.2065}, 0.02, 1, 0},
		{"rotated", grid{32633, affine{X0: 500000, DX: 7, RX: -7, Y0: 5000000, RY: 7, DY: 7}, 100, 100}, [4]float64{14.9911, 45.1535, 15.0089, 45.1661}, 1e-4, 1, 5},
		{"grads from Paris", northUp(4807, 0, 52, 0.01, 100, 100), [4]float64{2.3365336084, 45.8999605617, 3.2365794874, 46.7999541127}, 1e-7, 1, 5},
		{"feet", northUp(2236, 656166.667, 3000000, 100, 10, 10), [4]float64{-81, 32.5817126676, -80.9967534097, 32.5844613296}, 1e-7, 1, 5},
		{"the upper part off the Earth", northUp(4326, 0, 274, 1, 232, 274), [4]float64{0, 0, -128, 90}, 0, 2, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := c.grid.footprint(t)
			if err != nil {
				t.Fatal(err)
			}
			check(t, f)
			for i := range f.BBox {
				if math.Abs(f.BBox[i]-c.bbox[i]) > c.slack {
					t.Errorf("bbox %v, want %v", f.BBox, c.bbox)
					break
				}
			}
			if len(f.Polygons) != c.polygons || c.points != 0 && points(f) != c.points {
				t.Errorf("%d polygons, %d points, want %d, %d: %v", len(f.Polygons), points(f), c.polygons, c.points, f.Polygons)
			}
		})
	}
}

func TestFootprintOfNothing(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name string
		grid grid
		want error
	}{
		{"no columns", northUp(4326, 0, 0, 1, 0, 10), ErrDegenerate},
		{"negative", northUp(4326, 0, 0, 1, 10, -1), ErrDegenerate},
		{"no pixel size", northUp(32633, 500000, 0, 0, 10, 10), ErrDegenerate},
		{"a line", grid{32633, affine{X0: 5e5, DX: 1, RX: 1, RY: 1, DY: 1}, 10, 10}, ErrDegenerate},
		{"smaller than all rounding", northUp(32633, 500000, 0, 1e-9, 10, 10), ErrDegenerate},
		{"NaN", northUp(4326, nan, 0, 1, 10, 10), ErrOffEarth},
		{"infinite", northUp(4326, math.Inf(1), 0, 1, 10, 10), ErrOffEarth},
		{"metres taken for degrees", northUp(4326, 500000, 4600000, 10, 100, 100), ErrOffEarth},
		{"huge", northUp(32633, 1e300, 1e300, 1e300, 1e9, 1e9), ErrOffEarth},
	} {
		if f, err := c.grid.footprint(t); !errors.Is(err, c.want) || f.Polygons != nil {
			t.Errorf("%s: %v, %v, want %v", c.name, f, err, c.want)
		}
	}
}

// Coordinates have 7 decimals, and those that a raster smaller than that needs.
func TestFootprintDecimals(t *testing.T) {
	for pixel, want := range map[float64]float64{10: 7, 1: 7, 0.1: 8, 0.01: 9, 1e-3: 10, 1e-4: 11, 1e-5: 12, 1e-6: 12} {
		f, err := northUp(32633, 500123.4, 5000123.4, pixel, 10, 10).footprint(t)
		if err != nil {
			t.Fatal(pixel, err)
		}
		check(t, f)
		most := 0.0
		for _, p := range f.Polygons[0][0] {
			for _, v := range p {
				for most < 12 && v != math.Round(v*math.Pow10(int(most)))/math.Pow10(int(most)) {
					most++
				}
			}
		}
		if most != want || f.crosses() {
			t.Errorf("%v m: %v decimals, want %v: %v", pixel, most, want, f.Polygons)
		}
		// A square on the ground.
		height, width := (f.BBox[3]-f.BBox[1])*111_141, (f.BBox[2]-f.BBox[0])*78_700
		if pixel > 1e-5 && !(math.Abs(height/pixel/10-1) < 0.01 && math.Abs(width/pixel/10-1) < 0.01) {
			t.Errorf("%v m: %v by %v m", pixel, width, height)
		}
	}
}

// The outline of a large raster is within a pixel of what a much finer one would be, and no finer than it needs to be.
func TestFootprintFollowsCurves(t *testing.T) {
	g := northUp(32633, 300000, 8000000, 10, 40000, 40000)
	f, err := g.footprint(t)
	if err != nil {
		t.Fatal(err)
	}
	check(t, f)
	c := must(t, g.epsg)
	ring := f.Polygons[0][0]
	if len(ring) < 20 || len(ring) > 300 {
		t.Errorf("%d points", len(ring))
	}
	worst := 0.0
	for i := range 1000 {
		x, y := g.Apply(float64(i)/1000*40000, 0)
		lon, lat, _ := c.ToWGS84(x, y)
		nearest := math.Inf(1)
		for k := range len(ring) - 1 {
			nearest = min(nearest, segment(lon, lat, ring[k], ring[k+1]))
		}
		worst = max(worst, nearest)
	}
	if worst > 10 {
		t.Errorf("%.1f m from the outline, with pixels of 10 m", worst)
	}
	t.Logf("%d points, at most %.1f m off", len(ring), worst)
}

// segment is the distance in metres of a place from a chord.
func segment(lon, lat float64, a, b [2]float64) float64 {
	k := math.Cos(lat * radians)
	dx, dy := (b[0]-a[0])*k, b[1]-a[1]
	px, py := (lon-a[0])*k, lat-a[1]
	along := min(max((px*dx+py*dy)/(dx*dx+dy*dy), 0), 1)
	return math.Hypot(px-along*dx, py-along*dy) * 111_320
}

func TestFootprintCost(t *testing.T) {
	c := must(t, 32633)
	g := northUp(32633, 500000, 5000000, 10, 100, 100)
	calls := 0
	c.Footprint(func(col, row float64) (x, y float64) {
		calls++
		return g.Apply(col, row)
	}, g.width, g.height)
	if calls > 40 {
		t.Errorf("%d transforms for a small raster", calls)
	}
	if n := testing.AllocsPerRun(10, func() { c.Footprint(g.Apply, g.width, g.height) }); n > 8 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzFootprint(f *testing.F) {
	f.Add(32633, 500000.0, 10.0, 0.0, 5000000.0, 0.0, -10.0, int64(100), int64(100))
	f.Add(4326, -180.25, 0.5, 0.0, 90.25, 0.0, -0.5, int64(721), int64(361))
	f.Add(3857, -2e7, 156543.0, 0.0, 2e7, 0.0, -156543.0, int64(256), int64(256))
	f.Add(2193, -1e7, 313086.0, 0.0, 1e7, 0.0, -313086.0, int64(64), int64(64))
	f.Add(26711, 4e5, 30.0, 5.0, 9.9e6, -5.0, -30.0, int64(10000), int64(10000))
	f.Add(32701, 3e5, 109800.0, 0.0, 2e6, 0.0, -109800.0, int64(100), int64(100))
	f.Add(4267, math.NaN(), math.Inf(1), 1e308, -1e308, 5e-324, 0.0, int64(math.MaxInt64), int64(1))
	f.Add(3408, -9036842.76, 25067.525, 0.0, 9036842.76, 0.0, -25067.525, int64(721), int64(721))
	f.Add(54009, -18.1e6, 1e5, 0.0, 9.1e6, 0.0, -1e5, int64(362), int64(182))
	codes := []int{4326, 4807, 4267, 4035, 3857, 32633, 32701, 26711, 2193, 2236, 31259, 3408, 3409, 6931, 6933, 3035, 3395, 5514, 9311, 2056, 3571}
	f.Fuzz(func(t *testing.T, code int, x0, dx, rx, y0, ry, dy float64, width, height int64) {
		c, err := ByCode(code)
		if err != nil {
			if c, err = ByCode(codes[uint(code)%uint(len(codes))]); err != nil {
				return
			}
		}
		calls := 0
		a := affine{X0: x0, DX: dx, RX: rx, Y0: y0, RY: ry, DY: dy}
		out, err := c.Footprint(func(col, row float64) (x, y float64) {
			calls++
			return a.Apply(col, row)
		}, width, height)
		if calls > 100_000 { // about 50 for each of 500 points of a border and of 500 cells, and for 17,000 corners of cells
			t.Errorf("%d transforms", calls)
		}
		if err != nil {
			if !errors.Is(err, ErrOffEarth) && !errors.Is(err, ErrDegenerate) {
				t.Error(err)
			}
			return
		}
		check(t, out)
	})
}

func BenchmarkFootprint(b *testing.B) {
	for name, g := range map[string]grid{
		"small_UTM":  northUp(32633, 500000, 5000000, 10, 100, 100),
		"sentinel2":  northUp(32633, 300000, 5000040, 10, 10980, 10980),
		"north_pole": northUp(32633, 400000, 10100000, 1000, 200, 200),
		"world":      northUp(4326, -180, 90, 0.5, 720, 360),
	} {
		c := must(b, g.epsg)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Footprint(g.Apply, g.width, g.height)
			}
		})
	}
}
