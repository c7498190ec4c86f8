package functions_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/asltest"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/sfnflow/sfntest"
)

// The common path, with the functions that it takes and the requests that it makes.
func TestRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{table: true})
	w.survey(3)
	r := w.refresh(refresh.Successful)
	w.right()
	if got, want := w.calls(), "start plan scan scan scan publish settle"; got != want {
		t.Errorf("calls: %s\nwant %s", got, want)
	}
	if r.Counts.Items != 9 || r.Counts.Scanned != 9 {
		t.Errorf("%+v", r.Counts)
	}
	w.clock.Run(time.Minute) // the event of the execution's end changes nothing
	w.opened()
	w.lambda.Calls = nil
	w.table.Reset()
	run := w.post(202, "")
	if n := w.table.Counts(); n["GetItem"] != 1 || n["PutItem"] != 1 || len(n) != 2 {
		t.Errorf("a start made requests %v", n)
	}
	if r := w.over(run); len(w.opened()) != 0 || r.Counts.Unchanged != 9 {
		t.Errorf("%+v", r.Counts)
	}
	w.settled()
	if got, want := w.calls(), "start plan publish settle"; got != want {
		t.Errorf("calls: %s\nwant %s", got, want)
	}
}

// TestPostWhileARunRunsStartsNothing, at whichever step the Run is, and when its Lease has run out because steps take long.
func TestPostWhileARunRunsStartsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{table: true})
	w.survey(2)
	steps := 0
	var run string
	w.lambda.Fault = func(c asltest.Call) asltest.Fault {
		if c.Function == "StartFunction" || c.Function == "PlanFunction" {
			return asltest.Fault{}
		}
		steps++
		w.clock.Sleep(2 * leaseTTL)
		if r := w.http("POST", "/refresh", ""); r.status != 200 || r.answer().RunID != run || w.sfn.Count(sfntest.Start) != 1 {
			t.Errorf("before %s: %+v, %d starts", c.Function, r, w.sfn.Count(sfntest.Start))
		}
		if l := w.control().Lease; !l.Expires.After(w.clock.Now()) {
			t.Errorf("before %s nobody has renewed the lease: %s", c.Function, encode(l))
		}
		return asltest.Fault{}
	}
	run = w.post(202, "")
	w.clock.Until(time.Hour, func() bool { return steps > 0 })
	if l := w.control().Lease; l == nil || !l.Launched {
		t.Errorf("after plan: %s", encode(w.control()))
	}
	if r := w.over(run); r.State != refresh.Successful || steps < 5 {
		t.Errorf("%s after %d steps", encode(r), steps)
	}
	w.right()
}

// TestTwoPostsAtOnceAreOneRun lets posts read the control record before any of them writes it, in many orders.
func TestTwoPostsAtOnceAreOneRun(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		w := newWorld(t, stack{seed: seed, shuffle: true, table: seed%2 == 0})
		w.survey(1)
		w.held = func(what string) {
			w.clock.Sleep(time.Duration(w.draw.IntN(3)) * time.Second)
		}
		var answers []response
		for range 2 + seed%5 {
			w.clock.Go(func() { answers = append(answers, w.http("POST", "/refresh", "")) })
		}
		w.clock.Run(29 * time.Second)
		count := map[string]int{}
		for _, a := range answers {
			count[fmt.Sprint(a.status, a.answer().Status)]++
			if a.answer().RunID != answers[0].answer().RunID || !a.answer().Running {
				t.Errorf("seed %d: %+v and %+v", seed, answers[0], a)
			}
		}
		if n := len(w.sfn.Executions()); n != 1 || count["202started"] != 1 || count["200running"] != len(answers)-1 || len(answers) < 2 {
			t.Errorf("seed %d: %d executions, answers %v", seed, n, count)
		}
		w.held = func(string) {}
		if r := w.over(answers[0].answer().RunID); r.State != refresh.Successful {
			t.Errorf("seed %d: %s", seed, encode(r))
		}
		w.right()
	}
}

