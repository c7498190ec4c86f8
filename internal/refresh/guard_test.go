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
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// Whatever way everything is denied, the catalog stays.
func TestMassDenialOfEverything(t *testing.T) {
	ctx := context.Background()
	flat := func(i int) string { return fmt.Sprintf("a/%03d.tif", i) }
	for name, c := range map[string]struct {
		n      int
		key    func(i int) string
		before func(r *rig)
	}{
		"a small collection":     {50, flat, func(*rig) {}},
		"many small collections": {400, func(i int) string { return fmt.Sprintf("c%d/%03d.tif", i%8, i) }, func(*rig) {}},
		"after a change of the config": {300, flat, func(r *rig) {
			if _, err := r.catalog.Put(ctx, "cairn.yaml", []byte("properties: {constants: {x: 1}}\n"), objstore.PutOptions{}); err != nil {
				t.Fatal(err)
			}
		}},
		"with sidecars, and one raster left": {150, flat, func(r *rig) {
			for i := range 150 {
				r.put(fmt.Sprintf("a/%03d.aux.xml", i), []byte("<PAMDataset/>"))
			}
			r.put("b/left.tif", raster(1))
			r.refresh(full)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			for i := range c.n {
				r.put(c.key(i), raster(i))
			}
			r.refresh(incremental)
			c.before(r)
			before := show(r.published())
			p := r.start()
			for _, prefix := range []string{"a/", "c"} {
				p.source.Set(faultstore.Match{Op: faultstore.Get, Prefix: prefix}, faultstore.Fault{Err: fs.ErrPermission})
			}
			run, err := p.run(ctx, full)
			if err != nil || run.State != refresh.Failed || run.Error.Code != "mass_delete" || !strings.Contains(run.Error.Message, "denied") {
				t.Fatalf("run: %+v %+v, %v", run, run.Error, err)
			}
			if show(r.published()) != before {
				t.Error("a refused run changed what is published")
			}
		})
	}
}

// Of an earlier scan that met an archived file, everything else is adopted.
func TestScanWithARejectToRetryIsAdopted(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	for i := range 30 {
		r.put(fmt.Sprintf("a/%03d.tif", i), raster(i))
	}
	p := r.start()
	p.source.Set(faultstore.Match{Op: faultstore.Get, Key: "a/007.tif"}, faultstore.Fault{Err: objstore.ErrArchived})
	p.catalog.Set(faultstore.Match{Op: faultstore.Put, Key: snapshot.HeadKey, Nth: 2}, faultstore.Fault{Err: errors.New("boom")})
	if run, err := p.run(ctx, incremental); err != nil || run.State != refresh.Failed {
		t.Fatalf("%+v, %v", run, err)
	}
	want := refresh.Preview{Objects: 30, Unchanged: 29, Rasters: 1, Shards: 1}
	if got, err := r.start().worker.Preview(ctx, incremental); err != nil || got != want {
		t.Errorf("preview: %+v, %v; want %+v", got, err, want)
	}
	if run, opened := r.refresh(incremental); !slices.Equal(opened, []string{"a/007.tif"}) || run.Counts.Items != 30 {
		t.Errorf("opened %v: %s", opened, show(run.Counts))
	}
}

// A listing that fails in any of many ranges fails the Run: what was not listed must not be taken for deleted.
func TestFailingRangeFailsThePartialRun(t *testing.T) {
	r := newRig(t)
	var scope refresh.Scope
	for i := range 25 {
		r.put(fmt.Sprintf("c%02d/x.tif", i), nil)
		scope.Prefixes = append(scope.Prefixes, fmt.Sprintf("c%02d/", i))
	}
	r.refresh(incremental)
	for n, prefix := range scope.Prefixes {
		for _, applied := range []bool{false, true} { // at once, or behind the last Object
			p := r.start()
			rule := p.source.Set(faultstore.Match{Op: faultstore.List, Key: prefix}, faultstore.Fault{Err: errors.New("boom"), Applied: applied})
			run, err := p.run(context.Background(), scope)
			if err != nil || run.State != refresh.Failed || run.Error.Code != "source_unavailable" || rule.Fired() != 1 {
				t.Errorf("range %d: %+v %+v, %v", n, run, run.Error, err)
			}
		}
	}
}

// The work files of Shards are written in the background; each that cannot be fails the Run for what it is.
func TestFailingShardWriteFailsTheRun(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	for i := range 12 {
		r.put(fmt.Sprintf("c%02d/x.tif", i), nil)
	}
	fired := 0
	for n := range 12 {
		p := r.start()
		ans, err := p.desk.Start(ctx, refresh.Request{})
		if err != nil {
			t.Fatal(err)
		}
		rule := p.catalog.Set(faultstore.Match{Op: faultstore.Put, Prefix: "runs/" + ans.Run + "/", Nth: n + 1}, faultstore.Fault{Err: errors.New("boom")})
		_, err = p.worker.Plan(ctx, ans.Run)
		if err == nil || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "boom") {
			t.Errorf("write %d: %v; want the error of the write", n, err)
		}
		fired += rule.Fired()
		if _, err := p.desk.Settle(ctx, ans.Run, 0, refresh.ProblemOf(err)); err != nil {
			t.Fatal(err)
		}
	}
	if fired != 12 {
		t.Errorf("%d writes failed", fired)
	}
}

