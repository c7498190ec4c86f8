package refresh_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// A hooked Store calls before with the number of each call.
type hooked struct {
	objstore.Store
	calls  *atomic.Int64
	before func(n int)
}

func (h hooked) call() { h.before(int(h.calls.Add(1))) }

func (h hooked) List(ctx context.Context, r objstore.Range) iter.Seq2[objstore.Object, error] {
	h.call()
	return h.Store.List(ctx, r)
}

func (h hooked) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	h.call()
	return h.Store.Get(ctx, key, off, n, ifMatch)
}

func (h hooked) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	h.call()
	return h.Store.Put(ctx, key, body, opt)
}

func (h hooked) Delete(ctx context.Context, key string) error {
	h.call()
	return h.Store.Delete(ctx, key)
}

// waiting lets Runs that wait run, one after the other, and returns them.
func (p *proc) waiting(ctx context.Context) []refresh.Run {
	p.rig.t.Helper()
	var runs []refresh.Run
	for range 50 {
		c := p.rig.control()
		switch {
		case c.Lease != nil:
			run, err := p.desk.Settle(ctx, c.Lease.Run, 0, refresh.ProblemOf(p.steps(ctx, c.Lease.Run)))
			if err != nil {
				p.rig.t.Fatal(err)
			}
			runs = append(runs, run)
		case len(c.Waiting) == 0:
			return runs
		default:
			p.rig.now = p.rig.now.Add(time.Hour)
			if _, err := p.desk.Reap(ctx); err != nil {
				p.rig.t.Fatal(err)
			}
		}
	}
	p.rig.t.Fatalf("runs without end: %s", show(p.rig.control()))
	return nil
}

func event(keys ...string) refresh.Request {
	return refresh.Request{Events: true, Scope: refresh.Scope{Keys: keys}}
}

// TestEventAtEveryPointOfARun lets a file appear, and its event arrive, before each single call of a Run to its stores. The file is
// looked at once more after the Run, whether the Run saw it or not, and is published at the end.
func TestEventAtEveryPointOfARun(t *testing.T) {
	ctx := context.Background()
	for _, fails := range []bool{false, true} {
		t.Run(fmt.Sprintf("run fails %v", fails), func(t *testing.T) {
			for n := 1; ; n++ {
				r := newRig(t)
				r.survey(2)
				r.refresh(incremental)
				r.put("a/r00.tif", raster(70))
				r.put("b/other.tif", raster(71))

				var calls atomic.Int64
				other := r.start()
				before := func(call int) {
					if call != n {
						return
					}
					// Not with put: the clock is being read.
					if _, err := r.source.Put(ctx, "a/new.tif", raster(80), objstore.PutOptions{}); err != nil {
						t.Errorf("call %d: %v", n, err)
					}
					if _, err := other.desk.Start(ctx, event("a/new.tif")); err != nil {
						t.Errorf("call %d: %v", n, err)
					}
				}
				p := r.startOver(hooked{r.source, &calls, before}, hooked{r.catalog, &calls, before})
				if fails {
					p.source.Set(faultstore.Match{Op: faultstore.Get}, faultstore.Fault{Err: errors.New("connection reset")})
				}
				calls.Store(-1000)
				ans, err := p.desk.Start(ctx, event("a/r00.tif", "b/other.tif"))
				if err != nil || ans.Kind != refresh.Started {
					t.Fatalf("%+v, %v", ans, err)
				}
				calls.Store(0)
				run, err := p.desk.Settle(ctx, ans.Run, 0, refresh.ProblemOf(p.steps(ctx, ans.Run)))
				if err != nil || (run.State == refresh.Failed) != fails {
					t.Fatalf("call %d: %+v %+v, %v", n, run, run.Error, err)
				}
				if made := calls.Load(); made < int64(n) {
					if n < 20 {
						t.Fatalf("the run made only %d calls", made)
					}
					return
				}
				if runs := other.waiting(ctx); len(runs) != 1 || runs[0].State != refresh.Successful || !runs[0].Events {
					t.Fatalf("call %d: after the run came %s", n, show(runs))
				}
				if got, want := keysAndLines(r.published()), keysAndLines(r.expected()); show(got) != show(want) {
					t.Fatalf("call %d: published %v\nwant %v", n, got, want)
				}
			}
		})
	}
}

