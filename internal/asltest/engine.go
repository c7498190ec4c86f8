package asltest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// An Engine runs executions of a Machine.
type Engine struct {
	Machine *Machine
	Clock   *Clock
	// Invoke is lambda:invoke. It is called in a process of the Clock.
	Invoke func(function string, payload []byte) ([]byte, *Error)
	// Read gets the objects that Maps read their items from.
	Read func(bucket, key string) ([]byte, error)
	// Jitter draws the delays of retriers with the jitter strategy FULL.
	Jitter *rand.Rand
	// Ended, where set, is called in a process of its own when an execution, but not a Map's child, has ended: as the status event
	// of EventBridge would be.
	Ended func(*Execution)

	executions map[string]*Execution
}

// The statuses of an execution.
const (
	Running   = "RUNNING"
	Succeeded = "SUCCEEDED"
	Failed    = "FAILED"
	TimedOut  = "TIMED_OUT"
	Aborted   = "ABORTED"
)

// An Execution is one of a machine, or of the item processor of a Map: its child.
type Execution struct {
	Name             string
	Input            []byte
	Status           string
	Output           []byte // of one that succeeded
	Error            *Error // of one that did not
	Started, Stopped time.Time
	History          []Event
	Retries          []Retry
	Children         []*Execution // of all its Maps, in the order in which they were started
	Largest          int          // bytes of the largest of its data that the quota is for

	engine *Engine
	end    *Signal // it has ended
	full   bool    // its history holds no more
}

// An Event of an execution's history. Of AWS's there are those that count against the quota, in their order.
type Event struct{ Type, State string }

// A Retry is a delay before a state was tried again.
type Retry struct {
	State string
	Error string
	Nth   int           // of its retrier, from 1
	Bound time.Duration // the longest that the delay could be
	Delay time.Duration
}

// Errors of the API.
var (
	ErrExists = errors.New("ExecutionAlreadyExists")
	ErrAbsent = errors.New("ExecutionDoesNotExist")
	ErrInput  = errors.New("InvalidExecutionInput")
	ErrName   = errors.New("InvalidName")
)

// Start starts an execution. A name is used once: starting it again with the same input while it runs gives it, else ErrExists.
func (e *Engine) Start(name string, input []byte) (*Execution, error) {
	if name == "" || len(name) > maxName {
		return nil, fmt.Errorf("%w: %q", ErrName, name)
	}
	if x := e.executions[name]; x != nil {
		if x.Status == Running && bytes.Equal(x.Input, input) {
			return x, nil
		}
		return nil, fmt.Errorf("%w: %s", ErrExists, name)
	}
	var data any
	if err := json.Unmarshal(input, &data); err != nil || len(input) > MaxData {
		return nil, fmt.Errorf("%w: %v", ErrInput, err)
	}
	x := e.newExecution(name, input)
	if e.executions == nil {
		e.executions = map[string]*Execution{}
	}
	e.executions[name] = x
	e.Clock.Go(func() { x.run(&e.Machine.states, data, nil) })
	if s := e.Machine.TimeoutSeconds; s > 0 {
		e.Clock.After(time.Duration(s)*time.Second, func() { x.finish(TimedOut, nil, nil) })
	}
	return x, nil
}

// Execution is the one with this name, or nil.
func (e *Engine) Execution(name string) *Execution { return e.executions[name] }

// Stop aborts an execution; one that has ended stays as it is.
func (e *Engine) Stop(name string, why *Error) error {
	x := e.executions[name]
	if x == nil {
		return fmt.Errorf("%w: %s", ErrAbsent, name)
	}
	x.finish(Aborted, nil, why)
	return nil
}

func (e *Engine) newExecution(name string, input []byte) *Execution {
	return &Execution{Name: name, Input: input, Status: Running, Started: e.Clock.Now(), engine: e, end: e.Clock.Signal()}
}

// Done is fired when the execution has ended.
func (x *Execution) Done() *Signal { return x.end }

// States are those that the execution entered, in order.
func (x *Execution) States() []string {
	var out []string
	for _, e := range x.History {
		if len(e.Type) > 12 && e.Type[len(e.Type)-12:] == "StateEntered" {
			out = append(out, e.State)
		}
	}
	return out
}

// finish ends the execution, and its children, unless it has ended.
func (x *Execution) finish(status string, output []byte, err *Error) {
	if x.Status != Running {
		return
	}
	x.event("Execution"+map[string]string{Succeeded: "Succeeded", Failed: "Failed", TimedOut: "TimedOut", Aborted: "Aborted"}[status], "")
	x.Status, x.Output, x.Error, x.Stopped = status, output, err, x.engine.Clock.Now()
	x.end.Fire()
	for _, c := range x.Children {
		c.finish(Aborted, nil, nil)
	}
	if x.engine.executions[x.Name] == x && x.engine.Ended != nil {
		x.engine.Clock.Go(func() { x.engine.Ended(x) })
	}
}

