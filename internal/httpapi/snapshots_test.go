package httpapi

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/snapshot"
)

// Reads of the Catalog: one of Head a request, and two more (Head and the manifest) when another Snapshot is published.
func TestSnapshotsReads(t *testing.T) {
	w := newWorld(t, nil)
	s := NewSnapshots(w.catalog, 0)
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
	s := NewSnapshots(w.catalog, time.Hour)
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
	s.seen = s.seen.Add(-2 * time.Hour)
	if r, err = s.Current(t.Context()); err != nil || r.Manifest().Fence != 2 {
		t.Errorf("after a while: %v", err)
	}
}

func TestSnapshotsKeepFewOpen(t *testing.T) {
	w := newWorld(t, nil)
	s := NewSnapshots(w.catalog, 0)
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
	s := NewSnapshots(w.catalog, 0)
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
