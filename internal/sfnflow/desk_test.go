package sfnflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/cairn-stac/cairn/internal/dynamostate"
	"github.com/cairn-stac/cairn/internal/dynamostate/dynamotest"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/refresh/refreshtest"
	"github.com/cairn-stac/cairn/internal/sfnflow"
	"github.com/cairn-stac/cairn/internal/sfnflow/sfntest"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// A cloud is the state and the workflow of a deployment, and a clock. Its Desk is that of any of the functions.
type cloud struct {
	t     *testing.T
	table *dynamotest.Server
	steps *sfntest.Server
	desk  *refresh.Desk
	mu    sync.Mutex
	now   time.Time
}

const ttl = 10 * time.Minute

func newCloud(t *testing.T) *cloud {
	c := &cloud{t: t, steps: sfntest.New(t), now: refreshtest.At}
	client, table, server := dynamotest.Open(t)
	c.table = server
	c.steps.Now = c.clock
	flow := sfnflow.New(c.steps.Client(), sfntest.StateMachine)
	flow.Now = c.clock
	c.desk = &refresh.Desk{State: dynamostate.New(client, table, c.clock), Catalog: memstore.New(), Workflow: flow, TTL: ttl, Now: c.clock, Log: quiet}
	return c
}

func (c *cloud) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *cloud) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *cloud) start(r refresh.Request) refresh.Answer {
	c.t.Helper()
	ans, err := c.desk.Start(context.Background(), r)
	if err != nil {
		c.t.Fatal(err)
	}
	return ans
}

// begun starts a Run whose workflow has begun.
func (c *cloud) begun() refresh.Lease {
	c.t.Helper()
	ans := c.start(refresh.Request{})
	l, err := c.desk.Renew(context.Background(), ans.Run, 0)
	if err != nil || ans.Kind != refresh.Started {
		c.t.Fatalf("%+v, %v", ans, err)
	}
	return l
}

func (c *cloud) reap() bool {
	c.t.Helper()
	changed, err := c.desk.Reap(context.Background())
	if err != nil {
		c.t.Fatal(err)
	}
	return changed
}

