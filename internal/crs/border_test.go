package crs

import (
	"errors"
	"math"
	"testing"
)

// made is a CRS of a method for tests, on a sphere where the flattening is 0.
func made(t testing.TB, method string, a, inverseFlattening float64, values ...float64) *CRS {
	t.Helper()
	m := methodByName(method)
	if m == nil {
		t.Fatalf("no method %s", method)
	}
	c, err := newCRS(method, datum{ellipsoid: newEllipsoid(a, inverseFlattening)}, m, values, 1)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// modis is a tile of the sinusoidal grid.
func modis(h, v float64) grid {
	const tile, pixels = 1111950.5196666666, 2400
	return northUp(0, -20015109.354+h*tile, 10007554.677-v*tile, tile/pixels, pixels, pixels)
}

// disk is a full disk of a satellite: half its width in radians.
func disk(height, half float64, pixels int64) grid {
	return northUp(0, -half*height, half*height, 2*half*height/float64(pixels), pixels, pixels)
}

// The bounds are PROJ's, by points sampled all over the raster.
func TestFootprintWithinTheBorder(t *testing.T) {
	const a, rf, goesHeight, meteosatHeight = 6378137, 298.257223563, 35786023, 35785831
	goes := func(lon float64) *CRS {
		return made(t, "Geostationary Satellite (Sweep X)", a, 298.2572221, lon, goesHeight, 0, 0)
	}
	meteosat := made(t, "Geostationary Satellite (Sweep Y)", 6378169, 295.488065897014, 0, meteosatHeight, 0, 0)
	sinusoidal := made(t, "Sinusoidal", 6371007.181, 0, 0, 0, 0)
	mollweide := made(t, "Mollweide", a, rf, 0, 0, 0)
	pacific := made(t, "Mollweide", a, rf, 150, 0, 0)
	world := northUp(0, -18.1e6, 9.1e6, 1e4, 3620, 1820)
	everywhere := [4]float64{-180, -90, 180, 90}
	for _, c := range []struct {
		name    string
		crs     *CRS
		grid    grid
		bbox    [4]float64
		slack   float64
		in, out [2]float64 // places
	}{
		{"GOES-16", goes(-75), disk(goesHeight, 0.151872, 5424), [4]float64{-156.2995, -81.3282, 6.2995, 81.3282}, 0.01, [2]float64{-154, 5}, [2]float64{-154, 45}},
		{"GOES-17", goes(-137), disk(goesHeight, 0.151872, 5424), [4]float64{141.7005, -81.3282, -55.7005, 81.3282}, 0.01, [2]float64{144, 5}, [2]float64{144, 45}},
		{"GOES-16 CONUS", goes(-75), northUp(0, -0.101360*goesHeight, 0.128240*goesHeight, 0.000056*goesHeight, 2500, 1500), [4]float64{-152.1135, 14.5624, -52.9183, 56.7807}, 0.02, [2]float64{-130, 52}, [2]float64{-152, 52}},
		{"Meteosat", meteosat, disk(meteosatHeight, 0.1556, 3712), [4]float64{-81.2994, -81.3284, 81.2994, 81.3284}, 0.01, [2]float64{0, 80}, [2]float64{70, 75}},
		{"MODIS within", sinusoidal, modis(8, 5), [4]float64{-130.5407, 30, -103.923, 40}, 1e-4, [2]float64{-115, 35}, [2]float64{-129, 31}},
		{"MODIS at the edge", sinusoidal, modis(1, 11), [4]float64{-180, -27.266, -170.2684, -20}, 5e-3, [2]float64{-175, -21}, [2]float64{-171, -22}},
		{"MODIS at the pole", sinusoidal, modis(17, 0), [4]float64{-180, 80, 0, 90}, 5e-3, [2]float64{-90, 89.9}, [2]float64{-170, 81}},
		{"MODIS at the pole, east", sinusoidal, modis(18, 0), [4]float64{0, 80, 180, 90}, 5e-3, [2]float64{179, 89.9}, [2]float64{170, 81}},
		{"Mollweide", mollweide, world, everywhere, 0, [2]float64{179.9, 89.9}, [2]float64{0, 91}},
		{"Mollweide of the Pacific", pacific, world, everywhere, 0, [2]float64{-29.9, 89.9}, [2]float64{0, 91}},
		{"half of Mollweide", pacific, northUp(0, 0, 9.1e6, 1e4, 1810, 1820), [4]float64{150, -90, -30, 90}, 1e-4, [2]float64{-31, 89}, [2]float64{-29, 0}},
		{"amid Mollweide", mollweide, northUp(0, -17e6, 6e6, 1e4, 3400, 1200), [4]float64{-180, -51.2139, 180, 51.2139}, 1e-3, [2]float64{179.9, 40}, [2]float64{179.9, 0}},
		{"sinusoidal", sinusoidal, northUp(0, -20015109.354, 10007554.677, 463.3127165, 86400, 43200), everywhere, 0, [2]float64{179.9, -89.9}, [2]float64{0, 91}},
		{"Robinson", made(t, "Robinson", a, rf, -90, 0, 0), northUp(0, -17.1e6, 8.7e6, 1e4, 3420, 1740), everywhere, 0, [2]float64{89.9, -89.9}, [2]float64{0, 91}},
		{"EASE-Grid north", must(t, 3408), northUp(0, -9036842.76, 9036842.76, 25067.525, 721, 721), everywhere, 0, [2]float64{45, -89}, [2]float64{0, -5}},
		{"EASE-Grid global", must(t, 3410), northUp(0, -17334193.54, 7344784.83, 25067.525, 1383, 586), [4]float64{-180, -86.7167, 180, 86.7167}, 1e-4, [2]float64{-179.9, 86}, [2]float64{0, 87}},
		{"EASE-Grid 2.0 south", must(t, 6932), northUp(0, -9e6, 9e6, 25000, 720, 720), [4]float64{-180, -90, 180, 84.634}, 1e-3, [2]float64{45, 84}, [2]float64{0, 5}},
		{"EASE-Grid 2.0 global", must(t, 6933), northUp(0, -17367530.45, 7314540.83, 25025.26, 1388, 584), [4]float64{-180, -83.8944, 180, 85.0446}, 1e-3, [2]float64{-179.9, 85}, [2]float64{0, 86}},
		{"a conic over its pole", must(t, 3978), northUp(0, -4e6, 8e6, 1000, 8000, 10000), [4]float64{-180, 23.0331, 180, 90}, 0.01, [2]float64{84, 61}, [2]float64{84, 58}},
		{"a hemisphere", made(t, "Orthographic (Spherical)", 6371000, 0, 52, 10, 0, 0), disk(6371000, 1.2, 1000), [4]float64{-180, -38, 180, 90}, 1e-3, [2]float64{-170, 40}, [2]float64{-170, 36}},
		{"all the Earth on a disk", made(t, "Azimuthal Equidistant", a, rf, 52, 10, 0, 0), disk(20003931, 1, 2000), everywhere, 0, [2]float64{-60, -30}, [2]float64{0, 91}},
		{"all of it but for a place", made(t, "Azimuthal Equidistant", a, rf, 0, 10, 0, 0), disk(20003931, 0.6, 2000), everywhere, 0, [2]float64{-60, -30}, [2]float64{-170, 5}},
		{"pole at a corner", must(t, 3031), northUp(0, 0, 3e6, 1000, 3000, 3000), [4]float64{0, -90, 90, -52.3171}, 1e-4, [2]float64{89.9, -89.9}, [2]float64{90.1, -89.9}},
		{"pole on a side", must(t, 3031), northUp(0, -1e6, 3e6, 1000, 3000, 3000), [4]float64{-90, -90, 90, -57.6673}, 2e-3, [2]float64{-89.9, -89.9}, [2]float64{90.1, -89.9}},
		{"pole on a side, between samples", must(t, 3031), northUp(0, -1234567, 3e6, 1000, 3000, 3000), [4]float64{-90, -90, 90, -58.7314}, 2e-3, [2]float64{-89.9, -89.9}, [2]float64{90.1, -89.9}},
		{"pole amid a pixel", must(t, 3413), northUp(0, -500, 500, 1000, 1, 1), [4]float64{-180, 89.9935, 180, 90}, 1e-4, [2]float64{0, 89.999}, [2]float64{0, 89.99}},
		{"first row at the pole", must(t, 4326), northUp(0, -30, 90, 0.25, 360, 200), [4]float64{-30, 40, 60, 90}, 0, [2]float64{59.9, 89.9}, [2]float64{60.1, 89.9}},
		{"x to the south, y to the west", must(t, 2053), northUp(0, -3e5, 3.5e6, 1000, 600, 1000), [4]float64{25.7, -31.7, 32.3, -22.4}, 0.3, [2]float64{29, -25}, [2]float64{35, -25}},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := 0
			f, err := c.crs.Footprint(func(col, row float64) (x, y float64) {
				calls++
				return c.grid.Apply(col, row)
			}, c.grid.width, c.grid.height)
			if err != nil {
				t.Fatal(err)
			}
			check(t, f)
			for i := range f.BBox {
				if !(math.Abs(f.BBox[i]-c.bbox[i]) <= c.slack) {
					t.Errorf("bbox %v, want %v", f.BBox, c.bbox)
					break
				}
			}
			if !contains(f, c.in[0], c.in[1]) || contains(f, c.out[0], c.out[1]) {
				t.Errorf("holds %v %v, %v %v: %v", c.in, contains(f, c.in[0], c.in[1]), c.out, contains(f, c.out[0], c.out[1]), f.Polygons)
			}
			if f.crosses() {
				t.Errorf("crosses itself: %v", f.Polygons)
			}
			if calls > 20_000 {
				t.Errorf("%d transforms", calls)
			}
		})
	}
	for name, g := range map[string]grid{"MODIS off the Earth": modis(0, 0), "beside the map": northUp(0, 19e6, 9e6, 1000, 1000, 1000)} {
		if f, err := sinusoidal.Footprint(g.Apply, g.width, g.height); !errors.Is(err, ErrOffEarth) || f.Polygons != nil {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
}

func BenchmarkBorder(b *testing.B) {
	goes := made(b, "Geostationary Satellite (Sweep X)", 6378137, 298.2572221, -75, 35786023, 0, 0)
	sinusoidal := made(b, "Sinusoidal", 6371007.181, 0, 0, 0, 0)
	for _, c := range []struct {
		name string
		crs  *CRS
		grid grid
	}{
		{"full_disk", goes, disk(35786023, 0.151872, 5424)},
		{"MODIS_edge", sinusoidal, modis(1, 11)},
		{"MODIS_within", sinusoidal, modis(8, 5)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.crs.Footprint(c.grid.Apply, c.grid.width, c.grid.height)
			}
		})
	}
}
