package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/snapshot"
)

// Reads of the Catalog: one of Head a request, and two more (Head and the manifest) when another Snapshot is published.
func TestSnapshotsReads(t *testing.T) {
	w := newWorld(t, nil)
	s := NewSnapshots(w.catalog, 0, nil)
	if _, err := s.Current(t.Context()); !errors.Is(err, snapshot.ErrNoSnapshot) {
		t.Fatalf("before the first: %v", err)
	}
	for fence := range uint64(3) {
		w.publish(fence+1, 1, "a")
		for i, want := range []int64{3, 1, 1} {
			w.catalog.gets.Store(0)
			r, err := s.Current(t.Context())
			if err != nil || r.Manifest().Fence != fence+1 || w.catalog.gets.Load() != want {
				t.Errorf("request %d after snapshot %d: %v, %d reads, want %d", i, fence+1, err, w.catalog.gets.Load(), want)
			}
		}
	}
	w.catalog.gets.Store(0)
	if r, err := s.At(t.Context(), 2); err != nil || r.Manifest().Fence != 2 || w.catalog.gets.Load() != 0 {
		t.Errorf("a superseded one: %v, %d reads", err, w.catalog.gets.Load())
	}
	if _, err := s.At(t.Context(), 4); !errors.Is(err, snapshot.ErrExpired) {
		t.Errorf("one that never was: %v", err)
	}
	if len(s.open) != 3 {
		t.Errorf("%d are open", len(s.open))
	}
}

