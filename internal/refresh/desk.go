package refresh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// A Desk decides which Run holds the Lease: it starts, cancels, settles and reaps Runs, and tells how they are. Any number of
// Desks, in any processes, may work on one Catalog.
type Desk struct {
	State    State
	Catalog  objstore.Store
	Workflow Workflow
	// TTL is how long a Lease lasts without being renewed.
	TTL time.Duration
	Now func() time.Time
	Log *slog.Logger
}

// launchPatience is how long the start of a Run that nobody has seen is repeated before the Run fails.
const launchPatience = time.Hour

// maxSwaps bounds how often a transition is tried against others. Each round that is lost was won by somebody.
const maxSwaps = 1000

func (d *Desk) grant() Grant {
	return Grant{Holder: d.Workflow.Holder(), Now: d.now(), TTL: d.TTL}
}

// now is the time for records: to the millisecond, which is as fine as people and clients want it.
func (d *Desk) now() time.Time { return d.Now().UTC().Truncate(time.Millisecond) }

// errStop ends an update without a write.
var errStop = errors.New("nothing to change")

// update makes a transition: it loads the record, lets next make the following one, and writes it, again and again until
// nobody else wrote meanwhile. next may end it with errStop, or any other error, which is returned. If a write's reply was lost
// the record tells: applied says whether the loaded one already has the transition's effect.
func (d *Desk) update(ctx context.Context, next func(Control) (Control, error), applied func(Control) bool) (Control, error) {
	var lost error
	for range maxSwaps {
		c, token, err := d.State.Load(ctx)
		if err != nil {
			return c, fmt.Errorf("load control record: %w", errors.Join(err, lost))
		}
		if lost != nil && applied(c) {
			return c, nil
		}
		n, err := next(c)
		if errors.Is(err, errStop) {
			return c, nil
		} else if err != nil {
			return c, err
		}
		switch err := d.State.Swap(ctx, token, n); {
		case err == nil:
			return n, nil
		case errors.Is(err, ErrConflict):
		case lost != nil || ctx.Err() != nil:
			return c, fmt.Errorf("write control record: %w", err)
		default:
			lost = err // unknown: look once, and try once more
		}
	}
	return Control{}, fmt.Errorf("write control record: %w", errors.Join(ErrConflict, lost))
}

// Start asks for a Run. A Request without a Run id gets one. When it answers Started the Run has the Lease and is launched, or
// will be by the reaper. A Lease whose Run has surely ended is taken back first; that this fails is an error, but to events. A *ScopeError tells what is wrong with the
// Request, and ErrKeyReused that its key stands for another one.
func (d *Desk) Start(ctx context.Context, r Request) (Answer, error) {
	if r.Run == "" {
		r.Run = NewRunID(d.Now())
	}
	if r.Events {
		r.Scope = r.Scope.bounded()
	} else if err := r.Scope.validate(); err != nil {
		return Answer{}, err
	}
	r.Scope = r.Scope.normal()
	if r.Key != "" {
		return d.startOnce(ctx, r)
	}
	return d.start(ctx, r)
}

func (d *Desk) start(ctx context.Context, r Request) (Answer, error) {
	lives := false // the reaper has just looked and found nothing to do
	for range maxSwaps {
		var ans Answer
		var stale bool
		g := d.grant()
		c, err := d.update(ctx, func(c Control) (Control, error) {
			if stale = !lives && d.stale(c, g.Now); stale {
				return c, errStop
			}
			c, err := d.aboveHead(ctx, c, g)
			if err != nil {
				return c, err
			}
			n, a := c.Start(r, g)
			ans = a
			if n.Fence == c.Fence && sameWaiting(n.Waiting, c.Waiting) {
				return c, errStop
			}
			return n, nil
		}, func(c Control) bool {
			if c.Lease != nil && c.Lease.Run == r.Run {
				ans = Answer{Kind: Started, Run: r.Run}
				return true
			}
			if i := c.position(r.Run); i > 0 {
				ans = Answer{Kind: Queued, Run: r.Run, Position: i}
				return true
			}
			return false
		})
		if err != nil {
			return Answer{}, fmt.Errorf("start run: %w", err)
		}
		if !stale {
			return ans, d.answered(ctx, c, ans)
		}
		changed, err := d.Reap(ctx)
		switch {
		case err != nil && !r.Events:
			return Answer{}, fmt.Errorf("start run: %w", err)
		case err != nil: // nobody reads an answer to events: what they tell is kept, for whoever can look after the Run before
			d.Log.WarnContext(ctx, "the run before this one is not looked after yet", "waiting", r.Run, "error", err)
		}
		lives = !changed
	}
	return Answer{}, fmt.Errorf("start run: %w", ErrConflict)
}

