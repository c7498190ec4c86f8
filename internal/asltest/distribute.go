package asltest

import (
	"encoding/json"
	"fmt"
)

// distribute is a Map whose iterations are executions of their own. Once more of them have failed than are tolerated those that run
// are aborted, and what they failed with is lost.
func (x *Execution) distribute(s *state, data any, context map[string]any) (any, *Error) {
	x.event("MapStateStarted", s.name)
	items, err := x.items(s, data, context)
	if err != nil {
		return nil, err
	}
	atOnce := s.MaxConcurrency
	if s.MaxConcurrencyPath.set {
		v, err := s.MaxConcurrencyPath.of(data, context)
		if err != nil {
			return nil, err
		}
		n, ok := v.(float64)
		if atOnce = int(n); !ok || float64(atOnce) != n || n < 0 {
			return nil, &Error{Name: runtimeError, Cause: fmt.Sprintf("MaxConcurrencyPath %s gives %s", s.MaxConcurrencyPath, encode(v))}
		}
	}
	if atOnce == 0 || atOnce > maxChildren {
		atOnce = maxChildren
	}
	inputs := make([]any, len(items))
	for i, item := range items {
		if inputs[i], err = x.itemInput(s, i, item, data, context); err != nil {
			return nil, err
		}
	}
	x.event("MapRunStarted", s.name)
	running, failed := 0, 0
	var children []*Execution
	changed := x.engine.Clock.Signal()
	for next := 0; next < len(items) || running > 0; {
		for ; next < len(items) && running < atOnce; next++ {
			c := x.engine.newExecution(fmt.Sprintf("%s/%s:%d", x.Name, s.Label, len(x.Children)), encode(inputs[next]))
			x.Children = append(x.Children, c)
			children = append(children, c)
			input, item := inputs[next], map[string]any{"Item": map[string]any{"Index": float64(next), "Value": items[next]}}
			running++
			x.engine.Clock.Go(func() {
				if c.Status == Running {
					c.run(&s.ItemProcessor.states, input, item)
				}
				running--
				if c.Status != Succeeded {
					failed++
				}
				changed.Fire()
			})
		}
		x.engine.Clock.Wait(-1, changed, x.end)
		if x.Status != Running {
			return nil, gone
		}
		changed = x.engine.Clock.Signal()
		if float64(100*failed) > s.ToleratedFailurePercentage*float64(len(items)) {
			for _, c := range children {
				c.finish(Aborted, nil, nil)
			}
			x.event("MapRunFailed", s.name)
			return nil, &Error{Name: tooManyFail, Cause: "The specified tolerated failure threshold was exceeded"}
		}
	}
	x.event("MapRunSucceeded", s.name)
	results := make([]any, len(children))
	for i, c := range children {
		if c.Status == Succeeded {
			results[i] = json.RawMessage(c.Output)
		}
	}
	if err := x.tooLarge("the result of state "+s.name, results); err != nil {
		return nil, err
	}
	var out any
	if err := json.Unmarshal(encode(results), &out); err != nil {
		panic(err) // it was encoded here
	}
	x.event("MapStateSucceeded", s.name)
	return out, nil
}

// items reads what the Map is over.
func (x *Execution) items(s *state, data any, context map[string]any) ([]any, *Error) {
	where, err := s.ItemReader.Parameters.fill(data, context)
	if err != nil {
		return nil, err
	}
	p, _ := where.(map[string]any)
	bucket, ok1 := p["Bucket"].(string)
	key, ok2 := p["Key"].(string)
	if !ok1 || !ok2 || len(p) != 2 {
		return nil, &Error{Name: runtimeError, Cause: fmt.Sprintf("an item reader of %s is not supported", encode(where))}
	}
	body, rerr := x.engine.Read(bucket, key)
	if rerr != nil {
		return nil, &Error{Name: badReader, Cause: rerr.Error()}
	}
	var items []any
	if err := json.Unmarshal(body, &items); err != nil {
		return nil, &Error{Name: badReader, Cause: fmt.Sprintf("%s is no JSON array: %v", key, err)}
	}
	return items, nil
}

// itemInput is what a child is given.
func (x *Execution) itemInput(s *state, i int, item, data any, context map[string]any) (any, *Error) {
	if !s.ItemSelector.set {
		return item, x.tooLarge("an item", item)
	}
	inner := map[string]any{"Map": map[string]any{"Item": map[string]any{"Index": float64(i), "Value": item}}}
	for k, v := range context {
		inner[k] = v
	}
	input, err := s.ItemSelector.fill(data, inner)
	if err != nil {
		return nil, err
	}
	return input, x.tooLarge("what a child is given", input)
}
