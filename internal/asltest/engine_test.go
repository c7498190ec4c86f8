package asltest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/asltest"
)

// What goes into a state and what comes out of it, by the specification's sections "Input and Output Processing" and "States".
func TestData(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ state, input, want string }{
		"pass":                  {`{"Type":"Pass","End":true}`, `{"a":1}`, `{"a":1}`},
		"pass result":           {`{"Type":"Pass","Result":[1],"End":true}`, `{}`, `[1]`},
		"result path":           {`{"Type":"Pass","Result":2,"ResultPath":"$.b.c","End":true}`, `{"a":1}`, `{"a":1,"b":{"c":2}}`},
		"result path null":      {`{"Type":"Pass","Result":2,"ResultPath":null,"End":true}`, `{"a":1}`, `{"a":1}`},
		"result path no object": {`{"Type":"Pass","Result":2,"ResultPath":"$.b","End":true}`, `1`, `FAILED States.ResultPathMatchFailure`},
		"input path":            {`{"Type":"Pass","InputPath":"$.a[1]","End":true}`, `{"a":[1,2]}`, `2`},
		"input path null":       {`{"Type":"Pass","InputPath":null,"End":true}`, `{"a":1}`, `{}`},
		"input path missing":    {`{"Type":"Pass","InputPath":"$.b","End":true}`, `{"a":1}`, `FAILED States.Runtime`},
		"output path":           {`{"Type":"Pass","OutputPath":"$['a b']","End":true}`, `{"a b":3}`, `3`},
		"output path null":      {`{"Type":"Pass","OutputPath":null,"End":true}`, `{"a":1}`, `{}`},
		"result path of raw input": {`{"Type":"Pass","InputPath":"$.a","ResultPath":"$.r","End":true}`, `{"a":1}`,
			`{"a":1,"r":1}`},
		"parameters": {`{"Type":"Pass","Parameters":{"k":[{"v.$":"$.a"}],"n.$":"$$.Execution.Name","s.$":"$$.State.Name"},"End":true}`,
			`{"a":{"b":null}}`, `{"k":[{"v":{"b":null}}],"n":"x","s":"A"}`},
		"parameters missing": {`{"Type":"Pass","Parameters":{"k.$":"$.b"},"End":true}`, `{}`, `FAILED States.Runtime`},
		"succeed":            {`{"Type":"Succeed","InputPath":"$.a"}`, `{"a":1}`, `1`},
		"fail":               {`{"Type":"Fail","Error":"E","Cause":"c"}`, `{}`, `FAILED E`},
		"wait":               {`{"Type":"Wait","SecondsPath":"$.s","End":true}`, `{"s":3600}`, `{"s":3600}`},
		"wait for text":      {`{"Type":"Wait","SecondsPath":"$.s","End":true}`, `{"s":"1"}`, `FAILED States.Runtime`},
		"task":               {task(`,"ResultSelector":{"p.$":"$.Payload","c.$":"$.StatusCode"}`), `{"a":1}`, `{"c":200,"p":{"a":1}}`},
		"task output path":   {task(`,"ResultPath":"$.r","OutputPath":"$.r.Payload"`), `{"a":1}`, `{"a":1}`},
		"task without a function": {`{` + invoke + `,"Parameters":{"FunctionName":"g","Payload":1},"End":true}`, `{}`,
			`FAILED Lambda.ResourceNotFoundException`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := after(t, c.state, c.input, nil); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

func TestChoice(t *testing.T) {
	t.Parallel()
	for rule, inputs := range map[string][2]string{ // one that holds, one that does not
		`"Variable":"$.v","NumericEquals":0`:                                                               {`{"v":0}`, `{"v":"0"}`},
		`"Variable":"$.v","NumericLessThan":1`:                                                             {`{"v":0}`, `{"v":1}`},
		`"Variable":"$.v","NumericGreaterThanEquals":1`:                                                    {`{"v":1}`, `{"v":0.5}`},
		`"Variable":"$.v","StringEquals":"a"`:                                                              {`{"v":"a"}`, `{"v":"b"}`},
		`"Variable":"$.v","BooleanEquals":true`:                                                            {`{"v":true}`, `{"v":1}`},
		`"Variable":"$.v","IsPresent":true`:                                                                {`{"v":null}`, `{}`},
		`"Variable":"$.v","IsNull":true`:                                                                   {`{"v":null}`, `{"v":0}`},
		`"Not":{"Variable":"$.v","IsString":true}`:                                                         {`{"v":1}`, `{"v":""}`},
		`"And":[{"Variable":"$.v","IsNumeric":true},{"Variable":"$.v","NumericGreaterThan":2}]`:            {`{"v":3}`, `{"v":2}`},
		`"Or":[{"Variable":"$.v","StringLessThan":"b"},{"Variable":"$.v","StringGreaterThan":"c"}]`:        {`{"v":"d"}`, `{"v":"b"}`},
		`"And":[{"Variable":"$.v","IsPresent":true},{"Not":{"Variable":"$.v","NumericLessThanEquals":2}}]`: {`{"v":3}`, `{}`},
		`"Variable":"$.v","IsBoolean":false`:                                                               {`{"v":0}`, `{"v":false}`},
	} {
		w := func(input string) string {
			return outcome(newWorld(t, `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{`+rule+`,"Next":"Y"}],"Default":"N"},
				"Y":{"Type":"Pass","Result":"yes","End":true},"N":{"Type":"Pass","Result":"no","End":true}}}`).run(input))
		}
		if yes, no := w(inputs[0]), w(inputs[1]); yes != `"yes"` || no != `"no"` {
			t.Errorf("%s: %s gives %s, %s gives %s", rule, inputs[0], yes, inputs[1], no)
		}
	}
	none := `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.v","NumericEquals":0,"Next":"Y"}]},"Y":{"Type":"Succeed"}}}`
	for _, input := range []string{`{"v":1}`, `{}`} {
		if got := outcome(newWorld(t, none).run(input)); got != "FAILED States.Runtime" {
			t.Errorf("a Choice without a match of %s: %s", input, got)
		}
	}
}

// A retrier counts for itself, the first that matches is the one, and its delays grow to their limit.
func TestRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"StartAt":"A","States":{"A":`+task(`,"Retry":[
		{"ErrorEquals":["oddError"],"IntervalSeconds":5,"BackoffRate":1,"MaxAttempts":2},
		{"ErrorEquals":["States.ALL"],"IntervalSeconds":2,"BackoffRate":3,"MaxAttempts":4,"MaxDelaySeconds":20}]`)+`}}`)
	n := 0
	w.reply = func(any) (any, error) {
		n++
		if n == 2 || n == 4 {
			return nil, &oddError{}
		}
		return nil, errPlain
	}
	x := w.run(`{}`)
	var got []string
	for _, r := range x.Retries {
		got = append(got, fmt.Sprintf("%s %d %v", r.Error, r.Nth, r.Delay))
	}
	want := []string{"errorString 1 2s", "oddError 1 5s", "errorString 2 6s", "oddError 2 5s", "errorString 3 18s", "errorString 4 20s"}
	if !slices.Equal(got, want) || outcome(x) != "FAILED errorString" || x.Stopped.Sub(x.Started) != 56*time.Second {
		t.Errorf("%v, %s after %v\nwant %v", got, outcome(x), x.Stopped.Sub(x.Started), want)
	}
}

// A retrier that is used up gives way to the catchers, not to the retriers after it.
func TestRetrierThatIsUsedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"StartAt":"A","States":{"A":`+task(`,"Retry":[{"ErrorEquals":["oddError"],"MaxAttempts":0},
		{"ErrorEquals":["States.ALL"]}]`)+`}}`)
	w.reply = func(any) (any, error) { return nil, &oddError{} }
	if x := w.run(`{}`); len(x.Retries) != 0 || outcome(x) != "FAILED oddError" {
		t.Errorf("%s after %+v", outcome(x), x.Retries)
	}
}