func (c *cloud) control() refresh.Control {
	c.t.Helper()
	r, _, err := c.desk.State.Load(context.Background())
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func (c *cloud) run(id string) refresh.Run {
	c.t.Helper()
	r, err := c.desk.Run(context.Background(), id)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// publish is what the steps of a Run come to.
func (c *cloud) publish(l refresh.Lease) error {
	_, err := snapshot.Claim(context.Background(), c.desk.Catalog, l.Fence, l.Run)
	if err == nil {
		_, err = snapshot.Publish(context.Background(), c.desk.Catalog, snapshot.Manifest{Format: snapshot.Format, Fence: l.Fence, Run: l.Run,
			Source: "s3://src/", Created: l.Granted})
	}
	return err
}

// dies lets f run in a goroutine that ends as if its process did when it comes to launch a Run.
func (c *cloud) dies(f func(d *refresh.Desk)) {
	d := *c.desk
	d.Workflow = mortal{c.desk.Workflow}
	var wg sync.WaitGroup
	wg.Go(func() { f(&d) })
	wg.Wait()
}

type mortal struct{ refresh.Workflow }

func (mortal) Launch(context.Context, refresh.Lease) error { runtime.Goexit(); return nil }

// gaveUp is what the event of a workflow's end tells.
var gaveUp = &refresh.Problem{Code: refresh.CodeWorkflow, Message: "the workflow was aborted"}

// The common path of POST /refresh: one read and one conditional write of the control record, and one StartExecution. While the Run
// runs: one read.
func TestWhatAStartCosts(t *testing.T) {
	c := newCloud(t)
	c.table.Reset()
	ans := c.start(refresh.Request{})
	if got, want := c.table.Counts(), map[string]int{"GetItem": 1, "PutItem": 1}; !maps.Equal(got, want) || c.steps.Count(sfntest.Start) != 1 {
		t.Errorf("a start made the requests %v and %d StartExecution; want %v and 1", got, c.steps.Count(sfntest.Start), want)
	}
	if _, err := c.desk.Renew(context.Background(), ans.Run, 0); err != nil {
		t.Fatal(err)
	}
	c.table.Reset()
	if again := c.start(refresh.Request{}); again.Kind != refresh.Busy || again.Run != ans.Run {
		t.Errorf("%+v", again)
	}
	if got, want := c.table.Counts(), map[string]int{"GetItem": 1}; !maps.Equal(got, want) || c.steps.Count(sfntest.Start) != 1 {
		t.Errorf("a start while a Run runs made the requests %v and %d StartExecution in all; want %v and 1", got, c.steps.Count(sfntest.Start), want)
	}
	c.table.Reset()
	if s, err := c.desk.Status(context.Background()); err != nil || !s.IsRunning || c.table.ItemsRead() > 9 {
		t.Errorf("status %+v, %v, with %d items read; want at most 9", s, err, c.table.ItemsRead())
	}
}

func TestTwoStartsAtOnceAreOneRun(t *testing.T) {
	c := newCloud(t)
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		kinds = map[refresh.AnswerKind]int{}
		runs  = map[string]bool{}
	)
	for range 40 {
		wg.Go(func() {
			ans, err := c.desk.Start(context.Background(), refresh.Request{})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			kinds[ans.Kind]++
			runs[ans.Run] = true
		})
	}
	wg.Wait()
	if kinds[refresh.Started] != 1 || kinds[refresh.Busy] != 39 || len(runs) != 1 || len(c.steps.Executions()) != 1 {
		t.Errorf("answers %v of the runs %v, %d executions", kinds, runs, len(c.steps.Executions()))
	}
}

// Start dies between the Lease and StartExecution: whoever comes next starts the same Run, once, however many come.
func TestStartDiesAfterTheLock(t *testing.T) {
	ctx := context.Background()
	post := func(r refresh.Request, want refresh.AnswerKind) func(*cloud) {
		return func(c *cloud) {
			if ans := c.start(r); ans.Kind != want {
				c.t.Errorf("answer %+v; want %s", ans, want)
			}
		}
	}
	reap := func(c *cloud) { c.reap() }
	for name, next := range map[string]func(*cloud){
		"the next POST":                    post(refresh.Request{}, refresh.Busy),
		"the next POST that waits":         post(refresh.Request{Queue: true, Scope: refresh.Scope{Mode: refresh.Full}}, refresh.Queued),
		"the next POST under its own key":  post(refresh.Request{Key: "other"}, refresh.Busy),
		"the same POST under the same key": post(refresh.Request{Key: "k"}, refresh.Started),
		"an event":                         post(refresh.Request{Events: true, Scope: refresh.Scope{Keys: []string{"a.tif"}}}, refresh.Queued),
		"the reaper":                       reap,
		"the reaper, late":                 func(c *cloud) { c.pass(ttl + time.Minute); c.reap() },
		"all of them": func(c *cloud) {
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() { post(refresh.Request{}, refresh.Busy)(c) })
				wg.Go(func() { reap(c) })
			}
			wg.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			c.dies(func(d *refresh.Desk) {
				ans, err := d.Start(ctx, refresh.Request{Key: "k"})
				t.Errorf("the process lives: %+v, %v", ans, err)
			})
			l := c.control().Lease
			if l == nil || len(c.steps.Executions()) != 0 {
				t.Fatalf("lease %+v, executions %+v", l, c.steps.Executions())
			}
			next(c)
			if all := c.steps.Executions(); len(all) != 1 || all[0].Name != l.Run {
				t.Errorf("executions %+v; want one of run %s", all, l.Run)
			}
			if now := c.control().Lease; now == nil || now.Run != l.Run || now.Fence != l.Fence {
				t.Errorf("lease %+v; want that of %+v", now, l)
			}
		})
	}
}