// TestRunOfKeys looks at just the ranges that hold its keys, and at all Objects of their scenes.
func TestRunOfKeys(t *testing.T) {
	r := newRig(t)
	r.survey(3)
	r.refresh(incremental)
	r.put("a/r00.tif", raster(50))
	r.put("b/r00.tif", raster(51))
	r.put("new/scene.tif", raster(52))
	r.put("new/scene.tfw", []byte("1"))
	r.put("new/other.tif", raster(53))
	r.remove("c/r01.tif")
	run, opened := r.refresh(refresh.Scope{Keys: []string{"a/r00.tif", "c/r01.tif", "new/scene.tfw", "gone/never.tif"}})
	if c := run.Counts; c.Added != 1 || c.Updated != 1 || c.Removed != 1 || c.Sidecars != 2 {
		t.Errorf("counts: %s", show(c))
	}
	if want := []string{"a/r00.tif", "new/scene.tif"}; !slices.Equal(opened, want) {
		t.Errorf("opened %v; want %v", opened, want)
	}
	if p := r.published(); p["b/r00"] == "" || p["c/r01"] != "" || p["new/scene"] == "" || p["new/other"] != "" {
		t.Errorf("published: %v", keysOf(p))
	}
	r.refresh(incremental)
	if got, want := keysAndLines(r.published()), keysAndLines(r.expected()); !slices.Equal(got, want) {
		t.Errorf("after a whole run: %v\nwant %v", got, want)
	}
}

// TestRunOfKeysListsOnlyTheirRanges counts what is listed of a large Collection.
func TestRunOfKeysListsOnlyTheirRanges(t *testing.T) {
	r := newRig(t)
	for i := range 20_000 {
		r.put(fmt.Sprintf("flat/%05d.txt.tif", i), nil) // Rejects are quick
	}
	r.refresh(incremental)
	p := r.start()
	run, err := p.run(context.Background(), refresh.Scope{Keys: []string{"flat/00007.txt.tif", "flat/15000.txt.tif"}})
	if err != nil || run.State != refresh.Successful {
		t.Fatalf("%+v, %v", run, err)
	}
	if n := len(p.source.Calls(faultstore.Match{Op: faultstore.List})); n > 2 || run.Counts.Objects > 20_000/2 || run.Counts.Objects < 2 {
		t.Errorf("%d listings of %d objects", n, run.Counts.Objects)
	}
}

// TestIdempotencyKey: asking again under a key answers the same, whatever became of the first answer.
func TestIdempotencyKey(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.survey(2)
	p := r.start()
	req := refresh.Request{Key: "k1", Scope: refresh.Scope{Prefixes: []string{"a/"}}}
	first, err := p.desk.Start(ctx, req)
	if err != nil || first.Kind != refresh.Started {
		t.Fatalf("%+v, %v", first, err)
	}
	again := func(want refresh.Answer) {
		t.Helper()
		if ans, err := r.start().desk.Start(ctx, req); err != nil || ans != want {
			t.Fatalf("again: %+v, %v; want %+v", ans, err, want)
		}
	}
	again(first)
	req.Scope.Mode = refresh.Incremental // which it is without, too
	again(first)
	if ans, err := p.desk.Start(ctx, refresh.Request{Key: "k1"}); !errors.Is(err, refresh.ErrKeyReused) {
		t.Errorf("another request: %+v, %v; want ErrKeyReused", ans, err)
	}
	queued := refresh.Request{Key: "k2", Queue: true}
	second, err := p.desk.Start(ctx, queued)
	if err != nil || second.Kind != refresh.Queued {
		t.Fatalf("%+v, %v", second, err)
	}
	// What had no effect is tried anew.
	busy := refresh.Request{Key: "k3", Scope: refresh.Scope{Prefixes: []string{"b/"}}}
	if ans, err := p.desk.Start(ctx, busy); err != nil || ans.Kind != refresh.Busy {
		t.Fatalf("%+v, %v", ans, err)
	}
	if run, err := p.desk.Settle(ctx, first.Run, 0, refresh.ProblemOf(p.steps(ctx, first.Run))); err != nil || run.State != refresh.Successful {
		t.Fatalf("%+v, %v", run, err)
	}
	again(first)
	if runs := p.waiting(ctx); len(runs) != 1 {
		t.Fatalf("%d runs waited", len(runs))
	}
	req = queued
	again(second)
	if ans, err := p.desk.Start(ctx, busy); err != nil || ans.Kind != refresh.Started {
		t.Fatalf("%+v, %v", ans, err)
	}
	p.waiting(ctx)
	r.now = r.now.Add(25 * time.Hour)
	if ans, err := p.desk.Start(ctx, req); err != nil || ans.Kind != refresh.Started || ans.Run == second.Run {
		t.Errorf("a day later: %+v, %v; want another run", ans, err)
	}
}

