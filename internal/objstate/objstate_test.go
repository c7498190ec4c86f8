package objstate_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstate"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/dirstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/refresh/refreshtest"
)

func TestContract(t *testing.T) {
	for name, make := range map[string]func(*testing.T) objstore.Store{
		"memory": func(*testing.T) objstore.Store { return memstore.New() },
		"folder": func(t *testing.T) objstore.Store {
			s, err := dirstore.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		"faulty": func(*testing.T) objstore.Store { return faultstore.New(memstore.New()) },
	} {
		t.Run(name, func(t *testing.T) {
			homes := map[*testing.T]objstore.Store{}
			refreshtest.TestState(t, func(t *testing.T) refresh.State {
				if homes[t] == nil {
					homes[t] = make(t)
				}
				return objstate.New(homes[t], time.Now)
			})
		})
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	ctx := context.Background()
	store := memstore.New()
	if _, err := store.Put(ctx, "state/control.json", []byte(`{"format":2,"lease":"something else"}`), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := objstate.New(store, time.Now).Load(ctx); !errors.Is(err, refresh.ErrNewerFormat) {
		t.Errorf("Load = %v; want ErrNewerFormat", err)
	}
}

// A reply that was lost is no second Run: what is recorded counts.
func TestPutRunWithALostReply(t *testing.T) {
	store := faultstore.New(memstore.New())
	store.Set(faultstore.Match{Op: faultstore.Put}, faultstore.Fault{Applied: true})
	r := refresh.Run{ID: refreshtest.RunID(1), State: refresh.Successful, Accepted: refreshtest.At}
	if kept, err := objstate.New(store, time.Now).PutRun(context.Background(), r); err != nil || kept.ID != r.ID {
		t.Errorf("PutRun = %+v, %v", kept, err)
	}
}

// Progress is written for others at most once a second, whatever is reported, and a short Run writes none.
func TestProgressWritesAreCounted(t *testing.T) {
	ctx := context.Background()
	store := faultstore.New(memstore.New())
	now := refreshtest.At
	s := objstate.New(store, func() time.Time { return now })
	run := refreshtest.RunID(1)
	for i := range 5000 { // 5 s, a thousand reports each
		now = now.Add(time.Millisecond)
		if err := s.Shard(ctx, run, "s", refresh.Tally{Done: i}); err != nil {
			t.Fatal(err)
		}
		if n := store.Count(faultstore.Match{Op: faultstore.Put}); i < 900 && n != 0 || n > 5 {
			t.Fatalf("%d writes after %d ms", n, i)
		}
	}
	// Another process sees what was flushed last.
	p, err := objstate.New(store, time.Now).Progress(ctx, run)
	if err != nil || p.Scans.Done < 3000 {
		t.Errorf("another process reads %+v, %v", p, err)
	}
}