// A StartExecution of which it is unknown whether it was carried out is never a failure: the Lease stays, and the same request is made
// again by the next POST and by the reaper.
func TestUnsureLaunchIsKeptAndRepeated(t *testing.T) {
	for name, f := range map[string]sfntest.Fault{
		"cut before": {}, "cut after": {Applied: true}, "throttled": {Code: "ThrottlingException"}, "out of order": {Code: "InternalFailure", Status: 500},
		"too many executions": {Code: "ExecutionLimitExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			fired := c.steps.Fault(sfntest.Start, f)
			ans := c.start(refresh.Request{})
			if ans.Kind != refresh.Started {
				t.Fatalf("%+v", ans)
			}
			if again := c.start(refresh.Request{}); again.Kind != refresh.Busy || again.Run != ans.Run {
				t.Errorf("%+v", again)
			}
			for range 5 { // as long as it goes on
				c.pass(ttl + time.Minute)
				c.reap()
			}
			if l := c.control().Lease; l == nil || l.Run != ans.Run || fired() < 2 {
				t.Fatalf("lease %+v, %d launches", l, fired())
			}
			c.steps.Heal()
			c.start(refresh.Request{})
			if all := c.steps.Executions(); len(all) != 1 || all[0].Name != ans.Run {
				t.Errorf("executions %+v", all)
			}
			for _, body := range c.steps.Bodies() {
				if body != c.steps.Bodies()[0] {
					t.Errorf("requests differ: %q", c.steps.Bodies())
				}
			}
		})
	}
	t.Run("for an hour", func(t *testing.T) {
		c := newCloud(t)
		c.steps.Fault(sfntest.Start, sfntest.Fault{Code: "ThrottlingException"})
		ans := c.start(refresh.Request{})
		for range 60 {
			if r := c.run(ans.Run); r.Ended != nil {
				t.Fatalf("it ended: %+v %+v", r, r.Error)
			}
			c.pass(time.Minute)
			c.reap()
		}
		c.pass(time.Minute)
		c.reap()
		if r := c.run(ans.Run); r.State != refresh.Failed || r.Error.Code != "not_started" || !strings.Contains(r.Error.Message, "refresh again") {
			t.Errorf("%+v %+v", r, r.Error)
		}
	})
}

// A definite refusal fails the Run with a sentence that says what to do, also of a Run that somebody else did not launch, and nothing
// is stuck.
func TestRefusedLaunchFailsTheRun(t *testing.T) {
	ctx := context.Background()
	for name, lock := range map[string]func(c *cloud){
		"its own":      func(*cloud) {},
		"an orphan's":  func(c *cloud) { c.dies(func(d *refresh.Desk) { _, _ = d.Start(ctx, refresh.Request{}) }) },
		"one's before": func(c *cloud) { c.dies(func(d *refresh.Desk) { _, _ = d.Start(ctx, refresh.Request{}) }) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			c.steps.Fault(sfntest.Start, sfntest.Fault{Code: "AccessDeniedException"})
			lock(c)
			events := name == "one's before"
			ans, err := c.desk.Start(ctx, refresh.Request{Events: events, Scope: refresh.Scope{Keys: []string{"a.tif"}}})
			var no *refresh.RefusedError
			if !events && !errors.As(err, &no) || events && (err != nil || ans.Kind != refresh.Queued) {
				t.Fatalf("%+v, %v", ans, err)
			}
			first := c.control().Last
			if c.control().Lease != nil || first == nil || first.State != refresh.Failed || first.Error.Code != "refused" ||
				!strings.Contains(first.Error.Message, "states:StartExecution") {
				t.Fatalf("control record %+v, last run %+v", c.control(), first)
			}
			c.steps.Heal()
			c.pass(time.Hour)
			c.reap()
			if ans := c.start(refresh.Request{}); len(c.steps.Executions()) != 1 || (ans.Kind == refresh.Busy) != events {
				t.Errorf("%+v, executions %+v", ans, c.steps.Executions())
			}
		})
	}
}

