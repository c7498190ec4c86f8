package refresh_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstate"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/refresh/refreshtest"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// A world is several processes that refresh one Catalog, a clock, and the rules that must hold whatever they do.
type world struct {
	t      *testing.T
	rnd    *rand.Rand
	now    time.Time
	store  objstore.Store // without faults
	procs  []*process
	nproc  int
	faulty bool
	// zombies are Runs whose process was declared dead, or that were overtaken, and that may still act.
	zombies []*driven
	// owed are the Runs that were promised to somebody, and that must end with a record.
	owed map[string]bool
	// told are the events that were taken, each with the moment; claims are when Runs began to look at the Source.
	told   []told
	claims map[string]int
	moment int
	fence  uint64
	trace  []string
	remote remote
}

type told struct {
	key    string
	moment int
}

// A process is a Desk with a flaky store, and the Runs that it drives.
type process struct {
	w      *world
	holder refresh.Holder
	dead   bool
	// closing: it takes up no Run any more, and settles those that it drives.
	closing bool
	desk    *refresh.Desk
	runs    []*driven
	// serverless: a remote workflow drives the Runs that it grants the Lease.
	serverless bool
}

type driven struct {
	proc  *process
	lease refresh.Lease
	step  int // 0: launched, 1: claimed, 2: published
}

// flaky fails writes at random, half of them after they were applied.
type flaky struct {
	objstore.Store
	w *world
}

var errFlaky = errors.New("connection reset")

func (f flaky) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	if f.w.faulty && f.w.rnd.IntN(8) == 0 {
		if f.w.rnd.IntN(2) == 0 {
			f.Store.Put(ctx, key, body, opt)
		}
		return "", errFlaky
	}
	return f.Store.Put(ctx, key, body, opt)
}

func (w *world) spawn() *process {
	w.nproc++
	p := &process{w: w, holder: refresh.Holder{Host: "h", PID: w.nproc, Lock: fmt.Sprint(w.nproc)}}
	p.desk = w.desk(p)
	return p
}

func (w *world) desk(workflow refresh.Workflow) *refresh.Desk {
	store := flaky{w.store, w}
	clock := func() time.Time { return w.now }
	return &refresh.Desk{State: objstate.New(store, clock), Catalog: store, Workflow: workflow, TTL: 30 * time.Second, Now: clock, Log: quiet}
}

// The process as a Workflow.

func (p *process) Holder() refresh.Holder { return p.holder }
func (p *process) Closing() bool          { return p.closing }

func (p *process) Launch(_ context.Context, l refresh.Lease) error {
	if l.Holder != p.holder {
		return nil
	}
	if p.closing {
		return &refresh.RefusedError{Reason: "shutting down"}
	}
	if p.w.faulty {
		switch p.w.rnd.IntN(12) {
		case 0:
			return errFlaky
		case 1:
			return &refresh.RefusedError{Reason: "no room"}
		case 2:
			p.runs = append(p.runs, &driven{proc: p, lease: l})
			return errFlaky
		}
	}
	for _, r := range p.runs {
		if r.lease.Run == l.Run && r.lease.Fence == l.Fence {
			return nil
		}
	}
	p.runs = append(p.runs, &driven{proc: p, lease: l})
	return nil
}

func (p *process) Describe(_ context.Context, l refresh.Lease) (refresh.LaunchState, error) {
	if l.Holder == (refresh.Holder{}) || p.w.faulty && p.w.rnd.IntN(6) == 0 {
		return refresh.LaunchUnknown, nil
	}
	for _, q := range p.w.procs {
		for _, r := range q.runs {
			if r.lease.Run == l.Run && r.lease.Fence == l.Fence {
				return refresh.LaunchRunning, nil
			}
		}
	}
	if l.Launched {
		return refresh.LaunchEnded, nil
	}
	return refresh.LaunchAbsent, nil
}

func (p *process) Stop(context.Context, refresh.Lease) error { return nil }
func (p *process) Gone(l refresh.Lease) bool {
	for _, q := range p.w.procs {
		if q.holder == l.Holder {
			return false
		}
	}
	return l.Holder != (refresh.Holder{})
}

