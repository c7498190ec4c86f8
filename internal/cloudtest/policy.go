package cloudtest

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// A Statement is one of a role's policies.
type Statement struct {
	Sid       string                      `json:"Sid"`
	Effect    string                      `json:"Effect"`
	Action    texts                       `json:"Action"`
	Resource  texts                       `json:"Resource"`
	Condition map[string]map[string]texts `json:"Condition"`
}

// texts is one string or many.
type texts []string

func (t *texts) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*t = texts{""}
		return json.Unmarshal(b, &(*t)[0])
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// An Access is what a function does to a resource of AWS.
type Access struct {
	Action   string              // as in "s3:GetObject"
	Resource string              // ARN
	Keys     map[string][]string // condition keys of the request
}

func (a Access) String() string { return a.Action + " on " + a.Resource }

// allowed tells whether a role's statements let it do something: one allows it and none denies it.
func allowed(statements []*Statement, a Access) (bool, error) {
	ok := false
	for _, s := range statements {
		if s == nil { // left out by a condition of the template
			continue
		}
		applies, err := s.applies(a)
		if err != nil {
			return false, fmt.Errorf("statement %s: %w", s.Sid, err)
		}
		if applies && s.Effect != "Allow" {
			return false, nil
		}
		ok = ok || applies
	}
	return ok, nil
}

func (s *Statement) applies(a Access) (bool, error) {
	if !s.Action.match(a.Action) || !s.Resource.match(a.Resource) {
		return false, nil
	}
	for op, keys := range s.Condition {
		for key, want := range keys {
			if holds, err := condition(op, want, a.Keys[key]); err != nil || !holds {
				return false, err
			}
		}
	}
	return true, nil
}

// condition tells whether an operator holds between what a statement wants of a key and what a request has.
func condition(op string, want texts, got []string) (bool, error) {
	if op == "Null" {
		return slices.Contains(want, "true") == (len(got) == 0), nil
	}
	base, all := strings.CutPrefix(op, "ForAllValues:")
	base, ifExists := strings.CutSuffix(base, "IfExists")
	if base != "StringLike" && base != "StringEquals" {
		return false, fmt.Errorf("condition %s is not known here", op)
	}
	if len(got) == 0 {
		return all || ifExists, nil
	}
	if !all && len(got) > 1 {
		return false, fmt.Errorf("condition %s of %d values", op, len(got))
	}
	for _, v := range got {
		if base == "StringLike" && !want.match(v) || base == "StringEquals" && !slices.Contains(want, v) {
			return false, nil
		}
	}
	return true, nil
}

// match tells whether one of the patterns, with * and ?, is s.
func (t texts) match(s string) bool {
	return slices.ContainsFunc(t, func(pattern string) bool { return like(pattern, s) })
}

// like matches as IAM does: * and ? stand for slashes too, and nothing else is special.
func like(pattern, s string) bool {
	plain := strings.NewReplacer("/", "\x00", "[", `\[`, `\`, `\\`)
	ok, err := path.Match(plain.Replace(pattern), strings.ReplaceAll(s, "/", "\x00"))
	return err == nil && ok
}
