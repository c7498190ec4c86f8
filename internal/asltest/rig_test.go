package asltest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/asltest"
)

// A world is an engine over one machine, with one function "f" that answers what its reply says.
type world struct {
	t      *testing.T
	clock  *asltest.Clock
	lambda *asltest.Lambda
	engine *asltest.Engine
	reply  func(in any) (any, error)
	read   func(bucket, key string) ([]byte, error)
	ended  []*asltest.Execution
}

func newWorld(t *testing.T, definition string) *world {
	t.Helper()
	m, err := asltest.Parse([]byte(definition), nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, clock: asltest.NewClock(time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC), nil)}
	w.lambda = &asltest.Lambda{Clock: w.clock}
	w.reply = func(in any) (any, error) { return in, nil }
	w.lambda.Register("f", time.Minute, func(_ context.Context, in any) (any, error) { return w.reply(in) })
	w.engine = &asltest.Engine{Machine: m, Clock: w.clock, Invoke: w.lambda.Invoke, Jitter: rand.New(rand.NewPCG(1, 2)),
		Read:  func(bucket, key string) ([]byte, error) { return w.read(bucket, key) },
		Ended: func(x *asltest.Execution) { w.ended = append(w.ended, x) }}
	return w
}

// run runs an execution to its end.
func (w *world) run(input string) *asltest.Execution {
	w.t.Helper()
	x, err := w.engine.Start("x", []byte(input))
	if err != nil {
		w.t.Fatal(err)
	}
	w.clock.Run(1000 * time.Hour)
	if x.Status == asltest.Running {
		w.t.Fatal("the execution does not end")
	}
	return x
}

// after runs an execution of a machine whose one state, or first one, is given, and returns its output or error.
func after(t *testing.T, state, input string, reply func(in any) (any, error)) string {
	t.Helper()
	w := newWorld(t, `{"StartAt":"A","States":{"A":`+state+`}}`)
	if reply != nil {
		w.reply = reply
	}
	return outcome(w.run(input))
}

func outcome(x *asltest.Execution) string {
	if x.Error != nil {
		return x.Status + " " + x.Error.Name
	}
	return string(x.Output)
}

const invoke = `"Type":"Task","Resource":"arn:aws:states:::lambda:invoke"`

// task is a Task of the function f with more fields, that ends the machine.
func task(more string) string {
	return `{` + invoke + `,"Parameters":{"FunctionName":"f","Payload.$":"$"},"End":true` + more + `}`
}

type oddError struct{}

func (*oddError) Error() string { return "odd" }

var errPlain = errors.New("plain")
