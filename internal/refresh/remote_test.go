package refresh_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// A remote is the workflow service of a world: executions by name, and the events of their ends that are on their way, some of them
// twice, some of them lost.
type remote struct {
	executions []*execution
	events     []string
	lost       []string
}

// An execution drives a Run. Its steps are called by functions, each of which looks at the Lease first.
type execution struct {
	driven
	planned bool
	ended   bool
}

func (m *remote) find(run string) *execution {
	for _, e := range m.executions {
		if e.lease.Run == run {
			return e
		}
	}
	return nil
}

func (m *remote) running() *execution {
	if i := slices.IndexFunc(m.executions, func(e *execution) bool { return !e.ended }); i >= 0 {
		return m.executions[i]
	}
	return nil
}

// function is a process that answers requests and does what the remote workflow calls it for.
func (w *world) function() *process {
	w.nproc++
	p := &process{w: w, serverless: true}
	p.desk = w.desk(service{w})
	return p
}

// A service is the world's remote as a Workflow. It loses requests and answers while the world is faulty.
type service struct{ w *world }

func (s service) odds(n int) bool { return s.w.faulty && s.w.rnd.IntN(n) == 0 }

func (s service) Holder() refresh.Holder  { return refresh.Holder{} }
func (s service) Closing() bool           { return false }
func (s service) Gone(refresh.Lease) bool { return false }

func (s service) Launch(_ context.Context, l refresh.Lease) error {
	switch {
	case l.Holder != refresh.Holder{}:
		return nil
	case s.odds(30):
		return &refresh.RefusedError{Reason: "it is being deployed"}
	case s.odds(5): // as if who was to launch it had died
		return errFlaky
	}
	if s.w.remote.find(l.Run) == nil {
		s.w.remote.executions = append(s.w.remote.executions, &execution{driven: driven{lease: l}})
	}
	if s.odds(5) {
		return errFlaky
	}
	return nil
}

func (s service) Describe(_ context.Context, l refresh.Lease) (refresh.LaunchState, error) {
	over := refresh.LaunchAbsent
	if l.Launched {
		over = refresh.LaunchEnded
	}
	e := s.w.remote.find(l.Run)
	switch {
	case l.Holder != refresh.Holder{} && s.w.now.Sub(l.Expires) < 2*time.Minute, s.odds(6):
		return refresh.LaunchUnknown, nil
	case s.odds(6):
		return refresh.LaunchUnknown, errFlaky
	case l.Holder != refresh.Holder{} || e == nil:
		return over, nil
	case e.ended:
		return refresh.LaunchEnded, nil
	}
	return refresh.LaunchRunning, nil
}

func (s service) Stop(_ context.Context, l refresh.Lease) error {
	if l.Holder != (refresh.Holder{}) {
		return nil
	}
	if s.odds(4) {
		return errFlaky
	}
	if e := s.w.remote.find(l.Run); e != nil {
		s.w.end(e)
	}
	if s.odds(4) {
		return errFlaky
	}
	return nil
}

// end ends an execution; a step of it may still be at work.
func (w *world) end(e *execution) {
	if e.ended {
		return
	}
	e.ended = true
	w.zombies = append(w.zombies, &driven{proc: &process{w: w, dead: true, desk: w.desk(service{w})}, lease: e.lease, step: e.step})
	for range 1 + w.rnd.IntN(2) {
		if w.faulty && w.rnd.IntN(3) == 0 {
			w.remote.lost = append(w.remote.lost, e.lease.Run)
		} else {
			w.remote.events = append(w.remote.events, e.lease.Run)
		}
	}
}

// aborted is what the event of an execution's end tells.
var aborted = &refresh.Problem{Code: refresh.CodeWorkflow, Message: "the workflow was aborted"}

// invoke calls a function for an execution, or with an event.
func (w *world) invoke(ctx context.Context, p *process, say func(string, ...any)) {
	if n := len(w.remote.events); n > 0 && w.rnd.IntN(3) == 0 {
		i := w.rnd.IntN(n) // in any order
		run := w.remote.events[i]
		rec, err := p.desk.Settle(ctx, run, 0, aborted)
		say("event of %s: %s %v", run, rec.State, err)
		if err == nil || errors.Is(err, refresh.ErrNotFound) {
			w.remote.events = slices.Delete(w.remote.events, i, i+1)
		}
		return
	}
	e := w.remote.running()
	if e == nil {
		return
	}
	e.proc = p
	run := e.lease.Run
	settle := func(cause *refresh.Problem) {
		rec, err := p.desk.Settle(ctx, run, 0, cause)
		say("settle %s: %s %v", run, rec.State, err)
		if err == nil || errors.Is(err, refresh.ErrNotFound) {
			w.end(e)
		}
	}
	if w.faulty && w.rnd.IntN(12) == 0 {
		say("%s is aborted", run)
		w.end(e)
		return
	}
	if !e.planned {
		_, err := p.desk.Renew(ctx, run, 0)
		say("plan %s: %v", run, err)
		switch {
		case errors.Is(err, refresh.ErrLeaseLost):
			settle(refresh.ProblemOf(err))
		case err == nil:
			e.planned = true
		}
		return
	}
	c, _, err := p.desk.State.Load(ctx)
	if err != nil {
		return
	}
	l, err := c.Holds(run, 0)
	switch {
	case err != nil:
		settle(refresh.ProblemOf(err))
	case l.Cancel:
		settle(refresh.ProblemOf(refresh.ErrCancelled))
	case w.faulty && w.rnd.IntN(6) == 0:
		settle(&refresh.Problem{Code: "x", Message: "a step failed"})
	case e.step < 2:
		e.lease = l
		if err := w.take(ctx, &e.driven, say); err != nil && refresh.Final(err) {
			settle(refresh.ProblemOf(err))
		}
	default:
		settle(nil)
	}
}

// tellAll delivers every event, those that were lost too.
func (m *remote) tellAll(ctx context.Context, w *world) {
	for _, run := range append(m.events, m.lost...) {
		if _, err := w.desk(service{w}).Settle(ctx, run, 0, aborted); err != nil {
			w.fail("a late event of %s: %v", run, err)
		}
	}
}