// act lets one thing happen.
func (w *world) act(ctx context.Context) {
	p := w.procs[w.rnd.IntN(len(w.procs))]
	say := func(format string, args ...any) {
		w.trace = append(w.trace, fmt.Sprintf("%d: ", p.holder.PID)+fmt.Sprintf(format, args...))
	}
	switch n := w.rnd.IntN(20); {
	case n < 4:
		run := refresh.NewRunID(w.now)
		scope := refresh.Scope{Prefixes: []string{fmt.Sprintf("p%d/", w.rnd.IntN(4))}}
		ans, err := p.desk.Start(ctx, refresh.Request{Run: run, Scope: scope, Queue: w.rnd.IntN(2) == 0})
		say("start %s: %+v %v", run, ans, err)
		if err == nil && ans.Kind != refresh.QueueFull {
			if c := w.control(ctx); (c.Lease == nil || c.Lease.Run != ans.Run) && !waits(c, ans.Run) {
				w.fail("start answers %+v, and run %s neither runs nor waits: %+v", ans, ans.Run, c)
			}
			w.owed[ans.Run] = true
		}
	case n < 5:
		key := fmt.Sprintf("p%d/%d.tif", w.rnd.IntN(4), w.rnd.IntN(300))
		ans, err := p.desk.Start(ctx, refresh.Request{Events: true, Scope: refresh.Scope{Keys: []string{key}}})
		say("event %s: %+v %v", key, ans, err)
		if err == nil {
			w.moment++
			w.told = append(w.told, told{key, w.moment})
			w.owed[ans.Run] = true
		}
	case n < 6:
		changed, err := p.desk.Reap(ctx)
		say("reap: %v %v", changed, err)
	case n < 7:
		c := w.control(ctx)
		run := ""
		if c.Lease != nil {
			run = c.Lease.Run
		}
		if len(c.Waiting) > 0 && w.rnd.IntN(2) == 0 {
			run = c.Waiting[0].Run
		}
		w.waive(c, run)
		err := p.desk.Cancel(ctx, run)
		say("cancel %s: %v", run, err)
		if err != nil {
			delete(w.owed, run) // it may have left the queue without a record
		}
	case n < 8 && !p.serverless:
		if w.rnd.IntN(2) == 0 {
			say("closes")
			p.closing = true
			for _, r := range p.runs {
				rec, err := p.desk.Settle(ctx, r.lease.Run, r.lease.Fence, &refresh.Problem{Code: "cancelled"})
				say("settle %s: %s %v", r.lease.Run, rec.State, err)
			}
		}
		say("ends")
		p.dead = true
		w.zombies = append(w.zombies, p.runs...)
		for i := range w.procs {
			if w.procs[i] == p {
				w.procs[i] = w.spawn()
			}
		}
	case n < 9:
		w.now = w.now.Add(time.Duration(w.rnd.IntN(40)) * time.Second)
		say("the clock is at %s", w.now.Format(time.TimeOnly))
	case n < 11:
		if len(w.zombies) > 0 {
			w.drive(ctx, w.zombies[w.rnd.IntN(len(w.zombies))], say)
		}
	case p.serverless:
		w.invoke(ctx, p, say)
	default:
		if len(p.runs) > 0 {
			w.drive(ctx, p.runs[w.rnd.IntN(len(p.runs))], say)
		}
	}
}

// drive takes a Run one step on.
func (w *world) drive(ctx context.Context, r *driven, say func(string, ...any)) {
	d, l := r.proc.desk, r.lease
	end := func(cause *refresh.Problem) {
		rec, err := d.Settle(ctx, l.Run, l.Fence, cause)
		say("settle %s/%d: %s %v", l.Run, l.Fence, rec.State, err)
		if err == nil || errors.Is(err, refresh.ErrLeaseLost) {
			r.proc.drop(r)
		}
	}
	switch now, err := d.Renew(ctx, l.Run, l.Fence); {
	case errors.Is(err, refresh.ErrLeaseLost):
		if !r.proc.dead {
			r.proc.drop(r) // a live driver stops here; a zombie was past this check
			w.zombies = append(w.zombies, r)
			return
		}
	case err == nil && now.Cancel:
		end(&refresh.Problem{Code: "cancelled"})
		return
	}
	switch {
	case w.rnd.IntN(6) == 0:
		end(&refresh.Problem{Code: "x", Message: "a step failed"})
	case r.step < 2:
		_ = w.take(ctx, r, say) // it is tried again
	default:
		end(nil)
	}
}

