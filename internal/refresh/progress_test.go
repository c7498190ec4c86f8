package refresh

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// Whatever the Shards' scans do, repeated ones included, percent and phase only go forward.
func TestPercentNeverGoesBack(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var p Progress
	now, last := t0, 0
	look := func() {
		if got := p.Percent(); got < last || got > 99 {
			t.Fatalf("percent went from %d to %d", last, got)
		} else {
			last = got
		}
		if p.Sum().Done > p.Totals.Objects {
			t.Fatalf("%d of %d objects are done", p.Sum().Done, p.Totals.Objects)
		}
	}
	p.Enter(Planning, Totals{}, now)
	p.Enter(Scanning, Totals{Objects: 1000, Settled: 300}, now)
	for range 2000 {
		now = now.Add(time.Duration(r.IntN(300)) * time.Millisecond)
		p.Advance(fmt.Sprint(r.IntN(7)), Tally{Done: r.IntN(101)}, now)
		look()
	}
	p.Enter(Publishing, Totals{}, now)
	look()
	p.Enter(Scanning, Totals{Objects: 5}, now) // a repeated plan
	look()
	if p.Phase != Publishing || last != 99 {
		t.Errorf("at the end: %s, %d percent", p.Phase, last)
	}
}

func TestETAFollowsTheRate(t *testing.T) {
	var p Progress
	now := t0
	p.Enter(Planning, Totals{}, now)
	if _, ok := p.ETA(now); ok {
		t.Error("an estimate while planning")
	}
	p.Enter(Scanning, Totals{Objects: 100_000}, now)
	done := 0
	run := func(seconds, rate int) {
		for range seconds * 10 {
			now = now.Add(100 * time.Millisecond)
			done += rate / 10
			p.Advance("s", Tally{Done: done}, now)
		}
	}
	run(0, 0)
	if v := p.View(now); !v.Estimating || v.ETASeconds != nil {
		t.Errorf("an estimate before anything is done: %+v", v)
	}
	run(30, 1000)
	near := func(want float64) {
		t.Helper()
		left, ok := p.ETA(now)
		if !ok || math.Abs(left.Seconds()-want) > 0.1*want {
			t.Errorf("ETA = %v, %v; want about %.0f s", left, ok, want)
		}
	}
	near(70)
	run(60, 500) // it gets slower; the average follows within a few windows
	near(80)
	// Nothing arrives for a while: the estimate counts down and ends at 0.
	before, _ := p.ETA(now)
	after, ok := p.ETA(now.Add(10 * time.Second))
	if !ok || before-after != 10*time.Second {
		t.Errorf("ETA went from %v to %v in 10 s", before, after)
	}
	if left, _ := p.ETA(now.Add(time.Hour)); left != 0 {
		t.Errorf("ETA = %v; want 0", left)
	}
}
