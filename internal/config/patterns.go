package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// patterns reads a list of regular expressions (RE2: linear in time whatever they say), or a single one.
func patterns(dst *[]*regexp.Regexp, check func(groups []string) string) field {
	each := func(n ast.Node) error {
		var s string
		if err := text(&s)(n); err != nil {
			return err
		}
		if len(s) > maxPattern {
			return errorf(n, "want a pattern of at most %d bytes, have %d", maxPattern, len(s))
		}
		re, err := regexp.Compile(s)
		if err != nil {
			return errorf(n, "%v", err)
		}
		groups := slices.DeleteFunc(slices.Clone(re.SubexpNames()), func(name string) bool { return name == "" })
		if problem := check(groups); problem != "" {
			return errorf(n, "pattern %s: %s", show(s), problem)
		}
		*dst = append(*dst, re)
		return nil
	}
	return oneOrMore(each)
}

func globs(dst *[]Glob) field {
	return oneOrMore(func(n ast.Node) error {
		var s string
		if err := text(&s)(n); err != nil {
			return err
		}
		g, err := NewGlob(s)
		if err != nil {
			return errorf(n, "%v", err)
		}
		*dst = append(*dst, g)
		return nil
	})
}

func oneOrMore(each field) field {
	many := list(maxPatterns, each)
	return func(n ast.Node) error {
		if _, single := scalar(n); single {
			return each(n)
		}
		return many(n)
	}
}

// TimeUnits are the groups of a datetime pattern, each of which needs the ones before it.
var TimeUnits = [...]string{"year", "month", "day", "hour", "minute", "second"}

// The prefixes of the groups of a datetime pattern that gives an interval.
const (
	StartGroups = "start_"
	EndGroups   = "end_"
)

func checkTimeGroups(groups []string) string {
	has := map[string]bool{}
	for _, g := range groups {
		has[g] = true
	}
	bare := has["year"]
	if !bare && !(has[StartGroups+"year"] && has[EndGroups+"year"]) {
		return "it needs a group (?P<year>…), or both of start_year and end_year"
	}
	for _, g := range groups {
		prefix := ""
		for _, p := range []string{StartGroups, EndGroups} {
			if strings.HasPrefix(g, p) {
				prefix = p
			}
		}
		unit := slices.Index(TimeUnits[:], g[len(prefix):])
		switch {
		case unit < 0:
			return "unknown group " + show(g) + "; known: " + strings.Join(TimeUnits[:], ", ") +
				", and these with start_ or end_ in front"
		case bare != (prefix == ""):
			return "groups with and without start_ and end_ do not go together"
		case unit > 0 && !has[prefix+TimeUnits[unit-1]]:
			return "the group " + g + " needs the group " + prefix + TimeUnits[unit-1]
		}
	}
	return ""
}

// PropertyName is the Item property that a named group of a from_path pattern gives: a group's name cannot hold a colon, so
// two underscores stand for it.
func PropertyName(group string) string { return strings.ReplaceAll(group, "__", ":") }

func checkPropertyGroups(groups []string) string {
	if len(groups) == 0 {
		return "it needs a named group, such as (?P<platform>…)"
	}
	for _, g := range groups {
		if problem := checkProperty(PropertyName(g), "text"); problem != "" {
			return "the group " + g + ": " + problem
		}
	}
	return ""
}