// An execution that was aborted, timed out or broke off is settled by its event, or by the reaper where that is lost: the Lease is free,
// and what waited is launched. The event that comes late, or again, changes nothing.
func TestExecutionThatEndedOtherwise(t *testing.T) {
	ctx := context.Background()
	for _, status := range []types.ExecutionStatus{types.ExecutionStatusAborted, types.ExecutionStatusTimedOut, types.ExecutionStatusFailed} {
		for name, settle := range map[string]func(c *cloud, run string){
			"by its event": func(c *cloud, run string) {
				if r, err := c.desk.Settle(ctx, run, 0, gaveUp); err != nil || r.Error != gaveUp {
					t.Errorf("%+v, %v", r, err)
				}
			},
			"by the reaper": func(c *cloud, _ string) {
				c.pass(ttl + time.Minute)
				c.reap()
			},
		} {
			t.Run(string(status)+" "+name, func(t *testing.T) {
				c := newCloud(t)
				l := c.begun()
				waiting := c.start(refresh.Request{Queue: true, Scope: refresh.Scope{Mode: refresh.Full}})
				c.pass(time.Minute)
				c.steps.End(l.Run, status, "States.Runtime", "x")
				settle(c, l.Run)
				r := c.run(l.Run)
				if r.State != refresh.Failed || r.Error.Code != refresh.CodeWorkflow || r.Error.Message == "" {
					t.Errorf("%+v %+v", r, r.Error)
				}
				if now := c.control().Lease; now == nil || now.Run != waiting.Run || len(c.steps.Executions()) != 2 {
					t.Errorf("lease %+v, executions %+v", now, c.steps.Executions())
				}
				if err := c.publish(l); err == nil {
					t.Error("a step that was still running published")
				}
				before := c.control()
				c.pass(time.Minute)
				for range 2 {
					if again, err := c.desk.Settle(ctx, l.Run, 0, &refresh.Problem{Code: refresh.CodeWorkflow, Message: "late"}); err != nil ||
						!reflect.DeepEqual(again, c.run(l.Run)) || again.Error.Message != r.Error.Message {
						t.Errorf("a late event: %+v, %v", again, err)
					}
				}
				if after := c.control(); !reflect.DeepEqual(before, after) {
					t.Errorf("a late event changed the control record from\n%+v to\n%+v", before, after)
				}
			})
		}
	}
}

// The event of an execution that is no Run of this Catalog is told from one that must be repeated.
func TestEventOfAnUnknownRun(t *testing.T) {
	c := newCloud(t)
	l := c.begun()
	for _, id := range []string{refreshtest.RunID(99), "by-hand", "", "../control"} {
		if _, err := c.desk.Settle(context.Background(), id, 0, gaveUp); !errors.Is(err, refresh.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("run %q: %v; want ErrNotFound", id, err)
		}
	}
	if now := c.control().Lease; now == nil || now.Run != l.Run {
		t.Errorf("lease %+v", now)
	}
}

// A Run's own settle, its event, repeated, and the reaper, all at once: one record, and what waits is launched once.
func TestSettledByManyAtOnce(t *testing.T) {
	ctx := context.Background()
	for round := range 10 {
		c := newCloud(t)
		l := c.begun()
		waiting := c.start(refresh.Request{Queue: true, Scope: refresh.Scope{Mode: refresh.Full}})
		if round%2 == 0 {
			if err := c.publish(l); err != nil {
				t.Fatal(err)
			}
		}
		c.steps.End(l.Run, types.ExecutionStatusFailed, "", "")
		c.pass(ttl + time.Minute)
		if round%3 == 0 {
			c.table.Fail("PutItem", 1, dynamotest.LostReply)
		}
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				cause := gaveUp
				if i%2 == 0 {
					cause = nil
				}
				if _, err := c.desk.Settle(ctx, l.Run, 0, cause); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() { c.reap() })
		}
		wg.Wait()
		r, want := c.run(l.Run), refresh.Failed
		if round%2 == 0 {
			want = refresh.Successful
		}
		if r.State != want {
			t.Errorf("round %d: %+v; want %s", round, r, want)
		}
		now := c.control()
		if now.Lease == nil || now.Lease.Run != waiting.Run || now.Lease.Fence != l.Fence+1 || len(now.Waiting) != 0 || !reflect.DeepEqual(*now.Last, r) {
			t.Errorf("round %d: %+v", round, now)
		}
		if n := len(c.steps.Executions()); n != 2 {
			t.Errorf("round %d: %d executions", round, n)
		}
	}
}

