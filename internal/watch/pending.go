package watch

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// More than that is told less exactly: keys as the folders that they lie in, folders as those above them, and in the end
// all as lost. So a storm of events takes no more memory than these do.
const (
	maxKeys     = 1000
	maxPrefixes = 200
)

// pending collects a Change.
type pending struct {
	keys, prefixes map[string]bool
	lost           bool
	first, last    time.Time // when something happened since the last take; zero: nothing did
}

// key notes a file.
func (p *pending) key(key string) {
	p.happened()
	if p.lost || p.covered(key) {
		return
	}
	if p.keys == nil {
		p.keys = map[string]bool{}
	}
	if p.keys[key] = true; len(p.keys) > maxKeys {
		p.foldKeys()
	}
}

// prefix notes a folder, "" being all.
func (p *pending) prefix(prefix string) {
	p.happened()
	switch {
	case prefix == "":
		p.lose()
	case !p.lost && !p.covered(prefix):
		if p.prefixes == nil {
			p.prefixes = map[string]bool{}
		}
		if p.prefixes[prefix] = true; len(p.prefixes) > maxPrefixes {
			p.foldPrefixes()
		}
	}
}

// lose gives up telling what changed.
func (p *pending) lose() {
	p.happened()
	p.lost, p.keys, p.prefixes = true, nil, nil
}

// merge notes a Change that could not be told.
func (p *pending) merge(c Change) {
	if c.Lost {
		p.lose()
	}
	for _, prefix := range c.Prefixes {
		p.prefix(prefix)
	}
	for _, key := range c.Keys {
		p.key(key)
	}
}

// take returns what was noted and forgets it.
func (p *pending) take() Change {
	p.tidy()
	c := Change{Keys: slices.Sorted(maps.Keys(p.keys)), Prefixes: slices.Sorted(maps.Keys(p.prefixes)), Lost: p.lost}
	*p = pending{}
	return c
}

func (p *pending) happened() {
	p.last = time.Now()
	if p.first.IsZero() {
		p.first = p.last
	}
}

// covered tells whether key begins with a noted prefix.
func (p *pending) covered(key string) bool {
	if len(p.prefixes) == 0 {
		return false
	}
	for i := range len(key) {
		if key[i] == '/' && p.prefixes[key[:i+1]] {
			return true
		}
	}
	return false
}

// tidy forgets what lies below a noted prefix.
func (p *pending) tidy() {
	maps.DeleteFunc(p.prefixes, func(k string, _ bool) bool { return p.covered(k[:len(k)-1]) })
	maps.DeleteFunc(p.keys, func(k string, _ bool) bool { return p.covered(k) })
}

// foldKeys notes folders instead of keys. That half of the keys are then gone keeps it rare.
func (p *pending) foldKeys() {
	for key := range p.keys {
		if up := parent(key); up != "" {
			delete(p.keys, key)
			if p.prefix(up); p.lost {
				return
			}
		}
	}
	if len(p.keys) > maxKeys/2 {
		p.lose()
	}
}

// foldPrefixes notes the folders above the deepest ones instead of these.
func (p *pending) foldPrefixes() {
	for p.tidy(); len(p.prefixes) > maxPrefixes; {
		deepest := 0
		for prefix := range p.prefixes {
			deepest = max(deepest, strings.Count(prefix, "/"))
		}
		if deepest == 1 {
			p.lose()
			return
		}
		for prefix := range p.prefixes {
			if strings.Count(prefix, "/") == deepest {
				delete(p.prefixes, prefix)
				p.prefixes[parent(prefix)] = true
			}
		}
	}
}

// parent is the folder that a key or a folder lies in: "a/b/" for "a/b/c" and "a/b/c/", "" for "a".
func parent(key string) string {
	return key[:strings.LastIndexByte(strings.TrimSuffix(key, "/"), '/')+1]
}