// event adds to the history.
func (x *Execution) event(kind, state string) {
	if len(x.History) >= MaxHistory {
		x.full = true
		return
	}
	x.History = append(x.History, Event{Type: kind, State: state})
}

// gone is returned by what an execution was about when it ended: nobody looks at it any more.
var gone = &Error{Name: "gone"}

// overdue is why the execution cannot go on, if it cannot.
func (x *Execution) overdue() *Error {
	switch {
	case x.Status != Running:
		return gone
	case x.full:
		return &Error{Name: runtimeError, Cause: fmt.Sprintf("The execution reached the maximum number of history events (%d).", MaxHistory)}
	}
	return nil
}

// run takes the execution through its states.
func (x *Execution) run(s *states, data any, item map[string]any) {
	x.event("ExecutionStarted", "")
	context := map[string]any{
		"Execution": map[string]any{"Id": "arn:aws:states:region:account:execution:machine:" + x.Name, "Name": x.Name, "Input": data,
			"StartTime": x.Started.Format(time.RFC3339Nano)},
		"StateMachine": map[string]any{"Name": "machine", "Id": "arn:aws:states:region:account:stateMachine:machine"},
	}
	if item != nil {
		context["Map"] = item
	}
	out, err := x.states(s, data, context)
	switch {
	case err == gone:
	case err != nil:
		x.finish(Failed, nil, err)
	default:
		x.finish(Succeeded, encode(out), nil)
	}
}

func (x *Execution) states(s *states, data any, context map[string]any) (any, *Error) {
	for name := s.StartAt; ; {
		st := s.States[name]
		x.event(st.Type+"StateEntered", name)
		if err := x.overdue(); err != nil {
			return nil, err
		}
		context["State"] = map[string]any{"Name": name, "EnteredTime": x.engine.Clock.Now().Format(time.RFC3339Nano)}
		out, next, err := x.state(st, data, context)
		if err != nil {
			return nil, err
		}
		if err := x.tooLarge("the output of state "+name, out); err != nil {
			return nil, err
		}
		x.event(st.Type+"StateExited", name)
		if err := x.overdue(); err != nil {
			return nil, err
		}
		if data = out; next == "" {
			return data, nil
		}
		name = next
	}
}

// state carries out one state, with its retries and catches.
func (x *Execution) state(s *state, data any, context map[string]any) (out any, next string, err *Error) {
	used := make([]int, len(s.Retry))
	for retried := 0; ; retried++ {
		context["State"].(map[string]any)["RetryCount"] = float64(retried)
		out, next, err = x.attempt(s, data, context)
		if err == nil || err == gone {
			return out, next, err
		}
		if late := x.overdue(); late != nil {
			return nil, "", late
		}
		again := -1
		for i := range s.Retry {
			if err.in(s.Retry[i].ErrorEquals) {
				again = i
				break
			}
		}
		if again < 0 || used[again] >= s.Retry[again].attempts() {
			break
		}
		used[again]++
		if late := x.delay(s.name, err, &s.Retry[again], used[again]); late != nil {
			return nil, "", late
		}
	}
	for _, c := range s.Catch {
		if !err.in(c.ErrorEquals) {
			continue
		}
		var ok bool
		if out, ok = c.ResultPath.put(data, map[string]any{"Error": err.Name, "Cause": err.Cause}); c.ResultPath.null {
			out = data
		} else if !ok {
			return nil, "", &Error{Name: badResult, Cause: fmt.Sprintf("ResultPath %s does not fit %s", c.ResultPath, encode(data))}
		}
		return out, c.Next, nil
	}
	return nil, "", err
}

// delay waits before the nth retry.
func (x *Execution) delay(state string, err *Error, r *retrier, nth int) *Error {
	d := Retry{State: state, Error: err.Name, Nth: nth, Bound: r.bound(nth)}
	d.Delay = d.Bound
	if r.JitterStrategy == "FULL" {
		d.Delay = time.Duration(x.engine.Jitter.Int64N(int64(d.Bound) + 1))
	}
	x.Retries = append(x.Retries, d)
	x.engine.Clock.Wait(d.Delay, x.end)
	return x.overdue()
}

