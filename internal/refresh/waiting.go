package refresh

import (
	"slices"
	"time"
)

// MaxWaiting is how many Runs may wait for the Lease, besides the one that collects events.
const MaxWaiting = 20

// Waiting is a Run that waits for the Lease.
type Waiting struct {
	Run      string    `json:"run_id"`
	Scope    Scope     `json:"scope"`
	Accepted time.Time `json:"accepted"`
	// Events: the Run collects what events tell of. At most one does.
	Events bool `json:"events,omitempty"`
	// Failures is how often in a row a Run of the same events has failed. The next one waits longer each time.
	Failures  int       `json:"failures,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
}

// waiting is the Run of a Lease as one that waits.
func (l Lease) waiting() Waiting {
	return Waiting{Run: l.Run, Scope: l.Scope, Accepted: l.Accepted, Events: l.Events, Failures: l.Failures}
}

// next is the index of the Run that has waited longest of those that wait for nothing but the Lease; -1 if there is none.
func (c Control) next(now time.Time) int {
	return slices.IndexFunc(c.Waiting, func(w Waiting) bool { return !w.NotBefore.After(now) })
}

// events is the index of the Run that collects events; -1 if there is none.
func (c Control) events() int {
	return slices.IndexFunc(c.Waiting, func(w Waiting) bool { return w.Events })
}

// position of a waiting Run, from 1; 0 if it does not wait.
func (c Control) position(run string) int {
	return 1 + slices.IndexFunc(c.Waiting, func(w Waiting) bool { return w.Run == run })
}

// Promote gives a free Lease to the Run that has waited longest and tells whether it did. Who makes it so must launch it.
func (c Control) Promote(g Grant) (Control, bool) {
	i := c.next(g.Now)
	if c.Lease != nil || i < 0 {
		return c, false
	}
	c = c.clone()
	w := c.Waiting[i]
	c.Waiting = slices.Delete(c.Waiting, i, i+1)
	c.grant(w, g)
	return c, true
}

// queue lets a Run wait, or answers with the one that waits to do the same.
func (c Control) queue(w Waiting) (Control, Answer) {
	others := 0
	for i, o := range c.Waiting {
		switch {
		case o.Events: // may be made to wait for long
		case o.Scope.Equal(w.Scope):
			return c, Answer{Kind: Queued, Run: o.Run, Position: i + 1}
		default:
			others++
		}
	}
	if others >= MaxWaiting {
		return c, Answer{Kind: QueueFull}
	}
	c = c.clone()
	c.Waiting = append(c.Waiting, w)
	return c, Answer{Kind: Queued, Run: w.Run, Position: len(c.Waiting)}
}

// collect adds the scope of events to that of the Run that waits with earlier ones, or lets this one wait as the first.
func (c Control) collect(w Waiting, eager bool) (Control, Answer) {
	c = c.clone()
	i := c.events()
	if i < 0 {
		c.Waiting = append(c.Waiting, w)
		return c, Answer{Kind: Queued, Run: w.Run, Position: len(c.Waiting)}
	}
	o := &c.Waiting[i]
	o.Scope = o.Scope.join(w.Scope)
	if eager {
		o.NotBefore = time.Time{}
	}
	return c, Answer{Kind: Queued, Run: o.Run, Position: i + 1}
}

// Of a Run of events that failed: the wait before the next one, doubled each time.
const (
	firstBackOff = 15 * time.Second
	mostBackOff  = time.Hour
)

func backOff(failures int) time.Duration {
	d := firstBackOff
	for ; failures > 1 && d < mostBackOff; failures-- {
		d *= 2
	}
	return min(d, mostBackOff)
}

// retry lets what a Run of events was to look at wait again, together with what came meanwhile. After a failure it waits for some
// time; a Run that was dismissed because its process stopped is not to blame.
func (c *Control) retry(l Lease, r Run, id string) {
	w := Waiting{Run: id, Scope: l.Scope, Accepted: l.Accepted, Events: true, Failures: l.Failures}
	if r.State == Failed {
		w.Failures++
		w.NotBefore = r.Ended.Add(backOff(w.Failures))
	}
	if i := c.events(); i >= 0 {
		o := &c.Waiting[i]
		o.Scope, o.Failures, o.NotBefore = o.Scope.join(w.Scope), w.Failures, w.NotBefore
		return
	}
	c.Waiting = append(c.Waiting, w)
}
