package refresh

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Mode says how much a Run trusts what is published.
type Mode string

// The modes of a Run.
const (
	Incremental Mode = "incremental" // open only what changed
	Full        Mode = "full"        // open every raster again
)

// A Scope is what a Run was asked to do. Without a prefix and a key it is about the whole Source.
type Scope struct {
	Prefixes        []string `json:"prefixes,omitempty"` // only keys that begin with one of them
	Keys            []string `json:"keys,omitempty"`     // only these keys, with what belongs to their scenes
	Mode            Mode     `json:"mode,omitempty"`     // "": Incremental
	AllowMassDelete bool     `json:"allow_mass_delete,omitempty"`
}

// normal is the Scope with its prefixes and keys sorted, each once and none within a prefix.
func (s Scope) normal() Scope {
	if len(s.Prefixes) > 0 {
		s.Prefixes = outermost(s.Prefixes)
	}
	if len(s.Keys) > 0 {
		s.Keys = slices.DeleteFunc(sortedUnique(s.Keys), func(k string) bool { return within(k, s.Prefixes) })
	}
	return s
}

// Equal tells whether two normal Scopes ask for the same.
func (s Scope) Equal(o Scope) bool {
	return slices.Equal(s.Prefixes, o.Prefixes) && slices.Equal(s.Keys, o.Keys) && s.full() == o.full() &&
		s.AllowMassDelete == o.AllowMassDelete
}

func (s Scope) full() bool { return s.Mode == Full }

// whole tells whether the Scope is the whole Source.
func (s Scope) whole() bool { return len(s.Prefixes) == 0 && len(s.Keys) == 0 }

// Limits of a Scope. The control record holds up to MaxWaiting + 3 of them (those that wait, events, the Lease, the last Run) and
// must stay below the 400 KB of a DynamoDB item.
const (
	maxEntries   = 200      // prefixes, and keys
	maxKeySize   = 1024     // bytes, as S3 allows in a key
	maxScopeSize = 12 << 10 // bytes of all prefixes and keys in JSON
)

// A ScopeError says what is wrong with a Scope.
type ScopeError struct{ Reason string }

func (e *ScopeError) Error() string { return e.Reason }

func (s Scope) validate() error {
	if s.Mode != "" && s.Mode != Incremental && s.Mode != Full {
		return &ScopeError{fmt.Sprintf("mode is %q; it must be %q or %q", s.Mode, Incremental, Full)}
	}
	for _, list := range []struct {
		what    string
		entries []string
	}{{"prefix", s.Prefixes}, {"key", s.Keys}} {
		if n := len(list.entries); n > maxEntries {
			return &ScopeError{fmt.Sprintf("%d entries are given for %s; at most %d may be", n, list.what, maxEntries)}
		}
		for _, e := range list.entries {
			if !validKey(e) {
				return &ScopeError{fmt.Sprintf("%s %q: it must be a key or the beginning of a key, 1 to %d bytes of UTF-8 without a leading slash", list.what, e, maxKeySize)}
			}
		}
	}
	if n := s.bytes(); n > maxScopeSize {
		return &ScopeError{fmt.Sprintf("the prefixes and keys have %d bytes in JSON; at most %d may be: give prefixes that hold more", n, maxScopeSize)}
	}
	return nil
}

func validKey(k string) bool {
	return k != "" && len(k) <= maxKeySize && !strings.HasPrefix(k, "/") && utf8.ValidString(k)
}

// bytes is what the prefixes and keys take in JSON, in which some characters take six.
func (s Scope) bytes() int {
	raw, err := json.Marshal([][]string{s.Prefixes, s.Keys})
	if err != nil {
		return math.MaxInt // strings always encode
	}
	return len(raw)
}

// join is a Scope that holds at least what the two hold, within the limits: too many keys become the prefixes of their
// folders, and too many prefixes become those of the folders above, up to the whole Source. Nothing is refused.
func (s Scope) join(o Scope) Scope {
	out := Scope{AllowMassDelete: s.AllowMassDelete && o.AllowMassDelete}
	if s.full() || o.full() {
		out.Mode = Full
	}
	if s.whole() || o.whole() {
		return out
	}
	out.Prefixes = slices.Concat(s.Prefixes, o.Prefixes)
	out.Keys = slices.Concat(s.Keys, o.Keys)
	return out.bounded()
}

// bounded is a Scope within the limits that holds at least what this one holds, without what is in it twice.
func (s Scope) bounded() Scope {
	if s.whole() {
		return s
	}
	keys, prefixes := sortedUnique(s.Keys), slices.Clone(s.Prefixes)
	keys = slices.DeleteFunc(keys, func(k string) bool {
		if validKey(k) {
			return false
		}
		prefixes = append(prefixes, folder(k))
		return true
	})
	for i, p := range prefixes {
		for p != "" && !validKey(p) {
			p = folder(p)
		}
		prefixes[i] = p
	}
	prefixes = outermost(prefixes)
	keys = slices.DeleteFunc(keys, func(k string) bool { return within(k, prefixes) })
	if len(keys) > maxEntries || (Scope{Prefixes: prefixes, Keys: keys}).bytes() > maxScopeSize {
		for _, k := range keys {
			prefixes = append(prefixes, folder(k))
		}
		keys, prefixes = nil, outermost(prefixes)
	}
	for len(prefixes) > maxEntries || (Scope{Prefixes: prefixes}).bytes() > maxScopeSize {
		prefixes = outermost(shallower(prefixes))
	}
	s.Prefixes, s.Keys = prefixes, keys
	if slices.Contains(prefixes, "") {
		s.Prefixes, s.Keys = nil, nil
	}
	if len(s.Prefixes) == 0 {
		s.Prefixes = nil
	}
	if len(s.Keys) == 0 {
		s.Keys = nil
	}
	return s
}

// folder is the prefix of the folder that a key, or another folder, lies in; "" at the top.
func folder(key string) string {
	key = strings.TrimSuffix(key, "/")
	return key[:strings.LastIndexByte(key, '/')+1]
}

// shallower takes the deepest prefixes up one folder.
func shallower(prefixes []string) []string {
	deepest := 0
	for _, p := range prefixes {
		deepest = max(deepest, strings.Count(p, "/"))
	}
	out := slices.Clone(prefixes)
	for i, p := range out {
		if strings.Count(p, "/") == deepest {
			out[i] = folder(p)
		}
	}
	return out
}

// sortedUnique sorts a copy of keys and drops what is there twice.
func sortedUnique(keys []string) []string {
	out := slices.Clone(keys)
	slices.Sort(out)
	return slices.Compact(out)
}

// outermost sorts prefixes and drops those that lie in another one.
func outermost(prefixes []string) []string {
	var out []string
	for _, p := range sortedUnique(prefixes) {
		if n := len(out); n == 0 || !strings.HasPrefix(p, out[n-1]) {
			out = append(out, p)
		}
	}
	return out
}

// within tells whether one of the prefixes, which are sorted and none of which lies in another, holds the key.
func within(key string, prefixes []string) bool {
	i, found := slices.BinarySearchFunc(prefixes, key, cmp.Compare[string])
	return found || i > 0 && strings.HasPrefix(key, prefixes[i-1])
}
