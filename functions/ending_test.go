package functions_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/asltest"
	"github.com/cairn-stac/cairn/internal/lambdafn"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// endings are the ways in which an execution ends without getting to its own last state. Each is set up in a world before its Run.
var endings = map[string]func(*world){
	"aborted by hand": func(w *world) {
		w.lambda.Fault = func(c asltest.Call) asltest.Fault {
			if c.Function == "ScanFunction" {
				w.clock.Go(func() {
					for _, e := range w.sfn.Executions() {
						if err := w.engine.Stop(e.Name, nil); err != nil {
							w.t.Error(err)
						}
					}
				})
			}
			return asltest.Fault{}
		}
	},
	"timed out": func(w *world) {
		w.engine.Machine.TimeoutSeconds = 60
		w.lambda.Fault = delay("ScanFunction", 5*time.Minute)
	},
	"States.Runtime": func(w *world) {
		w.lambda.Register("PlanFunction", time.Minute, func(context.Context, any) (any, error) { return map[string]any{}, nil })
	},
	"States.DataLimitExceeded": func(w *world) {
		w.lambda.Register("PlanFunction", time.Minute, func(context.Context, any) (any, error) { return strings.Repeat("x", asltest.MaxData), nil })
	},
	"settle is down": func(w *world) {
		w.lambda.Fault = func(c asltest.Call) asltest.Fault {
			if c.Function == "SettleFunction" && !strings.Contains(string(c.Payload), "detail-type") && !strings.Contains(string(c.Payload), "reap") {
				return asltest.Fault{Error: asltest.Unavailable()}
			}
			return asltest.Fault{}
		}
	},
}

// delay lets the calls of a function wait for so long before they run.
func delay(function string, d time.Duration) func(asltest.Call) asltest.Fault {
	return func(c asltest.Call) asltest.Fault {
		if c.Function == function {
			return asltest.Fault{Before: d}
		}
		return asltest.Fault{}
	}
}

// broken is a world in which a Run with something to do is about to end in one of the ways; heal undoes what makes it so.
func broken(t *testing.T, how func(*world)) (w *world, heal func()) {
	w = newWorld(t, stack{table: true})
	w.survey(2)
	w.refresh(refresh.Successful)
	w.put(50, "a/r00.tif", "b/new.tif")
	seconds := w.engine.Machine.TimeoutSeconds
	how(w)
	return w, func() {
		w.lambda.Fault = nil
		w.engine.Machine.TimeoutSeconds = seconds
		w.register()
	}
}

// TestExecutionThatEndedOtherwiseIsReleasedByItsEvent: aborted, timed out, States.Runtime; the event's input is null. The Run has
// failed, with a sentence, but where it had published before; the next one is healthy.
func TestExecutionThatEndedOtherwiseIsReleasedByItsEvent(t *testing.T) {
	t.Parallel()
	for name, how := range endings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, heal := broken(t, how)
			before := w.published()
			run := w.post(202, "")
			r := w.over(run)
			w.settled()
			x := w.engine.Execution(run)
			if x.Status == asltest.Running || x.Status == asltest.Succeeded {
				t.Errorf("the execution is %s", x.Status)
			}
			if name == "settle is down" {
				if r.State != refresh.Successful {
					t.Errorf("a Run that had published is %s", encode(r))
				}
			} else if r.State != refresh.Failed || r.Error == nil || len(r.Error.Message) < 20 || !maps.Equal(w.published(), before) {
				t.Errorf("%s", encode(r))
			}
			t.Log(x.Status, r.Error)
			heal()
			w.refresh(refresh.Successful)
			w.right()
		})
	}
}

// TestLostEventIsReaped: the same without the event.
func TestLostEventIsReaped(t *testing.T) {
	t.Parallel()
	for name, how := range endings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, heal := broken(t, how)
			w.statusEvent = func(*asltest.Execution) []time.Duration { return nil }
			w.reapEvery(5 * time.Minute)
			run := w.post(202, "")
			if r := w.over(run); name != "settle is down" && r.State != refresh.Failed {
				t.Errorf("%s", encode(r))
			}
			w.settled()
			heal()
			w.refresh(refresh.Successful)
			w.right()
		})
	}
}

// TestLateAndRepeatedEventsOfAnOldRunChangeNothing, whatever they say of it, while the next Run is at any of its steps.
func TestLateAndRepeatedEventsOfAnOldRunChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{table: true})
	w.survey(2)
	first := w.refresh(refresh.Successful)
	w.put(50, "a/r00.tif", "b/new.tif")
	old := *w.engine.Execution(first.ID)
	failed := 0
	w.lambda.Fault = func(c asltest.Call) asltest.Fault {
		if c.Function == "SettleFunction" && strings.Contains(string(c.Payload), first.ID) {
			return asltest.Fault{}
		}
		before := encode(w.control())
		for _, status := range []string{asltest.Aborted, asltest.Failed, asltest.TimedOut, asltest.Succeeded, asltest.Running} {
			old.Status = status
			for range 2 {
				if _, err := w.lambda.Invoke("SettleFunction", statusChange(&old)); err != nil {
					t.Errorf("event %s: %v", status, err)
				}
			}
		}
		if after := encode(w.control()); string(after) != string(before) {
			failed++
			t.Errorf("before %s an event of an old run made\n%s\nof %s", c.Function, after, before)
		}
		return asltest.Fault{}
	}
	second := w.refresh(refresh.Successful)
	if n := len(w.lambda.Calls); n < 50 {
		t.Errorf("only %d calls", n)
	}
	if again := w.run(first.ID); string(encode(again)) != string(encode(first)) || second.ID == first.ID {
		t.Errorf("%s\nwas %s", encode(again), encode(first))
	}
	w.lambda.Fault = nil
	w.clock.Do(func() { // nobody knows this one
		old.Name = refresh.NewRunID(w.clock.Now())
		if _, err := w.lambda.Invoke("SettleFunction", statusChange(&old)); err != nil {
			t.Errorf("event of an unknown run: %v", err)
		}
	})
	w.right()
}

