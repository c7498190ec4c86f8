package asltest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// A path is a Reference Path: $, $.a.b, $['a'], $.a[0], or, with $$, of the context object.
type path struct {
	set     bool // it is in the definition
	null    bool // as null
	context bool
	steps   []any // names and indices
}

func parsePath(s string) (path, error) {
	p := path{set: true}
	rest, ok := strings.CutPrefix(s, "$")
	if !ok {
		return p, fmt.Errorf("path %q does not begin with $", s)
	}
	if after, ok := strings.CutPrefix(rest, "$"); ok {
		p.context, rest = true, after
	}
	for rest != "" {
		var step string
		switch {
		case strings.HasPrefix(rest, "['"):
			step, rest, ok = strings.Cut(rest[2:], "']")
			if !ok || step == "" {
				return p, fmt.Errorf("path %q: bracket is not closed", s)
			}
			p.steps = append(p.steps, step)
		case rest[0] == '[':
			step, rest, ok = strings.Cut(rest[1:], "]")
			n, err := strconv.Atoi(step)
			if !ok || err != nil || n < 0 {
				return p, fmt.Errorf("path %q: [%s] is not supported", s, step)
			}
			p.steps = append(p.steps, n)
		case rest[0] == '.':
			rest = rest[1:]
			n := strings.IndexAny(rest, ".[")
			if n < 0 {
				n = len(rest)
			}
			step, rest = rest[:n], rest[n:]
			if step == "" || strings.ContainsAny(step, "*?@()' ,:") {
				return p, fmt.Errorf("path %q: %q is not supported", s, step)
			}
			p.steps = append(p.steps, step)
		default:
			return p, fmt.Errorf("path %q: %q is not supported", s, rest)
		}
	}
	return p, nil
}

// UnmarshalJSON reads a path or null.
func (p *path) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*p = path{set: true, null: true}
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("path: %w", err)
	}
	var err error
	*p, err = parsePath(s)
	return err
}

func (p path) String() string {
	out := "$"
	if p.context {
		out = "$$"
	}
	for _, s := range p.steps {
		if n, ok := s.(int); ok {
			out += fmt.Sprintf("[%d]", n)
		} else {
			out += "." + s.(string)
		}
	}
	return out
}

// get follows the path in v. It tells whether there is something.
func (p path) get(v any) (any, bool) {
	for _, s := range p.steps {
		switch s := s.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				return nil, false
			}
			if v, ok = m[s]; !ok {
				return nil, false
			}
		case int:
			a, ok := v.([]any)
			if !ok || s >= len(a) {
				return nil, false
			}
			v = a[s]
		}
	}
	return v, true
}

// put returns v with what in the place of the path; v stays as it is.
func (p path) put(v, what any) (any, bool) {
	if len(p.steps) == 0 {
		return what, true
	}
	name, ok := p.steps[0].(string)
	old, object := v.(map[string]any)
	if !ok || !object {
		return nil, false
	}
	out := make(map[string]any, len(old)+1)
	for k, o := range old {
		out[k] = o
	}
	inner, there := out[name]
	if !there && len(p.steps) > 1 {
		inner = map[string]any{}
	}
	if out[name], ok = (path{steps: p.steps[1:]}).put(inner, what); !ok {
		return nil, false
	}
	return out, true
}

// A template is a Payload Template.
type template struct {
	set   bool
	value any // with paths in the place of the values of names that end in .$
}

// UnmarshalJSON reads a template and parses its paths.
func (t *template) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	v, err := compile(v)
	*t = template{set: true, value: v}
	return err
}

func compile(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if !strings.HasSuffix(name, ".$") {
				if v[name], err = compile(inner); err != nil {
					return nil, err
				}
				continue
			}
			s, ok := inner.(string)
			if !ok {
				return nil, fmt.Errorf("%q is not given a path", name)
			}
			p, err := parsePath(s) // intrinsic functions are no paths: they are refused
			if err != nil {
				return nil, fmt.Errorf("%q: %w", name, err)
			}
			v[name] = p
		}
	case []any:
		for i := range v {
			if v[i], err = compile(v[i]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// fill makes the template's value of the data and the context object.
func (t template) fill(data, context any) (any, *Error) { return fill(t.value, data, context) }

func fill(v, data, context any) (any, *Error) {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, inner := range v {
			p, ok := inner.(path)
			if !ok {
				filled, err := fill(inner, data, context)
				if err != nil {
					return nil, err
				}
				out[name] = filled
				continue
			}
			got, err := p.of(data, context)
			if err != nil {
				return nil, err
			}
			out[strings.TrimSuffix(name, ".$")] = got
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			filled, err := fill(v[i], data, context)
			if err != nil {
				return nil, err
			}
			out[i] = filled
		}
		return out, nil
	}
	return v, nil
}

// of is what the path gives of the data or the context object: where there is nothing, States.Runtime, as on AWS.
func (p path) of(data, context any) (any, *Error) {
	from := data
	if p.context {
		from = context
	}
	v, ok := p.get(from)
	if !ok {
		return nil, &Error{Name: runtimeError, Cause: fmt.Sprintf("path %s is not in %s", p, encode(from))}
	}
	return v, nil
}
