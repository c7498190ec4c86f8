package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/watch"
)

// serves waits until a Collection is served with just so many Items.
func (s *server) serves(collection string, items int) {
	s.t.Helper()
	var got featureCollection
	eventually(s.t, func() bool {
		got = featureCollection{}
		resp := s.call("GET", "/collections/"+collection+"/items?limit=1000", &got)
		return len(got.Features) == items && (items > 0 || resp.StatusCode == http.StatusNotFound)
	})
}

// What changes in a watched folder is served, whatever it is.
func TestWatch(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.catalog = filepath.Join(p.source, "stac") // whose own changes are of no concern
	s := startServer(t, p.args("serve", "--watch", "--addr", "127.0.0.1:0")...)
	s.serves("ortho", 3)

	put(t, p.source, "ortho/a9_20240102.tif", raster(t, 9))
	s.serves("ortho", 4)

	if err := os.Remove(filepath.Join(p.source, "ortho", "a0_20240102.tif")); err != nil {
		t.Fatal(err)
	}
	s.serves("ortho", 3)

	// A file that is written elsewhere and renamed, and a folder that appears whole and is then renamed.
	put(t, p.source, "ortho/a8.tmp", raster(t, 8))
	if err := os.Rename(filepath.Join(p.source, "ortho", "a8.tmp"), filepath.Join(p.source, "ortho", "a8_20240102.tif")); err != nil {
		t.Fatal(err)
	}
	s.serves("ortho", 4)
	for i := range 3 {
		put(t, p.source, fmt.Sprintf("new/deep/n%d_20240102.tif", i), raster(t, i))
	}
	s.serves("new", 3)
	if err := os.Rename(filepath.Join(p.source, "new"), filepath.Join(p.source, "newer")); err != nil {
		t.Fatal(err)
	}
	s.serves("newer", 3)
	s.serves("new", 0)

	// What no Item is made of starts no Run.
	var before, after struct{ Runs []refresh.Run }
	s.call("GET", "/refresh/runs?limit=100", &before)
	put(t, p.source, "ortho/notes.txt", []byte("hello"))
	put(t, p.source, "ortho/a7_20240102.tif", raster(t, 7))
	s.serves("ortho", 5)
	s.call("GET", "/refresh/runs?limit=100", &after)
	if len(before.Runs) < 5 || len(after.Runs) > len(before.Runs)+2 { // the new file may be told twice
		t.Errorf("%d runs, then %d; want an event a run", len(before.Runs), len(after.Runs))
	}
	for _, r := range after.Runs[:len(after.Runs)-1] {
		if !r.Events || len(r.Scope.Keys)+len(r.Scope.Prefixes) == 0 || r.State != refresh.Successful && r.State != refresh.Running {
			t.Errorf("%+v; want a run of what events told", r)
		}
	}
	if code := s.end(); code != 0 {
		t.Errorf("exit code %d; stderr:\n%s", code, s.stderr)
	}
}

// A storm of events becomes few Runs, and nothing of it is lost.
func TestWatchInAStorm(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := startServer(t, p.args("serve", "--watch", "--addr", "127.0.0.1:0")...)
	s.serves("ortho", 3)
	const files = 300
	body := raster(t, 1)
	for i := range files {
		put(t, p.source, fmt.Sprintf("storm/%d/s%03d_20240102.tif", i%7, i), body)
	}
	s.serves("storm", files)
	var runs struct{ Runs []refresh.Run }
	s.call("GET", "/refresh/runs?limit=100", &runs)
	if len(runs.Runs) > 30 {
		t.Errorf("%d runs; want few", len(runs.Runs))
	}
}

// What happens while a Run runs is taken up after it.
func TestWatchDuringARun(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	gate := faultstore.NewGate()
	var store *faultstore.Store
	s := startServerOn(t, func(c objstore.Store) objstore.Store {
		store = faultstore.New(c)
		store.Set(faultstore.Match{Op: faultstore.Put, Prefix: beforePublishing}, faultstore.Fault{Gate: gate})
		return store
	}, p.args("serve", "--watch", "--addr", "127.0.0.1:0")...)
	if err := gate.Reached(t.Context()); err != nil {
		t.Fatal(err)
	}
	put(t, p.source, "ortho/a9_20240102.tif", raster(t, 9))
	eventually(t, func() bool {
		var st refresh.Status
		s.call("GET", "/refresh/status", &st)
		return st.IsRunning && st.QueueLength == 1
	})
	if out := must(t, "status", "--catalog", p.catalog); !contains(out, "waiting:   1 file, of which events told", "running") && !contains(out, "waiting:   1 prefix") {
		t.Errorf("status says:\n%s", out)
	}
	gate.Release()
	s.serves("ortho", 4)
	s.end()
}

// Where the file system tells nothing, the Source is looked at from time to time, and the log says so.
func TestWatchUnsupported(t *testing.T) {
	t.Parallel()
	log := &buffer{}
	e := openTestEngine(t, newPlace(t), log)
	e.events = func(context.Context, string, watch.Options, func(context.Context, watch.Change) error) error {
		return fmt.Errorf("watch x: nfs: %w", watch.ErrUnsupported)
	}
	tended := tendUntil(t, e, freshness{watch: true, every: time.Hour, unwatched: 20 * time.Millisecond}, func(runs []refresh.Run) bool {
		return len(runs) >= 3
	})
	for _, r := range tended {
		if !r.Events || len(r.Scope.Keys)+len(r.Scope.Prefixes) > 0 {
			t.Errorf("%+v; want runs of everything", r)
		}
	}
	if !contains(log.String(), "cannot be watched", "nfs", "--every") {
		t.Errorf("the log says:\n%s", log)
	}
}

