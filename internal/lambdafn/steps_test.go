package lambdafn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// A worker fails as it is told to.
type worker struct {
	refs    []string
	err     error
	put     error
	unblame error
	calls   []string
	stored  any
	blamed  []refresh.Problem
	ctx     context.Context // of the last call
}

func (w *worker) call(ctx context.Context, name string) error {
	w.calls, w.ctx = append(w.calls, name), ctx
	return w.err
}

func (w *worker) Plan(ctx context.Context, run string) ([]string, error) {
	return w.refs, w.call(ctx, "plan "+run)
}
func (w *worker) Scan(ctx context.Context, run, ref string) error {
	return w.call(ctx, "scan "+run+" "+ref)
}
func (w *worker) Publish(ctx context.Context, run string) error { return w.call(ctx, "publish "+run) }
func (w *worker) PutShards(_ context.Context, run string, refs any) (string, error) {
	w.calls, w.stored = append(w.calls, "shards "+run), refs
	return "runs/" + run + "/1/shards.json", w.put
}
func (w *worker) Blame(ctx context.Context, run string, p *refresh.Problem) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.blamed = append(w.blamed, *p)
	return w.unblame
}

// Renew implements Renewer.
func (w *worker) Renew(_ context.Context, run string, fence uint64) (refresh.Lease, error) {
	w.calls = append(w.calls, fmt.Sprintf("renew %s %d", run, fence))
	return refresh.Lease{}, nil
}

func (w *worker) plan() *Plan {
	return &Plan{Desk: w, Worker: w, Bucket: "catalog", Prefix: "p/", Concurrency: 16, Log: quiet,
		Deployed: func(context.Context) error { w.calls = append(w.calls, "deployed"); return nil }}
}

func TestPlanAnswersByReference(t *testing.T) {
	w := &worker{refs: []string{"000000-aa", "000001-bb"}}
	got, err := w.plan().Handle(t.Context(), Task{Run: runID})
	if want := (Planned{runID, 2, "catalog", "p/runs/" + runID + "/1/shards.json", 16}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if want := []string{"renew " + runID + " 0", "deployed", "plan " + runID, "shards " + runID}; !reflect.DeepEqual(w.calls, want) {
		t.Errorf("calls %v, want %v", w.calls, want)
	}
	if raw, _ := json.Marshal(w.stored); string(raw) != `[{"shard":"000000-aa"},{"shard":"000001-bb"}]` {
		t.Errorf("the map reads %s", raw)
	}
	w = &worker{}
	got, err = w.plan().Handle(t.Context(), Task{Run: runID})
	if want := (Planned{Run: runID, Concurrency: 16}); err != nil || got != want || w.stored != nil {
		t.Errorf("with nothing to scan: %+v, %v, want %+v", got, err, want)
	}
}

// Each Shard is scanned by one child of the Map, however many there are, and the Map has no more children than it bears.
func TestShardsAreGrouped(t *testing.T) {
	for n, children := range map[int]int{
		1: 1, maxRefs: maxRefs, maxRefs + 1: maxRefs/2 + 1, 2 * maxRefs: maxRefs, 2*maxRefs + 1: (2*maxRefs + 3) / 3, 1_000_000: maxRefs,
	} {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf("%06d-%016x", i, i)
		}
		w := &worker{refs: names}
		planned, err := w.plan().Handle(t.Context(), Task{Run: runID})
		if err != nil || planned.Shards != n {
			t.Fatalf("%d shards: planned %+v, %v", n, planned, err)
		}
		refs := w.stored.([]ShardRef)
		var all []string
		for _, r := range refs {
			all = append(all, strings.Split(r.Shard, " ")...)
		}
		if len(refs) != children || !reflect.DeepEqual(all, names) {
			t.Errorf("%d shards: %d children with %d shards, want %d", n, len(refs), len(all), children)
		}
	}
}