func TestFullJitter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"StartAt":"A","States":{"A":`+task(`,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":10,"BackoffRate":1,
		"MaxAttempts":200,"JitterStrategy":"FULL"}]`)+`}}`)
	w.reply = func(any) (any, error) { return nil, errPlain }
	var sum, least, most time.Duration = 0, time.Hour, 0
	for _, r := range w.run(`{}`).Retries {
		sum, least, most = sum+r.Delay, min(least, r.Delay), max(most, r.Delay)
	}
	if mean := sum / 200; least < 0 || least > time.Second || most < 9*time.Second || most > 10*time.Second || mean < 4*time.Second || mean > 6*time.Second {
		t.Errorf("delays from %v to %v, %v on average", least, most, mean)
	}
}

// What States.ALL and States.TaskFailed match, and what goes past them.
func TestCatch(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", asltest.MaxData)
	slow := func(any) (any, error) { return nil, nil }
	for name, c := range map[string]struct {
		catch, fields string
		reply         func(any) (any, error)
		fault         asltest.Fault
		want          string
	}{
		"all":                  {"States.ALL", ``, func(any) (any, error) { return nil, &oddError{} }, asltest.Fault{}, "oddError"},
		"by name":              {"oddError", ``, func(any) (any, error) { return nil, &oddError{} }, asltest.Fault{}, "oddError"},
		"by another name":      {"evenError", ``, func(any) (any, error) { return nil, &oddError{} }, asltest.Fault{}, "FAILED oddError"},
		"only outermost":       {"oddError", ``, func(any) (any, error) { return nil, fmt.Errorf("in: %w", &oddError{}) }, asltest.Fault{}, "FAILED wrapError"},
		"task failed":          {"States.TaskFailed", ``, func(any) (any, error) { return nil, errPlain }, asltest.Fault{}, "errorString"},
		"timeout by all":       {"States.ALL", `,"TimeoutSeconds":5`, slow, asltest.Fault{After: 6 * time.Second}, "States.Timeout"},
		"timeout, task failed": {"States.TaskFailed", `,"TimeoutSeconds":5`, slow, asltest.Fault{After: 6 * time.Second}, "FAILED States.Timeout"},
		"throttled":            {"States.ALL", ``, slow, asltest.Fault{Error: asltest.Throttled()}, "Lambda.TooManyRequestsException"},
		"answer too large": {"States.ALL", ``, func(any) (any, error) { return big, nil }, asltest.Fault{},
			"FAILED States.DataLimitExceeded"},
		"answer over 6 MB": {"States.ALL", ``, func(any) (any, error) { return strings.Repeat(big, 25), nil }, asltest.Fault{},
			"Function.ResponseSizeTooLarge"},
		"runtime": {"States.ALL", `,"OutputPath":"$.no"`, nil, asltest.Fault{}, "FAILED States.Runtime"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, `{"StartAt":"A","States":{"A":`+task(c.fields+`,"Catch":[{"ErrorEquals":["`+c.catch+`"],"ResultPath":"$.e","Next":"B"}]`)+`,
				"B":{"Type":"Pass","End":true}}}`)
			if c.reply != nil {
				w.reply = c.reply
			}
			w.lambda.Fault = func(asltest.Call) asltest.Fault { return c.fault }
			x := w.run(`{"a":1}`)
			got := outcome(x)
			if x.Status == asltest.Succeeded {
				var out struct {
					A int
					E struct{ Error, Cause string }
				}
				if err := json.Unmarshal(x.Output, &out); err != nil || out.A != 1 {
					t.Errorf("output %s, %v", x.Output, err)
				}
				got = out.E.Error
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// A function that takes too long has timed out, and what it does later is done all the same.
func TestTimeoutLeavesAZombie(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"StartAt":"A","States":{"A":`+task(``)+`}}`)
	did := 0
	w.reply = func(any) (any, error) {
		w.clock.Sleep(2 * time.Minute)
		did++
		return nil, nil
	}
	x, err := w.engine.Start("x", []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Run(90 * time.Second)
	if outcome(x) != "FAILED Sandbox.Timedout" || did != 0 {
		t.Errorf("%s, and the function has ended %d times", outcome(x), did)
	}
	if w.clock.Run(time.Minute); did != 1 {
		t.Error("the zombie ended with its invocation")
	}
}

