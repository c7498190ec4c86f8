package refresh

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cairn-stac/cairn/internal/snapshot"
)

// Reap looks after what nobody else does: a free Lease while Runs wait, a Lease that ran out or whose holder is gone, and, without
// waiting for that, one of a remote workflow that is not known to have begun or that is to be cancelled. It tells whether it changed
// anything. Calling it at any time, from anywhere, is safe.
func (d *Desk) Reap(ctx context.Context) (changed bool, err error) {
	c, _, err := d.State.Load(ctx)
	if err != nil {
		return false, fmt.Errorf("reap: %w", err)
	}
	g := d.grant()
	if !d.stale(c, g.Now) && (c.Lease == nil || !c.Lease.remote() || c.Lease.Launched && !c.Lease.Cancel) {
		return false, nil
	}
	if c.Lease == nil {
		if d.Workflow.Closing() {
			return false, nil
		}
		return d.promote(ctx)
	}
	l := *c.Lease
	state, err := d.Workflow.Describe(ctx, l)
	if err != nil {
		return false, fmt.Errorf("reap run %s: %w", l.Run, err)
	}
	switch state {
	case LaunchRunning:
		if l.Cancel {
			d.stop(ctx, l)
		}
		if held := g.Now.Sub(l.Granted); held > longRun {
			d.Log.WarnContext(ctx, "run takes long", "run", l.Run, "lease_seconds", held.Seconds()) // an alarm of the template's counts on it
		}
		_, err := d.Renew(ctx, l.Run, l.Fence)
		return false, ignoreLost(err)
	case LaunchEnded:
		_, err := d.Settle(ctx, l.Run, l.Fence, interrupted(l))
		return err == nil, ignoreLost(err)
	case LaunchAbsent:
		if l.Cancel && l.remote() { // then nobody has begun it, and nobody need
			_, err := d.Settle(ctx, l.Run, l.Fence, nil)
			return err == nil, ignoreLost(err)
		}
		if g.Now.Sub(l.Granted) > launchPatience {
			_, err := d.Settle(ctx, l.Run, l.Fence, &Problem{Code: "not_started",
				Message: "the workflow could not be started for an hour; the log of who tried says why: put that right and refresh again"})
			return err == nil, ignoreLost(err)
		}
		return d.relaunch(ctx, l)
	}
	return false, nil
}

// longRun is how long a Run may take before the reaper remarks on it.
const longRun = time.Hour

// interrupted is why a Run failed that its driver left unsettled.
func interrupted(l Lease) *Problem {
	if l.remote() {
		return &Problem{Code: CodeWorkflow, Message: "the workflow ended without telling why; the next refresh takes over what it had scanned"}
	}
	return &Problem{Code: "interrupted", Message: "the process that ran the refresh has ended; the next refresh takes over what it had scanned"}
}

// ignoreLost: that somebody else changed the Lease first is what Reap is there for.
func ignoreLost(err error) error {
	if errors.Is(err, ErrLeaseLost) {
		return nil
	}
	return err
}

func (d *Desk) promote(ctx context.Context) (bool, error) {
	g := d.grant()
	promoted := false
	c, err := d.update(ctx, func(c Control) (Control, error) {
		n, ok := c.Promote(g)
		if promoted = ok; !ok {
			return c, errStop
		}
		return n, nil
	}, func(c Control) bool { return c.Lease != nil })
	if err != nil || !promoted || c.Lease == nil {
		return false, err
	}
	return true, d.launch(ctx, *c.Lease)
}

// relaunch launches a Run that was granted the Lease but is not known to have begun. A remote workflow starts a Run once however
// often it is asked. Where a process drives Runs this one takes the Run over, under a new fence.
func (d *Desk) relaunch(ctx context.Context, l Lease) (bool, error) {
	switch _, err := d.State.Run(ctx, l.Run); {
	case err == nil: // its end is recorded already, only the Lease was not released
		_, err := d.Settle(ctx, l.Run, l.Fence, nil)
		return err == nil, ignoreLost(err)
	case !errors.Is(err, ErrNotFound):
		return false, fmt.Errorf("take over run %s: %w", l.Run, err)
	}
	g := d.grant()
	next := func(c Control) (Control, error) { return c.extend(l.Run, l.Fence, g) }
	if g.Holder != (Holder{}) || !l.remote() {
		// As in Settle: first nobody can publish with the old fence any more, then the Lease changes hands.
		head, err := snapshot.Close(ctx, d.Catalog, l.Fence, l.Run)
		if err != nil {
			return false, fmt.Errorf("take over run %s: %w", l.Run, err)
		}
		if head.Run == l.Run {
			_, err := d.Settle(ctx, l.Run, l.Fence, nil)
			return err == nil, ignoreLost(err)
		}
		next = func(c Control) (Control, error) { return c.Own(l.Run, l.Fence, g) }
	}
	c, err := d.update(ctx, next, func(c Control) bool {
		return c.Lease != nil && c.Lease.Run == l.Run && c.Lease.Holder == g.Holder && !c.Lease.Expires.Before(g.Now.Add(g.TTL))
	})
	if err != nil {
		return false, ignoreLost(err)
	}
	return true, d.launch(ctx, *c.Lease)
}