// An error that looks like a cancel and is none fails the Run, and its events wait.
func TestStrayCancelIsAFailure(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.put("a/1.tif", raster(1))
	p := r.start()
	p.source.Set(faultstore.Match{Op: faultstore.Get}, faultstore.Fault{Err: fmt.Errorf("request: %w", context.Canceled)})
	ans, err := p.desk.Start(ctx, event("a/1.tif"))
	if err != nil {
		t.Fatal(err)
	}
	run, err := p.desk.Settle(ctx, ans.Run, 0, refresh.ProblemOf(p.steps(ctx, ans.Run)))
	if c := r.control(); err != nil || run.State != refresh.Failed || c.Lease != nil || len(c.Waiting) != 1 || c.Waiting[0].NotBefore.IsZero() {
		t.Errorf("%+v, %v; control record %s", run, err, show(c))
	}
}

// Runs of a part of the Source alone clean up, too: not each of them, but before long.
func TestPartialRunsCleanUp(t *testing.T) {
	files := func(pause time.Duration, runs int) int {
		r := newRig(t)
		r.put("a/1.tif", raster(1))
		r.refresh(incremental)
		for i := range runs {
			r.now = r.now.Add(pause)
			r.put("a/1.tif", raster(i))
			r.refresh(refresh.Scope{Prefixes: []string{"a/"}})
		}
		n := 0
		for _, err := range r.catalog.List(context.Background(), objstore.Prefixed("snapshots/")) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	if n := files(24*time.Hour, 30); n > 4 {
		t.Errorf("after thirty nightly runs there are %d snapshots", n)
	}
	if n := files(time.Hour, 200); n > 24+64+3 {
		t.Errorf("after two hundred hourly runs there are %d snapshots", n)
	}
	r := newRig(t)
	r.put("a/1.tif", raster(1))
	r.refresh(incremental)
	p := r.start()
	if run, err := p.run(context.Background(), refresh.Scope{Prefixes: []string{"a/"}}); err != nil || run.State != refresh.Successful {
		t.Fatalf("%+v, %v", run, err)
	}
	for _, c := range p.catalog.Calls(faultstore.Match{Op: faultstore.List}) {
		if c.Key == "parts/" || c.Key == "snapshots/" {
			t.Errorf("a partial run right after another one lists %s", c.Key)
		}
	}
}

// An answer was never noted under its key, and its Run has ended, and another one after it.
func TestIdempotencyKeyAfterTheEnd(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.survey(1)
	p := r.start()
	p.catalog.Set(faultstore.Match{Op: faultstore.Put, Prefix: "state/requests/", Nth: 2}, faultstore.Fault{})
	req := refresh.Request{Key: "k"}
	first, err := p.desk.Start(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	p.waiting(ctx)
	r.refresh(incremental)
	if again, err := r.start().desk.Start(ctx, req); err != nil || again != first || r.control().Lease != nil {
		t.Errorf("again: %+v, %v; want %+v", again, err, first)
	}
}

func TestIdempotencyKeyOfAnotherRequest(t *testing.T) {
	ctx := context.Background()
	p := newRig(t).start()
	prefixes := []string{"a/"}
	if _, err := p.desk.Start(ctx, refresh.Request{Key: "k", Scope: refresh.Scope{Prefixes: prefixes}}); err != nil {
		t.Fatal(err)
	}
	for _, other := range []refresh.Request{
		{}, {Queue: true, Scope: refresh.Scope{Prefixes: prefixes}}, {Events: true, Scope: refresh.Scope{Prefixes: prefixes}},
		{Scope: refresh.Scope{Keys: prefixes}}, {Scope: refresh.Scope{Prefixes: prefixes, AllowMassDelete: true}},
		{Scope: refresh.Scope{Prefixes: prefixes, Mode: refresh.Full}},
	} {
		other.Key = "k"
		if ans, err := p.desk.Start(ctx, other); !errors.Is(err, refresh.ErrKeyReused) {
			t.Errorf("%+v: %+v, %v; want ErrKeyReused", other, ans, err)
		}
	}
}

// A Preview that would not be true is none.
func TestPreviewThatCannotBeMade(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.survey(2)
	r.refresh(incremental)
	r.put("a/new.tif", raster(9))
	p := r.start()
	p.worker.About.URL = "file:///other"
	if _, err := p.worker.Preview(ctx, incremental); err == nil {
		t.Error("the catalog is another source's")
	}
	for _, prefix := range []string{"parts/", "head.json", "snapshots/", "scans/"} {
		p := r.start()
		p.catalog.Set(faultstore.Match{Op: faultstore.Get, Prefix: prefix}, faultstore.Fault{})
		if got, err := p.worker.Preview(ctx, incremental); err == nil {
			t.Errorf("with an unreadable %s: %+v", prefix, got)
		}
	}
	if _, err := r.start().worker.Preview(ctx, refresh.Scope{Prefixes: []string{"/"}}); err == nil {
		t.Error("the scope is wrong")
	}
}

// A Preview tells what the mass-delete guard would refuse.
func TestPreviewOfAnEmptiedSource(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	for i := range 300 {
		r.put(fmt.Sprintf("a/%03d.tif", i), raster(i))
	}
	r.refresh(incremental)
	for i := range 300 {
		if i == 200 {
			if got, err := r.start().worker.Preview(ctx, incremental); err != nil || got.Refused == "" || got.Removed != 200 {
				t.Errorf("two thirds gone: %+v, %v", got, err)
			}
		}
		r.remove(fmt.Sprintf("a/%03d.tif", i))
	}
	if got, err := r.start().worker.Preview(ctx, incremental); err != nil || got.Refused == "" || got.Removed != 300 {
		t.Errorf("all gone: %+v, %v", got, err)
	}
	if got, err := r.start().worker.Preview(ctx, refresh.Scope{AllowMassDelete: true}); err != nil || got.Refused != "" || got.Removed != 300 {
		t.Errorf("all gone, and allowed: %+v, %v", got, err)
	}
}
