package refresh

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// MaxWaiting is how many Runs may wait for the Lease.
const MaxWaiting = 20

// Control is the one small record that says which Run holds the Lease and which wait. Its methods are pure: they return
// the next record and leave the receiver as it was. A transition takes effect by one conditional write of the result.
type Control struct {
	Fence   uint64    `json:"fence"` // the last one granted; it only grows
	Lease   *Lease    `json:"lease,omitempty"`
	Waiting []Waiting `json:"waiting,omitempty"` // first come, first served
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
	Holder   Holder    `json:"holder"`
	Launched bool      `json:"launched,omitempty"` // the driver has begun
	Cancel   bool      `json:"cancel,omitempty"`   // somebody asked to cancel it
}

// A Holder is the process that drives a Run, where a process does. Its lock tells others on its host that it lives.
type Holder struct {
	Host string `json:"host,omitempty"`
	PID  int    `json:"pid,omitempty"`
	Lock string `json:"lock,omitempty"` // names the holder's lock
}

// Waiting is a Run that waits for the Lease.
type Waiting struct {
	Run      string    `json:"run_id"`
	Scope    Scope     `json:"scope"`
	Accepted time.Time `json:"accepted"`
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
}

// An Answer says what became of a Request.
type Answer struct {
	Kind     AnswerKind
	Run      string // the started, running or waiting one
	Position int    // of a queued one, from 1
}

// AnswerKind is what became of a Request.
type AnswerKind int

// The kinds of Answer.
const (
	Started   AnswerKind = iota + 1 // the Request's Run holds the Lease
	Busy                            // another Run holds the Lease; the Request was not kept
	Queued                          // it waits, or joined a waiting Run of equal scope
	QueueFull                       // too many wait
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
		Run: w.Run, Fence: c.Fence, Scope: w.Scope, Accepted: w.Accepted,
		Granted: g.Now, Expires: g.Now.Add(g.TTL), Holder: g.Holder,
	}
}

// Promote gives a free Lease to the Run that has waited longest and tells whether it did. Who makes it so must launch it.
func (c Control) Promote(g Grant) (Control, bool) {
	if c.Lease != nil || len(c.Waiting) == 0 {
		return c, false
	}
	c = c.clone()
	w := c.Waiting[0]
	c.Waiting = slices.Delete(c.Waiting, 0, 1)
	c.grant(w, g)
	return c, true
}

// Start answers a Request. A free Lease goes to the Request's Run, unless Runs wait: those go first (Promote).
func (c Control) Start(r Request, g Grant) (Control, Answer) {
	w := Waiting{Run: r.Run, Scope: r.Scope, Accepted: g.Now}
	switch {
	case c.Lease == nil && len(c.Waiting) == 0:
		c = c.clone()
		c.grant(w, g)
		return c, Answer{Kind: Started, Run: r.Run}
	case !r.Queue && c.Lease != nil:
		return c, Answer{Kind: Busy, Run: c.Lease.Run}
	case !r.Queue:
		return c, Answer{Kind: Busy, Run: c.Waiting[0].Run}
	}
	if i := slices.IndexFunc(c.Waiting, func(o Waiting) bool { return o.Scope.Equal(r.Scope) }); i >= 0 {
		return c, Answer{Kind: Queued, Run: c.Waiting[i].Run, Position: i + 1}
	}
	if len(c.Waiting) >= MaxWaiting {
		return c, Answer{Kind: QueueFull}
	}
	c = c.clone()
	c.Waiting = append(c.Waiting, w)
	return c, Answer{Kind: Queued, Run: r.Run, Position: len(c.Waiting)}
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
	cancel := l.Cancel
	c.grant(Waiting{Run: l.Run, Scope: l.Scope, Accepted: l.Accepted}, g)
	c.Lease.Granted, c.Lease.Cancel = l.Granted, cancel
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
	return c, &Run{ID: w.Run, State: Dismissed, Scope: w.Scope, Accepted: w.Accepted, Ended: &now}, nil
}

// Settle releases the Lease if the ended Run still holds it. Otherwise it changes nothing and is ErrLeaseLost.
func (c Control) Settle(r Run, p Published) (Control, error) {
	if _, err := c.Holds(r.ID, r.Fence); err != nil {
		return c, err
	}
	c = c.clone()
	c.Lease = nil
	c.Last = &r
	if p.Snapshot != 0 {
		c.Published = p
	}
	return c, nil
}