// answered launches the Run that a Start was answered with, if it holds the Lease. The Run of somebody who died between being granted the
// Lease and launching it is launched by whoever comes next: a remote workflow starts a Run once however often it is asked. That
// it refuses is an error of this Start only where it was told to wait for nothing else.
func (d *Desk) answered(ctx context.Context, c Control, ans Answer) error {
	l := c.Lease
	switch {
	case l == nil:
		return nil
	case ans.Kind == Started && l.Run == ans.Run, ans.Kind == Busy && d.orphan(*l):
		return d.launch(ctx, *l)
	case d.orphan(*l):
		if err := d.launch(ctx, *l); err != nil {
			d.Log.WarnContext(ctx, "the run before this one was not launched", "run", l.Run, "waiting", ans.Run, "error", err)
		}
	}
	return nil
}

// orphan tells whether a Lease is a remote workflow's that is not known to have begun, and this Desk is one that launches those.
func (d *Desk) orphan(l Lease) bool {
	return l.remote() && !l.Launched && !l.Cancel && d.Workflow.Holder() == Holder{} && !d.Workflow.Closing()
}

// sameWaiting tells whether a Start changed nothing of those that wait.
func sameWaiting(a, b []Waiting) bool {
	return slices.EqualFunc(a, b, func(a, b Waiting) bool {
		return a.Run == b.Run && a.Scope.Equal(b.Scope) && a.NotBefore.Equal(b.NotBefore)
	})
}

// stale tells whether the reaper should look before a Start is answered.
func (d *Desk) stale(c Control, now time.Time) bool {
	if c.Lease == nil {
		return c.next(now) >= 0
	}
	return now.After(c.Lease.Expires) || d.Workflow.Gone(*c.Lease)
}

// launch starts the workflow of a Run that was just granted the Lease. A definite refusal fails the Run. After any other error
// the Lease stays: the reaper repeats the launch.
func (d *Desk) launch(ctx context.Context, l Lease) error {
	err := d.Workflow.Launch(ctx, l)
	var no *RefusedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &no):
		_, serr := d.Settle(ctx, l.Run, l.Fence, &Problem{Code: "refused", Message: no.Error()})
		return errors.Join(fmt.Errorf("launch run %s: %w", l.Run, err), serr)
	}
	d.Log.WarnContext(ctx, "launch is unsure and will be repeated", "run", l.Run, "error", err)
	return nil
}

// Cancel dismisses a waiting Run, or marks the running one and asks its workflow to stop; its driver and settle see to the rest, and
// the reaper if the workflow cannot be asked. A Run that has ended or never was is ErrNoRun.
func (d *Desk) Cancel(ctx context.Context, run string) error {
	var gone *Run
	c, err := d.update(ctx, func(c Control) (Control, error) {
		n, r, err := c.Cancel(run, d.now())
		gone = r
		return n, err
	}, func(c Control) bool {
		return c.Lease != nil && c.Lease.Run == run && c.Lease.Cancel ||
			gone != nil && c.position(run) == 0 && (c.Lease == nil || c.Lease.Run != run)
	})
	switch {
	case err != nil:
		return err
	case gone != nil:
		_, err = d.State.PutRun(ctx, *gone)
		return err
	case c.Lease != nil && c.Lease.Run == run:
		d.stop(ctx, *c.Lease)
	}
	return nil
}

// stop asks the workflow to end a cancelled Run. The mark stays if it cannot be asked, so that the reaper asks again.
func (d *Desk) stop(ctx context.Context, l Lease) {
	if err := d.Workflow.Stop(ctx, l); err != nil {
		d.Log.WarnContext(ctx, "the workflow of a cancelled run is not stopped yet", "run", l.Run, "error", err)
	}
}

// Renew moves the Lease's expiry; the driver of a Run calls it every few seconds. The returned Lease tells whether the Run is to
// be cancelled. ErrLeaseLost means that the driver must stop.
func (d *Desk) Renew(ctx context.Context, run string, fence uint64) (Lease, error) {
	want := d.grant()
	c, err := d.update(ctx, func(c Control) (Control, error) { return c.Renew(run, fence, want) },
		func(c Control) bool {
			l, err := c.Holds(run, fence)
			return err == nil && l.Launched && !l.Expires.Before(want.Now.Add(want.TTL))
		})
	if err != nil {
		return Lease{}, fmt.Errorf("renew lease of run %s: %w", run, err)
	}
	return *c.Lease, nil
}

// NewRunID makes the id of a Run: a ULID, so that ids sort by time.
func NewRunID(now time.Time) string {
	return ulid.MustNew(ulid.Timestamp(now), ulid.DefaultEntropy()).String()
}
