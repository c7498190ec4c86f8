package sfnflow_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/refresh/refreshtest"
	"github.com/cairn-stac/cairn/internal/sfnflow"
	"github.com/cairn-stac/cairn/internal/sfnflow/sfntest"
)

var lease = refresh.Lease{Run: refreshtest.RunID(1), Fence: 3, Granted: refreshtest.At, Expires: refreshtest.At.Add(time.Minute)}

// One StartExecution, named after the Run, with its id as the input, and the same bytes each time whoever makes it.
func TestLaunchIsTheSameRequestEachTime(t *testing.T) {
	server := sfntest.New(t)
	later := lease
	later.Fence, later.Launched, later.Expires = 9, true, lease.Expires.Add(time.Hour)
	for _, l := range []refresh.Lease{lease, lease, later} {
		if err := sfnflow.New(server.Client(), sfntest.StateMachine).Launch(context.Background(), l); err != nil {
			t.Fatal(err)
		}
	}
	bodies := server.Bodies()
	if len(bodies) != 3 || bodies[0] != bodies[1] || bodies[0] != bodies[2] {
		t.Errorf("three launches sent %q", bodies)
	}
	want := sfntest.Execution{Name: lease.Run, Input: `{"run_id":"` + lease.Run + `"}`, Status: types.ExecutionStatusRunning}
	if all := server.Executions(); len(all) != 1 || all[0].Name != want.Name || all[0].Input != want.Input || all[0].Status != want.Status {
		t.Errorf("executions are %+v; want %+v", all, want)
	}
}

// A definite no is a RefusedError with a sentence that says what to do and names no account; what may have come after the execution was
// started is not.
func TestLaunchTellsRefusedFromUnsure(t *testing.T) {
	for name, c := range map[string]struct {
		fault   sfntest.Fault
		arn     string
		refused bool
	}{
		"state machine is not there":      {arn: strings.Replace(sfntest.StateMachine, "cairn", "other", 1), refused: true},
		"not an ARN":                      {arn: "cairn", refused: true},
		"state machine is being deleted":  {fault: sfntest.Fault{Code: "StateMachineDeleting"}, refused: true},
		"access denied":                   {fault: sfntest.Fault{Code: "AccessDeniedException"}, refused: true},
		"key denied":                      {fault: sfntest.Fault{Code: "KmsAccessDeniedException"}, refused: true},
		"request not valid":               {fault: sfntest.Fault{Code: "ValidationException"}, refused: true},
		"throttled":                       {fault: sfntest.Fault{Code: "ThrottlingException"}},
		"throttled by the key":            {fault: sfntest.Fault{Code: "KmsThrottlingException"}},
		"too many executions":             {fault: sfntest.Fault{Code: "ExecutionLimitExceeded"}},
		"service is out of order":         {fault: sfntest.Fault{Code: "InternalFailure", Status: 500}},
		"service is out of order, after":  {fault: sfntest.Fault{Code: "ServiceUnavailable", Status: 503, Applied: true}},
		"connection cut":                  {fault: sfntest.Fault{}},
		"connection cut after it started": {fault: sfntest.Fault{Applied: true}},
		"session expired":                 {fault: sfntest.Fault{Code: "ExpiredTokenException", Status: 403}},
	} {
		t.Run(name, func(t *testing.T) {
			server := sfntest.New(t)
			if c.arn == "" {
				c.arn = sfntest.StateMachine
				server.Fault(sfntest.Start, c.fault)
			}
			err := sfnflow.New(server.Client(), c.arn).Launch(context.Background(), lease)
			var no *refresh.RefusedError
			if err == nil || errors.As(err, &no) != c.refused {
				t.Fatalf("Launch = %v; refused: want %v", err, c.refused)
			}
			if c.refused && (len(no.Reason) < 20 || strings.Contains(no.Reason, "arn:")) {
				t.Errorf("the reason is %q", no.Reason)
			}
			if n := server.Count(sfntest.Start); n != 1 {
				t.Errorf("%d requests", n)
			}
			server.Heal()
			if err := sfnflow.New(server.Client(), sfntest.StateMachine).Launch(context.Background(), lease); err != nil {
				t.Errorf("again: %v", err)
			}
			if n := len(server.Executions()); n != 1 {
				t.Errorf("%d executions", n)
			}
		})
	}
}

// A call that is given up for lack of time is unsure too.
func TestLaunchGivenUp(t *testing.T) {
	server := sfntest.New(t)
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	server.OnStart = func(sfntest.Execution) {
		cancel()
		<-gone // so that no answer comes before it is given up
	}
	err := sfnflow.New(server.Client(), sfntest.StateMachine).Launch(ctx, lease)
	close(gone)
	var no *refresh.RefusedError
	if err == nil || errors.As(err, &no) {
		t.Errorf("Launch = %v; want an error that is no refusal", err)
	}
	if _, ok := server.Execution(lease.Run); !ok {
		t.Error("it was not started")
	}
}

