package demo

import "math"

// noise is gradient noise (Perlin 1985, with the fade of 2002) on a lattice of step 1, in about [-1, 1]. The same place always
// has the same value.
func noise(x, y float64, seed uint32) float64 {
	x0, y0 := math.Floor(x), math.Floor(y)
	fx, fy := x-x0, y-y0
	ix, iy := int32(x0), int32(y0)
	u, v := ease(fx), ease(fy)
	top := lerp(slope(ix, iy, seed, fx, fy), slope(ix+1, iy, seed, fx-1, fy), u)
	bottom := lerp(slope(ix, iy+1, seed, fx, fy-1), slope(ix+1, iy+1, seed, fx-1, fy-1), u)
	return 1.5 * lerp(top, bottom, v)
}

func ease(t float64) float64       { return t * t * t * (t*(t*6-15) + 10) }
func lerp(a, b, t float64) float64 { return a + (b-a)*t }
func clamp(v float64) float64      { return max(0, min(1, v)) }

// directions are the gradients of the lattice points.
var directions = [8][2]float64{{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {0.7071, 0.7071}, {-0.7071, 0.7071}, {0.7071, -0.7071}, {-0.7071, -0.7071}}

// slope is what the gradient at a lattice point adds at a distance from it.
func slope(ix, iy int32, seed uint32, dx, dy float64) float64 {
	h := uint32(ix)*0x8da6b343 ^ uint32(iy)*0xd8163841 ^ seed*0xcb1ab31f
	h ^= h >> 16
	h *= 0x7feb352d
	h ^= h >> 15
	d := &directions[h>>8&7]
	return d[0]*dx + d[1]*dy
}

const octaves = 5

// finer takes a place to the next octave: twice as fine, and turned so that the lattices do not show.
func finer(x, y float64) (float64, float64) { return 1.6*x + 1.2*y + 7.1, 1.6*y - 1.2*x + 3.7 }

// ridges sums octaves of folded noise: sharp crests and broad valleys, in [0, 1].
func ridges(x, y float64, seed uint32) float64 {
	sum, weight := 0.0, 0.5
	crest := 1.0
	for o := range uint32(octaves) {
		r := 1 - math.Abs(noise(x, y, seed+o))
		r *= r
		sum += weight * r * crest
		crest = clamp(r * 1.6) // detail on the crests, smooth valleys
		x, y = finer(x, y)
		weight /= 2
	}
	return clamp(sum)
}

// hills sums octaves of plain noise, in [0, 1].
func hills(x, y float64, seed uint32) float64 {
	sum, weight := 0.0, 0.5
	for o := range uint32(octaves) {
		sum += weight * noise(x, y, seed+o)
		x, y = finer(x, y)
		weight /= 2
	}
	return clamp(sum*0.9 + 0.5)
}

// planet is hills on the unit sphere, without a seam or a pole.
func planet(u, v, w float64, seed uint32) float64 {
	return (hills(u, v, seed) + hills(v, w, seed+40) + hills(w, u, seed+80)) / 3
}

// shade is how bright a slope is under a light from the north-west, around 1 on flat ground. east and south are how much the
// ground rises towards there, a pixel.
func shade(east, south float64) float64 {
	nx, ny, nz := -east, -south, 1.0
	return max(0.35, (nx*-0.5+ny*-0.5+nz*0.707)/math.Sqrt(nx*nx+ny*ny+nz*nz)/0.707)
}

// A stop of a ramp: a colour from a height on.
type stop struct{ at, r, g, b float64 }

type ramp []stop

// color is the ramp's colour at a height in [0, 1].
func (c ramp) color(h float64) (r, g, b float64) {
	for i := 1; i < len(c); i++ {
		if h <= c[i].at {
			t := (h - c[i-1].at) / (c[i].at - c[i-1].at)
			return lerp(c[i-1].r, c[i].r, t), lerp(c[i-1].g, c[i].g, t), lerp(c[i-1].b, c[i].b, t)
		}
	}
	last := c[len(c)-1]
	return last.r, last.g, last.b
}

var (
	summer = ramp{{0, 54, 92, 48}, {0.3, 96, 130, 66}, {0.5, 142, 138, 92}, {0.7, 132, 118, 104}, {0.82, 200, 200, 204}, {1, 252, 252, 255}}
	winter = ramp{{0, 104, 112, 90}, {0.2, 170, 172, 168}, {0.45, 226, 230, 236}, {1, 255, 255, 255}}
	steppe = ramp{{0, 24, 62, 104}, {0.28, 46, 108, 132}, {0.3, 196, 182, 128}, {0.55, 150, 128, 84}, {0.78, 118, 104, 96}, {0.86, 240, 244, 248}, {1, 255, 255, 255}}
	coast  = ramp{{0, 8, 32, 84}, {0.42, 24, 98, 152}, {0.53, 90, 196, 200}, {0.56, 232, 220, 168}, {0.6, 64, 132, 62}, {0.85, 88, 110, 60}, {1, 132, 124, 104}}
)
