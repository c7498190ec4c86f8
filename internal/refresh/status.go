package refresh

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"
)

// Status is what GET /refresh/status answers. The first five members are always there, null where nothing is known yet.
type Status struct {
	IsRunning           bool       `json:"is_running"`
	LastRefresh         *time.Time `json:"last_refresh"` // end of the last ended Run, UTC
	LastDurationSeconds *float64   `json:"last_duration_seconds"`
	CollectionsCount    *int       `json:"collections_count"` // published
	Error               *string    `json:"error"`             // of the last ended Run; null while one runs

	RunID       *string       `json:"run_id"` // the running Run, else the last ended one
	State       *RunState     `json:"state"`
	Phase       *Phase        `json:"phase"`
	Progress    *ProgressView `json:"progress"` // null unless a Run runs
	QueueLength int           `json:"queue_length"`
	ItemsCount  *int          `json:"items_count"` // published
	Snapshot    *uint64       `json:"snapshot"`    // published
}

// ProgressView is how far the running Run is.
type ProgressView struct {
	Percent      int      `json:"percent"` // 0 to 99, never goes back within a Run
	ObjectsTotal int      `json:"objects_total"`
	ObjectsDone  int      `json:"objects_done"`
	Items        int      `json:"items"`
	Rejects      int      `json:"rejects"`
	Unchanged    int      `json:"unchanged"`
	Removed      int      `json:"removed"`
	ETASeconds   *float64 `json:"eta_seconds"` // null while estimating
	Estimating   bool     `json:"estimating"`
}

// Status tells how the Catalog's refresh is.
func (d *Desk) Status(ctx context.Context) (Status, error) {
	c, _, err := d.State.Load(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("read status: %w", err)
	}
	s := Status{QueueLength: len(c.Waiting)}
	if p := c.Published; p.Snapshot != 0 {
		s.CollectionsCount, s.ItemsCount, s.Snapshot = &p.Collections, &p.Items, &p.Snapshot
	}
	if r := c.Last; r != nil {
		s.LastRefresh = r.Ended
		seconds := r.Seconds()
		s.LastDurationSeconds = &seconds
		s.RunID, s.State = &r.ID, &r.State
		if r.Error != nil {
			s.Error = &r.Error.Message
		}
	}
	l := c.Lease
	if l == nil {
		return s, nil
	}
	s.RunID = &l.Run
	if d.Workflow.Gone(*l) {
		failed, why := Failed, "the process that ran the refresh has ended; the next refresh takes over what it had scanned"
		s.State, s.Error = &failed, &why
		return s, nil
	}
	p, err := d.State.Progress(ctx, l.Run)
	if err != nil {
		return Status{}, fmt.Errorf("read progress of run %s: %w", l.Run, err)
	}
	if p.Phase == "" {
		p.Phase = Planning
	}
	running := Running
	s.IsRunning, s.State, s.Phase, s.Error = true, &running, &p.Phase, nil
	s.Progress = p.View(d.Now())
	return s, nil
}

// View puts Progress into the words of the status answer.
func (p Progress) View(now time.Time) *ProgressView {
	t := p.Sum()
	v := &ProgressView{
		Percent: p.Percent(), ObjectsTotal: p.Totals.Objects, ObjectsDone: t.Done, Items: t.Items, Rejects: t.Rejects,
		Unchanged: t.Unchanged, Removed: t.Removed, Estimating: true,
	}
	if left, ok := p.ETA(now); ok {
		seconds := math.Ceil(left.Seconds()*10) / 10
		v.ETASeconds, v.Estimating = &seconds, false
	}
	return v
}

// Run returns the record of a Run, whether it waits, runs or has ended; ErrNotFound for any other id.
func (d *Desk) Run(ctx context.Context, id string) (Run, error) {
	c, _, err := d.State.Load(ctx)
	if err != nil {
		return Run{}, err
	}
	for _, r := range c.open() {
		if r.ID == id {
			return r, nil
		}
	}
	return d.State.Run(ctx, id)
}

// open are the Runs that have not ended: those that wait, last come first, then the running one.
func (c Control) open() []Run {
	var out []Run
	for _, w := range slices.Backward(c.Waiting) {
		r := Run{ID: w.Run, State: Accepted, Scope: w.Scope, Events: w.Events, Accepted: w.Accepted}
		if !w.NotBefore.IsZero() {
			r.NotBefore = &w.NotBefore
		}
		out = append(out, r)
	}
	if l := c.Lease; l != nil {
		out = append(out, Run{ID: l.Run, State: Running, Scope: l.Scope, Events: l.Events, Fence: l.Fence, Accepted: l.Accepted, Started: &l.Granted})
	}
	return out
}

// Runs yields Runs, newest first: those that have not ended, then the history. before, an id, starts below it.
func (d *Desk) Runs(ctx context.Context, before string) iter.Seq2[Run, error] {
	return func(yield func(Run, error) bool) {
		c, _, err := d.State.Load(ctx)
		if err != nil {
			yield(Run{}, err)
			return
		}
		open := map[string]bool{}
		for _, r := range c.open() {
			open[r.ID] = true
			if (before == "" || r.ID < before) && !yield(r, nil) {
				return
			}
		}
		for r, err := range d.State.Runs(ctx, before) {
			if open[r.ID] { // recorded, and about to be released
				continue
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// Wait returns the record of a Run once it has ended; it looks every interval. A Run that is nowhere to be found is
// ErrNotFound.
func (d *Desk) Wait(ctx context.Context, run string, interval time.Duration) (Run, error) {
	for {
		r, err := d.Run(ctx, run)
		if err != nil {
			return Run{}, err
		}
		if r.Ended != nil {
			return r, nil
		}
		select {
		case <-ctx.Done():
			return Run{}, ctx.Err()
		case <-time.After(interval):
		}
	}
}