// die makes the function that writes the control record next end there: with the lock, without having done anything else.
func (w *world) die() {
	died := false
	w.held = func(what string) {
		if what == "control record written" && !died {
			died = true
			w.clock.Sleep(1e6 * time.Hour)
		}
	}
}

func TestStartDiesAfterTheLock(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(*world){
		"the next post starts it": func(w *world) {
			held := w.control().Lease.Run
			if r := w.ask("POST", "/refresh", ""); r.status != 200 || r.answer().RunID != held {
				w.t.Errorf("%+v; run %s holds the lease", r, held)
			}
		},
		"the reaper starts it":    func(w *world) { w.reap() },
		"an event starts it":      func(w *world) { w.send(0, created("a/r00.tif")) },
		"a queued post starts it": func(w *world) { w.post(202, `{"queue":true}`) },
		"both start it": func(w *world) {
			w.clock.Go(func() { w.http("POST", "/refresh", "") })
			w.clock.Go(func() { w.deliver("SettleFunction", []byte(`{"cairn":"reap"}`)) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, stack{table: true})
			w.survey(2)
			w.die()
			if r := w.ask("POST", "/refresh", ""); r.status != 503 {
				t.Errorf("the client of a function that ended is answered %+v", r)
			}
			held := w.control().Lease
			if held == nil || len(w.sfn.Executions()) != 0 {
				t.Fatalf("%s, %d executions", encode(w.control()), len(w.sfn.Executions()))
			}
			next(w)
			w.clock.Run(time.Second)
			if r := w.over(held.Run); r.State != refresh.Successful {
				t.Errorf("%s", encode(r))
			}
			w.settled()
			if x, ok := w.sfn.Execution(held.Run); !ok || x.Status != "SUCCEEDED" {
				t.Errorf("execution %+v", x)
			}
			w.right()
		})
	}
}

// TestUnsureStartIsRepeatedNeverFailed loses the answer of StartExecution, before and after it was carried out.
func TestUnsureStartIsRepeatedNeverFailed(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sfntest.Fault{
		"no answer":                {},
		"no answer, but started":   {Applied: true},
		"throttled":                {Code: "ThrottlingException"},
		"500, but started":         {Code: "InternalFailure", Status: 500, Applied: true},
		"too many executions":      {Code: "ExecutionLimitExceeded"},
		"503, and nothing is done": {Code: "ServiceUnavailable", Status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, stack{})
			w.survey(2)
			w.sfn.Fault(sfntest.Start, fault)
			run := w.post(202, "")
			for range 5 { // minutes in which it does not get better
				if c := w.control(); c.Lease == nil || c.Lease.Run != run {
					if !fault.Applied {
						t.Fatalf("the lease was given up: %s", encode(c))
					}
				}
				w.clock.Run(time.Minute)
				w.reap()
			}
			w.sfn.Heal()
			w.reap()
			if r := w.over(run); r.State != refresh.Successful {
				t.Errorf("%s", encode(r))
			}
			if n := len(w.sfn.Executions()); n != 1 {
				t.Errorf("%d executions", n)
			}
			for _, b := range w.sfn.Bodies() {
				if b != w.sfn.Bodies()[0] {
					t.Errorf("a repeated start is another request:\n%s\n%s", w.sfn.Bodies()[0], b)
				}
			}
			w.right()
		})
	}
}

// TestRefusedStartFailsTheRun is the definite no.
func TestRefusedStartFailsTheRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{})
	w.survey(1)
	w.sfn.Fault(sfntest.Start, sfntest.Fault{Code: "StateMachineDoesNotExist"})
	if r := w.ask("POST", "/refresh", ""); r.status < 500 {
		t.Errorf("%+v", r)
	}
	if c := w.control(); c.Lease != nil || c.Last == nil || c.Last.State != refresh.Failed || c.Last.Error.Code != "refused" {
		t.Errorf("%s", encode(c))
	}
	w.sfn.Heal()
	w.refresh(refresh.Successful)
	w.right()
}
