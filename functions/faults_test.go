package functions_test

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/asltest"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// slowDown is what the store says when S3 has answered 503 for as long as it is worth asking.
var slowDown = faultstore.Fault{Err: fmt.Errorf("503 SlowDown: %w", objstore.ErrUnreachable)}

// retries are all of an execution and its children.
func retries(x *asltest.Execution) []asltest.Retry {
	out := slices.Clone(x.Retries)
	for _, c := range x.Children {
		out = append(out, c.Retries...)
	}
	return out
}

// TestThrottlingIsRetriedWithFullJitter: Lambda throttles each function, and S3 asks to slow down, for some time. All is retried after
// delays between nothing and a bound that doubles, which differ from each other.
func TestThrottlingIsRetriedWithFullJitter(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(*world){
		"Lambda throttles": func(w *world) {
			tries := map[string]int{}
			w.lambda.Fault = func(c asltest.Call) asltest.Fault {
				if tries[string(c.Payload)+c.Function]++; tries[string(c.Payload)+c.Function] <= 4 && c.Function != "StartFunction" {
					return asltest.Fault{Error: asltest.Throttled()}
				}
				return asltest.Fault{}
			}
		},
		"S3 asks to slow down": func(w *world) {
			for nth := 1; nth <= 19; nth++ {
				if nth%2 == 1 {
					w.src.Set(faultstore.Match{Nth: nth}, slowDown)
				}
			}
			w.cat.Set(faultstore.Match{Prefix: "runs/", Nth: 5}, slowDown)
			w.cat.Set(faultstore.Match{Op: faultstore.Put, Prefix: "snapshots/", Nth: 1}, slowDown)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, stack{seed: 3})
			w.survey(6)
			disturb(w)
			r := w.refresh(refresh.Successful)
			w.right()
			drawn := retries(w.engine.Execution(r.ID))
			delays := map[time.Duration]bool{}
			below := 0
			for _, d := range drawn {
				want := time.Duration(2<<(d.Nth-1)) * time.Second
				if d.Bound != want || d.Delay < 0 || d.Delay > d.Bound {
					t.Errorf("%+v; want a delay of at most %v", d, want)
				}
				if delays[d.Delay] = true; d.Delay < d.Bound/2 {
					below++
				}
			}
			if len(drawn) < 8 || len(delays) != len(drawn) || below == 0 || below == len(drawn) {
				t.Errorf("%d retries, %d delays, %d of them in the lower half: %+v", len(drawn), len(delays), below, drawn)
			}
		})
	}
}

// TestListOfShardsIsReadAgain: Step Functions cannot read it at first. Nothing is scanned twice.
func TestListOfShardsIsReadAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{})
	w.survey(2)
	reads := 0
	w.engine.Read = func(bucket, key string) ([]byte, error) {
		if reads++; reads <= 2 {
			return nil, slowDown.Err
		}
		return w.read(bucket, key)
	}
	r := w.refresh(refresh.Successful)
	w.right()
	if drawn := retries(w.engine.Execution(r.ID)); len(drawn) != 2 || strings.Count(w.calls(), "scan") != 3 {
		t.Errorf("retries %+v, calls %s", drawn, w.calls())
	}
}

// TestFinalErrorIsNotRetried: what will not pass ends the Run at the first try, with its own sentence, from a step and from within the Map.
func TestFinalErrorIsNotRetried(t *testing.T) {
	t.Parallel()
	denied := faultstore.Fault{Err: fmt.Errorf("403 AccessDenied: %w", fs.ErrPermission)}
	for name, c := range map[string]struct {
		disturb     func(*world)
		code, calls string
	}{
		"plan": {func(w *world) { w.src.Set(faultstore.Match{Op: faultstore.List}, denied) }, "source_unavailable", "start plan settle"},
		"config": {func(w *world) {
			if _, err := w.catalog.Put(t.Context(), "cairn.yaml", []byte("titel: x\n"), objstore.PutOptions{}); err != nil {
				t.Fatal(err)
			}
		}, "bad_config", "start plan settle"},
		"publish": {func(w *world) {
			w.cat.Set(faultstore.Match{Op: faultstore.Put, Prefix: "snapshots/"}, faultstore.Fault{Err: fmt.Errorf("put: %w", syscall.ENOSPC)})
		}, "no_space", "start plan scan publish settle"},
		"scan": {func(w *world) {
			w.cat.Set(faultstore.Match{Op: faultstore.Put, Prefix: "parts/"}, faultstore.Fault{Err: fmt.Errorf("put: %w", syscall.ENOSPC)})
		}, "no_space", "start plan scan settle"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, stack{})
			w.put(1, "a/r00.tif")
			c.disturb(w)
			r := w.refresh(refresh.Failed)
			if r.Error == nil || r.Error.Code != c.code || w.calls() != c.calls || len(retries(w.engine.Execution(r.ID))) != 0 {
				t.Errorf("%+v after %s", r.Error, w.calls())
			}
		})
	}
}