// TestIdempotencyKeyWithFaults loses replies at each write: asking again until there is an answer makes one Run.
func TestIdempotencyKeyWithFaults(t *testing.T) {
	faultstore.Sweep(t, faultstore.Match{Op: faultstore.Writes}, func(t *testing.T, arm func(*faultstore.Store)) {
		ctx := context.Background()
		r := newRig(t)
		p := r.start()
		arm(p.catalog)
		req := refresh.Request{Key: "k", Queue: true}
		ans, err := p.desk.Start(ctx, req)
		if err != nil {
			q := r.start()
			q.holder = p.holder // the same Lease's
			if ans, err = q.desk.Start(ctx, req); err != nil {
				t.Fatal(err)
			}
		}
		if ans.Kind != refresh.Started {
			t.Fatalf("%+v", ans)
		}
		if again, err := r.start().desk.Start(ctx, req); err != nil || again != ans {
			t.Fatalf("again: %+v, %v; want %+v", again, err, ans)
		}
		if c := r.control(); c.Fence != 1 || len(c.Waiting) != 0 || c.Lease.Run != ans.Run {
			t.Fatalf("control record: %s", show(c))
		}
	})
}

// TestPreview tells what a Run would do, and does nothing.
func TestPreview(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.survey(5)
	check := func(scope refresh.Scope, want refresh.Preview) {
		t.Helper()
		p := r.start()
		got, err := p.worker.Preview(ctx, scope)
		if err != nil || got != want {
			t.Errorf("preview: %+v, %v; want %+v", got, err, want)
		}
		if n := p.catalog.Count(faultstore.Match{Op: faultstore.Writes}); n > 0 || len(p.opened()) > 0 {
			t.Errorf("a preview wrote %d times and opened %v", n, p.opened())
		}
	}
	check(incremental, refresh.Preview{Objects: 19, Ignored: 2, Rasters: 16, Shards: 3})
	r.refresh(incremental)
	check(incremental, refresh.Preview{Objects: 19, Ignored: 2, Unchanged: 17})
	check(full, refresh.Preview{Objects: 19, Ignored: 2, Rasters: 16, Shards: 3})
	r.put("a/r00.tif", raster(70))
	r.put("d/new.tif", raster(71))
	r.remove("b/r03.tif")
	check(incremental, refresh.Preview{Objects: 19, Ignored: 2, Unchanged: 14, Rasters: 2, Removed: 1, Shards: 3})
	check(refresh.Scope{Prefixes: []string{"b/"}}, refresh.Preview{Objects: 5, Unchanged: 5, Removed: 1, Shards: 1})
	run, opened := r.refresh(incremental)
	if len(opened) != 2 || run.Counts.Unchanged != 14 {
		t.Errorf("the run itself opened %v: %s", opened, show(run.Counts))
	}
}