// TestCancelledAtAnyMoment cancels the Run before each of its looks at the control record and its writes of Head, those of publish
// above all: it is not published, or it is successful.
func TestCancelledAtAnyMoment(t *testing.T) {
	t.Parallel()
	outcomes := map[string]int{}
	for nth := 1; ; nth++ {
		w := newWorld(t, stack{})
		w.survey(2)
		w.refresh(refresh.Successful)
		w.put(50, "a/r00.tif", "b/new.tif")
		before, want := w.published(), w.expected()
		run, seen, answered := w.post(202, ""), 0, response{}
		w.held = func(what string) {
			if seen++; seen == nth {
				answered = w.http("DELETE", "/refresh/runs/"+run, "")
			}
		}
		w.over(run)
		w.held = func(string) {}
		w.settled()
		if seen < nth {
			break
		}
		r, got := w.run(run), w.published()
		isOld, isNew := maps.Equal(got, before), maps.Equal(got, want)
		switch {
		case r.State == refresh.Dismissed && isOld, r.State == refresh.Successful && isNew:
		default:
			t.Errorf("cancelled at %d (%d %s): the run is %s, and readers see the old snapshot: %v, the new one: %v", nth, answered.status,
				answered.body, r.State, isOld, isNew)
		}
		outcomes[fmt.Sprint(answered.status, " ", r.State)]++
		w.clock.Run(24 * time.Hour) // whatever is still under way
		if !maps.Equal(w.published(), got) {
			t.Errorf("cancelled at %d: published after the run's end", nth)
		}
		w.refresh(refresh.Successful)
		w.right()
	}
	if outcomes["202 dismissed"] < 6 || outcomes["202 successful"] < 2 {
		t.Errorf("outcomes: %v", outcomes)
	}
}

// TestCancelledWhilePublishing stalls publish right before it swaps Head, cancels meanwhile, and lets it go on.
func TestCancelledWhilePublishing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{table: true})
	w.survey(2)
	w.refresh(refresh.Successful)
	w.put(50, "a/r00.tif", "b/new.tif")
	before := w.published()
	var run string
	heads := 0
	w.held = func(what string) {
		if what != "write head" {
			return
		}
		if heads++; heads == 2 { // the first is the claim
			w.held = func(string) {}
			if r := w.http("DELETE", "/refresh/runs/"+run, ""); r.status != 202 {
				t.Errorf("%+v", r)
			}
			w.clock.Sleep(time.Hour)
		}
	}
	run = w.post(202, "")
	r := w.over(run)
	w.clock.Run(3 * time.Hour) // the stalled publish has gone on
	if r.State != refresh.Dismissed || !maps.Equal(w.published(), before) || heads != 2 {
		t.Errorf("%s", encode(r))
	}
	if x, _ := w.sfn.Execution(run); x.Status != "ABORTED" {
		t.Errorf("the execution was not stopped: %+v", x)
	}
	w.refresh(refresh.Successful)
	w.right()
}

// TestCancelledWithoutStop: the workflow cannot be asked to stop. Its next step sees that it is cancelled.
func TestCancelledWithoutStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{})
	w.survey(2)
	w.sfn.OnStop = nil
	w.lambda.Fault = delay("ScanFunction", time.Minute)
	run := w.post(202, "")
	w.clock.Run(30 * time.Second)
	if r := w.ask("DELETE", "/refresh/runs/"+run, ""); r.status != 202 {
		t.Errorf("%+v", r)
	}
	if r := w.over(run); r.State != refresh.Dismissed || len(w.published()) != 0 {
		t.Errorf("%s", encode(r))
	}
	w.clock.Run(time.Minute)
	x := w.engine.Execution(run)
	if got := x.States(); x.Status != asltest.Succeeded || !slices.Contains(got, "SettleFailed") || got[len(got)-1] != "Ended" {
		t.Errorf("%s: %v", x.Status, got)
	}
}

// TestSettledTwiceAtOnce lets the workflow's own last step and events of its end settle one Run at the same time.
func TestSettledTwiceAtOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		w := newWorld(t, stack{seed: seed, shuffle: true, table: seed%2 == 0})
		w.survey(1)
		run := w.post(202, "")
		started := false
		w.held = func(string) {
			w.clock.Sleep(time.Duration(w.draw.IntN(3)) * time.Second)
		}
		w.lambda.Fault = func(c asltest.Call) asltest.Fault {
			if c.Function == "SettleFunction" && !started {
				started = true
				for _, status := range []string{asltest.Aborted, asltest.Failed} {
					x := *w.engine.Execution(run)
					x.Status = status
					w.clock.Go(func() { w.deliver("SettleFunction", statusChange(&x)) })
				}
				w.clock.Go(func() { w.deliver("SettleFunction", encode(lambdafn.Ending{Run: run})) })
			}
			return asltest.Fault{}
		}
		if r := w.over(run); r.State != refresh.Successful {
			t.Errorf("seed %d: %s", seed, encode(r))
		}
		w.clock.Run(time.Hour)
		if c := w.control(); c.Lease != nil || c.Last.ID != run || c.Last.State != refresh.Successful {
			t.Errorf("seed %d: %s", seed, encode(c))
		}
		w.right()
	}
}
