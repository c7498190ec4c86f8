package snapshot

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/stac"
)

func randomExtent(rnd *rand.Rand) extent {
	var e extent
	if rnd.IntN(10) > 0 {
		e.box = randomBox(rnd)
	}
	if rnd.IntN(10) > 0 {
		from := time.Unix(rnd.Int64N(4e9)-2e9, rnd.Int64N(1e9))
		to := from.Add(time.Duration(rnd.Int64N(int64(time.Hour * 100))))
		e.from, e.to = &from, &to
	}
	return e
}

func itemOf(e extent) *stac.Item {
	it := &stac.Item{Properties: map[string]any{}}
	if e.box != nil {
		it.BBox = e.box[:]
	}
	if e.from != nil {
		it.Properties["start_datetime"] = e.from.Format(time.RFC3339Nano)
		it.Properties["end_datetime"] = e.to.Format(time.RFC3339Nano)
	}
	return it
}

func randomQuery(rnd *rand.Rand) Query {
	var q Query
	if rnd.IntN(4) > 0 {
		q.BBox = randomBox(rnd)
	}
	e := randomExtent(rnd)
	if rnd.IntN(2) == 0 {
		q.Start = e.from
	}
	if rnd.IntN(2) == 0 {
		q.End = e.to
	}
	return q
}

// Neither the index nor a row's bounds may turn away what the exact filter takes.
func TestPrefiltersAreSound(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	matched, passed := 0, 0
	for range 300 {
		x := &index{offsets: []int64{0}}
		var sum stac.Summary
		extents := make([]extent, 1+rnd.IntN(40))
		for i := range extents {
			extents[i] = randomExtent(rnd)
			x.add("a", extents[i])
			sum.Add(itemOf(extents[i]))
		}
		for range 40 {
			q := randomQuery(rnd)
			f := q.filter()
			for i, e := range extents {
				if x.passes(i, &f) {
					passed++
				}
				if !q.meets(e) {
					continue
				}
				matched++
				if !x.passes(i, &f) {
					t.Fatalf("index rejects %+v for %+v", e, q)
				}
				if !q.mayMeet(&sum) {
					t.Fatalf("bounds %+v reject %+v for %+v", sum, e, q)
				}
			}
		}
	}
	if matched == 0 || passed > matched*11/10 {
		t.Errorf("%d matched, the index let %d pass", matched, passed)
	}
}

// Values between two float32 or two minutes, at the edges of what can be told.
func TestRoundingIsOutwards(t *testing.T) {
	for _, v := range []float64{0, 0.1, -0.1, 179.99999999, -180, 1e-300, -1e-300, math.Pi, 33.333333333333336} {
		if lo, hi := floatBelow(v), floatAbove(v); float64(lo) > v || float64(hi) < v || float64(hi)-float64(lo) > 1e-4 {
			t.Errorf("%v is not within %v and %v", v, lo, hi)
		}
	}
	for _, s := range []string{"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000001Z", "1969-12-31T23:59:59.9Z",
		"1969-12-31T23:59:00Z", "2024-02-29T12:34:56Z", "1900-01-01T00:00:30Z"} {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		lo, hi := time.Unix(int64(minuteBelow(at))*60, 0), time.Unix(int64(minuteAbove(at))*60, 0)
		if lo.After(at) || hi.Before(at) || hi.Sub(lo) > time.Minute {
			t.Errorf("%s is not within %v and %v", s, lo, hi)
		}
	}
	for _, far := range []time.Time{time.Unix(math.MaxInt32*60+61, 0), time.Unix(1<<55, 0)} {
		if minuteBelow(far) != math.MaxInt32 || minuteAbove(far) != math.MaxInt32 {
			t.Errorf("%v is not saturated", far)
		}
	}
	if past := time.Unix(-1<<55, 0); minuteBelow(past) != math.MinInt32 || minuteAbove(past) > math.MinInt32+1 {
		t.Error("the far past is not saturated")
	}
	// A box that goes round but for less than a float32 tells does not become a sliver.
	if b := roundOutwards([4]float64{10.00000001, 0, 10, 1}); b[0] != -180 || b[2] != 180 {
		t.Errorf("box %v", b)
	}
}