// attempt carries out a state once.
func (x *Execution) attempt(s *state, raw any, context map[string]any) (out any, next string, err *Error) {
	data, err := through(s.InputPath, raw, context)
	if err != nil {
		return nil, "", err
	}
	in := data
	if s.Parameters.set {
		if data, err = s.Parameters.fill(data, context); err != nil {
			return nil, "", err
		}
	}
	if err := x.tooLarge("what state "+s.name+" works on", data); err != nil {
		return nil, "", err
	}
	next = s.Next
	result := data
	switch s.Type {
	case "Task":
		result, err = x.task(s, data)
	case "Map":
		result, err = x.distribute(s, data, context)
	case "Pass":
		if s.Result != nil {
			result = s.Result
		}
	case "Choice":
		next, err = choose(s, data, context)
	case "Wait":
		err = x.wait(s, data, context)
	case "Fail":
		err = &Error{Name: s.Error, Cause: s.Cause}
	case "Succeed":
	}
	if err != nil {
		return nil, "", err
	}
	switch s.Type {
	case "Task", "Map", "Pass": // the others pass their input on
		if s.ResultSelector.set {
			if result, err = s.ResultSelector.fill(result, context); err != nil {
				return nil, "", err
			}
		}
		if s.ResultPath.null {
			out = raw
		} else if o, ok := s.ResultPath.put(raw, result); ok {
			out = o
		} else {
			return nil, "", &Error{Name: badResult, Cause: fmt.Sprintf("ResultPath %s does not fit %s", s.ResultPath, encode(raw))}
		}
	default:
		out = in
	}
	out, err = through(s.OutputPath, out, context)
	return out, next, err
}

// through applies an InputPath or OutputPath.
func through(p path, data, context any) (any, *Error) {
	if p.null {
		return map[string]any{}, nil
	}
	return p.of(data, context)
}

func choose(s *state, data, context any) (string, *Error) {
	for _, c := range s.Choices {
		if ok, err := c.holds(data, context); err != nil || ok {
			return c.Next, err
		}
	}
	if s.Default == "" {
		return "", &Error{Name: runtimeError, Cause: fmt.Sprintf("no choice of state %s matches %s", s.name, encode(data))}
	}
	return s.Default, nil
}

func (x *Execution) wait(s *state, data, context any) *Error {
	seconds := 0.0
	if s.Seconds != nil {
		seconds = float64(*s.Seconds)
	} else {
		v, err := s.SecondsPath.of(data, context)
		if err != nil {
			return err
		}
		n, ok := v.(float64)
		if !ok || n < 0 {
			return &Error{Name: runtimeError, Cause: fmt.Sprintf("SecondsPath %s gives %s", s.SecondsPath, encode(v))}
		}
		seconds = n
	}
	x.engine.Clock.Wait(time.Duration(seconds*float64(time.Second)), x.end)
	return x.overdue()
}

// task invokes a function and waits for its answer, but no longer than the state allows; the function is not stopped.
func (x *Execution) task(s *state, parameters any) (any, *Error) {
	p, ok := parameters.(map[string]any)
	function, isText := p["FunctionName"].(string)
	payload, given := p["Payload"]
	if !ok || !isText || !given || len(p) != 2 {
		return nil, &Error{Name: runtimeError, Cause: fmt.Sprintf("lambda:invoke of %s is not supported", encode(parameters))}
	}
	x.event("TaskScheduled", s.name)
	x.event("TaskStarted", s.name)
	var answer []byte
	var failure *Error
	answered := x.engine.Clock.Signal()
	x.engine.Clock.Go(func() {
		answer, failure = x.engine.Invoke(function, encode(payload))
		answered.Fire()
	})
	patience := time.Duration(-1)
	if s.TimeoutSeconds > 0 {
		patience = time.Duration(s.TimeoutSeconds) * time.Second
	}
	by := x.engine.Clock.Wait(patience, answered, x.end)
	switch {
	case x.Status != Running:
		return nil, gone
	case by == nil:
		x.event("TaskTimedOut", s.name)
		return nil, &Error{Name: timeout, Cause: ""}
	case failure != nil:
		x.event("TaskFailed", s.name)
		return nil, failure
	}
	x.event("TaskSucceeded", s.name)
	var v any
	if err := json.Unmarshal(answer, &v); err != nil {
		return nil, &Error{Name: runtimeError, Cause: fmt.Sprintf("function %s answered no JSON: %v", function, err)}
	}
	result := map[string]any{"ExecutedVersion": "$LATEST", "Payload": v, "StatusCode": 200.0}
	return result, x.tooLarge("what function "+function+" answered", result)
}

// tooLarge holds data to the quota.
func (x *Execution) tooLarge(what string, data any) *Error {
	n := len(encode(data))
	if x.Largest = max(x.Largest, n); n > MaxData {
		return &Error{Name: tooMuchData, Cause: fmt.Sprintf("%s has %d bytes; at most %d may be", what, n, MaxData)}
	}
	return nil
}

// encode is data as JSON, as AWS counts it.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // it came out of JSON
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
