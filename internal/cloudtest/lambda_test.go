package cloudtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// TestMain makes this very binary a bootstrap where a function's process is started.
func TestMain(m *testing.M) {
	if os.Getenv("_HANDLER") != "" {
		lambda.Start(handle)
		return
	}
	os.Exit(m.Run())
}

type order struct {
	Do string `json:"do"`
}

type oddError struct{}

func (*oddError) Error() string { return "odd: it is" }

func handle(ctx context.Context, o order) (string, error) {
	switch o.Do {
	case "fail":
		return "", &oddError{}
	case "panic":
		panic("as told")
	case "exit":
		os.Exit(3)
	case "sleep":
		time.Sleep(time.Minute)
	case "wait":
		time.Sleep(300 * time.Millisecond)
	case "large":
		return strings.Repeat("x", maxPayload), nil
	case "token":
		return os.Getenv("AWS_SESSION_TOKEN"), nil
	}
	return fmt.Sprint(os.Getpid()), nil
}

func newTestLambda(t *testing.T, f *Function) *Lambda {
	t.Helper()
	f.Name, f.ARN = "stack-Odd-1", "arn:aws:lambda:us-east-1:123456789012:function:stack-Odd-1"
	stack := &Stack{Functions: map[string]*Function{"Odd": f}}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLambda(stack, func(string) string { return self }, nil, t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func invoke(t *testing.T, l *Lambda, do string) Result {
	t.Helper()
	r, err := l.Invoke(context.Background(), "Odd", []byte(`{"do":"`+do+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEnvironmentIsReused(t *testing.T) {
	l := newTestLambda(t, &Function{Timeout: 20})
	first, second := invoke(t, l, "pid"), invoke(t, l, "pid")
	if first.Error != "" || string(first.Payload) != string(second.Payload) {
		t.Errorf("pids %s and %s, want the same", first.Payload, second.Payload)
	}
	if n := len(l.Starts()); n != 1 {
		t.Errorf("%d starts, want 1", n)
	}
	if n, third := l.Cool("Odd"), invoke(t, l, "pid"); n != 1 || third.Error != "" || string(third.Payload) == string(first.Payload) {
		t.Errorf("pid %s after %d environments cooled, want another than %s", third.Payload, n, first.Payload)
	}
	if got := invoke(t, l, "token"); string(got.Payload) != `"Odd"` {
		t.Errorf("session token %s, want the function's logical id", got.Payload)
	}
}

func TestConcurrentInvocationsHaveTheirOwnEnvironments(t *testing.T) {
	l := newTestLambda(t, &Function{Timeout: 20})
	var wg sync.WaitGroup
	pids := make([]string, 3)
	for i := range pids {
		wg.Go(func() { pids[i] = string(invoke(t, l, "wait").Payload) })
	}
	wg.Wait()
	if pids[0] == pids[1] || pids[1] == pids[2] || pids[0] == pids[2] {
		t.Errorf("pids %v, want three", pids)
	}
}

func TestFunctionErrors(t *testing.T) {
	l := newTestLambda(t, &Function{Timeout: 1})
	for do, kind := range map[string]string{
		"fail": "oddError", "panic": "string", "exit": "Runtime.ExitError", "sleep": "Sandbox.Timedout",
		"large": "Function.ResponseSizeTooLarge",
	} {
		t.Run(do, func(t *testing.T) {
			r := invoke(t, l, do)
			var e struct{ ErrorType, ErrorMessage string }
			if err := json.Unmarshal(r.Payload, &e); err != nil {
				t.Fatalf("%s: %v", r.Payload, err)
			}
			if r.Error != "Unhandled" || e.ErrorType != kind {
				t.Errorf("error %q, type %q (%s), want %q", r.Error, e.ErrorType, e.ErrorMessage, kind)
			}
			if after := invoke(t, l, "pid"); after.Error != "" {
				t.Errorf("the next invocation: %s", after.Payload)
			}
		})
	}
}

func TestKilledWhileWorking(t *testing.T) {
	l := newTestLambda(t, &Function{Timeout: 20})
	done := make(chan Result)
	go func() {
		r, _ := l.Invoke(context.Background(), "Odd", []byte(`{"do":"sleep"}`))
		done <- r
	}()
	for l.Kill("Odd") == 0 {
		time.Sleep(time.Millisecond)
	}
	if r := <-done; !strings.Contains(string(r.Payload), "Runtime.ExitError") {
		t.Errorf("%s, want Runtime.ExitError", r.Payload)
	}
}

func TestReservedConcurrencyThrottles(t *testing.T) {
	none := 0
	l := newTestLambda(t, &Function{Timeout: 20, Reserved: &none})
	_, err := l.Invoke(context.Background(), "Odd", nil)
	var no *refusal
	if !errors.As(err, &no) || no.status != http.StatusTooManyRequests {
		t.Errorf("%v, want TooManyRequestsException", err)
	}
}

func TestInvokeOverHTTP(t *testing.T) {
	l := newTestLambda(t, &Function{Timeout: 20})
	s := httptest.NewServer(l)
	defer s.Close()
	post := func(name, kind, do string) (*http.Response, string) {
		t.Helper()
		r, _ := http.NewRequest(http.MethodPost, s.URL+functionsPath+name+"/invocations", strings.NewReader(`{"do":"`+do+`"}`))
		r.Header.Set("X-Amz-Invocation-Type", kind)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp, string(body)
	}
	arn := "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Astack-Odd-1"
	resp, body := post(arn, "RequestResponse", "fail")
	if resp.StatusCode != 200 || resp.Header.Get("X-Amz-Function-Error") != "Unhandled" || resp.Header.Get("X-Amzn-Requestid") == "" {
		t.Errorf("%s %v %s", resp.Status, resp.Header, body)
	}
	if resp, body := post("other", "RequestResponse", "pid"); resp.StatusCode != 404 {
		t.Errorf("unknown function: %s %s", resp.Status, body)
	}
	before := len(l.Invocations())
	if resp, body := post(arn, "Event", "pid"); resp.StatusCode != 202 || body != "" {
		t.Errorf("event: %s %s", resp.Status, body)
	}
	for len(l.Invocations()) == before {
		time.Sleep(time.Millisecond)
	}
}