func TestSnapshotsBelieveHeadForAWhile(t *testing.T) {
	w := newWorld(t, nil)
	s := NewSnapshots(w.catalog, time.Hour, nil)
	w.publish(1, 1, "a")
	for range 3 {
		if _, err := s.Current(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.publish(2, 1, "a")
	w.catalog.gets.Store(0)
	r, err := s.Current(t.Context())
	if err != nil || r.Manifest().Fence != 1 || w.catalog.gets.Load() != 0 {
		t.Errorf("%v, %d reads", err, w.catalog.gets.Load())
	}
	s.due = time.Time{}
	if r, err = s.Current(t.Context()); err != nil || r.Manifest().Fence != 2 {
		t.Errorf("after a while: %v", err)
	}
	w.publish(3, 1, "a")
	if s.Published(2); current(t, s) != 2 {
		t.Error("what is known already is no reason to look")
	}
	if s.Published(3); current(t, s) != 3 {
		t.Error("somebody knew of another snapshot")
	}
}

func current(t *testing.T, s *Snapshots) uint64 {
	t.Helper()
	r, err := s.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r.Manifest().Fence
}

// Many requests at once share one look, and its second read where it finds another Snapshot.
func TestSnapshotsShareALook(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 1, "a")
	s := NewSnapshots(w.catalog, time.Second, nil)
	c := newClock()
	s.now = c.now
	for i, want := range []int64{3, 0, 1} { // the first one opens the Snapshot, at the second it is fresh, at the third no longer
		if i == 2 {
			c.advance(time.Second)
		}
		w.catalog.gets.Store(0)
		entered, release := make(chan struct{}, 100), make(chan struct{})
		w.catalog.failOn(func(string) error { entered <- struct{}{}; <-release; return nil })
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if _, err := s.Current(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		if want > 0 {
			<-entered
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Current(gone); want > 0 && !errors.Is(err, context.Canceled) {
			t.Errorf("who gives up gets %v", err)
		}
		close(release)
		wg.Wait()
		if n := w.catalog.gets.Load(); n != want {
			t.Errorf("round %d: %d reads for 50 requests, want %d", i, n, want)
		}
	}
}

// A request that gives up does not spoil the look that others share.
func TestSnapshotsLookOutlivesItsRequest(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 1, "a")
	s := NewSnapshots(w.catalog, time.Second, nil)
	release := make(chan struct{})
	w.catalog.gets.Store(0)
	w.catalog.failOn(func(string) error { <-release; return nil })
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Current(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("who gives up gets %v", err)
	}
	close(release)
	if current(t, s) != 1 || w.catalog.gets.Load() != 3 {
		t.Errorf("%d reads", w.catalog.gets.Load())
	}
}

// While Head cannot be read the known Snapshot stays for half a minute, and not every request asks again.
func TestSnapshotsKeepWhatIsKnown(t *testing.T) {
	for _, fresh := range []time.Duration{0, time.Second} {
		w := newWorld(t, nil)
		log := &syncBuffer{}
		s := NewSnapshots(w.catalog, fresh, slog.New(slog.NewTextHandler(log, nil)))
		c := newClock()
		s.now = c.now
		boom := errors.New("boom")
		var tried atomic.Int64
		w.catalog.failOn(func(string) error { tried.Add(1); return boom })
		if _, err := s.Current(t.Context()); !errors.Is(err, boom) {
			t.Errorf("nothing is known: %v", err)
		}
		w.catalog.failOn(nil)
		w.publish(1, 1, "a")
		current(t, s)
		w.catalog.failOn(func(string) error { tried.Add(1); return boom })
		tried.Store(0)
		for c.now().Sub(s.seen) < keepKnown {
			if current(t, s) != 1 {
				t.Error("another one")
			}
			c.advance(100 * time.Millisecond)
		}
		if n := tried.Load(); n < 25 || n > 30 || int64(strings.Count(log.String(), "boom")) != n {
			t.Errorf("fresh %v: %d looks in 300 requests over 30 s; log: %s", fresh, n, log)
		}
		c.advance(lookPause)
		if _, err := s.Current(t.Context()); !errors.Is(err, boom) {
			t.Errorf("fresh %v, after a while: %v", fresh, err)
		}
		w.catalog.failOn(nil)
		w.publish(2, 1, "a")
		if current(t, s) != 2 {
			t.Error("it does not recover")
		}
	}
}

// A store that hangs holds up few of those who could have the known Snapshot.
func TestSnapshotsWaitLittleForAHangingStore(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 1, "a")
	s := NewSnapshots(w.catalog, time.Second, nil)
	s.patience = time.Millisecond
	c := newClock()
	s.now = c.now
	current(t, s)
	release := make(chan struct{})
	defer close(release)
	var tried atomic.Int64
	w.catalog.failOn(func(string) error { tried.Add(1); <-release; return nil })
	for range 20 {
		c.advance(time.Second)
		if current(t, s) != 1 {
			t.Error("another one")
		}
	}
	if tried.Load() != 1 {
		t.Errorf("%d looks at once", tried.Load())
	}
	s.patience = time.Hour // somebody just found out that it hangs
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := s.Current(soon); err != nil {
		t.Error(err)
	}
}

// A look that read Head before somebody told of another Snapshot is only for those who had asked before.
func TestSnapshotsLookAgainForWhoKnowsBetter(t *testing.T) {
	for _, overlap := range []bool{true, false} {
		w := newWorld(t, nil)
		w.publish(1, 1, "a")
		s := NewSnapshots(w.catalog, time.Hour, nil)
		entered, release := make(chan struct{}), make(chan struct{})
		w.catalog.failOn(func(key string) error {
			if key == snapshot.ManifestKey(1) { // Head has been read
				close(entered)
				<-release
			}
			return nil
		})
		early := make(chan uint64)
		go func() {
			r, err := s.Current(t.Context())
			if err != nil {
				t.Error(err)
				close(early)
				return
			}
			early <- r.Manifest().Fence
		}()
		<-entered
		w.publish(2, 1, "a")
		s.Published(2)
		soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if overlap {
			if r, err := s.Current(soon); err != nil || r.Manifest().Fence != 2 {
				t.Errorf("%v", err)
			}
		}
		close(release)
		if fence := <-early; fence != 1 || current(t, s) != 2 {
			t.Errorf("who had asked before gets %d, now it is %d", fence, current(t, s))
		}
	}
}

// Made-up page tokens do not push the published Snapshot out.
func TestSnapshotsKeepThePublishedOneOpen(t *testing.T) {
	w := newWorld(t, nil)
	for fence := range uint64(20) {
		w.publish(fence+1, 1, "a")
	}
	s := NewSnapshots(w.catalog, time.Hour, nil)
	current(t, s)
	for fence := range uint64(19) {
		if _, err := s.At(t.Context(), fence+1); err != nil {
			t.Fatal(err)
		}
	}
	w.catalog.gets.Store(0)
	if r, err := s.At(t.Context(), 20); err != nil || r.Manifest().Fence != 20 || w.catalog.gets.Load() != 0 || len(s.open) != keptReaders+1 {
		t.Errorf("%v, %d reads, %d open", err, w.catalog.gets.Load(), len(s.open))
	}
}

func TestSnapshotsKeepFewOpen(t *testing.T) {
	w := newWorld(t, nil)
	s := NewSnapshots(w.catalog, 0, nil)
	for fence := range uint64(20) {
		w.publish(fence+1, 1, "a")
		if _, err := s.Current(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.open) != keptReaders+1 {
		t.Errorf("%d are open", len(s.open))
	}
}

// Many requests at once open a Snapshot once; one that gives up does not spoil it for the others.
func TestSnapshotsAreOpenedOnce(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 1, "a")
	s := NewSnapshots(w.catalog, 0, nil)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	s.entry(1).lock <- struct{}{} // somebody is opening it
	if _, err := s.At(gone, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("who gives up waiting gets %v", err)
	}
	<-s.entry(1).lock
	w.catalog.gets.Store(0)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			ctx := t.Context()
			if i%10 == 0 {
				ctx = gone
			}
			if _, err := s.Current(ctx); err != nil && ctx != gone {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := w.catalog.gets.Load(); n > 50+2+2*5 {
		t.Errorf("%d reads for 50 requests", n)
	}
}

// A Snapshot that was cleaned up while Head was not looked at is looked up again, but not by page tokens, which are bound to it.
func TestCleanedUpSnapshotIsLookedUpAgain(t *testing.T) {
	w := newWorld(t, nil)
	snapshots := NewSnapshots(w.catalog, time.Hour, nil)
	w.opt.Snapshots = snapshots
	w.Config.Handler = New(w.opt)
	w.publish(1, 30, "a")
	var page featureCollection
	w.get("/collections/a/items", &page)
	next := href(page.Links, "next")
	w.publish(2, 30, "a")
	part := w.part(1, "a")
	if err := w.catalog.Delete(t.Context(), part); err != nil {
		t.Fatal(err)
	}
	w.refused(w.do("GET", next, ""), "token_expired")
	for _, path := range []string{"/collections/a/items/img-007", "/collections/a/items/img-017"} {
		var f feature
		if w.get(path, &f); f.Properties["fence"] != 2.0 {
			t.Errorf("%s: %+v", path, f)
		}
	}
	if snapshots.Gone(2); current(t, snapshots) != 2 {
		t.Error("another one")
	}
	// A Part that is gone from what is published is told, once for each request.
	if err := w.catalog.Delete(t.Context(), w.part(2, "a")); err != nil {
		t.Fatal(err)
	}
	w.opt.Snapshots = NewSnapshots(w.catalog, time.Hour, nil)
	w.Config.Handler = New(w.opt)
	w.refused(w.do("GET", "/collections/a/items", ""), "snapshot_expired")
}

// Whoever was told by the status, or by a Run, that a Snapshot is published finds it, however fresh Head is.
func TestStatusMakesHeadStale(t *testing.T) {
	w := newWorld(t, nil)
	w.opt.Snapshots = NewSnapshots(w.catalog, time.Hour, nil)
	w.Config.Handler = New(w.opt)
	for fence := range uint64(3) {
		w.publish(fence+1, 1, "a")
		fence++
		if w.desk.state.Snapshot = &fence; fence%2 == 0 {
			w.desk.history = history(1)
			w.desk.history[0].Snapshot = fence
			w.get("/refresh/runs/"+w.desk.history[0].ID, nil)
		} else {
			w.get("/refresh/status", nil)
		}
		w.catalog.gets.Store(0)
		for range 3 {
			var f feature
			if w.get("/collections/a/items/img-000", &f); f.Properties["fence"] != float64(fence) {
				t.Errorf("snapshot %d: %+v", fence, f)
			}
		}
		if n := w.catalog.gets.Load(); n > 3+2+2 {
			t.Errorf("%d reads", n)
		}
	}
}
