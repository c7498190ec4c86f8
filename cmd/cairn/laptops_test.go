package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// Of many starts at once by two engines on one bucket, one is a Run.
func TestOneRunOfManyStartsOnABucket(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	b.upload(t, p.source)
	ctx := t.Context()
	gate := faultstore.NewGate()
	a := &app{wrap: func(s objstore.Store) objstore.Store {
		f := faultstore.New(s)
		f.Set(faultstore.Match{Op: faultstore.Put, Prefix: beforePublishing}, faultstore.Fault{Gate: gate})
		return f
	}}
	var engines []*engine
	for range 2 {
		log := slog.New(slog.DiscardHandler)
		s, err := prepare(ctx, setupOptions{source: bucketSource, catalog: bucketCatalog, bucket: bucketOptions{parallel: 8}}, log)
		if err != nil {
			t.Fatal(err)
		}
		e, err := a.openEngine(t.Context(), s, log)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		engines = append(engines, e)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	kinds, runs := map[refresh.AnswerKind]int{}, map[string]int{}
	for i := range 50 {
		wg.Go(func() {
			ans, err := engines[i%2].desk.Start(ctx, refresh.Request{})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			kinds[ans.Kind]++
			runs[ans.Run] = i % 2
		})
	}
	wg.Wait()
	gate.Release()
	if kinds[refresh.Started] != 1 || kinds[refresh.Busy] != 49 || len(runs) != 1 {
		t.Errorf("answers %v, of runs %v; want one started", kinds, runs)
	}
	for run := range runs {
		for _, e := range engines {
			<-e.flow.Ended(run)
		}
		if r, err := engines[0].desk.Run(ctx, run); err != nil || r.State != refresh.Successful || r.Counts.Items != 5 {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

// edit changes the control record in the Catalog's bucket.
func (b *buckets) edit(t *testing.T, change func(l *refresh.Lease)) {
	t.Helper()
	const key = "all/state/control.json"
	o, ok := b.catalog.Get(key)
	var rec struct {
		Format int `json:"format"`
		refresh.Control
	}
	if err := json.Unmarshal(o.Body, &rec); !ok || err != nil || rec.Lease == nil {
		t.Fatalf("%s: %v in %s", key, err, o.Body)
	}
	change(rec.Lease)
	body, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	b.catalog.Set(s3test.Object{Key: key, Body: body})
}

// Another laptop that refreshes the Catalog is named; one that went away is waited for until its Lease runs out.
func TestAnotherLaptop(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	b.upload(t, p.source)
	other := startHeld(t, beforePublishing, "refresh", bucketSource, "--catalog", bucketCatalog)
	code, stdout, stderr := cairn(t, "refresh", bucketSource, "--catalog", bucketCatalog)
	if holder := fmt.Sprintf("process %d on ", other.cmd.Process.Pid); code != exitBusy || stdout != "" || !strings.Contains(stderr, holder) {
		t.Errorf("exit code %d, stdout %q, stderr %q; want %d and %q", code, stdout, stderr, exitBusy, holder)
	}
	if out := must(t, "status", "--catalog", bucketCatalog); !contains(out, "running", "nothing yet") {
		t.Errorf("status meanwhile says:\n%s", out)
	}
	if err := other.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	other.wait()

	elsewhere := func(l *refresh.Lease) { l.Holder.Host = "elsewhere" }
	b.edit(t, elsewhere)
	if code, _, stderr := cairn(t, "refresh", bucketSource, "--catalog", bucketCatalog); code != exitBusy || !strings.Contains(stderr, " on elsewhere has been") {
		t.Errorf("exit code %d, stderr %q; want %d, as nobody knows whether it lives", code, stderr, exitBusy)
	}
	b.edit(t, func(l *refresh.Lease) { l.Expires = time.Now().Add(-time.Second) })
	if got := refreshed(t, bucketSource, "--catalog", bucketCatalog); got.Added != 5 || got.Scanned != 0 {
		t.Errorf("after its lease ran out: %+v; want 5 added, and none scanned again", got)
	}
}

func TestInterruptedOnABucket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot send another one an interrupt here")
	}
	b := newBuckets(t)
	p := newPlace(t)
	b.upload(t, p.source)
	first := refreshed(t, bucketSource, "--catalog", bucketCatalog)
	b.put("ortho/a9_20240102.tif", raster(t, 9))
	other := startHeld(t, beforePublishing, "refresh", bucketSource, "--catalog", bucketCatalog, "--json")
	if err := other.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := other.wait(); code != exitFailed || !strings.Contains(other.stderr.String(), "cairn: refresh cancelled") {
		t.Errorf("exit code %d, stderr %q; want %d", code, other.stderr.String(), exitFailed)
	}
	if got := published(t, bucketCatalog).Manifest().Fence; got != first.Snapshot {
		t.Errorf("snapshot %d is published; want %d still", got, first.Snapshot)
	}
	if got := refreshed(t, bucketSource, "--catalog", bucketCatalog); got.Added != 1 || got.Scanned != 0 {
		t.Errorf("refresh afterwards: %+v; want 1 added and none scanned again", got)
	}
}

// Waiting for a Run asks the Catalog nothing.
func TestWaitingCostsNothing(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	gate := faultstore.NewGate()
	log := slog.New(slog.DiscardHandler)
	a := &app{wrap: func(s objstore.Store) objstore.Store {
		f := faultstore.New(s)
		f.Set(faultstore.Match{Op: faultstore.Put, Prefix: beforePublishing}, faultstore.Fault{Gate: gate})
		return f
	}}
	s, err := prepare(t.Context(), setupOptions{source: p.source, catalog: bucketCatalog, bucket: bucketOptions{parallel: 8}}, log)
	if err != nil {
		t.Fatal(err)
	}
	e, err := a.openEngine(t.Context(), s, log)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	shown := make(chan struct{}, 100)
	ended := make(chan refresh.Run, 1)
	go func() {
		r, err := a.runToEnd(context.Background(), e, refresh.Scope{}, displayFunc(func(refresh.Progress) { shown <- struct{}{} }))
		if err != nil {
			t.Error(err)
		}
		ended <- r
	}()
	if err := gate.Reached(t.Context()); err != nil {
		t.Fatal(err)
	}
	for launched := false; !launched; { // its first renewal of the Lease may come late
		c, _, err := e.state.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		launched = c.Lease != nil && c.Lease.Launched
	}
	before := b.Stats(s3test.Any).Requests
	for range 5 {
		<-shown
	}
	if after := b.Stats(s3test.Any).Requests; after > before+1 { // one may have been under way
		t.Errorf("%d requests while it waited", after-before)
	}
	gate.Release()
	if r := <-ended; r.State != refresh.Successful {
		t.Errorf("%+v", r)
	}
}

type displayFunc func(refresh.Progress)

func (f displayFunc) show(p refresh.Progress) { f(p) }
func (displayFunc) end()                      {}