func TestMachineTimeoutAndStop(t *testing.T) {
	t.Parallel()
	def := `{"StartAt":"A","TimeoutSeconds":60,"States":{"A":{"Type":"Wait","Seconds":100,"End":true}}}`
	w := newWorld(t, def)
	if x := w.run(`{}`); x.Status != asltest.TimedOut || x.Stopped.Sub(x.Started) != time.Minute || len(w.ended) != 1 {
		t.Errorf("%+v, ended %d times", x, len(w.ended))
	}
	w = newWorld(t, def)
	x, err := w.engine.Start("x", []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Run(time.Second)
	for range 2 {
		if err := w.engine.Stop("x", &asltest.Error{Name: "E"}); err != nil {
			t.Fatal(err)
		}
	}
	if w.clock.Run(time.Hour); x.Status != asltest.Aborted || x.Error.Name != "E" || len(w.ended) != 1 || x.History[len(x.History)-1].Type != "ExecutionAborted" {
		t.Errorf("%+v, ended %d times", x, len(w.ended))
	}
	if err := w.engine.Stop("y", nil); !errors.Is(err, asltest.ErrAbsent) {
		t.Error(err)
	}
}

// A name is used once; starting it again is the same while it runs.
func TestNamesAreUsedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":1,"End":true}}}`)
	x, err := w.engine.Start("x", []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	if y, err := w.engine.Start("x", []byte(`{"a":1}`)); err != nil || y != x {
		t.Error(err)
	}
	if _, err := w.engine.Start("x", []byte(`{"a":2}`)); !errors.Is(err, asltest.ErrExists) {
		t.Error(err)
	}
	w.clock.Run(time.Minute)
	if _, err := w.engine.Start("x", []byte(`{"a":1}`)); !errors.Is(err, asltest.ErrExists) {
		t.Error(err)
	}
	if _, err := w.engine.Start("z", []byte(`{`)); !errors.Is(err, asltest.ErrInput) {
		t.Error(err)
	}
	if _, err := w.engine.Start(strings.Repeat("z", 81), []byte(`{}`)); !errors.Is(err, asltest.ErrName) {
		t.Error(err)
	}
}

// The history of an execution ends at 25,000 events, which no catcher sees.
func TestHistoryQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Choice","Choices":[
		{"Variable":"$.a","IsPresent":true,"Next":"A"}],"Default":"C"},"C":{"Type":"Succeed"}}}`)
	x := w.run(`{"a":1}`)
	if outcome(x) != "FAILED States.Runtime" || len(x.History) != asltest.MaxHistory {
		t.Errorf("%s after %d events", outcome(x), len(x.History))
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"StartAt":"A","States":{"A":`+task(`,"Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":1}]`)+`}}`)
	n := 0
	w.reply = func(any) (any, error) {
		if n++; n == 1 {
			return nil, errPlain
		}
		return nil, nil
	}
	var got []string
	for _, e := range w.run(`{}`).History {
		got = append(got, e.Type)
	}
	if want := "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskFailed TaskScheduled TaskStarted TaskSucceeded TaskStateExited ExecutionSucceeded"; strings.Join(got, " ") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, " "), want)
	}
}
