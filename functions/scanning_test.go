package functions_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/asltest"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// TestShardRetriedCountsOnce repeats scans whose answers were lost, and lets scans that nobody waits for any more work beside their
// retries. Progress, which every world watches, goes forward to at most 100 %, and no Item is there twice.
func TestShardRetriedCountsOnce(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]asltest.Fault{
		"answer lost":              {Error: asltest.Unknown(), Applied: true},
		"out of memory at its end": {Error: asltest.Crashed(), Applied: true},
		"timed out, works later":   {Before: 16 * time.Minute},
		"timed out, worked":        {After: 16 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, stack{table: strings.HasPrefix(name, "timed out")})
			w.survey(4)
			tries := map[string]int{}
			w.lambda.Fault = func(c asltest.Call) asltest.Fault {
				if tries[string(c.Payload)]++; c.Function == "ScanFunction" && tries[string(c.Payload)] <= 2 {
					return fault
				}
				return asltest.Fault{}
			}
			r := w.refresh(refresh.Successful)
			if c := r.Counts; c.Items != 12 || c.Objects != 12 || c.Added != 12 || w.items[r.ID] != 12 {
				t.Errorf("%+v; progress told of %d items", c, w.items[r.ID])
			}
			w.clock.Run(time.Hour)
			w.right()
			if n := strings.Count(w.calls(), "scan"); n != 9 {
				t.Errorf("%d scans: %s", n, w.calls())
			}
		})
	}
}

// TestTwoScansOfAShardAtOnce stalls a scan in its midst for longer than the workflow waits, so that its retry works beside it.
func TestTwoScansOfAShardAtOnce(t *testing.T) {
	t.Parallel()
	for nth := 1; nth <= 9; nth++ {
		w := newWorld(t, stack{table: nth%3 == 0})
		w.survey(3)
		reads := 0
		w.reading = func(string) {
			if reads++; reads == nth {
				w.clock.Sleep(16 * time.Minute)
			} else if reads > nth {
				w.clock.Sleep(25 * time.Second)
			}
		}
		r := w.refresh(refresh.Successful)
		w.clock.Run(time.Hour)
		w.right()
		if w.items[r.ID] != 9 {
			t.Errorf("stalled at read %d: progress told of %d items", nth, w.items[r.ID])
		}
		if reads <= 9 {
			t.Errorf("stalled at read %d: there were only %d", nth, reads)
		}
	}
}

// TestScanNearItsDeadlineGoesOn: a scan that will not be done in time saves what it has, and its retry goes on from there. No raster is
// opened twice.
func TestScanNearItsDeadlineGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{table: true})
	w.survey(40)
	w.reading = func(string) { w.clock.Sleep(50 * time.Second) }
	r := w.refresh(refresh.Successful)
	w.right()
	var late []asltest.Retry
	for _, c := range w.engine.Execution(r.ID).Children {
		late = append(late, c.Retries...)
	}
	if len(late) != 6 { // of the three Shards' 40 rasters each, 17 are read within 14 minutes
		t.Errorf("retries: %+v", late)
	}
	for _, l := range late {
		if l.Error != "DeadlineError" || l.Bound != time.Second {
			t.Errorf("%+v", l)
		}
	}
	if got := w.opened(); len(got) != 120 || len(slices.Compact(got)) != 120 {
		t.Errorf("%d reads: %v", len(got), got)
	}
}

// TestScanThatNeverEndsFails: scans that stop at their deadline again and again end with a sentence.
func TestScanThatNeverEndsFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{})
	w.survey(30)
	w.worker.Margin = 14 * time.Minute // so that each try reads one raster
	w.reading = func(string) { w.clock.Sleep(time.Minute) }
	r := w.refresh(refresh.Failed)
	t.Log(r.Error)
	for _, l := range retries(w.engine.Execution(r.ID)) {
		if l.Error != "DeadlineError" {
			t.Errorf("%+v", l)
		}
	}
	if !strings.Contains(r.Error.Message, "refresh") {
		t.Errorf("the run says %+v", r.Error)
	}
	w.reading = func(string) {}
	w.refresh(refresh.Successful)
	w.right()
}

// TestObjectOverwrittenOrDeletedDuringTheScan changes Objects between their listing and their reading.
func TestObjectOverwrittenOrDeletedDuringTheScan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{table: true})
	w.survey(4)
	done := false
	w.reading = func(string) {
		if !done {
			done = true
			w.put(70, "a/r03.tif", "b/r02.tif") // overwritten
			w.remove("b/r03.tif")
			w.remove("c/r03.tif")
			w.put(80, "c/r03.tif") // deleted and there again
			w.put(90, "c/r99.tif") // not listed
		}
	}
	r := w.refresh(refresh.Successful)
	if c := r.Counts; c.Vanished != 1 || c.Items != 11 || c.Objects != c.Assets+c.Sidecars+c.Rejects+c.Ignored+c.Vanished {
		t.Errorf("%+v", c)
	}
	want := w.expected()
	delete(want, "c/r99")
	if got := w.published(); !maps.Equal(got, want) {
		t.Errorf("published are %v; want %v", ids(got), ids(want))
	}
	w.refresh(refresh.Successful)
	w.right()
}