func TestBoxes(t *testing.T) {
	wrap, east, west, mid := [4]float64{170, -10, -170, 10}, [4]float64{175, 0, 178, 5}, [4]float64{-179, 0, -178, 5}, [4]float64{-10, 0, 10, 5}
	for _, c := range []struct {
		a, b [4]float64
		meet bool
	}{
		{wrap, east, true}, {wrap, west, true}, {wrap, mid, false}, {wrap, wrap, true}, {east, west, false}, {east, east, true},
		{mid, [4]float64{10, 5, 20, 9}, true},    // a corner
		{mid, [4]float64{10, 5.1, 20, 9}, false}, // above it
		{mid, [4]float64{10.1, 0, 20, 5}, false}, // beside it
		{[4]float64{-180, -90, 180, 90}, wrap, true},
	} {
		if boxesMeet(c.a, c.b) != c.meet || boxesMeet(c.b, c.a) != c.meet {
			t.Errorf("%v and %v meet: %v", c.a, c.b, !c.meet)
		}
	}
}

func TestExtentOf(t *testing.T) {
	e, err := extentOf([]byte(`{"bbox":[1,2,3,4,5,6],"properties":{"datetime":"2020-01-01T00:00:00Z","start_datetime":"2019-01-01T00:00:00Z",` +
		`"end_datetime":"2021-01-01T00:00:00+02:00"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if *e.box != [4]float64{1, 2, 4, 5} || e.from.Year() != 2019 || !e.to.Equal(time.Date(2020, 12, 31, 22, 0, 0, 0, time.UTC)) {
		t.Errorf("box %v from %v to %v", *e.box, e.from, e.to)
	}
	for _, bad := range []string{`{"bbox":[1]}`, `{"properties":{"datetime":"yesterday"}}`, `{"properties":{"datetime":5}}`, `[]`} {
		if _, err := extentOf([]byte(bad)); err == nil {
			t.Errorf("no error for %s", bad)
		}
	}
}

func FuzzDecodeIndex(f *testing.F) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 16, 33} {
		x := &index{offsets: []int64{0}}
		for i := range n {
			x.add("a", randomExtent(rnd))
			if i%frameItems == 0 {
				x.offsets = append(x.offsets, x.end()+int64(i)+1)
			}
		}
		f.Add(x.encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := decodeIndex(b)
		if err != nil {
			return
		}
		if x.bytes() > 8*int64(len(b))+1024 {
			t.Errorf("%d bytes became %d", len(b), x.bytes())
		}
		y, err := decodeIndex(x.encode())
		if err != nil || !reflect.DeepEqual(x, y) {
			t.Errorf("decoded to %v, encoded and decoded to %v, error %v", x, y, err)
		}
		if int64(len(x.encode())) > maxIndex(x.len()) {
			t.Errorf("index of %d items takes %d bytes", x.len(), len(x.encode()))
		}
	})
}

// Random numbers do not compress: what bounds the read of an index has to hold then, too.
func TestIndexIsWithinItsBound(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 16, 17, 5000, 50_000} {
		x := &index{offsets: make([]int64, 1+(n+frameItems-1)/frameItems)}
		for i := range x.offsets[1:] {
			x.offsets[i+1] = x.offsets[i] + 1 + rnd.Int64N(maxFrame)
		}
		for c := range x.columns {
			x.columns[c] = make([]uint32, n)
			for i := range x.columns[c] {
				x.columns[c][i] = rnd.Uint32()
			}
		}
		content := x.encode()
		frame := appendSkippable(nil, content)
		if int64(len(frame)) > maxIndex(n) {
			t.Errorf("%d items: %d bytes, bound %d", n, len(frame), maxIndex(n))
		}
		back, rest, err := cutSkippable(frame, int(maxIndex(n)))
		if err != nil || len(rest) > 0 || !bytes.Equal(back, content) {
			t.Errorf("%d items: not what was put in (error %v)", n, err)
		}
	}
}
