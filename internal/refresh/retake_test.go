package refresh_test

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// begin starts a Run in a process and notes that its driver has begun.
func (p *proc) begin() string {
	p.rig.t.Helper()
	ctx := context.Background()
	ans, err := p.desk.Start(ctx, refresh.Request{})
	if err != nil || ans.Kind != refresh.Started {
		p.rig.t.Fatalf("start: %+v, %v", ans, err)
	}
	if _, err := p.desk.Renew(ctx, ans.Run, 0); err != nil {
		p.rig.t.Fatal(err)
	}
	return ans.Run
}

// What was written relaxed may be torn by a power cut: the Lease is not stuck for it.
func TestTornWorkFiles(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.put("a/x.tif", raster(1))
	r.refresh(incremental)
	p := r.start()
	run := p.begin()
	if err := p.steps(ctx, run); err != nil { // nothing has changed, so nothing is synced
		t.Fatal(err)
	}
	fence := r.control().Lease.Fence
	p.kill()
	if _, err := r.catalog.Put(ctx, fmt.Sprintf("runs/%s/%d/outcome.json", run, fence), nil, objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	r.refresh(incremental)

	// A torn scan record, and a torn Part of one.
	for _, prefix := range []string{"scans/", "parts/"} {
		r := newRig(t)
		r.put("a/x.tif", raster(1))
		p := r.start()
		p.catalog.Set(faultstore.Match{Op: faultstore.Put, Prefix: "snapshots/"}, faultstore.Fault{})
		if run, err := p.run(ctx, incremental); err != nil || run.State != refresh.Failed {
			t.Fatalf("%+v, %v", run, err)
		}
		for o, err := range r.catalog.List(ctx, objstore.Prefixed(prefix)) {
			if err == nil {
				_, err = r.catalog.Put(ctx, o.Key, nil, objstore.PutOptions{})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if run, opened := r.refresh(incremental); run.Counts.Items != 1 || len(opened) != 1 {
			t.Errorf("torn %s: opened %v, %s", prefix, opened, show(run.Counts))
		}
	}
}

// A damaged Part is made again by a full refresh, or when something in its Shard changes.
func TestDamagedPartIsHealed(t *testing.T) {
	ctx := context.Background()
	for name, heal := range map[string]func(r *rig) refresh.Scope{
		"full":   func(*rig) refresh.Scope { return full },
		"change": func(r *rig) refresh.Scope { r.put("a/y.tif", raster(2)); return incremental },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.put("a/x.tif", raster(1))
			r.refresh(incremental)
			m, err := snapshot.ReadManifest(ctx, r.catalog, r.head().Snapshot)
			if err == nil {
				_, err = r.catalog.Put(ctx, m.Rows[0].Part, []byte("damaged"), objstore.PutOptions{})
			}
			if err != nil {
				t.Fatal(err)
			}
			r.refresh(heal(r))
			if got := r.published(); got["a/x"] == "" {
				t.Errorf("published: %v", keysOf(got))
			}
		})
	}
}

// A Part that is adopted is written again by who publishes it: the one who made it may never have synced.
func TestAdoptedPartIsWrittenAgain(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.put("a/x.tif", raster(1))
	p := r.start()
	run := p.begin()
	refs, err := p.worker.Plan(ctx, run)
	if err == nil {
		err = p.worker.Scan(ctx, run, refs[0])
	}
	if err != nil {
		t.Fatal(err)
	}
	p.kill()
	q := r.start()
	if rec, err := q.run(ctx, incremental); err != nil || rec.Counts.Items != 1 || len(q.opened()) != 0 {
		t.Fatalf("opened %v: %+v, %v", q.opened(), rec, err)
	}
	m, err := snapshot.ReadManifest(ctx, r.catalog, r.head().Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	if q.catalog.Count(faultstore.Match{Op: faultstore.Put, Key: m.Rows[0].Part}) != 1 {
		t.Errorf("the published part %s is not the publisher's own", m.Rows[0].Part)
	}
}

// A Shard whose rasters all vanished while it was read is read again when they are back, and when the scan is repeated.
func TestVanishedShardIsNotRemembered(t *testing.T) {
	ctx := context.Background()
	gone := faultstore.Fault{Err: fmt.Errorf("open: %w", fs.ErrNotExist)}
	r := newRig(t)
	r.put("b/keep.tif", raster(2))
	r.put("a/x.tif", raster(1))
	p := r.start()
	p.source.Set(faultstore.Match{Op: faultstore.Get, Key: "a/x.tif"}, gone)
	if run, err := p.run(ctx, incremental); err != nil || run.Counts.Vanished != 1 || run.Counts.Items != 1 {
		t.Fatalf("%s, %v", show(run), err)
	}
	if run, _ := r.refresh(incremental); run.Counts.Items != 2 {
		t.Errorf("it is back: %s", show(run.Counts))
	}

	r = newRig(t)
	r.put("a/x.tif", raster(1))
	p = r.start()
	p.source.Set(faultstore.Match{Op: faultstore.Get, Key: "a/x.tif"}, gone)
	run := p.begin()
	refs, err := p.worker.Plan(ctx, run)
	if err != nil {
		t.Fatal(err)
	}
	p.catalog.Set(faultstore.Match{Op: faultstore.Put, Prefix: fmt.Sprintf("runs/%s/1/results/", run), Nth: 1}, faultstore.Fault{})
	if err := p.worker.Scan(ctx, run, refs[0]); err == nil {
		t.Fatal("the result could not be written, and yet the scan succeeds")
	}
	for _, err := range []error{p.worker.Scan(ctx, run, refs[0]), p.worker.Publish(ctx, run)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if rec, err := p.desk.Settle(ctx, run, 0, nil); err != nil || rec.Counts.Vanished != 1 || rec.Counts.Objects != 1 {
		t.Errorf("%s, %v", show(rec), err)
	}
}

// described is a process whose Workflow knows only this of any Run.
type described struct {
	*proc
	state refresh.LaunchState
}

func (d described) Describe(context.Context, refresh.Lease) (refresh.LaunchState, error) {
	return d.state, nil
}

// An expired Lease of a process that lives: others wait for it, and do not turn in circles.
func TestStartOnAnExpiredLeaseThatLives(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	first := r.start().begin()
	r.now = r.now.Add(time.Minute)
	q := r.start()
	q.desk.Workflow = described{q, refresh.LaunchUnknown}
	if ans, err := q.desk.Start(ctx, refresh.Request{}); err != nil || ans.Kind != refresh.Busy || ans.Run != first {
		t.Errorf("start: %+v, %v", ans, err)
	}
	if ans, err := q.desk.Start(ctx, refresh.Request{Queue: true, Scope: full}); err != nil || ans.Kind != refresh.Queued {
		t.Errorf("queue: %+v, %v", ans, err)
	}
	if n := q.catalog.Count(faultstore.Match{Op: faultstore.Any}); n > 12 {
		t.Errorf("two starts took %d calls", n)
	}
}

// Somebody else settles the dead Run between the look and the reaping: the start is a start, not "busy" with an ended Run.
func TestStartWhileSomebodyElseReaps(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	p := r.start()
	p.begin()
	p.kill()
	q, o := r.start(), r.start()
	gate := faultstore.NewGate()
	q.catalog.Set(faultstore.Match{Op: faultstore.Get, Key: "state/control.json", Nth: 2}, faultstore.Fault{Gate: gate})
	done := make(chan refresh.Answer, 1)
	go func() { a, _ := q.desk.Start(ctx, refresh.Request{}); done <- a }()
	if err := gate.Reached(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := o.desk.Reap(ctx); err != nil {
		t.Fatal(err)
	}
	gate.Release()
	if a := <-done; a.Kind != refresh.Started {
		t.Errorf("answer is %+v", a)
	}
}

// A Run whose end is recorded, but whose Lease was not released, is released and not run again.
func TestRecordedRunIsNotLaunchedAgain(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.put("a/x.tif", raster(1))
	p := r.start()
	ans, err := p.desk.Start(ctx, refresh.Request{})
	if err != nil {
		t.Fatal(err)
	}
	p.catalog.Set(faultstore.Match{Op: faultstore.Put, Key: "state/control.json"}, faultstore.Fault{Gone: true})
	if _, err := p.desk.Settle(ctx, ans.Run, 0, &refresh.Problem{Code: "refused", Message: "no room"}); err == nil {
		t.Fatal("settled without the control record")
	}
	p.kill()
	q := r.start()
	q.desk.Workflow = described{q, refresh.LaunchAbsent}
	if _, err := q.desk.Reap(ctx); err != nil {
		t.Fatal(err)
	}
	if c := r.control(); c.Lease != nil || c.Last == nil || c.Last.State != refresh.Failed {
		t.Errorf("control record: %s", show(c))
	}
}

// A process that is closing leaves what waits to the next one.
func TestClosingProcessLeavesTheQueue(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	p := r.start()
	first := p.begin()
	second, err := p.desk.Start(ctx, refresh.Request{Queue: true, Scope: full})
	if err != nil {
		t.Fatal(err)
	}
	p.closing = true
	if _, err := p.desk.Settle(ctx, first, 0, &refresh.Problem{Code: "cancelled"}); err != nil {
		t.Fatal(err)
	}
	if c := r.control(); c.Lease != nil || len(c.Waiting) != 1 {
		t.Fatalf("control record: %s", show(c))
	}
	if changed, err := p.desk.Reap(ctx); changed || err != nil {
		t.Errorf("reap while closing: %v, %v", changed, err)
	}
	if changed, err := r.start().desk.Reap(ctx); !changed || err != nil {
		t.Errorf("reap by another process: %v, %v", changed, err)
	}
	if c := r.control(); c.Lease == nil || c.Lease.Run != second.Run {
		t.Errorf("control record: %s", show(c))
	}
}

// No step fails because its progress cannot be told.
func TestProgressIsNoReasonToFail(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.put("a/x.tif", raster(1))
	p := r.start()
	run := p.begin()
	refs, err := p.worker.Plan(ctx, run)
	if err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(2 * time.Second)
	told := p.catalog.Set(faultstore.Match{Op: faultstore.Put, Prefix: "state/progress/"}, faultstore.Fault{})
	if err := p.worker.Scan(ctx, run, refs[0]); err != nil || told.Fired() == 0 {
		t.Errorf("scan: %v, after %d failed writes of progress", err, told.Fired())
	}
}

// Each step fails once, at each of its writes, and is repeated, as drivers do: the counts still add up.
func TestRepeatedSteps(t *testing.T) {
	ctx := context.Background()
	faultstore.Sweep(t, faultstore.Match{Op: faultstore.Writes | faultstore.Sync}, func(t *testing.T, arm func(*faultstore.Store)) {
		r := newRig(t)
		r.survey(1)
		r.refresh(incremental)
		r.put("a/new.tif", raster(9))
		p := r.start()
		arm(p.catalog)
		twice := func(step func() error) error {
			if err := step(); err == nil {
				return nil
			}
			return step()
		}
		var run string
		err := twice(func() error {
			ans, err := p.desk.Start(ctx, refresh.Request{Run: run})
			run = ans.Run
			return err
		})
		var refs []string
		if err == nil {
			err = twice(func() (err error) { refs, err = p.worker.Plan(ctx, run); return err })
		}
		for _, ref := range refs {
			if err == nil {
				err = twice(func() error { return p.worker.Scan(ctx, run, ref) })
			}
		}
		if err == nil {
			err = twice(func() error { return p.worker.Publish(ctx, run) })
		}
		var rec refresh.Run
		if err == nil {
			err = twice(func() (err error) { rec, err = p.desk.Settle(ctx, run, 0, nil); return err })
		}
		if err != nil { // the process was gone
			p.kill()
			r.refresh(incremental)
			return
		}
		c := rec.Counts
		if rec.State != refresh.Successful || c.Added != 1 || c.Objects != c.Assets+c.Sidecars+c.Rejects+c.Ignored+c.Vanished {
			t.Errorf("%+v %s", rec.State, show(c))
		}
		if ids := keysOf(r.published()); !slices.Contains(ids, "a/new") {
			t.Errorf("published: %v", ids)
		}
	})
}