// A cancelled Run's execution is stopped, and its event settles it as dismissed. What its steps do after that is fenced off.
func TestCancelStopsTheExecution(t *testing.T) {
	ctx := context.Background()
	c := newCloud(t)
	l := c.begun()
	events := 0
	c.steps.OnStop = func(e sfntest.Execution) {
		events++
		if r, err := c.desk.Settle(ctx, e.Name, 0, gaveUp); err != nil || r.State != refresh.Dismissed || r.Error != nil {
			t.Errorf("%+v %+v, %v", r, r.Error, err)
		}
	}
	if err := c.desk.Cancel(ctx, l.Run); err != nil || events != 1 || c.control().Lease != nil {
		t.Errorf("%v, %d events, %+v", err, events, c.control())
	}
	if err := c.publish(l); err == nil {
		t.Error("a cancelled run published")
	}
	if _, err := c.desk.Renew(ctx, l.Run, 0); !errors.Is(err, refresh.ErrLeaseLost) || !refresh.Final(err) {
		t.Errorf("renewed = %v; want ErrLeaseLost, which is final", err)
	}
	if err := c.desk.Cancel(ctx, l.Run); !errors.Is(err, refresh.ErrNoRun) {
		t.Errorf("cancelled again = %v; want ErrNoRun", err)
	}
}

// A Run that has published before it was stopped was successful.
func TestCancelledTooLate(t *testing.T) {
	ctx := context.Background()
	c := newCloud(t)
	l := c.begun()
	if err := errors.Join(c.publish(l), c.desk.Cancel(ctx, l.Run)); err != nil {
		t.Fatal(err)
	}
	if r, err := c.desk.Settle(ctx, l.Run, 0, gaveUp); err != nil || r.State != refresh.Successful {
		t.Errorf("%+v, %v", r, err)
	}
}

// StopExecution fails, and the event is lost: the mark stays, and the reaper sees to it without waiting for the Lease's end.
func TestCancelIsRepeatedByTheReaper(t *testing.T) {
	ctx := context.Background()
	c := newCloud(t)
	l := c.begun()
	fired := c.steps.Fault(sfntest.Stop, sfntest.Fault{Code: "ThrottlingException"})
	if err := c.desk.Cancel(ctx, l.Run); err != nil || fired() != 1 {
		t.Fatalf("%v, %d", err, fired())
	}
	c.reap()
	if now := c.control().Lease; now == nil || !now.Cancel || fired() != 2 {
		t.Fatalf("lease %+v, asked to stop %d times", now, fired())
	}
	c.steps.Heal()
	c.reap() // stops it
	if e, _ := c.steps.Execution(l.Run); e.Status != types.ExecutionStatusAborted {
		t.Errorf("%+v", e)
	}
	c.reap() // settles it
	if r := c.run(l.Run); r.State != refresh.Dismissed || c.control().Lease != nil {
		t.Errorf("%+v, %+v", r, c.control())
	}
}

// A Run that is cancelled before anybody launched it is dismissed, and a launch that comes after that does no harm.
func TestCancelledBeforeItsLaunch(t *testing.T) {
	ctx := context.Background()
	c := newCloud(t)
	c.dies(func(d *refresh.Desk) { _, _ = d.Start(ctx, refresh.Request{}) })
	l := *c.control().Lease
	if err := c.desk.Cancel(ctx, l.Run); err != nil {
		t.Fatal(err)
	}
	if ans := c.start(refresh.Request{}); ans.Kind != refresh.Busy {
		t.Errorf("%+v", ans)
	}
	c.reap()
	if r := c.run(l.Run); r.State != refresh.Dismissed || len(c.steps.Executions()) != 0 {
		t.Errorf("%+v, executions %+v", r, c.steps.Executions())
	}
	if err := c.desk.Workflow.Launch(ctx, l); err != nil {
		t.Fatal(err)
	}
	if _, err := c.desk.Renew(ctx, l.Run, 0); !errors.Is(err, refresh.ErrLeaseLost) {
		t.Errorf("its plan goes on: %v", err)
	}
}

