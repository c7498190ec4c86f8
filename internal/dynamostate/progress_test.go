package dynamostate_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cairn-stac/cairn/internal/dynamostate"
	"github.com/cairn-stac/cairn/internal/dynamostate/dynamotest"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/refresh/refreshtest"
)

// A clock that stands still unless told otherwise.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func (c *clock) state(db *dynamotest.Server) *dynamostate.State {
	return dynamostate.New(dynamotest.Client(db.URL), db.Table, c.now)
}

func tally(t *testing.T, s refresh.State, run string) refresh.Tally {
	t.Helper()
	p, err := s.Progress(context.Background(), run)
	if err != nil {
		t.Fatal(err)
	}
	return p.Scans
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A status reads the control record and 8 items more, however many Shards there are.
func TestStatusReadsAtMostNineItems(t *testing.T) {
	ctx := context.Background()
	s, db := open(t)
	run := refreshtest.RunID(1)
	must(t, swap(t, s))
	must(t, s.Begin(ctx, run, refresh.Planning, refresh.Totals{}))
	must(t, s.Begin(ctx, run, refresh.Scanning, refresh.Totals{Objects: 500}))
	for i := range 100 {
		must(t, s.Shard(ctx, run, fmt.Sprintf("%06d-abc", i), refresh.Tally{Done: 5, Items: 4, Rejects: 1, Final: true}))
	}
	db.Reset()
	if _, _, err := s.Load(ctx); err != nil {
		t.Fatal(err)
	}
	p, err := s.Progress(ctx, run)
	want := refresh.Tally{Done: 500, Items: 400, Rejects: 100}
	if err != nil || p.Scans != want || p.Phase != refresh.Scanning || p.Totals.Objects != 500 {
		t.Errorf("Progress = %+v, %v; want %+v", p, err, want)
	}
	if db.ItemsRead() != 9 || db.Count("GetItem") != 1 || db.Count("Query") != 1 || db.Count("") != 2 {
		t.Errorf("%d items were read by %v; want 9 by one GetItem and one Query", db.ItemsRead(), db.Counts())
	}
}

// A scan reports each scene, but is written every two seconds at most, and at its end.
func TestShardWritesAreCounted(t *testing.T) {
	ctx := context.Background()
	_, _, db := dynamotest.Open(t)
	c := &clock{refreshtest.At}
	s, run := c.state(db), refreshtest.RunID(1)
	for i := range 7000 { // 7 s
		c.at = c.at.Add(time.Millisecond)
		must(t, s.Shard(ctx, run, "s", refresh.Tally{Done: i}))
		if n := db.Count(""); n != i/2000 {
			t.Fatalf("%d requests after %d ms", n, i)
		}
	}
	must(t, s.Shard(ctx, run, "s", refresh.Tally{Done: 7000, Final: true}))
	if db.Count("TransactWriteItems") != 4 || db.Count("") != 4 || tally(t, s, run).Done != 7000 {
		t.Errorf("%v, %+v; want 4 transactions and 7000 objects", db.Counts(), tally(t, s, run))
	}
	db.Reset()
	must(t, s.Shard(ctx, run, "short", refresh.Tally{Done: 3}))
	must(t, s.Shard(ctx, run, "short", refresh.Tally{Done: 5, Final: true}))
	if db.Count("") != 1 {
		t.Errorf("a short scan: %v; want one transaction", db.Counts())
	}
}

// A zombie and its retry scan one Shard: it counts once and never goes back, whoever reports what when.
func TestTwoScansOfOneShard(t *testing.T) {
	ctx := context.Background()
	_, _, db := dynamotest.Open(t)
	c := &clock{refreshtest.At}
	zombie, retry, run := c.state(db), c.state(db), refreshtest.RunID(1)
	must(t, zombie.Begin(ctx, run, refresh.Scanning, refresh.Totals{Objects: 100}))
	last := 0
	for _, step := range []struct {
		by   *dynamostate.State
		done int
		want int
	}{
		{zombie, 40, 40}, {retry, 10, 40}, {zombie, 50, 50}, {retry, 45, 50}, {retry, 60, 60}, {zombie, 55, 60}, {zombie, 90, 90},
		{retry, 100, 100}, {zombie, 95, 100}, {zombie, 100, 100},
	} {
		for range 2 { // a process writes nothing of a Shard within its first two seconds
			must(t, step.by.Shard(ctx, run, "s", refresh.Tally{Done: step.done, Items: step.done, Final: step.done == 100}))
			c.at = c.at.Add(3 * time.Second)
		}
		p, err := retry.Progress(ctx, run)
		if err != nil || p.Scans.Done != step.want || p.Scans.Items != step.want || p.Percent() < last {
			t.Errorf("after a report of %d: %+v, %d percent, %v; want %d", step.done, p.Scans, p.Percent(), err, step.want)
		}
		last = p.Percent()
	}
}

func TestManyProcessesReportAtOnce(t *testing.T) {
	ctx := context.Background()
	s, db := open(t)
	run := refreshtest.RunID(1)
	must(t, s.Begin(ctx, run, refresh.Scanning, refresh.Totals{Objects: 100}))
	var wg sync.WaitGroup
	for range 4 {
		other := another(db)
		for shard := range 5 {
			wg.Go(func() {
				for done := 2; done <= 20; done += 6 {
					if err := other.Shard(ctx, run, fmt.Sprint(shard), refresh.Tally{Done: done, Items: done, Final: true}); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	if got := tally(t, s, run); got.Done != 100 || got.Items != 100 {
		t.Errorf("five shards of 20 objects, each scanned four times: %+v", got)
	}
}

// A report whose reply is lost counts once, whether it or the next one is the repetition.
func TestShardWithLostReplies(t *testing.T) {
	ctx := context.Background()
	_, _, db := dynamotest.Open(t)
	c := &clock{refreshtest.At}
	s, run := c.state(db), refreshtest.RunID(1)
	report := func(done int, final bool) error {
		c.at = c.at.Add(3 * time.Second)
		return s.Shard(ctx, run, "s", refresh.Tally{Done: done, Final: final})
	}
	must(t, report(1, false))
	db.Fail("TransactWriteItems", 1, dynamotest.LostReply)
	if err := report(10, false); err != nil || tally(t, s, run).Done != 10 {
		t.Errorf("one reply lost: %v, %+v; want 10 done", err, tally(t, s, run))
	}
	db.Fail("TransactWriteItems", 4, dynamotest.LostReply)
	if err := report(20, false); err == nil || !strings.Contains(err.Error(), "write progress of shard s") {
		t.Errorf("all replies lost: %v", err)
	}
	if err := report(30, true); err != nil || tally(t, s, run).Done != 30 {
		t.Errorf("after that: %v, %+v; want 30 done", err, tally(t, s, run))
	}
}

// Where two transactions meet the SDK does not try again. A last tally is insisted on, another one left to the next report.
func TestShardWhileOthersWriteTheCounter(t *testing.T) {
	ctx := context.Background()
	_, _, db := dynamotest.Open(t)
	c := &clock{refreshtest.At}
	s, run := c.state(db), refreshtest.RunID(1)
	must(t, s.Shard(ctx, run, "s", refresh.Tally{}))
	c.at = c.at.Add(3 * time.Second)
	db.Fail("TransactWriteItems", 1, dynamotest.Conflict)
	if err := s.Shard(ctx, run, "s", refresh.Tally{Done: 1}); err != nil || db.Count("") != 1 {
		t.Errorf("an ordinary report: %v, %v", err, db.Counts())
	}
	db.Reset()
	db.Fail("TransactWriteItems", 3, dynamotest.Conflict)
	if err := s.Shard(ctx, run, "s", refresh.Tally{Done: 5, Final: true}); err != nil || db.Count("") != 4 || tally(t, s, run).Done != 5 {
		t.Errorf("the last report: %v, %v, %+v", err, db.Counts(), tally(t, s, run))
	}
	db.Reset()
	db.Fail("UpdateItem", 2, dynamotest.Conflict)
	if err := s.Begin(ctx, run, refresh.Scanning, refresh.Totals{Objects: 5}); err != nil || db.Count("") != 3 {
		t.Errorf("Begin: %v, %v", err, db.Counts())
	}
}

// The time left follows from what many short processes wrote, each of which knows only its own Shards.
func TestETAOverManyProcesses(t *testing.T) {
	ctx := context.Background()
	_, _, db := dynamotest.Open(t)
	c := &clock{refreshtest.At}
	run := refreshtest.RunID(1)
	must(t, c.state(db).Begin(ctx, run, refresh.Planning, refresh.Totals{}))
	c.at = c.at.Add(time.Minute) // planning is no part of the rate
	must(t, c.state(db).Begin(ctx, run, refresh.Scanning, refresh.Totals{Objects: 1000}))
	eta := func() (time.Duration, bool) {
		p, err := c.state(db).Progress(ctx, run)
		must(t, err)
		return p.ETA(c.at)
	}
	if _, ok := eta(); ok {
		t.Error("an estimate before anything is done")
	}
	for i := range 5 { // 20 objects a second
		c.at = c.at.Add(5 * time.Second)
		must(t, c.state(db).Shard(ctx, run, fmt.Sprint(i), refresh.Tally{Done: 100, Final: true}))
	}
	if left, ok := eta(); !ok || left != 25*time.Second {
		t.Errorf("ETA = %v, %v; want 25 s", left, ok)
	}
	must(t, c.state(db).Begin(ctx, run, refresh.Scanning, refresh.Totals{Objects: 1000})) // again: scanning began when it did
	c.at = c.at.Add(5 * time.Second)
	if left, ok := eta(); !ok || left != 20*time.Second {
		t.Errorf("5 s later ETA = %v, %v; want 20 s", left, ok)
	}
}

// Everything but the control record and the history expires by itself.
func TestItemsExpire(t *testing.T) {
	ctx := context.Background()
	_, _, db := dynamotest.Open(t)
	c := &clock{refreshtest.At}
	s, run := c.state(db), refreshtest.RunID(1)
	must(t, swap(t, s))
	record(t, s, 1)
	must(t, s.Begin(ctx, run, refresh.Planning, refresh.Totals{}))
	must(t, s.Shard(ctx, run, "s", refresh.Tally{Done: 1, Final: true}))
	_, err := s.Reserve(ctx, "k", refresh.Reservation{Run: run, Expires: c.at.Add(refresh.KeyLife)}, c.at)
	must(t, err)
	out, err := dynamotest.Client(db.URL).Scan(ctx, &dynamodb.ScanInput{TableName: &db.Table})
	must(t, err)
	week, day := strconv.FormatInt(c.at.Unix()+7*24*3600, 10), strconv.FormatInt(c.at.Unix()+24*3600+1, 10)
	got := map[string]string{}
	for _, item := range out.Items {
		kind, _, _ := strings.Cut(item["pk"].(*types.AttributeValueMemberS).Value, "#")
		expires := "never"
		if v, ok := item["expires"].(*types.AttributeValueMemberN); ok {
			expires = v.Value
		}
		if got[kind] != "" && got[kind] != expires {
			t.Errorf("items of %s expire at %s and at %s", kind, got[kind], expires)
		}
		got[kind] = expires
	}
	want := map[string]string{"control": "never", "runs": "never", "counts": "never", "progress": week, "request": day}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("expiry %v; want %v", got, want)
	}
}
