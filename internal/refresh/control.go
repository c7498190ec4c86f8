package refresh

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Control is the one small record that says which Run holds the Lease and which wait. Its methods are pure: they return
// the next record and leave the receiver as it was. A transition takes effect by one conditional write of the result.
type Control struct {
	Fence   uint64    `json:"fence"` // the last one granted; it only grows
	Lease   *Lease    `json:"lease,omitempty"`
	Waiting []Waiting `json:"waiting,omitempty"` // first come, first served, but for those that are to wait longer
	Last    *Run      `json:"last,omitempty"`    // the last ended Run that held the Lease
	// Published is what readers see since the last successful Run.
	Published Published `json:"published"`
}

// Published are the figures of the published Snapshot.
type Published struct {
	Snapshot    uint64 `json:"snapshot"`
	Items       int    `json:"items"`
	Collections int    `json:"collections"`
}

// A Lease is the exclusive right of one Run to refresh the Catalog.
type Lease struct {
	Run      string    `json:"run_id"`
	Fence    uint64    `json:"fence"`
	Scope    Scope     `json:"scope"`
	Accepted time.Time `json:"accepted"`
	Granted  time.Time `json:"granted"`
	Expires  time.Time `json:"expires"`
	Holder   Holder    `json:"holder"`             // zero: a remote workflow drives the Run
	Launched bool      `json:"launched,omitempty"` // the driver has begun
	Cancel   bool      `json:"cancel,omitempty"`   // somebody asked to cancel it
	Events   bool      `json:"events,omitempty"`   // as in Waiting, with the next
	Failures int       `json:"failures,omitempty"`
}

// remote tells whether a workflow drives the Run, and no process.
func (l Lease) remote() bool { return l.Holder == Holder{} }

// A Holder is the process that drives a Run, where a process does. Its lock tells others on its host that it lives.
type Holder struct {
	Host string `json:"host,omitempty"`
	PID  int    `json:"pid,omitempty"`
	Lock string `json:"lock,omitempty"` // names the holder's lock
}

// A Grant says who gets a Lease and until when.
type Grant struct {
	Holder Holder
	Now    time.Time
	TTL    time.Duration
}

// A Request asks for a Run.
type Request struct {
	Run   string // fresh id
	Scope Scope
	Queue bool // wait if another one runs
	// Events: the Scope is what events told of, or all of the Source where the clock asks. It joins that of the Run that waits with the scope of earlier events, or waits as
	// the first of its kind, and is never refused.
	Events bool
	// Eager, with Events: earlier failures are no reason to wait any longer.
	Eager bool
	// Key is the client's own name for the request (Idempotency-Key), or "": asking again under it answers the same.
	Key string
}

// An Answer says what became of a Request.
type Answer struct {
	Kind     AnswerKind `json:"kind"`
	Run      string     `json:"run_id"`             // the started, running or waiting one
	Position int        `json:"position,omitempty"` // of a queued one, from 1
}

// AnswerKind is what became of a Request.
type AnswerKind string

// The kinds of Answer.
const (
	Started   AnswerKind = "started"    // the Request's Run holds the Lease
	Busy      AnswerKind = "busy"       // another Run holds the Lease; the Request was not kept
	Queued    AnswerKind = "queued"     // it waits, or joined a waiting Run
	QueueFull AnswerKind = "queue_full" // too many wait
)

// Errors of transitions.
var (
	// ErrLeaseLost: the Run does not hold the Lease with this fence, or no longer.
	ErrLeaseLost = errors.New("lease lost")
	// ErrNoRun: no such Run holds the Lease or waits.
	ErrNoRun = errors.New("no such run")
)

func (c Control) clone() Control {
	c.Waiting = slices.Clone(c.Waiting)
	if c.Lease != nil {
		l := *c.Lease
		c.Lease = &l
	}
	return c
}

// grant gives the free Lease to a Run under a new fence.
func (c *Control) grant(w Waiting, g Grant) {
	c.Fence++
	c.Lease = &Lease{
		Run: w.Run, Fence: c.Fence, Scope: w.Scope, Accepted: w.Accepted, Events: w.Events, Failures: w.Failures,
		Granted: g.Now, Expires: g.Now.Add(g.TTL), Holder: g.Holder,
	}
}

