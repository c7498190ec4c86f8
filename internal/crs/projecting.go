package crs

import (
	"fmt"
	"slices"
	"strings"
)

// A projecting is what a definition says of its projection.
type projecting struct {
	name   string  // of the method
	code   int     // EPSG code of the method; 0 where it is not given
	params []given // in the definition's order
}

// A given parameter.
type given struct {
	name  string
	code  int // EPSG code; 0 where it is not given
	value float64
	size  float64 // of its unit in radians, metres or one; 0 where it has none of its own
}

// in is the value in degrees, metres or one. unit is the size of the definition's unit in degrees or metres.
func (p given) in(k kind, unit float64) float64 {
	switch {
	case p.size != 0 && k == angle:
		return p.value * exactSize(p.size*degrees, angle)
	case p.size != 0:
		return p.value * exactSize(p.size, k)
	case k == ratio:
		return p.value
	}
	return p.value * unit
}

// is tells whether that is the parameter: by code, or else by name.
func (p given) is(q *param) bool {
	return p.code != 0 && p.code == q.code || q.called(p.name)
}

// value returns the first parameter of one of the names, in degrees, metres or one.
func (p *projecting) value(k kind, unit float64, names ...string) (v float64, ok bool) {
	for _, g := range p.params {
		if anyName(names, g.name) {
			return g.in(k, unit), true
		}
	}
	return 0, false
}

// has tells whether a parameter of one of the names is given.
func (p *projecting) has(names ...string) bool {
	_, ok := p.value(ratio, 1, names...)
	return ok
}

// take returns the value of a parameter without a unit, and takes it out of the definition.
func (p *projecting) take(name string) (v float64, ok bool) {
	for i, g := range p.params {
		if sameName(name, g.name) {
			p.params = slices.Delete(slices.Clone(p.params), i, i+1)
			return g.value, true
		}
	}
	return 0, false
}

// method finds the method, and the values of its parameters with angles and lengths in units of degrees and metres. One name
// may stand for several methods, of which the one is meant that knows most of the parameters, and of those the one that is
// left with the fewest open. Parameters that none knows are an error, unless they do nothing.
func (p *projecting) method(angular, linear float64) (*method, []float64, error) {
	var best *method
	var values []float64
	var strangers []given
	open := 0
	for m := range eachMethod {
		if !(p.code != 0 && p.code == m.code || p.code == 0 && m.called(p.name)) {
			continue
		}
		v, strange, missing := p.fill(m, angular, linear)
		if best == nil || len(strange) < len(strangers) || len(strange) == len(strangers) && missing < open {
			best, values, strangers, open = m, v, strange, missing
		}
	}
	if best == nil {
		return nil, nil, fmt.Errorf("projection method %s: %w", label(p.name), ErrUnknown)
	}
	if len(strangers) > 0 {
		return nil, nil, fmt.Errorf("projection method %s with %s %v: %w", best.name, label(strangers[0].name), strangers[0].value,
			ErrUnknown)
	}
	return best, values, nil
}

// fill gives the values of m's parameters, the parameters that m does not know and that matter, and how many it misses.
func (p *projecting) fill(m *method, angular, linear float64) (values []float64, strange []given, missing int) {
	values = make([]float64, len(m.params))
	used := make([]bool, len(p.params))
	for i := range m.params {
		q := &m.params[i]
		values[i] = q.fallback
		found := false
		for j, g := range p.params {
			if !used[j] && g.is(q) {
				unit := linear
				if q.kind == angle {
					unit = angular
				}
				values[i], used[j], found = g.in(q.kind, unit), true, true
				break
			}
		}
		if !found {
			missing++
		}
	}
	for j, g := range p.params {
		neutral := g.value == 0 || g.value == 1 && strings.Contains(normal(g.name), "scale")
		if !used[j] && !neutral {
			strange = append(strange, g)
		}
	}
	return values, strange, missing
}
