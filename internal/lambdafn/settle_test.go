package lambdafn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// A settler notes what it was asked for.
type settler struct {
	settled []string
	causes  []*refresh.Problem
	reaped  int
	state   refresh.RunState
	err     error
}

func (s *settler) Settle(_ context.Context, run string, fence uint64, cause *refresh.Problem) (refresh.Run, error) {
	if fence != 0 {
		return refresh.Run{}, errors.New("whose fence is this?")
	}
	s.settled, s.causes = append(s.settled, run), append(s.causes, cause)
	return refresh.Run{ID: run, State: s.state, Error: cause}, s.err
}

func (s *settler) Reap(context.Context) (bool, error) { s.reaped++; return true, s.err }

// statusEvent is a "Step Functions Execution Status Change" as AWS documents it; members of detail are changed, or removed by nil.
func statusEvent(status string, change map[string]any) json.RawMessage {
	detail := map[string]any{
		"executionArn":    "arn:aws:states:us-east-1:123456789012:execution:cairn-refresh:" + runID,
		"stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:cairn-refresh",
		"name":            runID, "status": status, "startDate": 1551225146847, "stopDate": 1551225151881,
		"input": `{"run_id":"` + runID + `"}`, "inputDetails": map[string]any{"included": true}, "output": nil, "outputDetails": nil,
		"stateMachineVersionArn": nil, "stateMachineAliasArn": nil, "redriveCount": 0, "redriveDate": nil, "redriveStatus": "REDRIVABLE",
		"redriveStatusReason": nil, "error": nil, "cause": nil,
	}
	for name, v := range change {
		detail[name] = v
	}
	raw, err := json.Marshal(map[string]any{
		"version": "0", "id": "315c1398-40ff-a850-213b-158f73e60175", "detail-type": "Step Functions Execution Status Change", "source": "aws.states",
		"account": "123456789012", "time": "2019-02-26T19:42:21Z", "region": "us-east-1",
		"resources": []string{"arn:aws:states:us-east-1:123456789012:execution:cairn-refresh:" + runID}, "detail": detail,
	})
	if err != nil {
		panic(err) // of strings
	}
	return raw
}

func TestStatusEvents(t *testing.T) {
	for name, c := range map[string]struct {
		raw   json.RawMessage
		cause string // code: a word of the sentence; "": none is given; "-": not settled
	}{
		"failed":                      {statusEvent("FAILED", map[string]any{"error": "States.Runtime", "cause": "An error occurred"}), "workflow_failed: deploy the stack again"},
		"failed with a word of ours":  {statusEvent("FAILED", map[string]any{"error": "FinalError", "cause": `{"errorMessage":"bad_config: line 3: unknown key","errorType":"FinalError"}`}), "bad_config: line 3: unknown key"},
		"failed without telling":      {statusEvent("FAILED", nil), ""},
		"timed out":                   {statusEvent("TIMED_OUT", map[string]any{"error": "States.Timeout"}), "workflow_failed: longer than it may"},
		"stopped":                     {statusEvent("ABORTED", nil), "workflow_aborted: stopped by hand"},
		"null input":                  {statusEvent("ABORTED", map[string]any{"input": nil, "inputDetails": nil}), "workflow_aborted: stopped by hand"},
		"input left out":              {statusEvent("TIMED_OUT", map[string]any{"input": nil, "inputDetails": map[string]any{"included": false}}), "workflow_failed: longer"},
		"succeeded":                   {statusEvent("SUCCEEDED", nil), ""},
		"running":                     {statusEvent("RUNNING", map[string]any{"stopDate": nil}), "-"},
		"to be redriven":              {statusEvent("PENDING_REDRIVE", nil), "-"},
		"child of the map":            {statusEvent("FAILED", map[string]any{"name": "3c0a5f4e-5c57-3a49-8ab8-6d8c43b50c8c"}), "-"},
		"without a name":              {statusEvent("FAILED", map[string]any{"name": nil}), "-"},
		"cause that is no JSON":       {statusEvent("FAILED", map[string]any{"error": "Boom", "cause": "it went\n  wrong"}), `workflow_failed: the error "Boom" (it went wrong)`},
		"state machine's own failure": {statusEvent("FAILED", map[string]any{"error": "RunFailed", "cause": "GET /refresh/runs/{run_id} tells why"}), "workflow_failed: RunFailed"},
	} {
		desk := &settler{state: refresh.Failed}
		out, err := (&Settle{Desk: desk, Log: quiet}).Handle(t.Context(), c.raw)
		if err != nil || out != nil {
			t.Errorf("%s: %v, %v", name, out, err)
		}
		switch code, sentence, _ := strings.Cut(c.cause, ": "); {
		case c.cause == "-" && len(desk.settled) != 0:
			t.Errorf("%s: settled %v", name, desk.settled)
		case c.cause == "-":
		case !reflect.DeepEqual(desk.settled, []string{runID}):
			t.Errorf("%s: settled %v", name, desk.settled)
		case c.cause == "" && desk.causes[0] != nil, c.cause != "" && (desk.causes[0] == nil || desk.causes[0].Code != code || !strings.Contains(desk.causes[0].Message, sentence)):
			t.Errorf("%s: because of %v, want %q", name, desk.causes[0], c.cause)
		}
	}
}