func TestScanOfSomeShards(t *testing.T) {
	w := &worker{}
	s := &Scan{w, quiet}
	if err := s.Handle(t.Context(), Task{Run: runID, Shard: "000000-aa 000001-bb"}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"scan " + runID + " 000000-aa", "scan " + runID + " 000001-bb"}; !reflect.DeepEqual(w.calls, want) {
		t.Errorf("calls %v, want %v", w.calls, want)
	}
	w.calls, w.err = nil, errors.New("connection reset")
	if err := s.Handle(t.Context(), Task{Run: runID, Shard: "000000-aa 000001-bb"}); err == nil || len(w.calls) != 1 {
		t.Errorf("%v after calls %v", err, w.calls)
	}
	w.calls = nil
	if err := s.Handle(t.Context(), Task{Run: runID}); !strings.Contains(fmt.Sprint(err), "no shard") || len(w.calls) != 0 {
		t.Errorf("without a shard: %v after calls %v", err, w.calls)
	}
}

// reported is the error that the workflow sees of a handler: what the Lambda runtime makes of it.
func reported(t *testing.T, handler any, task Task) (kind, message string) {
	t.Helper()
	raw, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	_, err = lambda.NewHandler(handler).Invoke(t.Context(), raw)
	if err == nil {
		return "", ""
	}
	var made messages.InvokeResponse_Error
	if errors.As(err, &made) {
		return made.Type, made.Message
	}
	return reflect.TypeOf(err).Elem().Name(), err.Error()
}

func TestErrorsAreThoseThatTheWorkflowMatches(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("step: %w", err) }
	for name, c := range map[string]struct {
		err           error
		kind, message string
		blamed        string
	}{
		"config":      {wrap(&refresh.ConfigError{Err: errors.New("line 3: unknown key")}), "FinalError", "bad_config: step: line 3: unknown key", "bad_config"},
		"mass delete": {&refresh.MassDeleteError{Removed: 5, Held: 5}, "FinalError", "mass_delete: this run would drop 5 of the 5 files", "mass_delete"},
		"no source":   {&refresh.SourceError{Err: wrap(objstore.ErrNoStore)}, "FinalError", "source_unavailable: step: no such bucket or folder; check its name", "source_unavailable"},
		"no catalog":  {wrap(objstore.ErrNoStore), "FinalError", "catalog_unavailable: step: no such bucket or folder; check its name", "catalog_unavailable"},
		"no folder":   {&refresh.SourceError{Err: wrap(fs.ErrNotExist)}, "FinalError", "source_unavailable: step: file does not exist", "source_unavailable"},
		"S3 is busy":  {&refresh.SourceError{Err: wrap(objstore.ErrThrottled)}, "TransientError", "ScanConcurrency", "source_unavailable"},
		"network":     {wrap(errors.New("connection reset")), "TransientError", "internal: step: connection reset", "internal"},
		"cancelled":   {wrap(refresh.ErrCancelled), "FinalError", "cancelled: ", ""},
		"lease lost":  {wrap(refresh.ErrLeaseLost), "FinalError", "superseded: ", ""},
		"fenced off":  {wrap(&snapshot.FencedError{}), "FinalError", "superseded: ", ""},
		"out of time": {wrap(context.DeadlineExceeded), "TransientError", "workflow_failed: a step did not end within its function's time", "workflow_failed"},
		"deadline":    {wrap(&refresh.DeadlineError{Shard: "s", Done: 3, Total: 9}), "DeadlineError", "deadline: scan of shard s stopped before its deadline with 3 of 9", ""},
		"very long, S3 is busy": {&refresh.SourceError{Err: fmt.Errorf("read %s: %w", strings.Repeat("é", 100_000), objstore.ErrThrottled)}, "TransientError",
			"the next refresh goes on from what was scanned", "source_unavailable"},
		"very long, out of time": {fmt.Errorf("read %s: %w", strings.Repeat("é", 100_000), context.DeadlineExceeded), "TransientError",
			"refresh a part of the source at a time with prefixes", "workflow_failed"},
		"very long": {errors.New(strings.Repeat("é", 100_000)), "TransientError", "internal: é", "internal"},
		"no UTF-8":  {errors.New("key \xff"), "TransientError", "internal: key �", "internal"},
	} {
		for step, handler := range map[string]func(w *worker) any{
			"plan":    func(w *worker) any { return w.plan().Handle },
			"scan":    func(w *worker) any { return (&Scan{w, quiet}).Handle },
			"publish": func(w *worker) any { return (&Publish{w, quiet}).Handle },
		} {
			w := &worker{err: c.err}
			kind, message := reported(t, handler(w), Task{Run: runID, Shard: "s"})
			if kind != c.kind || !strings.Contains(message, c.message) || len(message) > maxMessage+100 || !utf8.ValidString(message) {
				t.Errorf("%s, %s: %s %.200s, want %s %s", name, step, kind, message, c.kind, c.message)
			}
			var blamed string
			if len(w.blamed) > 0 {
				blamed = w.blamed[0].Code
				if kind != "DeadlineError" && w.blamed[0].Code+": "+w.blamed[0].Message != message {
					t.Errorf("%s, %s: recorded is %+v and reported %s", name, step, w.blamed[0], message)
				}
			}
			if blamed != c.blamed {
				t.Errorf("%s, %s: recorded %q, want %q", name, step, blamed, c.blamed)
			}
			// What goes through the workflow is read on the other side as what it was.
			if kind == "DeadlineError" {
				continue
			}
			cause, _ := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message})
			if p := problemOf(&WorkflowError{kind, string(cause)}); p.Code+": "+p.Message != message {
				t.Errorf("%s, %s: settled with %+v", name, step, p)
			}
		}
	}
	w := &worker{refs: []string{"s"}, put: errors.New("bucket is gone")}
	if kind, message := reported(t, w.plan().Handle, Task{Run: runID}); kind != "TransientError" || message != "internal: bucket is gone" {
		t.Errorf("%s %s", kind, message)
	}
	w = &worker{err: errors.New("x"), unblame: errors.New("bucket is gone")}
	if kind, _ := reported(t, (&Publish{w, quiet}).Handle, Task{Run: runID}); kind != "TransientError" {
		t.Errorf("where the record fails: %s", kind)
	}
}

