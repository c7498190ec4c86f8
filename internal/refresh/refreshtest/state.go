// Package refreshtest holds the contract suites of refresh's ports.
package refreshtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// At is a fixed time for records.
var At = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// RunID gives the nth of a row of ascending ids.
func RunID(n int) string { return refresh.NewRunID(At.Add(time.Duration(n) * time.Second)) }

// LargestControl is a control record with as many Scopes as it may hold, each as large as it may be.
func LargestControl() refresh.Control {
	scope := refresh.Scope{Prefixes: make([]string, 200)}
	for i := range scope.Prefixes { // 12 KB in JSON
		scope.Prefixes[i] = fmt.Sprintf("%03d/%s/", i, strings.Repeat("\u00e9", 26))
	}
	problem := &refresh.Problem{Code: "internal", Message: strings.Repeat("what went wrong. ", 500)}
	c := refresh.Control{
		Fence: 1 << 60,
		Lease: &refresh.Lease{Run: RunID(0), Fence: 1 << 60, Scope: scope, Accepted: At, Granted: At, Expires: At},
		Last:  &refresh.Run{ID: RunID(1), State: refresh.Failed, Scope: scope, Accepted: At, Started: &At, Ended: &At, Error: problem},
	}
	for i := range refresh.MaxWaiting + 1 { // and the one that collects events
		c.Waiting = append(c.Waiting, refresh.Waiting{Run: RunID(2 + i), Scope: scope, Accepted: At, Events: i == 0, NotBefore: At})
	}
	return c
}