func TestEndings(t *testing.T) {
	desk := &settler{state: refresh.Successful}
	s := &Settle{Desk: desk, Log: quiet}
	out, err := s.Handle(t.Context(), json.RawMessage(`{"run_id":"`+runID+`"}`))
	if err != nil || *out != (Settled{runID, "successful"}) || desk.causes[0] != nil {
		t.Errorf("%v, %v, because of %v", out, err, desk.causes)
	}
	desk.state = refresh.Failed
	out, err = s.Handle(t.Context(), json.RawMessage(`{"run_id":"`+runID+`","error":{"Error":"TransientError","Cause":"{\"errorMessage\":\"source_unavailable: list s3://b: 503: Slow Down\",\"errorType\":\"TransientError\"}"}}`))
	want := refresh.Problem{Code: "source_unavailable", Message: "list s3://b: 503: Slow Down"}
	if err != nil || *out != (Settled{runID, "failed"}) || *desk.causes[1] != want {
		t.Errorf("%v, %v, because of %+v", out, err, desk.causes[1])
	}
	desk.err = errors.New("table is gone")
	if _, err := s.Handle(t.Context(), json.RawMessage(`{"run_id":"`+runID+`"}`)); !errors.Is(err, desk.err) {
		t.Errorf("error %v", err)
	}
}

func TestSettleOfUnknownRun(t *testing.T) {
	desk := &settler{err: fmt.Errorf("settle run: %w", errors.Join(refresh.ErrLeaseLost, refresh.ErrNotFound))}
	s := &Settle{Desk: desk, Log: quiet}
	if _, err := s.Handle(t.Context(), statusEvent("ABORTED", nil)); err != nil {
		t.Errorf("an event comes again: %v", err)
	}
	if out, err := s.Handle(t.Context(), json.RawMessage(`{"run_id":"`+runID+`"}`)); err != nil || *out != (Settled{runID, "failed"}) {
		t.Errorf("%v, %v", out, err)
	}
	if len(desk.settled) != 2 {
		t.Errorf("settled %v", desk.settled)
	}
}

func TestReapAndOthers(t *testing.T) {
	desk := &settler{}
	s := &Settle{Desk: desk, Log: quiet}
	if out, err := s.Handle(t.Context(), json.RawMessage(`{"cairn":"reap"}`)); out != nil || err != nil || desk.reaped != 1 {
		t.Errorf("%v, %v, reaped %d times", out, err, desk.reaped)
	}
	for _, raw := range []string{``, `null`, `{}`, `[]`, `{"cairn":"schedule"}`, `{"run_id":"../x"}`, `{"run_id":7}`, string(httpAPI(t, "GET", "/", nil, nil)),
		`{"detail-type":"Step Functions Execution Status Change","source":"my.app","detail":{"name":"` + runID + `","status":"ABORTED"}}`} {
		if out, err := s.Handle(t.Context(), json.RawMessage(raw)); err == nil {
			t.Errorf("%s is answered with %v", raw, out)
		}
	}
	if desk.reaped != 1 || len(desk.settled) != 0 {
		t.Errorf("reaped %d times, settled %v", desk.reaped, desk.settled)
	}
	desk.err = errors.New("table is gone")
	if _, err := s.Handle(t.Context(), json.RawMessage(`{"cairn":"reap"}`)); !errors.Is(err, desk.err) {
		t.Errorf("error %v", err)
	}
}