// TestPersistentFaultFailsWithWhatToDo: what does not pass fails the Run with a sentence that says what to do. What was published stays,
// and the next Run reads only what was not done.
func TestPersistentFaultFailsWithWhatToDo(t *testing.T) {
	t.Parallel()
	throttle := func(function string) func(*world) {
		return func(w *world) {
			w.lambda.Fault = func(c asltest.Call) asltest.Fault {
				if c.Function == function && !strings.Contains(string(c.Payload), "000000") { // but the first Shard's scan
					return asltest.Fault{Error: asltest.Throttled()}
				}
				return asltest.Fault{}
			}
		}
	}
	for name, c := range map[string]struct {
		disturb func(*world)
		says    string // in the sentence
		left    int    // rasters that the next Run opens
	}{
		"S3 of one shard":    {func(w *world) { w.src.Set(faultstore.Match{Op: faultstore.Get, Prefix: "c/"}, slowDown) }, "again", 3},
		"S3 of the listing":  {func(w *world) { w.src.Set(faultstore.Match{Op: faultstore.List}, slowDown) }, "again", 9},
		"S3 of the snapshot": {func(w *world) { w.cat.Set(faultstore.Match{Op: faultstore.Put, Prefix: "snapshots/"}, slowDown) }, "again", 0},
		"Lambda of plan":     {throttle("PlanFunction"), "concurrency", 9},
		"Lambda of scan":     {throttle("ScanFunction"), "ScanConcurrency", 6},
		"Lambda of publish":  {throttle("PublishFunction"), "concurrency", 0},
		"S3 of the list of shards": {func(w *world) {
			w.engine.Read = func(string, string) ([]byte, error) { return nil, slowDown.Err }
		}, "list", 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, stack{table: true})
			w.survey(3)
			c.disturb(w)
			r := w.refresh(refresh.Failed)
			t.Logf("%+v", r.Error)
			if r.Error == nil || !strings.Contains(r.Error.Message, c.says) || len(r.Error.Message) < 40 {
				t.Errorf("the run says %+v; want %q", r.Error, c.says)
			}
			if s := w.ask("GET", "/refresh/status", ""); !strings.Contains(s.body, `"error":`+string(encode(r.Error.Message))) {
				t.Errorf("status: %s", s.body)
			}
			w.lambda.Fault, w.engine.Read = nil, w.read
			w.src.Clear()
			w.cat.Clear()
			w.opened()
			w.refresh(refresh.Successful)
			w.right()
			if got := w.opened(); len(got) != c.left {
				t.Errorf("the next run read %v; want %d reads", got, c.left)
			}
		})
	}
}

// taskFaults are the ways in which a call of a function goes wrong.
var taskFaults = map[string]asltest.Fault{
	"throttled":              {Error: asltest.Throttled()},
	"fails":                  {Error: asltest.Unavailable()},
	"done, the answer lost":  {Error: asltest.Unknown(), Applied: true},
	"out of memory":          {Error: asltest.Crashed()},
	"times out, works later": {Before: 16 * time.Minute},
	"times out, has worked":  {After: 16 * time.Minute},
	"much later":             {Before: 7 * time.Hour},
}

// TestEveryTaskGoesWrong lets each call of a function in turn go wrong, once or from then on for an hour, in each way, with the event
// of the execution's end and without. The Run ends successful, or failed and released; Head is whole; the next Run is healthy.
func TestEveryTaskGoesWrong(t *testing.T) {
	t.Parallel()
	for name, fault := range taskFaults {
		for _, lasting := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, lasting %v", name, lasting), func(t *testing.T) {
				t.Parallel()
				for nth := 1; ; nth++ {
					if !everyTask(t, nth, fault, lasting) {
						if nth < 7 {
							t.Errorf("there were only %d calls", nth-1)
						}
						return
					}
				}
			})
		}
	}
}

func everyTask(t *testing.T, nth int, fault asltest.Fault, lasting bool) (met bool) {
	w := newWorld(t, stack{seed: uint64(nth)})
	w.survey(2)
	first := w.refresh(refresh.Successful)
	w.put(50, "a/r00.tif", "b/new.tif")
	w.remove("c/r00.tif")
	before, want := w.published(), w.expected()
	if nth%2 == 0 {
		w.statusEvent = func(*asltest.Execution) []time.Duration { return nil }
	}
	w.reapEvery(5 * time.Minute)
	calls, function := 0, ""
	var until time.Time
	w.lambda.Fault = func(c asltest.Call) asltest.Fault {
		if strings.Contains(string(c.Payload), "reap") && function == "" {
			return asltest.Fault{} // it is none of the Run's
		}
		if calls++; calls == nth {
			function, until = c.Function, w.clock.Now().Add(time.Hour)
			return fault
		}
		if lasting && c.Function == function && w.clock.Now().Before(until) {
			return fault
		}
		return asltest.Fault{}
	}
	w.ask("POST", "/refresh", "")
	if w.newest() == first.ID { // the start itself went wrong
		w.clock.Run(8 * time.Hour)
		if w.newest() == first.ID {
			w.post(202, "")
		}
	}
	r := w.over(w.newest())
	w.settled()
	isOld, isNew := maps.Equal(w.published(), before), maps.Equal(w.published(), want)
	switch {
	case r.State == refresh.Successful && isNew, r.State == refresh.Failed && isOld && r.Error != nil && r.Error.Message != "":
	default:
		t.Errorf("call %d (%s): the run is %s; readers see the old snapshot: %v, the new one: %v", nth, function, encode(r), isOld, isNew)
	}
	if !lasting && calls >= nth && r.State != refresh.Successful {
		t.Errorf("call %d (%s) went wrong once, and the run is %s", nth, function, encode(r))
	}
	w.lambda.Fault = nil
	w.clock.Run(8 * time.Hour) // whatever is still under way
	w.refresh(refresh.Successful)
	w.right()
	return calls >= nth
}
