// Package localflow drives Runs with goroutines of this process: the steps that a workflow drives on AWS, in the same order and
// with the same retries.
package localflow

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// A Flow is a refresh.Workflow of this process.
type Flow struct {
	desk   *refresh.Desk
	worker *refresh.Worker
	opt    Options
	lock   *holderLock

	ctx    context.Context // of all drivers
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	driving map[string]*drive // by Run
}

// A drive is a Run that is being driven.
type drive struct {
	fence uint64
	ended chan struct{} // closed when it has
}

var _ refresh.Workflow = (*Flow)(nil)

// Options of a Flow.
type Options struct {
	Scans int           // Shards scanned at once; at least 1
	Renew time.Duration // how often a Lease is renewed; well below the Desk's TTL
	Tries int           // how often a step is tried; at least 1
	Pause time.Duration // before the second try, doubled for each further one
	// Locks is the folder of this host where the process's lock lies, by which others see that it lives; "": a folder of the user's.
	Locks string
	Log   *slog.Logger
}

// New returns a Flow that holds its process's lock until Close. Bind must be called before a Run is launched.
func New(opt Options) (*Flow, error) {
	lock, err := takeLock(opt.Locks)
	if err != nil {
		return nil, err
	}
	f := &Flow{opt: opt, lock: lock, driving: map[string]*drive{}}
	f.ctx, f.cancel = context.WithCancelCause(context.Background())
	return f, nil
}

// Bind gives the Flow what it drives. The Desk's Workflow is the Flow itself.
func (f *Flow) Bind(d *refresh.Desk, w *refresh.Worker) { f.desk, f.worker = d, w }

// Holder is this process.
func (f *Flow) Holder() refresh.Holder { return f.lock.holder }

// Launch drives the Run in a goroutine, if its Lease is this process's.
func (f *Flow) Launch(_ context.Context, l refresh.Lease) error {
	if l.Holder != f.lock.holder {
		return nil // its holder launches it
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if d := f.driving[l.Run]; d != nil && d.fence >= l.Fence {
		return nil
	}
	if f.ctx.Err() != nil {
		return &refresh.RefusedError{Reason: "this process is shutting down"}
	}
	d := &drive{fence: l.Fence, ended: make(chan struct{})}
	f.driving[l.Run] = d
	f.wg.Go(func() {
		defer func() {
			f.mu.Lock()
			if f.driving[l.Run] == d {
				delete(f.driving, l.Run)
			}
			f.mu.Unlock()
			close(d.ended)
		}()
		f.drive(l)
	})
	return nil
}

// Ended is closed once this process does not drive the Run: when it has settled it, has lost it to another process, or could
// not settle it. It costs nobody a request to wait for that.
func (f *Flow) Ended(run string) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d := f.driving[run]; d != nil {
		return d.ended
	}
	return closed
}

var closed = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Describe tells whether the Run's process lives. One that lives but has not renewed its Lease for several of its spans is stuck,
// and counts as ended. Of a Run that a remote workflow drives nothing can be said here, however old its Lease is: whoever can ask that
// workflow sees to it.
func (f *Flow) Describe(_ context.Context, l refresh.Lease) (refresh.LaunchState, error) {
	if l.Holder == (refresh.Holder{}) {
		return refresh.LaunchUnknown, nil
	} else if l.Holder == f.lock.holder {
		f.mu.Lock()
		defer f.mu.Unlock()
		if d := f.driving[l.Run]; d != nil && d.fence == l.Fence {
			return refresh.LaunchRunning, nil
		}
	} else if lives(l.Holder) == alive && f.desk.Now().Sub(l.Expires) < 3*f.desk.TTL {
		return refresh.LaunchUnknown, nil // it will renew, or be stuck
	}
	if l.Launched {
		return refresh.LaunchEnded, nil
	}
	return refresh.LaunchAbsent, nil
}

// Stop does nothing: whoever drives the Run sees at its next renewal that it is to be cancelled.
func (f *Flow) Stop(context.Context, refresh.Lease) error { return nil }

// Gone tells whether the Run's process has surely ended: its lock, on this host, is free.
func (f *Flow) Gone(l refresh.Lease) bool {
	return l.Holder != f.lock.holder && lives(l.Holder) == dead
}

// Closing tells whether this process takes up no Run any more.
func (f *Flow) Closing() bool { return f.ctx.Err() != nil }

// Close cancels the Runs of this process, waits until they are settled, and gives the process's lock back.
func (f *Flow) Close() error {
	f.mu.Lock() // no Launch is between its look at ctx and wg.Go
	f.cancel(refresh.ErrCancelled)
	f.mu.Unlock()
	f.wg.Wait()
	return f.lock.release()
}