// take lets a Run claim, or publish, which it can only with the Lease.
func (w *world) take(ctx context.Context, r *driven, say func(string, ...any)) error {
	l := r.lease
	lease := w.control(ctx).Lease
	before := w.head(ctx)
	err := r.next(ctx)
	say("step %d of %s/%d: %v", r.step, l.Run, l.Fence, err)
	if after := w.head(ctx); after.Snapshot != before.Snapshot {
		if lease == nil || lease.Run != l.Run || lease.Fence != l.Fence {
			w.fail("run %s with fence %d published without the lease, which was %+v", l.Run, l.Fence, lease)
		}
		if after.Snapshot < before.Snapshot {
			w.fail("the published snapshot went back from %d to %d", before.Snapshot, after.Snapshot)
		}
	}
	return err
}

func waits(c refresh.Control, run string) bool {
	return slices.ContainsFunc(c.Waiting, func(w refresh.Waiting) bool { return w.Run == run })
}

// next claims Head, then publishes.
func (r *driven) next(ctx context.Context) error {
	l := r.lease
	var err error
	if r.step == 0 {
		_, err = snapshot.Claim(ctx, r.proc.desk.Catalog, l.Fence, l.Run)
	} else {
		_, err = snapshot.Publish(ctx, r.proc.desk.Catalog, snapshot.Manifest{Format: snapshot.Format, Fence: l.Fence, Run: l.Run,
			Source: "file:///s", Created: l.Granted})
	}
	if err == nil {
		if w := r.proc.w; r.step == 0 {
			w.moment++
			w.claims[l.Run] = w.moment
		}
		r.step++
	}
	return err
}

// waive forgets the events of a Run that somebody does not want.
func (w *world) waive(c refresh.Control, run string) {
	scopes := []refresh.Scope{}
	if l := c.Lease; l != nil && l.Run == run && l.Events {
		scopes = append(scopes, l.Scope)
	}
	for _, q := range c.Waiting {
		if q.Run == run && q.Events {
			scopes = append(scopes, q.Scope)
		}
	}
	w.told = slices.DeleteFunc(w.told, func(e told) bool {
		return slices.ContainsFunc(scopes, func(s refresh.Scope) bool { return s.Holds(e.key) })
	})
}

// checkEvents: each event is in the scope of a successful Run that began to look after it.
func (w *world) checkEvents(ctx context.Context) {
	var runs []refresh.Run
	for r, err := range w.procs[0].desk.Runs(ctx, "") {
		if err != nil {
			w.fail("runs: %v", err)
		}
		if r.State == refresh.Successful {
			runs = append(runs, r)
		}
	}
	for _, e := range w.told {
		if !slices.ContainsFunc(runs, func(r refresh.Run) bool { return r.Scope.Holds(e.key) && w.claims[r.ID] > e.moment }) {
			w.fail("the event of %s at moment %d was lost; claims %v", e.key, e.moment, w.claims)
		}
	}
}

func (p *process) drop(r *driven) {
	for i, o := range p.runs {
		if o == r {
			p.runs = append(p.runs[:i:i], p.runs[i+1:]...)
			return
		}
	}
}

func (w *world) control(ctx context.Context) refresh.Control {
	c, _, err := objstate.New(w.store, time.Now).Load(ctx)
	if err != nil {
		w.fail("control record: %v", err)
	}
	return c
}

func (w *world) head(ctx context.Context) snapshot.Head {
	h, _, err := snapshot.LoadHead(ctx, w.store)
	if err != nil {
		w.fail("head: %v", err)
	}
	return h
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	for _, line := range w.trace[max(0, len(w.trace)-60):] {
		w.t.Log(line)
	}
	w.t.Fatalf(format, args...)
}

// check holds the control record against what must always be true.
func (w *world) check(ctx context.Context) {
	c := w.control(ctx)
	if c.Fence < w.fence {
		w.fail("the fence went back from %d to %d", w.fence, c.Fence)
	}
	w.fence = c.Fence
	if c.Lease != nil && c.Lease.Fence > c.Fence {
		w.fail("lease has fence %d, the last one granted is %d", c.Lease.Fence, c.Fence)
	}
	seen := map[string]bool{}
	for _, q := range c.Waiting {
		if seen[q.Run] || c.Lease != nil && c.Lease.Run == q.Run {
			w.fail("run %s is there twice", q.Run)
		}
		seen[q.Run] = true
	}
	collecting := 0
	for _, q := range c.Waiting {
		if q.Events {
			collecting++
		}
	}
	if collecting > 1 {
		w.fail("%d runs collect events: %+v", collecting, c.Waiting)
	}
}

