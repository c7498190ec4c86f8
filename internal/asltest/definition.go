package asltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// AWS's quotas.
const (
	maxDefinition = 1 << 20   // bytes
	maxName       = 80        // characters of a state's or an execution's name
	maxLabel      = 40        // characters of a Map's Label
	maxDelay      = 31622400  // seconds
	maxAttempts   = 99999999  // of a retrier
	MaxData       = 256 << 10 // bytes of a state's data, and of what a task is given and answers
	MaxHistory    = 25_000    // events of an execution
	maxChildren   = 10_000    // of a Map that run at once
)

// A Machine is a definition that was found right.
type Machine struct {
	Comment        string
	TimeoutSeconds int
	states
}

// states are those of a machine or of a Map's item processor.
type states struct {
	StartAt string
	States  map[string]*state
}

// A state has the fields of all types; those that its type does not have are not set.
type state struct {
	name    string
	Type    string
	Comment string
	Next    string
	End     bool

	InputPath, OutputPath, ResultPath path
	Parameters, ResultSelector        template
	Retry                             []retrier
	Catch                             []catcher

	Resource       string // Task
	TimeoutSeconds int

	Result any // Pass

	Choices []rule // Choice
	Default string

	Seconds     *int // Wait
	SecondsPath path

	Error, Cause string // Fail

	Label                      string // Map
	ItemReader                 *itemReader
	ItemSelector               template
	MaxConcurrency             int
	MaxConcurrencyPath         path
	ToleratedFailurePercentage float64
	ItemProcessor              *itemProcessor
}

// fieldsOf are the fields that a state may have, by type.
var fieldsOf = map[string][]string{
	"Task": {"Next", "End", "InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector", "Retry", "Catch", "Resource",
		"TimeoutSeconds"},
	"Pass":    {"Next", "End", "InputPath", "OutputPath", "ResultPath", "Parameters", "Result"},
	"Choice":  {"InputPath", "OutputPath", "Choices", "Default"},
	"Wait":    {"Next", "End", "InputPath", "OutputPath", "Seconds", "SecondsPath"},
	"Succeed": {"InputPath", "OutputPath"},
	"Fail":    {"Error", "Cause"},
	"Map": {"Next", "End", "InputPath", "OutputPath", "ResultPath", "ResultSelector", "Retry", "Catch", "Label", "ItemReader",
		"ItemSelector", "MaxConcurrency", "MaxConcurrencyPath", "ToleratedFailurePercentage", "ItemProcessor"},
}

type itemReader struct {
	Resource     string
	ReaderConfig struct{ InputType string }
	Parameters   template
}

type itemProcessor struct {
	ProcessorConfig struct{ Mode, ExecutionType string }
	states
}

type retrier struct {
	ErrorEquals     []string
	IntervalSeconds *int
	BackoffRate     *float64
	MaxAttempts     *int
	MaxDelaySeconds int
	JitterStrategy  string
}

type catcher struct {
	ErrorEquals []string
	ResultPath  path
	Next        string
}

var placeholder = regexp.MustCompile(`\$\{([A-Za-z0-9]+)\}`)

// Parse reads a definition in which ${Name} stands for a substitution, as in a template of CloudFormation.
func Parse(definition []byte, substitutions map[string]string) (*Machine, error) {
	if len(definition) > maxDefinition {
		return nil, fmt.Errorf("definition has %d bytes; at most %d may be", len(definition), maxDefinition)
	}
	var missing []string
	definition = placeholder.ReplaceAllFunc(definition, func(b []byte) []byte {
		s, ok := substitutions[string(b[2:len(b)-1])]
		if !ok {
			missing = append(missing, string(b))
		}
		return []byte(s)
	})
	if missing != nil {
		return nil, fmt.Errorf("definition: no substitution for %s", strings.Join(missing, ", "))
	}
	var m Machine
	if err := strict(definition, &m); err != nil {
		return nil, fmt.Errorf("definition: %w", err)
	}
	if m.TimeoutSeconds < 0 {
		return nil, fmt.Errorf("definition: TimeoutSeconds is %d", m.TimeoutSeconds)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("definition: %w", err)
	}
	return &m, nil
}

// strict decodes one JSON value whose fields are all known.
func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("more than one JSON value")
	}
	return nil
}

// UnmarshalJSON reads a state, whose type says which fields it may have.
func (s *state) UnmarshalJSON(b []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return err
	}
	type plain state
	if err := strict(b, (*plain)(s)); err != nil {
		return err
	}
	allowed, ok := fieldsOf[s.Type]
	if !ok {
		return fmt.Errorf("type %q is not supported", s.Type)
	}
	for name := range fields {
		if name != "Type" && name != "Comment" && !slices.Contains(allowed, name) {
			return fmt.Errorf("a %s state with a field %q is not supported", s.Type, name)
		}
	}
	return nil
}

func (s *states) check() error {
	if s.States[s.StartAt] == nil {
		return fmt.Errorf("StartAt: there is no state %q", s.StartAt)
	}
	reached := map[string]bool{}
	todo, terminal := []string{s.StartAt}, false
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if reached[name] {
			continue
		}
		reached[name] = true
		st := s.States[name]
		if st == nil {
			return fmt.Errorf("there is no state %q", name)
		}
		st.name = name
		if err := st.check(); err != nil {
			return fmt.Errorf("state %q: %w", name, err)
		}
		todo = append(todo, st.nexts()...)
		terminal = terminal || st.End || st.Type == "Succeed" || st.Type == "Fail"
	}
	if !terminal {
		return fmt.Errorf("no state ends it")
	}
	for _, name := range slices.Sorted(maps.Keys(s.States)) {
		if !reached[name] {
			return fmt.Errorf("state %q cannot be reached", name)
		}
	}
	return nil
}