// Start answers a Request. A free Lease goes to the Request's Run, unless Runs wait for nothing else: those go first (Promote).
// Asking again for a Run that runs, waits, or was the last to end changes nothing.
func (c Control) Start(r Request, g Grant) (Control, Answer) {
	w := Waiting{Run: r.Run, Scope: r.Scope, Accepted: g.Now, Events: r.Events}
	if r.Events {
		w.Scope = w.Scope.bounded()
	}
	next := c.next(g.Now)
	switch {
	case c.Lease != nil && c.Lease.Run == r.Run, c.Last != nil && c.Last.ID == r.Run:
		return c, Answer{Kind: Started, Run: r.Run}
	case c.position(r.Run) > 0:
		return c, Answer{Kind: Queued, Run: r.Run, Position: c.position(r.Run)}
	case r.Events && c.events() >= 0: // even if that one is made to wait, or a failing one would not be
		return c.collect(w, r.Eager)
	case c.Lease == nil && next < 0:
		c = c.clone()
		c.grant(w, g)
		return c, Answer{Kind: Started, Run: r.Run}
	case r.Events:
		return c.collect(w, r.Eager)
	case !r.Queue && c.Lease != nil:
		return c, Answer{Kind: Busy, Run: c.Lease.Run}
	case !r.Queue:
		return c, Answer{Kind: Busy, Run: c.Waiting[next].Run}
	}
	return c.queue(w)
}

// Holds returns the Lease if run holds it with this fence (any, if 0).
func (c Control) Holds(run string, fence uint64) (Lease, error) {
	if c.Lease == nil {
		return Lease{}, fmt.Errorf("%w: run %s does not hold it, nobody does", ErrLeaseLost, run)
	}
	if c.Lease.Run != run || (fence != 0 && c.Lease.Fence != fence) {
		return Lease{}, fmt.Errorf("%w: run %s holds it with fence %d", ErrLeaseLost, c.Lease.Run, c.Lease.Fence)
	}
	return *c.Lease, nil
}

// Renew moves the Lease's expiry and notes that the driver has begun. The Lease of another Run or fence is ErrLeaseLost.
func (c Control) Renew(run string, fence uint64, g Grant) (Control, error) {
	c, err := c.extend(run, fence, g)
	if err == nil {
		c.Lease.Launched = true
	}
	return c, err
}

// extend moves the Lease's expiry.
func (c Control) extend(run string, fence uint64, g Grant) (Control, error) {
	if _, err := c.Holds(run, fence); err != nil {
		return c, err
	}
	c = c.clone()
	c.Lease.Expires = g.Now.Add(g.TTL)
	return c, nil
}

// Own gives a Run's Lease to another holder under a new fence, so that whoever held it before can publish nothing. It is
// for a Run that was granted the Lease but whose process ended before it began.
func (c Control) Own(run string, fence uint64, g Grant) (Control, error) {
	l, err := c.Holds(run, fence)
	if err != nil {
		return c, err
	}
	c = c.clone()
	c.grant(l.waiting(), g)
	c.Lease.Granted, c.Lease.Cancel = l.Granted, l.Cancel
	return c, nil
}

// Cancel takes a waiting Run out of the queue (and returns it as a dismissed Run), or marks a running one, whose driver
// and settle then see to it. Marking twice changes nothing.
func (c Control) Cancel(run string, now time.Time) (Control, *Run, error) {
	if c.Lease != nil && c.Lease.Run == run {
		c = c.clone()
		c.Lease.Cancel = true
		return c, nil, nil
	}
	i := slices.IndexFunc(c.Waiting, func(w Waiting) bool { return w.Run == run })
	if i < 0 {
		return c, nil, fmt.Errorf("cancel run %s: %w", run, ErrNoRun)
	}
	c = c.clone()
	w := c.Waiting[i]
	c.Waiting = slices.Delete(c.Waiting, i, i+1)
	return c, &Run{ID: w.Run, State: Dismissed, Scope: w.Scope, Events: w.Events, Accepted: w.Accepted, Ended: &now}, nil
}

// Settle releases the Lease if the ended Run still holds it. Otherwise it changes nothing and is ErrLeaseLost. What a Run of
// events was to look at is looked at again, unless it was successful or somebody cancelled it: by a Run with the given id.
func (c Control) Settle(r Run, p Published, again string) (Control, error) {
	l, err := c.Holds(r.ID, r.Fence)
	if err != nil {
		return c, err
	}
	c = c.clone()
	c.Lease = nil
	c.Last = &r
	if p.Snapshot != 0 {
		c.Published = p
	}
	switch i := c.events(); {
	case l.Events && r.State != Successful && !l.Cancel:
		c.retry(l, r, again)
	case r.State == Successful && l.Scope.whole() && i >= 0: // whatever it was that made events fail
		c.Waiting[i].NotBefore = time.Time{}
	}
	return c, nil
}
