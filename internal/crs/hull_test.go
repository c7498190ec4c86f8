package crs

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// control returns n by n control points of a grid, in no order.
func control(g grid, n int) (points [][2]float64) {
	for i := range n * n {
		x, y := g.Apply(float64(i%n)/float64(n-1)*float64(g.width), float64(i/n)/float64(n-1)*float64(g.height))
		points = append(points, [2]float64{x, y})
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	return points
}

// Points all over a raster say the same as its transform.
func TestHullFootprintIsTheRasters(t *testing.T) {
	for name, g := range map[string]grid{
		"UTM":                  northUp(32633, 500000, 5000000, 10, 1000, 1000),
		"turned":               {32633, affine{X0: 500000, DX: 7, RX: -7, Y0: 5000000, RY: 7, DY: 7}, 1000, 1000},
		"feet":                 northUp(2236, 656166.667, 3000000, 100, 10, 10),
		"geographic":           northUp(4326, 10, 50, 0.01, 100, 200),
		"grads from Paris":     northUp(4807, 0, 52, 0.01, 100, 100),
		"antimeridian":         northUp(4326, 179.5, 55, 0.01, 100, 100),
		"antimeridian in UTM":  northUp(32660, 570585, 5847615, 100, 2325, 2355),
		"pole in UTM":          northUp(32633, 400000, 10100000, 1000, 200, 200),
		"eastern longitudes":   northUp(4326, 350, 10, 0.1, 200, 100),
		"millimetres":          northUp(32633, 500000, 5000000, 0.0001, 100, 100),
		"half round the globe": northUp(4326, -90, 30, 1, 179, 60),
	} {
		want, err := g.footprint(t)
		if err != nil {
			t.Fatal(name, err)
		}
		got, err := must(t, g.epsg).HullFootprint(control(g, 5))
		if err != nil {
			t.Fatal(name, err)
		}
		check(t, got)
		size := want.BBox[3] - want.BBox[1]
		for i := range want.BBox {
			if !(math.Abs(got.BBox[i]-want.BBox[i]) <= size/1000) {
				t.Errorf("%s: %v, want %v", name, got.BBox, want.BBox)
				break
			}
		}
		if len(got.Polygons) != len(want.Polygons) {
			t.Errorf("%s: %d polygons, want %d", name, len(got.Polygons), len(want.Polygons))
		}
	}
}

func TestHullFootprint(t *testing.T) {
	swath := func(pole float64) (points [][2]float64) { // over a pole, 10 degrees wide
		for i := range 21 {
			for j := range 5 {
				along, across := float64(i-10)*2, float64(j-2)*2.5
				lat := pole - math.Copysign(math.Hypot(along, across), pole)
				points = append(points, [2]float64{math.Atan2(along, across) * degrees, lat})
			}
		}
		return points
	}
	world := control(northUp(4326, -180, 60, 1, 360, 130), 13)
	for _, c := range []struct {
		name   string
		epsg   int
		points [][2]float64
		bbox   [4]float64
		in     [2]float64 // a place that the footprint holds
		out    [2]float64
	}{
		{"three points", 4326, [][2]float64{{10, 10}, {20, 10}, {10, 20}, {12, 12}, {10, 10}}, [4]float64{10, 10, 20, 20}, [2]float64{11, 11}, [2]float64{19, 19}},
		{"over the antimeridian", 4326, [][2]float64{{170, 10}, {-170, 10}, {-170, 20}, {170, 20}}, [4]float64{170, 10, -170, 20}, [2]float64{-175, 15}, [2]float64{0, 15}},
		{"some off the Earth", 4326, [][2]float64{{10, 10}, {20, 10}, {10, 20}, {math.NaN(), 0}, {15, 1e6}, {math.Inf(1), 0}}, [4]float64{10, 10, 20, 20}, [2]float64{11, 11}, [2]float64{19, 19}},
		{"over the north pole", 4326, swath(90), [4]float64{-180, 69.3844718, 180, 90}, [2]float64{90, 75}, [2]float64{0, 80}},
		{"over the south pole", 4326, swath(-90), [4]float64{-180, -90, 180, -69.3844718}, [2]float64{90, -75}, [2]float64{0, -80}},
		{"all round", 4326, world, [4]float64{-180, -70, 180, 60}, [2]float64{-179, 0}, [2]float64{0, 61}},
	} {
		f, err := must(t, c.epsg).HullFootprint(c.points)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		check(t, f)
		for i := range f.BBox {
			if math.Abs(f.BBox[i]-c.bbox[i]) > 0.01 {
				t.Errorf("%s: %v, want %v", c.name, f.BBox, c.bbox)
				break
			}
		}
		if !contains(f, c.in[0], c.in[1]) || contains(f, c.out[0], c.out[1]) {
			t.Errorf("%s: holds %v %v, %v %v: %v", c.name, c.in, contains(f, c.in[0], c.in[1]), c.out, contains(f, c.out[0], c.out[1]), f.Polygons)
		}
	}
	line := [][2]float64{{5e5, 5e6}, {5.1e5, 5.1e6}, {5.2e5, 5.2e6}, {5.3e5, 5.3e6}}
	nan := [2]float64{math.NaN(), math.NaN()}
	for _, c := range []struct {
		name   string
		points [][2]float64
		want   error
	}{
		{"none", nil, ErrOffEarth},
		{"none on the Earth", [][2]float64{nan, {1e300, 0}, {0, math.Inf(-1)}}, ErrOffEarth},
		{"one", line[:1], ErrDegenerate},
		{"two", line[:2], ErrDegenerate},
		{"on a line", line, ErrDegenerate},
		{"the same", [][2]float64{line[0], line[0], line[0], line[0]}, ErrDegenerate},
	} {
		if f, err := must(t, 32633).HullFootprint(c.points); !errors.Is(err, c.want) || f.Polygons != nil {
			t.Errorf("%s: %v, %v, want %v", c.name, f, err, c.want)
		}
	}
}

func FuzzHullFootprint(f *testing.F) {
	f.Add(4326, uint64(1), 179.0, 89.0, 10.0, uint(50))
	f.Add(32633, uint64(2), 5e5, 5e6, 1e5, uint(10_000))
	f.Add(2193, uint64(3), -1e7, 0.0, 3e7, uint(100))
	f.Add(4807, uint64(4), math.NaN(), math.Inf(1), 1e308, uint(3))
	codes := []int{4326, 4807, 4267, 3857, 32633, 32701, 26711, 2193, 2236}
	f.Fuzz(func(t *testing.T, code int, seed uint64, x, y, spread float64, n uint) {
		c, err := ByCode(code)
		if err != nil {
			c = must(t, codes[uint(code)%uint(len(codes))])
		}
		r := rand.New(rand.NewPCG(seed, 1))
		points := make([][2]float64, n%10_001)
		for i := range points {
			points[i] = [2]float64{x + r.NormFloat64()*spread, y + r.NormFloat64()*spread}
		}
		out, err := c.HullFootprint(points)
		if err != nil {
			if !errors.Is(err, ErrOffEarth) && !errors.Is(err, ErrDegenerate) {
				t.Error(err)
			}
			return
		}
		check(t, out)
	})
}