// nexts are the states that may come after this one.
func (s *state) nexts() []string {
	var out []string
	for _, n := range []string{s.Next, s.Default} {
		if n != "" {
			out = append(out, n)
		}
	}
	for _, c := range s.Choices {
		out = append(out, c.Next)
	}
	for _, c := range s.Catch {
		out = append(out, c.Next)
	}
	return out
}

func (s *state) check() error {
	if len(s.name) > maxName {
		return fmt.Errorf("its name is longer than %d", maxName)
	}
	if slices.Contains(fieldsOf[s.Type], "Next") && (s.Next == "") != s.End {
		return fmt.Errorf("it must have either Next or End")
	}
	if s.TimeoutSeconds < 0 {
		return fmt.Errorf("TimeoutSeconds is %d", s.TimeoutSeconds)
	}
	for _, p := range []path{s.ResultPath} {
		if p.context || slices.ContainsFunc(p.steps, func(s any) bool { _, index := s.(int); return index }) {
			return fmt.Errorf("ResultPath %s cannot be written to", p)
		}
	}
	if err := checkRetries(s.Retry, s.Catch); err != nil {
		return err
	}
	switch s.Type {
	case "Task":
		if !strings.HasSuffix(s.Resource, ":states:::lambda:invoke") {
			return fmt.Errorf("resource %q is not supported", s.Resource)
		}
	case "Choice":
		if len(s.Choices) == 0 {
			return fmt.Errorf("it has no Choices")
		}
		for i, c := range s.Choices {
			if err := c.check(true); err != nil {
				return fmt.Errorf("choice %d: %w", i, err)
			}
		}
	case "Wait":
		if (s.Seconds == nil) == !s.SecondsPath.set {
			return fmt.Errorf("it must have either Seconds or SecondsPath")
		}
	case "Map":
		return s.checkMap()
	}
	return nil
}

func (s *state) checkMap() error {
	p := s.ItemProcessor
	switch {
	case p == nil:
		return fmt.Errorf("it has no ItemProcessor")
	case p.ProcessorConfig.Mode != "DISTRIBUTED" || p.ProcessorConfig.ExecutionType != "STANDARD":
		return fmt.Errorf("a processor %+v is not supported", p.ProcessorConfig)
	case s.ItemReader == nil || !strings.HasSuffix(s.ItemReader.Resource, ":states:::s3:getObject"):
		return fmt.Errorf("an item reader other than s3:getObject is not supported")
	case s.ItemReader.ReaderConfig.InputType != "JSON":
		return fmt.Errorf("items in %q are not supported", s.ItemReader.ReaderConfig.InputType)
	case len(s.Label) > maxLabel || strings.ContainsAny(s.Label, "?*<>{}[]:;,\\|^~$#%&`\" "):
		return fmt.Errorf("label %q is not allowed", s.Label)
	case s.MaxConcurrency < 0 || s.MaxConcurrency > 0 && s.MaxConcurrencyPath.set:
		return fmt.Errorf("MaxConcurrency is %d", s.MaxConcurrency)
	case s.ToleratedFailurePercentage < 0 || s.ToleratedFailurePercentage > 100:
		return fmt.Errorf("ToleratedFailurePercentage is %g", s.ToleratedFailurePercentage)
	}
	return p.check()
}

func checkRetries(retries []retrier, catches []catcher) error {
	var lists [][]string
	for i, r := range retries {
		lists = append(lists, r.ErrorEquals)
		if slices.Contains(r.ErrorEquals, anyError) && i != len(retries)-1 {
			return fmt.Errorf("retrier %d: %s is not in the last one", i, anyError)
		}
		switch {
		case r.IntervalSeconds != nil && (*r.IntervalSeconds < 1 || *r.IntervalSeconds > maxAttempts):
			return fmt.Errorf("retrier %d: IntervalSeconds is %d", i, *r.IntervalSeconds)
		case r.BackoffRate != nil && *r.BackoffRate < 1:
			return fmt.Errorf("retrier %d: BackoffRate is %g", i, *r.BackoffRate)
		case r.MaxAttempts != nil && (*r.MaxAttempts < 0 || *r.MaxAttempts > maxAttempts):
			return fmt.Errorf("retrier %d: MaxAttempts is %d", i, *r.MaxAttempts)
		case r.MaxDelaySeconds != 0 && (r.MaxDelaySeconds > maxDelay || time.Duration(r.MaxDelaySeconds)*time.Second <= r.bound(1)):
			return fmt.Errorf("retrier %d: MaxDelaySeconds is %d", i, r.MaxDelaySeconds)
		case r.JitterStrategy != "" && r.JitterStrategy != "FULL" && r.JitterStrategy != "NONE":
			return fmt.Errorf("retrier %d: JitterStrategy is %q", i, r.JitterStrategy)
		}
	}
	for i, c := range catches {
		lists = append(lists, c.ErrorEquals)
		if slices.Contains(c.ErrorEquals, anyError) && i != len(catches)-1 {
			return fmt.Errorf("catcher %d: %s is not in the last one", i, anyError)
		}
		if c.Next == "" {
			return fmt.Errorf("catcher %d has no Next", i)
		}
	}
	for _, l := range lists {
		if len(l) == 0 || slices.Contains(l, anyError) && len(l) > 1 {
			return fmt.Errorf("ErrorEquals is %q", l)
		}
		for _, e := range l {
			if strings.HasPrefix(e, "States.") && !slices.Contains(knownErrors, e) {
				return fmt.Errorf("there is no error %q", e)
			}
		}
	}
	return nil
}
