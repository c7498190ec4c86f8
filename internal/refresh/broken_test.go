package refresh_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// errSlowDown is what a bucket's store ends with whose every answer was 503 SlowDown.
var errSlowDown = fmt.Errorf(`SlowDown (Service Unavailable): "Please reduce your request rate." (attempt 8): %w`,
	errors.Join(objstore.ErrUnreachable, objstore.ErrThrottled))

// TestStoresThatStayBroken: whatever it is that cannot be used, and for whatever reason, the Run says in a sentence what to do, readers
// keep what they have, and the next Run opens only what was not yet read.
func TestStoresThatStayBroken(t *testing.T) {
	broken := func(err error, m faultstore.Match) func(*faultstore.Store) {
		return func(s *faultstore.Store) { s.Set(m, faultstore.Fault{Err: err}) }
	}
	const resumed = "goes on from what was scanned"
	cReads := faultstore.Match{Op: faultstore.Get, Prefix: "c/"}
	all := []string{"a/r00.tif", "a/r01.tif", "b/broken.tif", "b/r00.tif", "b/r01.tif", "c/r00.tif", "c/r01.tif"}
	inC := all[5:]
	for name, c := range map[string]struct {
		source, catalog func(*faultstore.Store)
		code            string
		says            []string
		left            []string // what the next Run opens
	}{
		"source asks to slow down": {
			source: broken(errSlowDown, cReads), code: "source_unavailable",
			says: []string{"SlowDown", "--parallel", "ScanConcurrency", "or wait", resumed}, left: inC},
		"source asks to slow down while it is listed": {
			source: broken(errSlowDown, faultstore.Match{Op: faultstore.List}), code: "source_unavailable",
			says: []string{"list file:///src", "--parallel", resumed}, left: all},
		"source is out of reach": {
			source: broken(objstore.ErrUnreachable, cReads), code: "source_unavailable", says: []string{"reached", resumed}, left: inC},
		"listing the source is denied": {
			source: broken(fs.ErrPermission, faultstore.Match{Op: faultstore.List}), code: "source_unavailable",
			says: []string{"list file:///src", "allow it to be listed"}, left: all},
		"source has no such bucket": {
			source: broken(objstore.ErrNoStore, faultstore.Match{Op: faultstore.List}), code: "source_unavailable",
			says: []string{"check its name"}, left: all},
		"catalog asks to slow down when parts are written": {
			catalog: broken(errSlowDown, faultstore.Match{Op: faultstore.Put, Prefix: "parts/c/"}), code: "catalog_unavailable",
			says: []string{"SlowDown", "parts/c/", "--parallel", resumed}, left: inC},
		"writing the catalog is denied": {
			catalog: broken(fs.ErrPermission, faultstore.Match{Op: faultstore.Put, Prefix: "snapshots/"}), code: "catalog_unavailable",
			says: []string{"allow", "written", resumed}, left: nil},
		"catalog is out of reach when it is to be published": {
			catalog: broken(objstore.ErrUnreachable, faultstore.Match{Op: faultstore.Put, Prefix: "snapshots/"}), code: "catalog_unavailable",
			says: []string{"reached", resumed}, left: nil},
		"catalog's credentials have expired": {
			catalog: broken(fmt.Errorf("ExpiredToken: %w; sign in again", objstore.ErrCredentials), faultstore.Match{Op: faultstore.Put, Prefix: "snapshots/"}),
			code:    "catalog_unavailable", says: []string{"sign in again", resumed}, left: nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.survey(2)
			p := r.start()
			if c.source != nil {
				c.source(p.source)
			}
			if c.catalog != nil {
				c.catalog(p.catalog)
			}
			run, err := p.run(context.Background(), incremental)
			if err != nil || run.State != refresh.Failed || run.Error.Code != c.code {
				t.Fatalf("%+v %+v, %v; want %s", run, run.Error, err, c.code)
			}
			for _, s := range c.says {
				if !strings.Contains(run.Error.Message, s) {
					t.Errorf("the message is %q; want %q in it", run.Error.Message, s)
				}
			}
			if len(r.published()) != 0 {
				t.Error("it published something")
			}
			if _, opened := r.refresh(incremental); !slices.Equal(opened, c.left) {
				t.Errorf("the next run opened %v; want %v", opened, c.left)
			}
			if n := len(r.published()); n != 6 {
				t.Errorf("%d items are published", n)
			}
		})
	}
}

// TestScanGoesOnAfterAnError: what a scan has read when it fails is not read again, neither by its retry nor, if that fails too, by the
// next Run, however often.
func TestScanGoesOnAfterAnError(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	const files = 30
	for i := range files {
		r.put(fmt.Sprintf("a/r%02d.tif", i), raster(i))
	}
	opened := map[string]int{}
	for attempt := 0; ; attempt++ {
		p := r.start()
		p.worker.Parallel = 1
		p.source.Set(faultstore.Match{Op: faultstore.Get, Nth: 5}, faultstore.Fault{Err: errSlowDown})
		run := p.begin()
		refs, err := p.worker.Plan(ctx, run)
		if err != nil {
			t.Fatal(err)
		}
		err = p.worker.Scan(ctx, run, refs[0]) // fails at the fifth
		p.source.Set(faultstore.Match{Op: faultstore.Get, Nth: 5}, faultstore.Fault{Err: errSlowDown})
		if err != nil {
			err = p.worker.Scan(ctx, run, refs[0]) // its retry, too
		}
		for _, call := range p.source.Calls(faultstore.Match{Op: faultstore.Get}) {
			opened[call.Key]++
		}
		if err == nil {
			err = p.worker.Publish(ctx, run)
		}
		rec, serr := p.desk.Settle(ctx, run, 0, refresh.ProblemOf(err))
		if serr != nil || attempt > files {
			t.Fatal(serr, attempt)
		}
		if err == nil {
			if c := rec.Counts; c.Items != files || c.Scanned+c.Unchanged != files || c.Scanned == 0 {
				t.Errorf("counts: %s", show(c))
			}
			break
		}
	}
	again := 0
	for _, n := range opened {
		again += n - 1
	}
	if len(opened) != files || again > 7 { // only those that failed, at most one an attempt
		t.Errorf("%d files were opened, %d times more than needed: %v", len(opened), again, opened)
	}
	r.checkTree()
}