// drive takes one Run through its steps.
func (f *Flow) drive(l refresh.Lease) {
	start := time.Now()
	log := f.opt.Log.With("run", l.Run, "fence", l.Fence)
	ctx, stop := context.WithCancelCause(f.ctx)
	defer stop(nil)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		f.renew(ctx, l, stop)
	}()
	err := f.steps(ctx, l)
	cause := context.Cause(ctx) // why it was stopped, if it was
	stop(nil)
	<-renewed
	if cause != nil {
		err = cause
	}
	if errors.Is(err, refresh.ErrLeaseLost) {
		log.WarnContext(ctx, "run was taken over", "error", err)
		return
	}
	// The Run's own context may be cancelled; its end has to be recorded all the same.
	r, serr := retry(context.WithoutCancel(ctx), f.opt, func(ctx context.Context) (refresh.Run, error) {
		return f.desk.Settle(ctx, l.Run, l.Fence, refresh.ProblemOf(err))
	})
	if serr != nil {
		log.ErrorContext(ctx, "run could not be settled yet", "error", serr, "cause", err)
		f.wg.Go(func() { f.settleLater(l, refresh.ProblemOf(err)) })
		return
	}
	args := []any{"state", string(r.State), "objects", r.Counts.Objects, "scanned", r.Counts.Scanned, "items", r.Counts.Items,
		"rejects", r.Counts.Rejects, "elapsed", time.Since(start)}
	if r.Error != nil {
		args = append(args, "error", r.Error.Message)
	}
	if len(r.Warnings) > 0 {
		args = append(args, "warnings", r.Warnings)
	}
	log.InfoContext(ctx, "run ended", args...)
}

// settleLater goes on trying to settle a Run that has ended, so that its record tells why: who comes first else can only tell that it
// ended. It gives up when the Flow is closed, or once the Run is settled by anybody.
func (f *Flow) settleLater(l refresh.Lease, cause *refresh.Problem) {
	tick := time.NewTicker(f.opt.Renew)
	defer tick.Stop()
	for {
		select {
		case <-f.ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := f.desk.Settle(context.WithoutCancel(f.ctx), l.Run, l.Fence, cause); err == nil || errors.Is(err, refresh.ErrLeaseLost) {
			return
		}
	}
}

// steps are plan, scan of every Shard, publish.
func (f *Flow) steps(ctx context.Context, l refresh.Lease) error {
	refs, err := retry(ctx, f.opt, func(ctx context.Context) ([]string, error) { return f.worker.Plan(ctx, l.Run) })
	if err != nil {
		return err
	}
	if err := f.scans(ctx, l, refs); err != nil {
		return err
	}
	_, err = retry(ctx, f.opt, func(ctx context.Context) (struct{}, error) { return struct{}{}, f.worker.Publish(ctx, l.Run) })
	return err
}

func (f *Flow) scans(ctx context.Context, l refresh.Lease, refs []string) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	todo := make(chan string)
	var wg sync.WaitGroup
	for range min(max(1, f.opt.Scans), len(refs)) {
		wg.Go(func() {
			for ref := range todo {
				_, err := retry(ctx, f.opt, func(ctx context.Context) (struct{}, error) { return struct{}{}, f.worker.Scan(ctx, l.Run, ref) })
				if err != nil {
					stop(err)
					return
				}
			}
		})
	}
feed:
	for _, ref := range refs {
		select {
		case todo <- ref:
		case <-ctx.Done():
			break feed
		}
	}
	close(todo)
	wg.Wait()
	return context.Cause(ctx) // of the last Shards too
}

// renew keeps the Lease until the context ends, and stops the Run when the Lease is lost or the Run is to be cancelled.
func (f *Flow) renew(ctx context.Context, l refresh.Lease, stop context.CancelCauseFunc) {
	tick := time.NewTicker(f.opt.Renew)
	defer tick.Stop()
	for {
		now, err := f.desk.Renew(ctx, l.Run, l.Fence)
		switch {
		case errors.Is(err, refresh.ErrLeaseLost):
			stop(err)
			return
		case err != nil && ctx.Err() == nil:
			f.opt.Log.WarnContext(ctx, "lease not renewed", "run", l.Run, "error", err) // again at the next tick
		case err == nil && now.Cancel:
			stop(refresh.ErrCancelled)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// retry calls a step until it succeeds, its error is final, or it was tried often enough. A Scan that stopped before its
// deadline does not count as tried.
func retry[T any](ctx context.Context, opt Options, step func(context.Context) (T, error)) (T, error) {
	pause := opt.Pause
	for try := 1; ; {
		out, err := step(ctx)
		var late *refresh.DeadlineError
		switch {
		case err == nil, ctx.Err() != nil, refresh.Final(err):
			return out, err
		case errors.As(err, &late):
			continue
		case try >= opt.Tries:
			return out, err
		}
		opt.Log.WarnContext(ctx, "step is tried again", "error", err)
		select {
		case <-ctx.Done():
			return out, err
		case <-time.After(pause):
		}
		pause *= 2
		try++
	}
}