func TestTaskWithoutRun(t *testing.T) {
	for _, run := range []string{"", "x", "../../head", runID + "0"} {
		w := &worker{}
		if kind, _ := reported(t, (&Scan{w, quiet}).Handle, Task{Run: run, Shard: "s"}); kind != "FinalError" || len(w.calls)+len(w.blamed) != 0 {
			t.Errorf("%q: %s after %v", run, kind, w.calls)
		}
	}
}

// A step ends before its function does, so that there is time to tell why.
func TestStepsEndEarly(t *testing.T) {
	w := &worker{err: context.DeadlineExceeded}
	at := time.Now().Add(15 * time.Minute)
	ctx, cancel := context.WithDeadline(t.Context(), at)
	defer cancel()
	_ = (&Publish{w, quiet}).Handle(ctx, Task{Run: runID})
	if got, ok := w.ctx.Deadline(); !ok || !got.Equal(at.Add(-reserve)) {
		t.Errorf("the step's deadline is %v before the function's, want %v", at.Sub(got), reserve)
	}
	over, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	w.blamed = nil
	_ = (&Publish{w, quiet}).Handle(over, Task{Run: runID})
	if len(w.blamed) != 1 {
		t.Error("why a step failed is not recorded once its own time is over")
	}
}

func TestLogTellsRequestAndRun(t *testing.T) {
	var b bytes.Buffer
	log := NewLog(&b, slog.LevelInfo)
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "8f507cfc"})
	w := &worker{err: errors.New("connection reset")}
	_ = (&Scan{w, log}).Handle(ctx, Task{Run: runID, Shard: "000001-ab"})
	log.WarnContext(withRun(ctx, runID), "about another", "run", "other")
	log.DebugContext(ctx, "never seen")
	log.With("a", 1).WithGroup("g").InfoContext(ctx, "grouped", "x", 1)
	var lines []map[string]any
	for line := range strings.Lines(b.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		lines = append(lines, m)
	}
	if len(lines) != 3 {
		t.Fatalf("%d lines: %s", len(lines), b.String())
	}
	for name, want := range map[string]any{"level": "WARN", "message": "step not done", "requestId": "8f507cfc", "run": runID, "step": "scan",
		"shard": "000001-ab", "error": "connection reset"} {
		if lines[0][name] != want {
			t.Errorf("%s is %v, want %v", name, lines[0][name], want)
		}
	}
	if _, ok := lines[0]["elapsed_seconds"].(float64); !ok || lines[0]["timestamp"] == nil {
		t.Errorf("%v", lines[0])
	}
	if lines[1]["run"] != "other" || strings.Count(b.String(), `"run":"other"`) != 1 {
		t.Errorf("%v", lines[1])
	}
	if lines[2]["a"] != 1. {
		t.Errorf("%v", lines[2])
	}
}