// TestState holds a refresh.State against its contract. open returns a State on a new, empty home each time it is called with
// a new t, and another State on the same home when called again with the same one.
func TestState(t *testing.T, open func(t *testing.T) refresh.State) {
	ctx := context.Background()

	t.Run("control record", func(t *testing.T) {
		a, b := open(t), open(t)
		c, token, err := a.Load(ctx)
		if err != nil || token != "" || !reflect.DeepEqual(c, refresh.Control{}) {
			t.Fatalf("first Load = %+v, %q, %v; want zero values", c, token, err)
		}
		want := refresh.Control{
			Fence:     3,
			Lease:     &refresh.Lease{Run: RunID(1), Fence: 3, Granted: At, Expires: At.Add(time.Minute), Scope: refresh.Scope{Prefixes: []string{"a/"}}},
			Waiting:   []refresh.Waiting{{Run: RunID(2), Accepted: At}},
			Last:      &refresh.Run{ID: RunID(0), State: refresh.Failed, Error: &refresh.Problem{Code: "x", Message: "y"}},
			Published: refresh.Published{Snapshot: 2, Items: 5, Collections: 1},
		}
		if err := a.Swap(ctx, token, want); err != nil {
			t.Fatal(err)
		}
		got, second, err := b.Load(ctx)
		if err != nil || second == "" || !reflect.DeepEqual(got, want) {
			t.Fatalf("Load = %+v, %q, %v; want %+v", got, second, err, want)
		}
		if err := b.Swap(ctx, token, refresh.Control{}); !errors.Is(err, refresh.ErrConflict) {
			t.Fatalf("Swap of what is no longer there = %v; want ErrConflict", err)
		}
		want.Fence = 4
		if err := b.Swap(ctx, second, want); err != nil {
			t.Fatal(err)
		}
		if err := a.Swap(ctx, second, want); !errors.Is(err, refresh.ErrConflict) {
			t.Fatalf("second Swap of one token = %v; want ErrConflict", err)
		}
	})

	t.Run("one of many swaps wins", func(t *testing.T) {
		states := []refresh.State{open(t), open(t)}
		for round := range 10 {
			c, token, err := states[0].Load(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			var mu sync.Mutex
			won := 0
			for i := range 20 {
				wg.Go(func() {
					n := c
					n.Fence = uint64(100*round + i + 1)
					err := states[i%2].Swap(ctx, token, n)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						won++
					case !errors.Is(err, refresh.ErrConflict):
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if won != 1 {
				t.Fatalf("round %d: %d swaps of one token succeeded", round, won)
			}
		}
	})

	t.Run("runs", func(t *testing.T) {
		s := open(t)
		if _, err := s.Run(ctx, RunID(0)); !errors.Is(err, refresh.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("Run of an unknown id = %v; want ErrNotFound", err)
		}
		for _, id := range []string{"", "../control", "..", "a/b", "01ARZ3NDEKTSV4RRFFQ69G5FA/", "%2e%2e"} {
			if _, err := s.Run(ctx, id); !errors.Is(err, refresh.ErrNotFound) {
				t.Errorf("Run(%q) = %v; want ErrNotFound", id, err)
			}
		}
		var ids []string
		for i := range 5 {
			id := RunID(i)
			ids = append(ids, id)
			end := At.Add(time.Minute)
			r := refresh.Run{ID: id, State: refresh.Successful, Accepted: At, Started: &At, Ended: &end, Counts: refresh.Counts{Items: i}}
			kept, err := s.PutRun(ctx, r)
			if err != nil || !reflect.DeepEqual(kept, r) {
				t.Fatalf("PutRun = %+v, %v; want %+v", kept, err, r)
			}
			other := r
			other.State = refresh.Failed
			if kept, err := s.PutRun(ctx, other); err != nil || kept.State != refresh.Successful {
				t.Fatalf("second PutRun = %+v, %v; want the first record", kept, err)
			}
			if got, err := open(t).Run(ctx, id); err != nil || !reflect.DeepEqual(got, r) {
				t.Fatalf("Run = %+v, %v; want %+v", got, err, r)
			}
		}
		if got := list(t, s, ""); !reflect.DeepEqual(got, []string{ids[4], ids[3], ids[2], ids[1], ids[0]}) {
			t.Errorf("Runs = %v; want newest first of %v", got, ids)
		}
		if got := list(t, s, ids[2]); !reflect.DeepEqual(got, []string{ids[1], ids[0]}) {
			t.Errorf("Runs before %s = %v", ids[2], got)
		}
		if err := s.PruneRuns(ctx, 2); err != nil {
			t.Fatal(err)
		}
		if got := list(t, s, ""); !reflect.DeepEqual(got, []string{ids[4], ids[3]}) {
			t.Errorf("Runs after PruneRuns(2) = %v", got)
		}
	})

	t.Run("reservations", func(t *testing.T) {
		s := open(t)
		ids := map[int]string{}
		for i := range 100 {
			ids[i] = RunID(i)
		}
		res := func(n int) refresh.Reservation {
			return refresh.Reservation{Run: ids[n], Digest: fmt.Sprint("d", n), Expires: At.Add(time.Hour)}
		}
		for i, key := range []string{"k", "K", "", "../control", strings.Repeat("long", 60), "\x00\xff", "a b/ü"} {
			if got, err := s.Reserve(ctx, key, res(i), At); err != nil || !reflect.DeepEqual(got, res(i)) {
				t.Fatalf("Reserve %q = %+v, %v", key, got, err)
			}
			if got, err := open(t).Reserve(ctx, key, res(99), At.Add(59*time.Minute)); err != nil || !reflect.DeepEqual(got, res(i)) {
				t.Fatalf("Reserve %q again = %+v, %v; want the first one", key, got, err)
			}
		}
		answered := res(0)
		answered.Answer = &refresh.Answer{Kind: refresh.Queued, Run: RunID(5), Position: 3}
		if err := s.Resolve(ctx, "k", answered); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Reserve(ctx, "k", res(99), At); err != nil || !reflect.DeepEqual(got, answered) {
			t.Errorf("after Resolve: %+v, %v; want %+v", got, err, answered)
		}
		later := res(7)
		later.Expires = At.Add(3 * time.Hour)
		if got, err := s.Reserve(ctx, "k", later, At.Add(time.Hour)); err != nil || !reflect.DeepEqual(got, later) {
			t.Errorf("after it expired: %+v, %v; want the new one", got, err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		kept := map[string]bool{}
		for i := range 20 {
			wg.Go(func() {
				got, err := open(t).Reserve(ctx, "race", res(i), At)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				kept[got.Run] = true
			})
		}
		wg.Wait()
		if len(kept) != 1 {
			t.Errorf("twenty at once got %d different runs", len(kept))
		}
		if err := s.PruneRuns(ctx, 1); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Reserve(ctx, "race", res(50), At); err != nil || !kept[got.Run] {
			t.Errorf("after PruneRuns: %+v, %v", got, err)
		}
	})

	t.Run("largest control record", func(t *testing.T) {
		s := open(t)
		want := LargestControl()
		if err := s.Swap(ctx, "", want); err != nil {
			t.Fatal(err)
		}
		if got, _, err := open(t).Load(ctx); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("Load = %+v, %v; want what was written", got, err)
		}
	})

	t.Run("progress", func(t *testing.T) {
		s := open(t)
		run := RunID(0)
		if p, err := s.Progress(ctx, run); err != nil || p.Phase != "" {
			t.Fatalf("Progress of an unknown run = %+v, %v; want zero", p, err)
		}
		steps := []error{
			s.Begin(ctx, run, refresh.Planning, refresh.Totals{}),
			s.Begin(ctx, run, refresh.Scanning, refresh.Totals{Objects: 99}),
			s.Begin(ctx, run, refresh.Scanning, refresh.Totals{Objects: 10, Settled: 2, Unchanged: 1}), // planned again
			s.Shard(ctx, run, "a", refresh.Tally{Done: 3, Items: 3}),
			s.Shard(ctx, run, "b", refresh.Tally{Done: 2, Items: 1, Rejects: 1, Final: true}),
			s.Shard(ctx, run, "a", refresh.Tally{Done: 4, Items: 4, Final: true}),
		}
		if err := errors.Join(steps...); err != nil {
			t.Fatal(err)
		}
		p, err := s.Progress(ctx, run)
		if got, want := p.Sum(), (refresh.Tally{Done: 8, Items: 5, Rejects: 1, Unchanged: 1}); err != nil || got != want {
			t.Fatalf("Sum = %+v, %v; want %+v", got, err, want)
		}
		before := p.Percent()
		for _, again := range []refresh.Tally{{Done: 1}, {Done: 4, Items: 4, Final: true}} { // scanned again
			if err := s.Shard(ctx, run, "a", again); err != nil {
				t.Fatal(err)
			}
			if p, _ = s.Progress(ctx, run); p.Percent() < before || p.Sum().Done != 8 {
				t.Errorf("a repeated scan took progress from %d back to %d percent", before, p.Percent())
			}
		}
		if got, want := p.Sum(), (refresh.Tally{Done: 8, Items: 5, Rejects: 1, Unchanged: 1}); got != want {
			t.Errorf("after a repeated scan: Sum = %+v; want %+v", got, want)
		}
		if other, err := s.Progress(ctx, RunID(1)); err != nil || !reflect.DeepEqual(other, refresh.Progress{}) {
			t.Errorf("Progress of another run = %+v, %v; want zero", other, err)
		}
		for _, phase := range []refresh.Phase{refresh.Publishing, refresh.Publishing, refresh.Scanning, refresh.Planning} {
			if err := s.Begin(ctx, run, phase, refresh.Totals{Objects: 1}); err != nil {
				t.Fatal(err)
			}
			if p, _ = s.Progress(ctx, run); p.Phase != refresh.Publishing || p.Totals.Objects != 10 || p.Percent() != 99 {
				t.Errorf("after %s began in or after publishing: %+v, %d percent", phase, p, p.Percent())
			}
		}
		for _, id := range []string{"", "../control", "a/b"} {
			if s.Begin(ctx, id, refresh.Planning, refresh.Totals{}) == nil || s.Shard(ctx, id, "a", refresh.Tally{}) == nil {
				t.Errorf("%q is taken for the id of a run", id)
			}
		}
	})

	t.Run("phases begun at once", func(t *testing.T) {
		s := open(t)
		run := RunID(0)
		var wg sync.WaitGroup
		for i := range 15 {
			phase := []refresh.Phase{refresh.Planning, refresh.Scanning, refresh.Publishing}[i%3]
			wg.Go(func() {
				if err := s.Begin(ctx, run, phase, refresh.Totals{Objects: 7}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if p, err := s.Progress(ctx, run); err != nil || p.Phase != refresh.Publishing {
			t.Errorf("the last of three phases began, and it is at %q, %v", p.Phase, err)
		}
	})

	t.Run("shards reported at once", func(t *testing.T) {
		s := open(t)
		run := RunID(0)
		if err := s.Begin(ctx, run, refresh.Scanning, refresh.Totals{Objects: 100}); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for shard := range 10 {
			for scan := range 2 { // a scan and its repetition
				wg.Go(func() {
					for done := range 11 {
						tally := refresh.Tally{Done: done, Items: done, Final: done == 10}
						if err := s.Shard(ctx, run, fmt.Sprint("shard ", shard), tally); err != nil {
							t.Errorf("scan %d of shard %d: %v", scan, shard, err)
						}
						if p, err := s.Progress(ctx, run); err != nil || p.Scans.Done > 100 || p.Percent() > 98 {
							t.Errorf("%d of 100 objects are done, %d percent, %v", p.Scans.Done, p.Percent(), err)
						}
					}
				})
			}
		}
		wg.Wait()
		if p, err := s.Progress(ctx, run); err != nil || p.Scans.Done != 100 {
			t.Errorf("after all last tallies %d objects are done, %v; want 100", p.Scans.Done, err)
		}
	})
}

func list(t *testing.T, s refresh.State, before string) []string {
	t.Helper()
	var out []string
	for r, err := range s.Runs(context.Background(), before) {
		if err != nil {
			t.Fatal(fmt.Errorf("list runs: %w", err))
		}
		out = append(out, r.ID)
	}
	return out
}