// Events that were lost become a Run of everything.
func TestWatchLost(t *testing.T) {
	t.Parallel()
	e := openTestEngine(t, newPlace(t), &buffer{})
	e.events = func(ctx context.Context, root string, opt watch.Options, found func(context.Context, watch.Change) error) error {
		for key, want := range map[string]bool{"a.tif": false, "a.tfw": false, "notes.txt": true, "a/": false} {
			if opt.Ignore(key) != want {
				t.Errorf("%s is ignored: %v; want %v", key, !want, want)
			}
		}
		if err := found(ctx, watch.Change{Lost: true}); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
	runs := tendUntil(t, e, freshness{watch: true, every: time.Hour}, func(runs []refresh.Run) bool { return len(runs) == 1 })
	if r := runs[0]; !r.Events || len(r.Scope.Keys)+len(r.Scope.Prefixes) > 0 {
		t.Errorf("%+v; want a run of everything", r)
	}
}

func openTestEngine(t *testing.T, p place, log io.Writer) *engine {
	t.Helper()
	a := &app{stderr: log}
	s, err := prepare(t.Context(), setupOptions{source: p.source, catalog: p.catalog, bucket: bucketOptions{parallel: 8}}, a.log(slog.LevelInfo))
	if err != nil {
		t.Fatal(err)
	}
	e, err := a.openEngine(t.Context(), s, a.log(slog.LevelInfo))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// tendUntil keeps a Catalog fresh until its ended Runs are as they should.
func tendUntil(t *testing.T, e *engine, f freshness, done func(ended []refresh.Run) bool) []refresh.Run {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	tended := make(chan struct{})
	go func() {
		defer close(tended)
		e.tend(ctx, f)
	}()
	var runs []refresh.Run
	eventually(t, func() bool {
		runs = nil
		for r, err := range e.state.Runs(ctx, "") {
			if err != nil {
				t.Fatal(err)
			}
			runs = append(runs, r)
		}
		return done(runs)
	})
	stop()
	<-tended
	return runs
}

// A first Run that cannot be started, because the Catalog does not answer, is started once it does.
func TestFirstRunIsAskedForAgain(t *testing.T) {
	t.Parallel()
	p, log := newPlace(t), &buffer{}
	a := &app{stderr: log}
	var away *faultstore.Rule
	a.wrap = func(s objstore.Store) objstore.Store {
		f := faultstore.New(s)
		away = f.Set(faultstore.Match{Op: faultstore.Put, Key: "state/control.json", Nth: 1}, faultstore.Fault{})
		f.Set(faultstore.Match{Op: faultstore.Put, Key: "state/control.json", Nth: 2}, faultstore.Fault{})
		return f
	}
	s, err := prepare(t.Context(), setupOptions{source: p.source, catalog: p.catalog, bucket: bucketOptions{parallel: 8}}, a.log(slog.LevelInfo))
	if err != nil {
		t.Fatal(err)
	}
	e, err := a.openEngine(t.Context(), s, a.log(slog.LevelInfo))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	runs := tendUntil(t, e, freshness{first: true, again: time.Millisecond}, func(runs []refresh.Run) bool { return len(runs) == 1 })
	if runs[0].State != refresh.Successful || away.Fired() != 1 || !contains(log.String(), "tried again") {
		t.Errorf("%+v; the log says:\n%s", runs[0], log)
	}
}

// What is under way when the server stops has some time left, and no more.
func TestUnhurried(t *testing.T) {
	parent, stop := context.WithCancel(t.Context())
	ctx, cancel := unhurried(parent, time.Millisecond)
	defer cancel()
	long, cancelLong := unhurried(parent, time.Hour)
	defer cancelLong()
	if ctx.Err() != nil {
		t.Error("it has ended before its parent")
	}
	stop()
	<-ctx.Done()
	if long.Err() != nil {
		t.Error("it has ended with its parent")
	}
}

func TestEvery(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := startServer(t, p.args("serve", "--every", "1s", "--addr", "127.0.0.1:0")...)
	s.serves("ortho", 3)
	put(t, p.source, "ortho/a9_20240102.tif", raster(t, 9))
	s.serves("ortho", 4)
	if code := s.end(); code != 0 {
		t.Errorf("exit code %d; stderr:\n%s", code, s.stderr)
	}
}

// How often a server looks at everything, by its flags.
func TestFreshness(t *testing.T) {
	for _, c := range []struct {
		o    serveOptions
		want freshness
	}{
		{serveOptions{}, freshness{first: true}},
		{serveOptions{every: healEvery * 2, timed: true}, freshness{first: true, every: healEvery * 2, unwatched: healEvery * 2}},
		{serveOptions{watch: true}, freshness{first: true, watch: true, every: healEvery, unwatched: unwatched}},
		{serveOptions{watch: true, every: healEvery * 2, timed: true}, freshness{first: true, watch: true, every: healEvery * 2, unwatched: healEvery * 2}},
	} {
		if got := c.o.freshness(); got != c.want {
			t.Errorf("%+v: %+v; want %+v", c.o, got, c.want)
		}
	}
}

// BenchmarkWatch is the time from writing a file to finding it in the served catalog.
func BenchmarkWatch(b *testing.B) {
	p := newPlace(b)
	s := startServer(b, p.args("serve", "--watch", "--addr", "127.0.0.1:0")...)
	s.serves("ortho", 3)
	body := raster(b, 1)
	for n := 0; b.Loop(); n++ {
		put(b, p.source, fmt.Sprintf("ortho/w%d_20240102.tif", n), body)
		for s.call("GET", fmt.Sprintf("/collections/ortho/items/w%d_20240102", n), nil).StatusCode != http.StatusOK {
		}
	}
	s.stop()
	<-s.code
}