// A published scene, one that an earlier Run read, and one that was read now: each counts once, and what was replaced since is read again.
func TestSavedScenesAreOnlyUsedUnchanged(t *testing.T) {
	r := newRig(t)
	for i := range 4 {
		r.put(fmt.Sprintf("a/r%d.tif", i), raster(i))
	}
	r.refresh(incremental)
	for i := 1; i < 4; i++ {
		r.put(fmt.Sprintf("a/r%d.tif", i), raster(10+i))
	}
	p := r.start()
	p.worker.Parallel = 1
	p.source.Set(faultstore.Match{Op: faultstore.Get, Key: "a/r3.tif"}, faultstore.Fault{Err: errSlowDown})
	if run, err := p.run(context.Background(), incremental); err != nil || run.State != refresh.Failed || len(p.opened()) != 3 {
		t.Fatalf("opened %v, %+v, %v", p.opened(), run, err)
	}
	r.remove("a/r2.tif")
	r.put("a/r2.tif", raster(30)) // the listing is another one: nothing is taken over
	run, opened := r.refresh(incremental)
	if c := run.Counts; len(opened) != 3 || c.Unchanged != 1 || c.Updated != 3 || c.Added != 0 || c.Removed != 0 {
		t.Errorf("opened %v, %s", opened, show(run.Counts))
	}
	if got, want := keysAndLines(r.published()), keysAndLines(r.expected()); !slices.Equal(got, want) {
		t.Errorf("published %v; want %v", got, want)
	}
}

// hourFromNow is a context whose early end, by half of the Worker's Margin, is a moment from now, while by the Worker's clock there is time left.
func hourFromNow(t *testing.T, r *rig, p *proc) context.Context {
	r.now = time.Now().Add(-time.Hour)
	p.worker.Margin = 2 * (time.Hour - 300*time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	t.Cleanup(cancel)
	return ctx
}

// A read that hangs, as one does that is tried again and again, is given up before the deadline cuts the scan off, and what else was
// read is saved.
func TestHangingReadIsGivenUpBeforeTheDeadline(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	for i := range 12 {
		r.put(fmt.Sprintf("a/r%02d.tif", i), raster(i))
	}
	p := r.start()
	p.worker.Parallel = 1
	run := p.begin()
	refs, err := p.worker.Plan(ctx, run)
	if err != nil {
		t.Fatal(err)
	}
	gate := faultstore.NewGate()
	defer gate.Release()
	p.source.Set(faultstore.Match{Op: faultstore.Get, Nth: 5}, faultstore.Fault{Gate: gate})
	var late *refresh.DeadlineError
	if err := p.worker.Scan(hourFromNow(t, r, p), run, refs[0]); !errors.As(err, &late) || late.Done > 4 || late.Total != 12 {
		t.Fatalf("scan = %v; want a DeadlineError after 4 of 12, or fewer on a slow machine", err)
	}
	p.source.Forget()
	p.source.Clear()
	if err := errors.Join(p.worker.Scan(ctx, run, refs[0]), p.worker.Publish(ctx, run)); err != nil {
		t.Fatal(err)
	}
	if n := len(p.opened()); n != 12-late.Done {
		t.Errorf("the retry opened %d files; want %d", n, 12-late.Done)
	}
	if rec, err := p.desk.Settle(ctx, run, 0, nil); err != nil || rec.Counts.Scanned != 12 || len(r.published()) != 12 {
		t.Errorf("%+v, %v", rec, err)
	}
}

// What follows publishing is left to the next Run where the deadline is near: the Run is successful, and says so.
func TestTidyingUpEndsBeforeTheDeadline(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.survey(1)
	p := r.start()
	run := p.begin()
	refs, err := p.worker.Plan(ctx, run)
	for _, ref := range refs {
		err = errors.Join(err, p.worker.Scan(ctx, run, ref))
	}
	if err != nil {
		t.Fatal(err)
	}
	gate := faultstore.NewGate()
	defer gate.Release()
	p.catalog.Set(faultstore.Match{Op: faultstore.Put, Prefix: "collections/", Nth: 1}, faultstore.Fault{Gate: gate})
	if err := p.worker.Publish(hourFromNow(t, r, p), run); err != nil {
		t.Fatal(err)
	}
	rec, err := p.desk.Settle(ctx, run, 0, nil)
	if err != nil || rec.State != refresh.Successful || len(rec.Warnings) == 0 || !strings.Contains(rec.Warnings[0], "deadline") {
		t.Errorf("%+v, %v", rec, err)
	}
	gate.Release()
	r.refresh(incremental)
	r.checkTree()
}
