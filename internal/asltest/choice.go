package asltest

import (
	"fmt"
	"slices"
)

// A rule of a Choice state: one comparison of a variable, or others put together.
type rule struct {
	Comment  string
	Next     string
	Variable path

	And, Or []rule
	Not     *rule

	StringEquals, StringLessThan, StringGreaterThan                                                     *string
	NumericEquals, NumericLessThan, NumericGreaterThan, NumericLessThanEquals, NumericGreaterThanEquals *float64
	BooleanEquals, IsNull, IsPresent, IsString, IsNumeric, IsBoolean                                    *bool
}

// comparisons are the tests that a rule makes, as functions of what the variable gives; nil for those it does not make.
func (r *rule) comparisons() []func(v any, there bool) bool {
	text := func(want *string, holds func(v, want string) bool) func(any, bool) bool {
		if want == nil {
			return nil
		}
		return func(v any, _ bool) bool { s, ok := v.(string); return ok && holds(s, *want) }
	}
	number := func(want *float64, holds func(v, want float64) bool) func(any, bool) bool {
		if want == nil {
			return nil
		}
		return func(v any, _ bool) bool { n, ok := v.(float64); return ok && holds(n, *want) }
	}
	is := func(want *bool, holds func(v any, there bool) bool) func(any, bool) bool {
		if want == nil {
			return nil
		}
		return func(v any, there bool) bool { return holds(v, there) == *want }
	}
	all := []func(any, bool) bool{
		text(r.StringEquals, func(v, w string) bool { return v == w }),
		text(r.StringLessThan, func(v, w string) bool { return v < w }),
		text(r.StringGreaterThan, func(v, w string) bool { return v > w }),
		number(r.NumericEquals, func(v, w float64) bool { return v == w }),
		number(r.NumericLessThan, func(v, w float64) bool { return v < w }),
		number(r.NumericGreaterThan, func(v, w float64) bool { return v > w }),
		number(r.NumericLessThanEquals, func(v, w float64) bool { return v <= w }),
		number(r.NumericGreaterThanEquals, func(v, w float64) bool { return v >= w }),
		is(r.IsPresent, func(_ any, there bool) bool { return there }),
		is(r.IsNull, func(v any, there bool) bool { return there && v == nil }),
		is(r.IsString, func(v any, _ bool) bool { _, ok := v.(string); return ok }),
		is(r.IsNumeric, func(v any, _ bool) bool { _, ok := v.(float64); return ok }),
		is(r.IsBoolean, func(v any, _ bool) bool { _, ok := v.(bool); return ok }),
	}
	if want := r.BooleanEquals; want != nil {
		all = append(all, func(v any, _ bool) bool { b, ok := v.(bool); return ok && b == *want })
	}
	return slices.DeleteFunc(all, func(f func(any, bool) bool) bool { return f == nil })
}

// check holds the rule to its form. Only a rule at the top says what comes next.
func (r *rule) check(top bool) error {
	if top == (r.Next == "") {
		return fmt.Errorf("a rule at the top, and no other, has a Next: it is %q", r.Next)
	}
	forms := len(r.comparisons())
	if r.And != nil {
		forms++
	}
	if r.Or != nil {
		forms++
	}
	if r.Not != nil {
		forms++
	}
	inner := slices.Concat(r.And, r.Or)
	if r.Not != nil {
		inner = append(inner, *r.Not)
	}
	if forms != 1 || (len(inner) > 0) == r.Variable.set {
		return fmt.Errorf("it must be one comparison of a Variable, or one And, Or or Not")
	}
	for _, i := range inner {
		if err := i.check(false); err != nil {
			return err
		}
	}
	return nil
}

// holds tells whether the rule holds for the data. A variable that is not there is an error, but for IsPresent.
func (r *rule) holds(data, context any) (bool, *Error) {
	switch {
	case r.Not != nil:
		ok, err := r.Not.holds(data, context)
		return !ok, err
	case r.And != nil, r.Or != nil:
		for _, i := range slices.Concat(r.And, r.Or) {
			if ok, err := i.holds(data, context); err != nil || ok == (r.Or != nil) {
				return ok, err
			}
		}
		return r.And != nil, nil
	}
	v, err := r.Variable.of(data, context)
	if err != nil && r.IsPresent == nil {
		return false, err
	}
	return r.comparisons()[0](v, err == nil), nil
}
