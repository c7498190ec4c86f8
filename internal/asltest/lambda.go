package asltest

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// MaxAnswer is the most bytes that a function may answer, as AWS counts them.
const MaxAnswer = 6_291_556

// A Lambda holds functions, and calls them as the service does, with its faults.
type Lambda struct {
	Clock *Clock
	// Fault, where set, says what becomes of a call.
	Fault func(Call) Fault
	// Calls are those that were made, in order.
	Calls []Call

	functions map[string]function
}

type function struct {
	handler any // what lambda.Start takes
	timeout time.Duration
}

// A Call of a function.
type Call struct {
	Nth      int // of all calls, from 1
	At       time.Time
	Function string
	Payload  []byte
}

// A Fault is what becomes of a call. The zero Fault is none.
type Fault struct {
	Before  time.Duration // passes before the function runs
	Error   *Error        // is answered
	Applied bool          // with Error: the function runs all the same
	After   time.Duration // passes before it is answered
}

// Throttled is what a call over the concurrency that is allowed is answered.
func Throttled() *Error {
	return &Error{Name: "Lambda.TooManyRequestsException", Cause: "Rate Exceeded."}
}

// Crashed is what a function answers whose process ended, as one out of memory does.
func Crashed() *Error {
	return &Error{Name: "Runtime.ExitError", Cause: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: Runtime exited with error: signal: killed"}`}
}

// Unknown is what Lambda answers when it does not know what happened.
func Unknown() *Error {
	return &Error{Name: "Lambda.Unknown", Cause: "The cause could not be determined because Lambda did not return an error type."}
}

// Unavailable is a failure of the service.
func Unavailable() *Error {
	return &Error{Name: "Lambda.ServiceException", Cause: "Service unavailable"}
}

// Register adds a function. handler is what lambda.Start takes.
func (l *Lambda) Register(name string, timeout time.Duration, handler any) {
	if l.functions == nil {
		l.functions = map[string]function{}
	}
	l.functions[name] = function{handler: handler, timeout: timeout}
}

// Invoke calls a function and waits for its answer, in a process of the Clock. One that takes longer than it may has timed out, but
// is not stopped: what it still does is a zombie's.
func (l *Lambda) Invoke(name string, payload []byte) ([]byte, *Error) {
	c := Call{Nth: len(l.Calls) + 1, At: l.Clock.Now(), Function: name, Payload: payload}
	l.Calls = append(l.Calls, c)
	f, ok := l.functions[name]
	if !ok {
		return nil, &Error{Name: "Lambda.ResourceNotFoundException", Cause: "Function not found: " + name}
	}
	var fault Fault
	if l.Fault != nil {
		fault = l.Fault(c)
	}
	l.Clock.Sleep(fault.Before)
	var answer []byte
	failure := fault.Error
	if failure == nil || fault.Applied {
		var err *Error
		if answer, err = l.call(f, c); failure == nil {
			failure = err
		}
	}
	l.Clock.Sleep(fault.After)
	if failure != nil {
		return nil, failure
	}
	return answer, nil
}

// call runs the function.
func (l *Lambda) call(f function, c Call) ([]byte, *Error) {
	var answer []byte
	var err error
	ended := l.Clock.Signal()
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: fmt.Sprintf("%s-%d", c.Function, c.Nth)})
	ctx = deadline{ctx, l.Clock.Now().Add(f.timeout)}
	l.Clock.Go(func() {
		// An environment of its own, for one does not take two invocations at once: answers share its buffer.
		answer, err = lambda.NewHandler(f.handler).Invoke(ctx, c.Payload)
		ended.Fire()
	})
	switch l.Clock.Wait(f.timeout, ended); {
	case !ended.Fired():
		return nil, functionError("Sandbox.Timedout", fmt.Sprintf("RequestId: 1 Error: Task timed out after %.2f seconds", f.timeout.Seconds()))
	case err != nil:
		return nil, errorOf(err)
	case len(answer) > MaxAnswer:
		return nil, functionError("Function.ResponseSizeTooLarge", fmt.Sprintf("Response payload size (%d bytes) exceeded maximum allowed payload size (6291556 bytes).", len(answer)))
	}
	return answer, nil
}

// A deadline is a context that tells its deadline in virtual time.
type deadline struct {
	context.Context
	at time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.at, true }

// errorOf is what becomes of a function's error: named after the outermost Go type, as github.com/aws/aws-lambda-go does.
func errorOf(err error) *Error {
	if e, ok := err.(messages.InvokeResponse_Error); ok {
		return functionError(e.Type, e.Message)
	}
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return functionError(t.Name(), err.Error())
}

// functionError is an error of a function as a workflow sees it: its cause is the function's answer.
func functionError(name, message string) *Error {
	cause, err := json.Marshal(map[string]string{"errorMessage": message, "errorType": name})
	if err != nil {
		panic(err) // strings always encode
	}
	return &Error{Name: name, Cause: string(cause)}
}