// TestEventsDuringARunAreHandledAfterIt: repeated, reordered, of what the Run has passed already and of what it has not; in one Run.
func TestEventsDuringARunAreHandledAfterIt(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		w := newWorld(t, stack{seed: seed, shuffle: true, table: seed%3 == 0})
		w.survey(3)
		first := w.post(202, "")
		w.clock.Until(time.Hour, func() bool { return strings.Contains(w.calls(), "scan") })
		w.lambda.Fault = delay("PublishFunction", 4*time.Minute)
		w.put(40, "a/r00.tif", "a/new.tif")
		w.remove("b/r01.tif")
		w.remove("a/new.tif") // so its two events contradict each other
		w.put(50, "c/new.tif")
		events := []string{created("a/r00.tif"), created("a/new.tif"), deleted("a/new.tif"), deleted("b/r01.tif"), created("c/new.tif"),
			created("notes.txt"), objectEvent("Object Restore Completed", sourceBucket, "a/r02.tif")}
		events = append(events, events...) // at least once
		w.draw.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		for len(events) > 0 {
			n := 1 + w.draw.IntN(len(events))
			w.send(time.Duration(w.draw.IntN(120))*time.Second, events[:n]...)
			events = events[n:]
		}
		if r := w.over(first); r.State != refresh.Successful {
			t.Errorf("seed %d: %s", seed, encode(r))
		}
		w.lambda.Fault = nil
		w.settled()
		w.right()
		if len(w.ended) != 2 || len(w.queue.dead) != 0 {
			t.Errorf("seed %d: %d runs, dead letters %v", seed, len(w.ended), w.queue.dead)
		}
		for _, r := range w.ended {
			if r.ID != first && (!r.Events || fmt.Sprint(r.Scope.Keys) != "[a/new.tif a/r00.tif a/r02.tif b/r01.tif c/new.tif]") {
				t.Errorf("seed %d: the run of the events is %s", seed, encode(r))
			}
		}
	}
}

// TestCatalogsOwnWritesStartNothing sends the events of all that a Run wrote, as a rule without a bucket in its pattern would.
func TestCatalogsOwnWritesStartNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{})
	w.survey(2)
	w.refresh(refresh.Successful)
	var events []string
	for o, err := range w.catalog.List(t.Context(), objstore.Range{}) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, objectEvent("Object Created", catalogBucket, o.Key))
	}
	events = append(events, objectEvent("Object Created", catalogBucket, "a/r00.tif"))
	w.send(0, events...)
	w.clock.Run(time.Hour)
	if len(w.sfn.Executions()) != 1 || len(w.control().Waiting) != 0 || len(events) < 10 || len(w.queue.dead) != 0 {
		t.Errorf("%d events: %d executions, %s", len(events), len(w.sfn.Executions()), encode(w.control()))
	}
}

// TestEventsComeAgainWhileTheTableIsDown, and what is no event ends as a dead letter, alone.
func TestEventsComeAgainWhileTheTableIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{})
	w.survey(1)
	w.refresh(refresh.Successful)
	w.put(30, "a/r00.tif", "b/new.tif")
	down := w.clock.Now().Add(12 * time.Minute)
	w.lambda.Fault = func(c asltest.Call) asltest.Fault {
		if c.Function == "StartFunction" && w.clock.Now().Before(down) {
			return asltest.Fault{Error: asltest.Throttled()}
		}
		return asltest.Fault{}
	}
	w.send(0, created("a/r00.tif"), "no event", created("b/new.tif"))
	w.clock.Run(2 * time.Hour)
	if fmt.Sprint(w.queue.dead) != "[no event]" {
		t.Errorf("dead letters: %v", w.queue.dead)
	}
	w.right()
}

// TestReadersSeeTheOldSnapshotThroughout reads the catalog before each call of a function and each write of Head of a full refresh
// that changes all: everything is as before until Head names the new Snapshot, and a paging that began before it goes on unbroken.
func TestReadersSeeTheOldSnapshotThroughout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{})
	w.survey(4)
	first := w.refresh(refresh.Successful)
	before := w.pages(w.ask, "/collections/a/items?limit=1", nil)
	w.put(200, "a/r00.tif", "a/r01.tif", "a/r02.tif", "a/r04.tif", "b/r00.tif")
	w.remove("a/r03.tif")
	token := w.next(w.ask("GET", "/collections/a/items?limit=1", ""))
	looks, changed := 0, false
	look := func() {
		if looks++; w.head().Snapshot != first.Fence {
			changed = true
			return
		}
		if got := w.pages(w.http, "/collections/a/items?limit=1", nil); !slices.Equal(got, before) {
			t.Errorf("at look %d readers see %v\nwant %v", looks, got, before)
		}
		if r := w.http("GET", "/refresh/status", ""); r.status != 200 {
			t.Errorf("at look %d the status is %+v", looks, r)
		}
	}
	w.lambda.Fault = func(c asltest.Call) asltest.Fault {
		if c.Function != "ApiFunction" && c.Function != "StatusFunction" {
			look()
		}
		return asltest.Fault{}
	}
	w.held = func(what string) {
		if what == "write head" {
			look()
		}
	}
	w.over(w.post(202, `{"mode":"full"}`))
	w.lambda.Fault, w.held = nil, func(string) {}
	if looks < 8 || !changed {
		t.Errorf("%d looks", looks)
	}
	after := w.pages(w.ask, "/collections/a/items?limit=1", nil)
	if slices.Equal(after, before) || len(after) != 4 {
		t.Errorf("after the run readers see %v", after)
	}
	if rest := w.pages(w.ask, token, nil); !slices.Equal(rest, before[1:]) {
		t.Errorf("the paging that began before goes on with %v\nwant %v", rest, before[1:])
	}
	w.right()
}
