package stac

import (
	"cmp"
	"maps"
	"slices"
)

// A set is the sorted values that were seen or, once there are more than may be kept, their bounds. Whether there are too
// many and what the bounds are depends on nothing but the values, so sets may be merged in any order. A set is never changed
// in place: it may be shared.
type set[T cmp.Ordered] struct {
	Values []T   `json:"values,omitempty"`
	Bounds *[2]T `json:"bounds,omitempty"`
}

func (s set[T]) bounds() [2]T {
	if s.Bounds != nil {
		return *s.Bounds
	}
	return [2]T{s.Values[0], s.Values[len(s.Values)-1]}
}

func (s set[T]) empty() bool { return s.Bounds == nil && len(s.Values) == 0 }

// merge is the union, and whether it is another than s.
func (s set[T]) merge(o set[T], limit int) (union set[T], changed bool) {
	if o.empty() {
		return s, false
	}
	if s.empty() {
		return o, true
	}
	if s.Bounds == nil && o.Bounds == nil {
		all := s.Values
		for _, v := range o.Values {
			if i, found := slices.BinarySearch(all, v); !found {
				all = slices.Insert(slices.Clone(all), i, v)
			}
		}
		if len(all) <= limit {
			return set[T]{Values: all}, len(all) > len(s.Values)
		}
	}
	a, b := s.bounds(), o.bounds()
	wide := [2]T{min(a[0], b[0]), max(a[1], b[1])}
	return set[T]{Bounds: &wide}, s.Bounds == nil || wide != a
}

// mergeInto merges o into the set of that name, in a copy of m if that changes anything.
func mergeInto[T cmp.Ordered](m map[string]set[T], name string, o set[T], limit int) map[string]set[T] {
	s, found := m[name]
	changed := !found
	if found {
		o, changed = s.merge(o, limit)
	}
	if !changed {
		return m
	}
	return with(m, name, o)
}

// with is a copy of m in which name stands for v.
func with[V any](m map[string]V, name string, v V) map[string]V {
	if m = maps.Clone(m); m == nil {
		m = map[string]V{}
	}
	m[name] = v
	return m
}
