package refresh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cairn-stac/cairn/internal/snapshot"
)

// KeepRuns is how many ended Runs the history keeps.
const KeepRuns = 1000

// Settle ends a Run: it closes Head to the Run's fence, so that a stalled publish cannot succeed any more, records how the Run
// ended, releases the Lease and launches the Run that has waited longest. cause is why the driver stopped early; a Run whose
// Snapshot is published was successful whatever came after. Settling a Run again changes nothing and returns its record. fence
// 0 stands for whichever the Run holds.
func (d *Desk) Settle(ctx context.Context, run string, fence uint64, cause *Problem) (Run, error) {
	c, _, err := d.State.Load(ctx)
	if err != nil {
		return Run{}, fmt.Errorf("settle run %s: %w", run, err)
	}
	l, err := c.Holds(run, fence)
	if err != nil {
		r, rerr := d.State.Run(ctx, run)
		if rerr != nil {
			return Run{}, fmt.Errorf("settle run %s: %w", run, errors.Join(err, rerr))
		}
		return r, nil
	}
	r, seen, err := d.ended(ctx, l, cause)
	if err != nil {
		return Run{}, fmt.Errorf("settle run %s: %w", run, err)
	}
	if r, err = d.State.PutRun(ctx, r); err != nil {
		return Run{}, fmt.Errorf("settle run %s: %w", run, err)
	}
	r.Fence = l.Fence
	if err := d.release(ctx, r, seen); err != nil {
		return Run{}, fmt.Errorf("settle run %s: %w", run, err)
	}
	if err := d.State.PruneRuns(ctx, KeepRuns); err != nil {
		d.Log.WarnContext(ctx, "prune the history of runs", "error", err)
	}
	return r, nil
}

// ended finds out how the Run of a Lease ended, and the highest fence that Head has seen.
func (d *Desk) ended(ctx context.Context, l Lease, cause *Problem) (r Run, seen uint64, err error) {
	head, err := snapshot.Close(ctx, d.Catalog, l.Fence, l.Run)
	if err != nil {
		return Run{}, 0, err
	}
	now := d.now()
	r = Run{ID: l.Run, Scope: l.Scope, Events: l.Events, Fence: l.Fence, Accepted: l.Accepted, Started: &l.Granted, Ended: &now, Snapshot: head.Snapshot}
	var out outcome
	switch err := getJSON(ctx, d.Catalog, outcomeKey(l.Run, l.Fence), &out); {
	case err == nil:
		r.Counts, r.RejectCodes, r.Warnings = out.Counts, out.RejectCodes, out.Warnings
	case errors.Is(err, errNotWhole):
		d.Log.WarnContext(ctx, "what the run found is lost", "run", l.Run, "error", err)
		out = outcome{}
	case !errors.Is(err, fs.ErrNotExist):
		return Run{}, 0, err
	}
	switch {
	case head.Run == l.Run, out.Unchanged:
		r.State = Successful
	case l.Cancel, cause != nil && cause.Code == "cancelled":
		r.State = Dismissed
	default:
		r.State, r.Error = Failed, d.why(ctx, l, cause)
	}
	if r.State != Successful {
		r.Counts, r.RejectCodes, r.Warnings = Counts{}, nil, nil
	}
	return r.bounded(), head.Claim, nil
}

// release frees the Lease if the ended Run still holds it, and launches the next one, with a fence above what Head has seen.
func (d *Desk) release(ctx context.Context, r Run, seen uint64) error {
	var p Published
	if r.State == Successful {
		p = Published{Snapshot: r.Snapshot, Items: r.Counts.Items, Collections: r.Counts.Collections}
	}
	g := d.grant()
	again := NewRunID(g.Now)
	promoted := false
	c, err := d.update(ctx, func(c Control) (Control, error) {
		n, err := c.Settle(r, p, again)
		if err != nil {
			return c, errStop // somebody else settled it
		}
		n.Fence = max(n.Fence, seen)
		if promoted = false; !d.Workflow.Closing() {
			n, promoted = n.Promote(g)
		}
		return n, nil
	}, func(c Control) bool { return c.Last != nil && c.Last.ID == r.ID })
	if err != nil {
		return err
	}
	if promoted && c.Lease != nil {
		return d.launch(ctx, *c.Lease)
	}
	return nil
}
