package localflow_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/localflow"
	"github.com/cairn-stac/cairn/internal/objstate"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// Ended waits for a Run without asking the Catalog, and when it is closed the Run's record is there.
func TestEnded(t *testing.T) {
	ctx := context.Background()
	e := start(t, source(t, 9), memstore.New(), t.TempDir())
	gate := faultstore.NewGate()
	e.source.Set(faultstore.Match{Op: faultstore.List}, faultstore.Fault{Gate: gate})
	select {
	case <-e.flow.Ended("01ARZ3NDEKTSV4RRFFQ69G5FAV"):
	default:
		t.Error("a Run that this process does not drive has not ended")
	}
	ans, err := e.desk.Start(ctx, refresh.Request{})
	if err != nil {
		t.Fatal(err)
	}
	ended := e.flow.Ended(ans.Run)
	select {
	case <-ended:
		t.Fatal("a Run that is held has ended")
	default:
	}
	gate.Release()
	<-ended
	if r, err := e.desk.Run(ctx, ans.Run); err != nil || r.State != refresh.Successful {
		t.Errorf("Run = %+v, %v; want a successful one", r, err)
	}
	<-e.flow.Ended(ans.Run)
}

// An Onlooker tells of a Catalog, of a dead holder too, and never writes to it or takes a lock.
func TestOnlooker(t *testing.T) {
	ctx := context.Background()
	cat := memstore.New()
	e := start(t, source(t, 9), cat, t.TempDir())
	if r := func() refresh.Run {
		ans, err := e.desk.Start(ctx, refresh.Request{})
		if err != nil {
			t.Fatal(err)
		}
		return e.wait(t, ans.Run)
	}(); r.State != refresh.Successful {
		t.Fatalf("%+v", r)
	}
	watched := faultstore.New(cat)
	desk := &refresh.Desk{State: objstate.New(watched, time.Now), Catalog: watched, Workflow: localflow.Onlooker{}, Now: time.Now}
	if s, err := desk.Status(ctx); err != nil || s.IsRunning || s.ItemsCount == nil || *s.ItemsCount != 9 {
		t.Errorf("Status = %+v, %v; want 9 items", s, err)
	}
	if n := watched.Count(faultstore.Match{Op: faultstore.Put}) + watched.Count(faultstore.Match{Op: faultstore.Delete}); n != 0 {
		t.Errorf("%d writes", n)
	}
	var refused *refresh.RefusedError
	if err := (localflow.Onlooker{}).Launch(ctx, refresh.Lease{}); !errors.As(err, &refused) {
		t.Errorf("Launch = %v; want a RefusedError", err)
	}
}