// TestRunsUnderRandomInterleavings lets several processes, a remote workflow, or both start, cancel, drive, settle, reap and die in any
// order over a store that loses replies: there are never two Runs, never a stuck Lease, never a lost waiting Run, and never a zombie's
// Snapshot.
func TestRunsUnderRandomInterleavings(t *testing.T) {
	for name, kinds := range map[string][]bool{
		"processes":                   {false, false, false},
		"a workflow":                  {true, true},
		"a workflow and two machines": {true, true, false, false},
	} {
		t.Run(name, func(t *testing.T) { interleave(t, kinds) })
	}
}

// interleave makes worlds of one process for each kind, which tells whether it is serverless.
func interleave(t *testing.T, kinds []bool) {
	worlds, steps := 100, 150
	if testing.Short() {
		worlds = 20
	}
	for seed := range worlds {
		ctx := context.Background()
		w := &world{t: t, rnd: rand.New(rand.NewPCG(uint64(seed), 7)), now: refreshtest.At, store: memstore.New(), faulty: true, owed: map[string]bool{}, claims: map[string]int{}}
		for _, serverless := range kinds {
			if serverless {
				w.procs = append(w.procs, w.function())
			} else {
				w.procs = append(w.procs, w.spawn())
			}
		}
		for range steps {
			w.now = w.now.Add(time.Second)
			w.act(ctx)
			w.check(ctx)
		}
		// Then everything works again, and whoever is left finishes.
		w.faulty = false
		for i := 0; ; i++ {
			w.now = w.now.Add(time.Minute)
			for _, p := range w.procs {
				w.work(ctx, p)
				if _, err := p.desk.Reap(ctx); err != nil {
					w.fail("seed %d: reap: %v", seed, err)
				}
			}
			if c := w.control(ctx); c.Lease == nil && len(c.Waiting) == 0 {
				break
			}
			if i > 1000 {
				w.fail("seed %d: the lease is stuck: %+v", seed, w.control(ctx))
			}
		}
		w.checkEvents(ctx)
		for run := range w.owed {
			r, err := w.procs[0].desk.Run(ctx, run)
			if err != nil || r.Ended == nil {
				w.fail("seed %d: run %s was lost: %+v, %v", seed, run, r, err)
			}
		}
		if h := w.head(ctx); h.Snapshot != 0 {
			if r, err := w.procs[0].desk.Run(ctx, h.Run); err != nil || r.State != refresh.Successful {
				w.fail("seed %d: run %s is published, and yet %s, %v", seed, h.Run, r.State, err)
			}
		}
		// And one more Run can do its work.
		last := refresh.NewRunID(w.now)
		if ans, err := w.procs[0].desk.Start(ctx, refresh.Request{Run: last}); err != nil || ans.Kind != refresh.Started {
			w.fail("seed %d: last start: %+v, %v", seed, ans, err)
		}
		l := *w.control(ctx).Lease
		r := &driven{proc: w.procs[0], lease: l}
		if err := errors.Join(r.next(ctx), r.next(ctx)); err != nil {
			w.fail("seed %d: last run: %v", seed, err)
		}
		if r, err := w.procs[0].desk.Settle(ctx, last, 0, nil); err != nil || r.State != refresh.Successful {
			w.fail("seed %d: last run: %+v, %v", seed, r, err)
		}
		// What a zombie does after all that, and an event that comes only now, changes nothing.
		before, record := w.head(ctx), w.control(ctx)
		for _, z := range w.zombies {
			for range 4 {
				w.drive(ctx, z, func(string, ...any) {})
			}
		}
		w.remote.tellAll(ctx, w)
		if after := w.head(ctx); after.Snapshot != before.Snapshot {
			w.fail("seed %d: a zombie published snapshot %d over %d", seed, after.Snapshot, before.Snapshot)
		}
		if after := w.control(ctx); !reflect.DeepEqual(after, record) {
			w.fail("seed %d: the control record went from %+v to %+v", seed, record, after)
		}
	}
}

// work lets a process do all that it drives.
func (w *world) work(ctx context.Context, p *process) {
	for len(p.runs) > 0 {
		w.drive(ctx, p.runs[0], func(string, ...any) {})
		w.check(ctx)
	}
	for p.serverless && w.remote.running() != nil {
		w.invoke(ctx, p, func(string, ...any) {})
		w.check(ctx)
	}
}
