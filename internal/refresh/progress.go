package refresh

import (
	"math"
	"time"
)

// Totals are what the plan knows of a Run.
type Totals struct {
	Objects   int `json:"objects"`   // listed
	Settled   int `json:"settled"`   // of them, those that need no scan: ignored ones and those of carried Parts
	Unchanged int `json:"unchanged"` // of the settled ones, those of carried Parts
	Items     int `json:"items"`     // in carried Parts
	Rejects   int `json:"rejects"`   // in carried Parts
}

// A Tally is how far the scan of a Shard is.
type Tally struct {
	Done      int `json:"done"` // Objects
	Items     int `json:"items"`
	Rejects   int `json:"rejects"`
	Unchanged int `json:"unchanged"` // Objects
	Removed   int `json:"removed"`   // Items
	// Final: the Shard's scan has ended, so this one must not be left out by who writes only some.
	Final bool `json:"final,omitempty"`
}

// Progress is what a Tracker knows of a Run.
type Progress struct {
	Phase  Phase            `json:"phase"`
	Totals Totals           `json:"totals"`
	Shards map[string]Tally `json:"shards,omitempty"`
	Scans  Tally            `json:"scans"` // sum of Shards
	Rate   Rate             `json:"rate"`
}

// Sum adds the Shards' tallies to what needed no scan. Done is at most Totals.Objects.
func (p Progress) Sum() Tally {
	t := p.Scans
	t.add(Tally{Done: p.Totals.Settled, Items: p.Totals.Items, Rejects: p.Totals.Rejects, Unchanged: p.Totals.Unchanged}, 1)
	t.Done = min(t.Done, p.Totals.Objects)
	return t
}

func (t *Tally) add(o Tally, sign int) {
	t.Done += sign * o.Done
	t.Items += sign * o.Items
	t.Rejects += sign * o.Rejects
	t.Unchanged += sign * o.Unchanged
	t.Removed += sign * o.Removed
}

// Advance notes a Shard's tally; a Shard's Done never goes back, so that a repeated scan does not show as one.
func (p *Progress) Advance(shard string, t Tally, now time.Time) {
	if p.Shards == nil {
		p.Shards = map[string]Tally{}
	}
	t.Done = max(t.Done, p.Shards[shard].Done)
	p.Scans.add(p.Shards[shard], -1)
	p.Scans.add(t, 1)
	p.Shards[shard] = t
	p.Rate.Observe(now, p.Scans.Done)
}

// Enter notes a phase. Phases only go forward: a repeated step of an earlier one changes nothing.
func (p *Progress) Enter(phase Phase, t Totals, now time.Time) {
	if phaseOrder(phase) < phaseOrder(p.Phase) {
		return
	}
	p.Phase = phase
	if phase == Scanning {
		p.Totals = t
		p.Rate.Observe(now, 0)
	}
}

func phaseOrder(p Phase) int {
	switch p {
	case Planning:
		return 1
	case Scanning:
		return 2
	case Publishing:
		return 3
	}
	return 0
}

// Percent of the Run, 0 to 99 (only an ended Run is at 100). Scanning is all of it but the last one: listing cannot tell how
// far it is, and publishing is short.
func (p Progress) Percent() int {
	switch p.Phase {
	case Scanning:
		if p.Totals.Objects == 0 {
			return 98
		}
		return int(98 * int64(p.Sum().Done) / int64(p.Totals.Objects))
	case Publishing:
		return 99
	}
	return 0
}

// ETA is the time left by the moving average of the scan's rate. ok is false while that means nothing yet.
func (p Progress) ETA(now time.Time) (left time.Duration, ok bool) {
	switch p.Phase {
	case Scanning:
		return p.Rate.Left(p.Totals.Objects-p.Sum().Done, now)
	case Publishing:
		return 0, true
	}
	return 0, false
}

// A Rate is an exponentially weighted moving average of Objects a second, weighted by time, so that it does not matter how
// often it is told.
type Rate struct {
	Since   time.Time `json:"since,omitzero"` // the first observation
	At      time.Time `json:"at,omitzero"`    // the last one that counted
	Done    int       `json:"done,omitempty"`
	Average float64   `json:"average,omitempty"` // Objects a second
}

const (
	rateWindow = 10 * time.Second       // what lies further back than this hardly counts
	rateStep   = 200 * time.Millisecond // shorter steps are joined, they only add noise
	rateWarmUp = time.Second            // before this an estimate means nothing
)

// Observe notes that done Objects are done by now.
func (r *Rate) Observe(now time.Time, done int) {
	if r.Since.IsZero() {
		r.Since, r.At, r.Done = now, now, done
		return
	}
	dt := now.Sub(r.At)
	if dt < rateStep || done < r.Done {
		return
	}
	current := float64(done-r.Done) / dt.Seconds()
	if r.Average == 0 {
		r.Average = current
	} else {
		w := 1 - math.Exp(-dt.Seconds()/rateWindow.Seconds())
		r.Average += w * (current - r.Average)
	}
	r.At, r.Done = now, done
}

// Left estimates the time for n more Objects; ok is false before the warm-up and while nothing moves.
func (r Rate) Left(n int, now time.Time) (left time.Duration, ok bool) {
	if r.Average <= 0 || r.At.Sub(r.Since) < rateWarmUp {
		return 0, false
	}
	eta := time.Duration(float64(n) / r.Average * float64(time.Second))
	// Since the last observation time has passed, too.
	return max(0, eta-now.Sub(r.At)), true
}