func TestDescribe(t *testing.T) {
	ctx := context.Background()
	server := sfntest.New(t)
	flow := sfnflow.New(server.Client(), sfntest.StateMachine)
	for status, want := range map[types.ExecutionStatus]refresh.LaunchState{
		types.ExecutionStatusRunning: refresh.LaunchRunning, types.ExecutionStatusPendingRedrive: refresh.LaunchRunning,
		types.ExecutionStatusSucceeded: refresh.LaunchEnded, types.ExecutionStatusFailed: refresh.LaunchEnded,
		types.ExecutionStatusAborted: refresh.LaunchEnded, types.ExecutionStatusTimedOut: refresh.LaunchEnded,
		"SOMETHING_NEW": refresh.LaunchUnknown,
	} {
		l := lease
		l.Run = refreshtest.RunID(100 + len(server.Executions()))
		if err := flow.Launch(ctx, l); err != nil {
			t.Fatal(err)
		}
		if status != types.ExecutionStatusRunning {
			server.End(l.Run, status, "E", "c")
		}
		if got, err := flow.Describe(ctx, l); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", status, got, err, want)
		}
	}
	server.Fault(sfntest.Describe, sfntest.Fault{Code: "ThrottlingException"})
	if got, err := flow.Describe(ctx, lease); err == nil || got != refresh.LaunchUnknown {
		t.Errorf("throttled: %v, %v; want an error", got, err)
	}
}

// Of a Run that a process drives nothing is said while its process may live, and Step Functions is not asked.
func TestDescribeOfAProcess(t *testing.T) {
	server := sfntest.New(t)
	flow := sfnflow.New(server.Client(), sfntest.StateMachine)
	l := lease
	l.Holder = refresh.Holder{Host: "laptop", PID: 1, Lock: "x.lock"}
	for after, want := range map[time.Duration]refresh.LaunchState{
		-time.Second: refresh.LaunchUnknown, time.Minute: refresh.LaunchUnknown, 3 * time.Minute: refresh.LaunchAbsent,
	} {
		flow.Now = func() time.Time { return l.Expires.Add(after) }
		if got, err := flow.Describe(context.Background(), l); err != nil || got != want {
			t.Errorf("%s after its end: %v, %v; want %v", after, got, err, want)
		}
	}
	if n := server.Count(sfntest.Describe); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// Stopping tells why, and is no error for what was never started or has ended.
func TestStop(t *testing.T) {
	ctx := context.Background()
	server := sfntest.New(t)
	flow := sfnflow.New(server.Client(), sfntest.StateMachine)
	if err := flow.Launch(ctx, lease); err != nil {
		t.Fatal(err)
	}
	fired := server.Fault(sfntest.Stop, sfntest.Fault{Nth: 1, Applied: true})
	if err := flow.Stop(ctx, lease); err == nil || fired() != 1 {
		t.Errorf("a lost reply: %v", err)
	}
	if err := flow.Stop(ctx, lease); err != nil {
		t.Errorf("again: %v", err)
	}
	if e, _ := server.Execution(lease.Run); e.Status != types.ExecutionStatusAborted || e.Error != "RunCancelled" || e.Cause == "" {
		t.Errorf("%+v", e)
	}
}

// The execution's ARN is the state machine's with its partition, region and account, also where that names an alias or a version.
func TestExecutionARN(t *testing.T) {
	for machine, want := range map[string]string{
		"arn:aws:states:eu-west-1:000000000000:stateMachine:a-refresh":           "arn:aws:states:eu-west-1:000000000000:execution:a-refresh:",
		"arn:aws-cn:states:cn-north-1:000000000000:stateMachine:b":               "arn:aws-cn:states:cn-north-1:000000000000:execution:b:",
		"arn:aws-us-gov:states:us-gov-west-1:000000000000:stateMachine:c:live":   "arn:aws-us-gov:states:us-gov-west-1:000000000000:execution:c:",
		"arn:aws-iso-b:states:us-isob-east-1:000000000000:stateMachine:d:1":      "arn:aws-iso-b:states:us-isob-east-1:000000000000:execution:d:",
		"arn:aws:states:eu-west-1:000000000000:stateMachine:stateMachine-states": "arn:aws:states:eu-west-1:000000000000:execution:stateMachine-states:",
	} {
		var mu sync.Mutex
		var asked []string
		client := sfn.New(sfn.Options{
			Region: "eu-west-1", Retryer: aws.NopRetryer{}, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
			HTTPClient: doer(func(r *http.Request) (*http.Response, error) {
				body := make([]byte, r.ContentLength)
				_, err := r.Body.Read(body)
				mu.Lock()
				defer mu.Unlock()
				asked = append(asked, string(body))
				return nil, errors.Join(errors.New("cut"), err)
			}),
		})
		flow := sfnflow.New(client, machine)
		_, err := flow.Describe(context.Background(), lease)
		if err == nil || flow.Stop(context.Background(), lease) == nil {
			t.Fatal("no error")
		}
		for _, body := range asked {
			if !strings.Contains(body, `"`+want+lease.Run+`"`) {
				t.Errorf("%s: asked for %s; want %s", machine, body, want+lease.Run)
			}
		}
		if len(asked) != 2 {
			t.Errorf("%d requests", len(asked))
		}
	}
}

type doer func(*http.Request) (*http.Response, error)

func (f doer) Do(r *http.Request) (*http.Response, error) { return f(r) }