// A Run whose errors tell of a million files is settled all the same, also where the control record is as large as it may be: an item of
// DynamoDB that is too large could never be written, and the Run would hold the Lease for good.
func TestSettleWithHugeErrors(t *testing.T) {
	long := strings.Repeat("clean <parts/a.zst>\n", 1<<16)
	for name, p := range map[string]struct {
		cause *refresh.Problem
		state refresh.RunState
	}{
		"failed":     {&refresh.Problem{Code: "internal", Message: long}, refresh.Failed},
		"successful": {nil, refresh.Successful},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			full := refreshtest.LargestControl()
			full.Fence, full.Lease.Fence = 7, 7
			if err := c.desk.State.Swap(t.Context(), "", full); err != nil {
				t.Fatal(err)
			}
			run := full.Lease.Run
			if p.state == refresh.Successful {
				body, err := json.Marshal(map[string]any{"unchanged": true, "warnings": slices.Repeat([]string{long}, 20)})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.desk.Catalog.Put(t.Context(), "runs/"+run+"/7/outcome.json", body, objstore.PutOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			r, err := c.desk.Settle(t.Context(), run, 0, p.cause)
			if err != nil || r.State != p.state {
				t.Fatalf("%s, %v", r.State, err)
			}
			if kept := c.run(run); !reflect.DeepEqual(kept, r) || p.cause == nil != (kept.Error == nil) || p.cause != nil == (len(kept.Warnings) > 0) {
				t.Errorf("recorded is %.300s", fmt.Sprint(kept))
			}
			if now := c.control(); now.Lease == nil || now.Lease.Run != full.Waiting[0].Run || now.Last == nil || now.Last.ID != run {
				t.Errorf("the next run, %s, is not the one that holds the lease", full.Waiting[0].Run)
			}
		})
	}
}

// Events are kept while nobody can find out what became of the Run before, be it for hours: the queue would give them up.
func TestEventsAreKeptWhileStepFunctionsIsDown(t *testing.T) {
	c := newCloud(t)
	l := c.begun()
	c.steps.End(l.Run, types.ExecutionStatusTimedOut, "", "")
	c.steps.Fault(sfntest.Describe, sfntest.Fault{Code: "ThrottlingException"})
	c.pass(ttl + time.Minute)
	var waiting string
	for _, key := range []string{"a/1.tif", "a/2.tif"} {
		ans := c.start(refresh.Request{Events: true, Scope: refresh.Scope{Keys: []string{key}}})
		if ans.Kind != refresh.Queued {
			t.Fatalf("%+v", ans)
		}
		waiting = ans.Run
	}
	if _, err := c.desk.Start(t.Context(), refresh.Request{}); err == nil {
		t.Error("a caller is not told that the run before cannot be looked at")
	}
	c.steps.Heal()
	if !c.reap() {
		t.Error("the reaper found nothing to do")
	}
	if now := c.control(); now.Lease == nil || now.Lease.Run != waiting || !slices.Equal(now.Lease.Scope.Keys, []string{"a/1.tif", "a/2.tif"}) {
		t.Errorf("the lease is %+v", now.Lease)
	}
	if e, ok := c.steps.Execution(waiting); !ok || !e.Running() {
		t.Errorf("executions %+v", c.steps.Executions())
	}
}

// A Run of events that failed waits before its like is tried again. In the cloud the reaper starts that, once.
func TestReaperStartsWhatBackedOff(t *testing.T) {
	c := newCloud(t)
	ans := c.start(refresh.Request{Events: true, Scope: refresh.Scope{Keys: []string{"a/1.tif"}}})
	if r, err := c.desk.Settle(t.Context(), ans.Run, 0, gaveUp); err != nil || r.State != refresh.Failed {
		t.Fatalf("%+v, %v", r, err)
	}
	again := c.control().Waiting[0]
	c.pass(10 * time.Second)
	if c.reap() || len(c.steps.Executions()) != 1 {
		t.Error("it was started before its time")
	}
	c.pass(time.Minute)
	if !c.reap() || c.reap() {
		t.Error("it was not started, or twice")
	}
	l := c.control().Lease
	if l == nil || l.Run != again.Run || l.Failures != 1 || !l.Scope.Equal(again.Scope) || c.steps.Count(sfntest.Start) < 2 {
		t.Errorf("the lease is %+v", l)
	}
	if e, ok := c.steps.Execution(again.Run); !ok || !e.Running() {
		t.Errorf("executions %+v", c.steps.Executions())
	}
}