// What Lambda and Step Functions say becomes a sentence that says what happened and what to do.
func TestCauses(t *testing.T) {
	lambda := func(kind, message string) string {
		raw, err := json.Marshal(map[string]any{"errorType": kind, "errorMessage": message, "stackTrace": nil})
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for _, c := range []struct{ error, cause, code, words string }{
		{"Lambda.TooManyRequestsException", "Rate Exceeded. (Service: Lambda, Status Code: 429)", "workflow_failed", "ScanConcurrency"},
		{"Lambda.ServiceException", "An error occurred", "workflow_failed", "refresh again"},
		{"States.Timeout", "", "workflow_failed", "longer than it may"},
		{"Sandbox.Timedout", lambda("Sandbox.Timedout", "RequestId: 8f5 Error: Task timed out after 900.00 seconds"), "workflow_failed", "more time and memory"},
		{"States.TaskFailed", lambda("Sandbox.Timedout", "RequestId: 8f5 Error: Task timed out after 900.00 seconds"), "workflow_failed", "more time and memory"},
		{"Runtime.ExitError", lambda("Runtime.ExitError", "RequestId: 8f5 Error: Runtime exited with error: signal: killed"), "workflow_failed", "more memory"},
		{"States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded", "workflow_failed", "log of the function scan"},
		{"States.DataLimitExceeded", "The state/task 'Plan' returned a result with a size exceeding the maximum number of bytes service limit.", "workflow_failed", "larger than Step Functions takes"},
		{"States.ItemReaderFailed", "AccessDenied", "workflow_failed", "catalog's bucket"},
		{"States.Permissions", "", "workflow_failed", "role"},
		{"runtimeError", lambda("runtimeError", "index out of range [1] with length 0"), "workflow_failed", "index out of range"},
		{"FinalError", lambda("FinalError", "mass_delete: this run would drop: 5"), "mass_delete", "this run would drop: 5"},
		{"FinalError", lambda("FinalError", "no code here"), "workflow_failed", "no code here"},
		{"FinalError", lambda("FinalError", "Not A Code: x"), "workflow_failed", "Not A Code: x"},
		{"FinalError", "not JSON", "workflow_failed", "not JSON"},
		{"TransientError", lambda("TransientError", "internal: connection reset"), "internal", "connection reset"},
		{"DeadlineError", lambda("DeadlineError", "deadline: scan of shard 1 stopped before its deadline"), "workflow_failed", "more time and memory"},
		{"", lambda("FinalError", "cancelled: the run was cancelled"), "cancelled", "the run was cancelled"},
		{strings.Repeat("E", 500), strings.Repeat("\xff", 70_000), "workflow_failed", "the next refresh"},
	} {
		p := problemOf(&WorkflowError{c.error, c.cause})
		if p == nil || p.Code != c.code || !strings.Contains(p.Message, c.words) || len(p.Message) > 2*maxMessage {
			t.Errorf("%.40s (%.80s): %+v, want %s with %q", c.error, c.cause, p, c.code, c.words)
		}
	}
	if p := problemOf(nil); p != nil {
		t.Errorf("no error is %+v", p)
	}
	if p := problemOf(&WorkflowError{}); p != nil {
		t.Errorf("an error that says nothing is %+v", p)
	}
	for name, sentence := range platform {
		if !strings.Contains(sentence, "; ") {
			t.Errorf("%s does not say what to do: %s", name, sentence)
		}
	}
}

func FuzzSettleEvent(f *testing.F) {
	f.Add([]byte(statusEvent("FAILED", map[string]any{"error": "E", "cause": `{"errorType":"FinalError","errorMessage":"a: b"}`})))
	f.Add([]byte(`{"run_id":"` + runID + `","error":{"Error":"FinalError","Cause":"{}"}}`))
	f.Add([]byte(`{"cairn":"reap"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		desk := &settler{state: refresh.Failed}
		out, err := (&Settle{Desk: desk, Log: quiet}).Handle(context.Background(), raw)
		if err == nil && out == nil && len(desk.settled)+desk.reaped > 1 {
			t.Errorf("%s settles %v and reaps %d times", raw, desk.settled, desk.reaped)
		}
		for _, run := range desk.settled {
			if !isRun(run) {
				t.Errorf("%s settles %q", raw, run)
			}
		}
		for _, p := range desk.causes {
			if p != nil && (p.Code == "" || !code.MatchString(p.Code) || p.Message == "" && !strings.Contains(string(raw), ": ")) {
				t.Errorf("%s: %+v", raw, p)
			}
		}
	})
}
