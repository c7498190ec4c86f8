package fidelity

import (
	"math"

	"github.com/cairn-stac/cairn/internal/crs"
)

// insane tells whether PROJ has no outline on the Earth: none at all, or one that goes beyond a pole, or round and round.
func (r *ring) insane() bool {
	return len(r.Bounds) != 4 || r.Bounds[1] < -91 || r.Bounds[3] > 91 || r.West < -540 || r.East > 540
}

// A group is a kind of file whose bounds are compared apart from others: by what they allow.
type group int

const (
	exact       group = iota // on WGS 84, or a datum that is the same
	shifted                  // the datum is shifted, as well as its accuracy says
	approximate              // there is no shift good to 10 m, and the Item says so
	partly                   // PROJ finds places off the Earth on the outline; Cairn traces what is on it
)

// bounds compares the bbox of Items in one group.
func bounds(which group) func(*subject) verdict {
	return raster(func(s *subject, _ asset) verdict {
		if s.Ring == nil || s.Ring.insane() || s.transform() == nil {
			return none
		}
		g, slack := s.group()
		if g != which {
			return none
		}
		return judge(s.sameBounds(slack), s.item.BBox, s.Ring.Bounds)
	})
}

const metre = 1. / 111_000 // in degrees

// group is the file's, and what it allows for the datum shift, in degrees.
func (s *subject) group() (g group, slack float64) {
	code, _ := s.item.Properties["proj:code"].(string)
	accuracy := 0.0
	if c := byCode(code); c != nil {
		accuracy = c.Accuracy
	}
	if s.item.Properties["cairn:datum_shift"] != nil {
		accuracy = -1
	}
	switch {
	case s.Ring.Bad > 0:
		return partly, 0
	case accuracy < 0 || accuracy > 10:
		return approximate, 1000 * metre
	case accuracy > 0:
		return shifted, 2 * accuracy * metre
	}
	return exact, 0
}

func byCode(code string) *crs.CRS {
	n := 0
	for _, d := range code[min(len(code), len("EPSG:")):] {
		n = 10*n + int(d-'0')
	}
	c, err := crs.ByCode(n)
	if err != nil {
		return nil
	}
	return c
}

// sameBounds allows each edge the larger of 0.1 % of the extent and a pixel, and the slack, which is wider the nearer a pole is.
func (s *subject) sameBounds(slack float64) bool {
	got, want := s.item.BBox, s.Ring.Bounds
	if len(got) != 4 {
		return false
	}
	width, height := s.Ring.East-s.Ring.West, want[3]-want[1]
	parallel := max(0.01, math.Cos(math.Pi/180*min(89, max(math.Abs(want[1]), math.Abs(want[3])))))
	tolerance := [2]float64{
		max(width/1000, width/float64(s.GDAL.Width), 1e-6) + slack/parallel,
		max(height/1000, height/float64(s.GDAL.Height), 1e-6) + slack,
	}
	for i, w := range want {
		v := got[i]
		if i%2 == 1 {
			w = max(-90, min(90, w))
		} else {
			v = w + math.Remainder(v-w, 360)
		}
		if math.Abs(v-w) <= tolerance[i%2] {
			continue
		}
		// Where PROJ's outline has gaps, what lies on the Earth within it may reach further.
		wrapped := i%2 == 0 && (width > 180 || got[0] == -180 && got[2] == 180)
		if s.Ring.Bad > 0 && (wrapped || (i < 2) == (v < w)) {
			continue
		}
		return false
	}
	return true
}

// gcpBounds compares the bbox of files that ground control points place, which need not reach their edges.
func gcpBounds(s *subject) verdict {
	if s.item == nil || s.transform() != nil || len(s.GDAL.GCPBounds) != 4 {
		return none
	}
	w := s.GDAL.GCPBounds
	if w[2]-w[0] > 180 {
		return none // the least and the largest longitude say little of points on both sides of the antimeridian
	}
	allowed := max(w[2]-w[0], w[3]-w[1])/100 + 1e-6
	for i := range w {
		if len(s.item.BBox) != 4 || math.Abs(math.Remainder(s.item.BBox[i]-w[i], 360)) > allowed {
			return judge(false, s.item.BBox, w)
		}
	}
	return verdict{compared: true}
}

// odd compares what is odd about outlines where PROJ's is whole and sane.
func odd(compare func(s *subject, b []float64) verdict) func(*subject) verdict {
	return raster(func(s *subject, _ asset) verdict {
		if s.Ring == nil || s.Ring.insane() || s.Ring.Bad > 0 || len(s.item.BBox) != 4 || s.transform() == nil {
			return none
		}
		return compare(s, s.item.BBox)
	})
}

var (
	antimeridian = odd(func(s *subject, b []float64) verdict {
		if s.Ring.Pole != "" || s.Ring.Full {
			return none
		}
		return judge((b[0] > b[2]) == s.Ring.Crosses, b, s.Ring.Bounds)
	})
	pole = odd(func(s *subject, b []float64) verdict {
		if s.GDAL.CRS.Type == "geographic" {
			return none // its rows reach the poles as lines
		}
		round := b[0] == -180 && b[2] == 180
		return judge((round && b[3] == 90) == (s.Ring.Pole == "N") && (round && b[1] == -90) == (s.Ring.Pole == "S"), b, s.Ring)
	})
	fullCircle = odd(func(s *subject, b []float64) verdict {
		if s.Ring.Pole != "" || !s.Ring.Full && s.Ring.East-s.Ring.West > 359.9 {
			return none
		}
		return judge((b[0] == -180 && b[2] == 180) == s.Ring.Full, b, s.Ring.Bounds)
	})
)
