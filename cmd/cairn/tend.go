package main

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/watch"
)

const (
	reapEvery  = 3 * time.Second
	healEvery  = 15 * time.Minute // a Run of everything beside watching, for what events missed
	unwatched  = time.Minute      // between Runs where the file system tells nothing
	startAgain = 5 * time.Second  // after a start that did not succeed
	tellEvery  = time.Minute      // of the same trouble
	endTime    = 10 * time.Second // for what is under way when the server stops
	watchAgain = 10 * time.Second // after the folder went
)

// freshness says how a server keeps its Catalog fresh.
type freshness struct {
	first     bool          // a Run at the start
	watch     bool          // Runs by events
	every     time.Duration // between Runs of everything; 0: none
	unwatched time.Duration // the same, where the file system sends no events
	again     time.Duration // until a start is tried again that did not succeed; 0: startAgain
}

func (o serveOptions) freshness() freshness {
	f := freshness{first: true, watch: o.watch, every: o.every, unwatched: o.every}
	if o.watch && !o.timed {
		f.every, f.unwatched = healEvery, unwatched
	}
	return f
}

// tend keeps the Catalog fresh until ctx is done.
func (e *engine) tend(ctx context.Context, f freshness) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { e.reap(ctx) })
	everything := make(chan struct{}, 1) // something asks for a Run at once
	ask := func() {
		select {
		case everything <- struct{}{}:
		default:
		}
	}
	tick := time.NewTicker(max(f.every, time.Second))
	defer tick.Stop()
	if f.every == 0 {
		tick.Stop()
	}
	if f.watch { // which asks once it sees what happens after the listing
		wg.Go(func() { e.watch(ctx, ask, func() { tick.Reset(f.unwatched) }) })
	} else if f.first {
		ask()
	}
	for {
		// A Run that fails is repeated, as one of events is. What happens anew need not wait for that.
		req := refresh.Request{Events: true}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-everything:
			req.Eager = true
		}
		// A start that is cut short would leave things unsettled.
		start, cancel := unhurried(ctx, endTime)
		ans, err := e.desk.Start(start, req)
		cancel()
		switch {
		case err != nil:
			e.log.Error("start a refresh; tried again in a moment", "error", err)
			wg.Go(func() {
				select {
				case <-ctx.Done():
				case <-time.After(cmp.Or(f.again, startAgain)):
					ask()
				}
			})
		case ans.Kind != refresh.Started:
			e.log.Info("a refresh of everything waits", "run", ans.Run) // for one that runs, or because its like has failed
		}
	}
}

// reap looks after Runs whose process has ended, and those that wait.
func (e *engine) reap(ctx context.Context) {
	var told time.Time // when the log was last told that it cannot
	tick := time.NewTicker(reapEvery)
	defer tick.Stop()
	for {
		look, cancel := unhurried(ctx, endTime)
		_, err := e.desk.Reap(look)
		cancel()
		switch {
		case err == nil:
			told = time.Time{}
		case ctx.Err() == nil && time.Since(told) >= tellEvery:
			e.log.Warn("look after refreshes", "error", err)
			told = time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// watch starts a Run for what changes in the folder of the Source. Each time that it begins to watch it asks for one of
// everything, for what happened before. Where the file system sends no events it says so and returns.
func (e *engine) watch(ctx context.Context, everything, unsupported func()) {
	opt := watch.Options{Ignore: e.ignores, Ready: everything, Log: e.log}
	for {
		err := e.events(ctx, e.source.folder, opt, e.changed)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, watch.ErrUnsupported):
			unsupported()
			everything()
			e.log.Warn("the source cannot be watched; it is looked at from time to time instead (--every says how often)", "error", err)
			return
		}
		e.log.Error("the source is not watched any more; tried again until it is", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(watchAgain):
		}
	}
}

// ignores tells which keys, and folders, are of no concern: what belongs to the Catalog, and files that no Item is made of.
func (e *engine) ignores(key string) bool {
	return e.isOwn(key) || key[len(key)-1] != '/' && e.current.Load().Kind(key) == item.Other
}

// changed starts a Run, or adds to the one that waits.
func (e *engine) changed(ctx context.Context, c watch.Change) error {
	scope := refresh.Scope{Keys: c.Keys, Prefixes: c.Prefixes} // all of the Source, where events were lost
	ctx, cancel := unhurried(ctx, endTime)
	defer cancel()
	_, err := e.desk.Start(ctx, refresh.Request{Events: true, Scope: scope})
	return err
}

// unhurried is a context that outlives ctx by the grace: what is cut short leaves things unsettled, but a place that does not
// answer must not hold up the end.
func unhurried(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return out, func() { stop(); cancel() }
}
