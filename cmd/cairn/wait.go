package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
)

const (
	showEvery = 100 * time.Millisecond // how far a Run of this process is
	lookEvery = time.Second            // at a Run that another process has taken over
)

// runToEnd starts a Run and waits until it has ended, showing how far it is. A Run that this process had to take over first
// is waited for, and so is one that it was handed when its own had ended. When ctx ends, the Runs of this process are
// cancelled; the returned one tells so.
func (a *app) runToEnd(ctx context.Context, e *engine, scope refresh.Scope, d display) (refresh.Run, error) {
	whole := context.WithoutCancel(ctx) // a start or a look that is cut short would leave things unsettled
	for {
		if err := ctx.Err(); err != nil {
			return refresh.Run{}, err
		}
		ans, err := e.desk.Start(whole, refresh.Request{Scope: scope})
		if err != nil {
			var wrong *refresh.ScopeError
			if errors.As(err, &wrong) {
				return refresh.Run{}, usagef("%w", err)
			}
			if errors.Is(err, fs.ErrPermission) {
				err = fmt.Errorf("the catalog %s cannot be written: %w", e.places.catalog, err)
			}
			return refresh.Run{}, err
		}
		if ans.Kind == refresh.Busy {
			l, ours, err := e.ours(whole)
			if err != nil {
				return refresh.Run{}, err
			}
			if !ours {
				if l.Run == ans.Run {
					return refresh.Run{}, busy(e, l)
				}
				continue // it has ended meanwhile
			}
		}
		r, err := e.wait(ctx, ans.Run, d)
		if err != nil || ans.Kind == refresh.Started {
			if err == nil {
				err = e.finish(ctx, d)
			}
			return r, err
		}
	}
}

// busy says who holds the Lease.
func busy(e *engine, l refresh.Lease) error {
	who := "its deployment on AWS"
	if l.Holder.PID != 0 {
		who = fmt.Sprintf("process %d on %s", l.Holder.PID, l.Holder.Host)
	}
	return &exitError{exitBusy, fmt.Errorf("%s has been refreshing this catalog since %s (run %s); wait for it, or look with: cairn status --catalog %s",
		who, l.Granted.Local().Format("15:04:05"), l.Run, quote(e.places.catalog.String()))}
}

// wait returns the record of a Run of this process once it has ended. When ctx ends first, the Run is cancelled.
func (e *engine) wait(ctx context.Context, run string, d display) (refresh.Run, error) {
	defer d.end()
	tick := time.NewTicker(showEvery)
	defer tick.Stop()
	for {
		select {
		case <-e.flow.Ended(run):
			return e.look(ctx, run)
		case <-ctx.Done():
			if err := e.flow.Close(); err != nil {
				return refresh.Run{}, err
			}
			return e.desk.Run(context.WithoutCancel(ctx), run)
		case <-tick.C:
			if p, ok := e.state.Live(run); ok {
				d.show(p)
			}
		}
	}
}

// look returns the record of a Run that this process does not drive any more. One that its driver was not able to settle is
// settled, or the error tells why that is still impossible.
func (e *engine) look(ctx context.Context, run string) (refresh.Run, error) {
	whole := context.WithoutCancel(ctx)
	r, err := e.desk.Run(whole, run)
	if err != nil || r.Ended != nil {
		return r, err
	}
	l, ours, err := e.ours(whole)
	if err != nil {
		return r, err
	}
	if ours && l.Run == run {
		return e.desk.Settle(whole, run, l.Fence, &refresh.Problem{Code: "interrupted", Message: "the end of the run could not be recorded at first"})
	}
	return e.desk.Wait(ctx, run, lookEvery) // another process has taken it over
}

// finish waits for the Runs that were waiting and that this process got to drive when its own had ended.
func (e *engine) finish(ctx context.Context, d display) error {
	for ctx.Err() == nil {
		l, ours, err := e.ours(ctx)
		if err != nil || !ours {
			return err
		}
		if _, err := e.wait(ctx, l.Run, d); err != nil {
			return err
		}
	}
	return nil
}
