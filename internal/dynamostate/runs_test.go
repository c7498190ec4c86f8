package dynamostate_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/dynamostate/dynamotest"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/refresh/refreshtest"
)

// record records n ended Runs and returns their ids, oldest first.
func record(t *testing.T, s refresh.State, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = refreshtest.RunID(i)
		if _, err := s.PutRun(context.Background(), refresh.Run{ID: ids[i], State: refresh.Successful, Accepted: refreshtest.At}); err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

func history(t *testing.T, s refresh.State) []string {
	t.Helper()
	var ids []string
	for r, err := range s.Runs(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	slices.Reverse(ids)
	return ids
}

// What is recorded counts, whether or not anybody was told that it was.
func TestPutRunWithLostReplies(t *testing.T) {
	ctx := context.Background()
	for _, lost := range []int{1, 4} {
		s, db := open(t)
		r := refresh.Run{ID: refreshtest.RunID(1), State: refresh.Successful, Accepted: refreshtest.At}
		db.Fail("TransactWriteItems", lost, dynamotest.LostReply)
		if kept, err := s.PutRun(ctx, r); err != nil || kept.State != refresh.Successful {
			t.Errorf("%d lost: PutRun = %+v, %v", lost, kept, err)
		}
		r.State = refresh.Failed
		if kept, err := s.PutRun(ctx, r); err != nil || kept.State != refresh.Successful {
			t.Errorf("%d lost: second PutRun = %+v, %v; want the first record", lost, kept, err)
		}
		if err := s.PruneRuns(ctx, 0); err != nil || len(history(t, s)) != 0 { // as many are counted as there are
			t.Errorf("%d lost: after PruneRuns(0) there are %v, %v", lost, history(t, s), err)
		}
	}
}

// The end of a Run reads the number of Runs and, if that is too many, the oldest one, not the history.
func TestPruneRunsReadsAreCounted(t *testing.T) {
	ctx := context.Background()
	s, db := open(t)
	ids := record(t, s, 70)
	db.Reset()
	if err := s.PruneRuns(ctx, 70); err != nil || db.Count("") != 1 || db.ItemsRead() != 1 {
		t.Errorf("nothing to prune: %v, requests %v, %d items; want one of each", err, db.Counts(), db.ItemsRead())
	}
	db.Reset()
	if err := s.PruneRuns(ctx, 69); err != nil || db.Count("") != 3 || db.ItemsRead() != 2 {
		t.Errorf("one to prune: %v, requests %v, %d items; want 3 and 2", err, db.Counts(), db.ItemsRead())
	}
	if err := s.PruneRuns(ctx, 9); err != nil { // over several pages
		t.Fatal(err)
	}
	if got := history(t, s); !slices.Equal(got, ids[61:]) {
		t.Errorf("left are %v; want the newest 9 of %v", got, ids)
	}
}

func TestPruneRunsByManyAtOnce(t *testing.T) {
	s, db := open(t)
	ids := record(t, s, 30)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := another(db).PruneRuns(context.Background(), 20); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := history(t, s); !slices.Equal(got, ids[10:]) {
		t.Errorf("left are %v; want the newest 20 of %v", got, ids)
	}
}

// The history is read by the page, and no further than somebody looks.
func TestRunsArePaged(t *testing.T) {
	s, db := open(t)
	ids := record(t, s, 120)
	db.Reset()
	if got := history(t, s); !slices.Equal(got, ids) || db.Count("Query") != 3 {
		t.Errorf("%d runs with %d queries; want 120 with 3", len(got), db.Count("Query"))
	}
	db.Reset()
	for range s.Runs(context.Background(), "") {
		break
	}
	if db.Count("Query") != 1 {
		t.Errorf("one run was read with %d queries", db.Count("Query"))
	}
	db.Fail("Query", -1, dynamotest.Internal)
	n := 0
	for _, err := range s.Runs(context.Background(), "") {
		if n++; err == nil || n > 1 {
			t.Errorf("while the table cannot be read: %v", err)
		}
	}
}

// An answer that comes after its key expired and was given to another Run changes nothing.
func TestResolveOfAnothersReservation(t *testing.T) {
	ctx := context.Background()
	s, _ := open(t)
	res := func(n int, at time.Time) refresh.Reservation {
		return refresh.Reservation{Run: refreshtest.RunID(n), Digest: fmt.Sprint(n), Expires: at.Add(refresh.KeyLife)}
	}
	late, later := res(1, refreshtest.At), refreshtest.At.Add(refresh.KeyLife)
	if _, err := s.Reserve(ctx, "k", late, refreshtest.At); err != nil {
		t.Fatal(err)
	}
	next := res(2, later)
	if _, err := s.Reserve(ctx, "k", next, later); err != nil {
		t.Fatal(err)
	}
	late.Answer = &refresh.Answer{Kind: refresh.Started, Run: late.Run}
	if err := s.Resolve(ctx, "k", late); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Reserve(ctx, "k", res(3, later), later); err != nil || got != next {
		t.Errorf("Reserve = %+v, %v; want %+v", got, err, next)
	}
}

func TestReserveWithLostReplies(t *testing.T) {
	ctx := context.Background()
	s, db := open(t)
	r := refresh.Reservation{Run: refreshtest.RunID(1), Digest: "d", Expires: refreshtest.At.Add(time.Hour)}
	db.Fail("UpdateItem", 2, dynamotest.LostReply)
	if got, err := s.Reserve(ctx, "k", r, refreshtest.At); err != nil || got != r {
		t.Errorf("Reserve = %+v, %v; want %+v", got, err, r)
	}
	db.Reset()
	r.Answer = &refresh.Answer{Kind: refresh.Started, Run: r.Run}
	if err := s.Resolve(ctx, "k", r); err != nil || db.Count("") != 1 {
		t.Errorf("Resolve = %v with %v", err, db.Counts())
	}
}
