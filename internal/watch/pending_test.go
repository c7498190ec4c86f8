package watch

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// note notes keys, and prefixes, which end in a slash or are empty.
func note(p *pending, keys ...string) {
	for _, k := range keys {
		if k == "" || strings.HasSuffix(k, "/") {
			p.prefix(k)
		} else {
			p.key(k)
		}
	}
}

func TestPending(t *testing.T) {
	many := func(n int, format string) (keys []string) {
		for i := range n {
			keys = append(keys, fmt.Sprintf(format, i))
		}
		return keys
	}
	for name, c := range map[string]struct {
		notes []string
		want  Change
	}{
		"nothing":            {},
		"sorted, each once":  {[]string{"b", "a", "b", "a0"}, Change{Keys: []string{"a", "a0", "b"}}},
		"below a prefix":     {[]string{"a/b/x", "a/", "a/c", "a/b/", "a.tif"}, Change{Keys: []string{"a.tif"}, Prefixes: []string{"a/"}}},
		"a prefix is no key": {[]string{"a/", "a", "ab/c"}, Change{Keys: []string{"a", "ab/c"}, Prefixes: []string{"a/"}}},
		"as many as it may":  {many(maxKeys, "%04d"), Change{Keys: many(maxKeys, "%04d")}},
		"keys fold": {append(many(maxKeys, "a/b/%d"), "x", "c/d/e/x"),
			Change{Keys: []string{"c/d/e/x", "x"}, Prefixes: []string{"a/b/"}}},
		"too many at the top": {append(many(maxKeys, "%d"), "a/b"), Change{Lost: true}},
		"prefixes fold": {append(many(maxPrefixes, "a/b/%d/"), "c/", "a/d/"),
			Change{Prefixes: []string{"a/b/", "a/d/", "c/"}}},
		"keys and prefixes fold":    {many(2*maxKeys, "a/b/%d/x"), Change{Prefixes: []string{"a/b/"}}},
		"too many folders":          {many(2*maxKeys, "%d/x"), Change{Lost: true}},
		"too many folders at depth": {many(2*maxKeys, "%d/a/b/c/"), Change{Lost: true}},
		"all":                       {[]string{"a", "b/", "", "c", "d/"}, Change{Lost: true}},
	} {
		var p pending
		note(&p, c.notes...)
		got := p.take()
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %.300v, want %.300v", name, got, c.want)
		}
		if p.merge(got); !reflect.DeepEqual(p.take(), c.want) {
			t.Errorf("%s: another once merged", name)
		}
		if again := p.take(); !reflect.DeepEqual(again, Change{}) || !p.first.IsZero() {
			t.Errorf("%s: taken twice: %v", name, again)
		}
	}
}

func TestParent(t *testing.T) {
	for key, want := range map[string]string{"": "", "a": "", "a/": "", "a/b": "a/", "a/b/": "a/", "a/b/c": "a/b/"} {
		if got := parent(key); got != want {
			t.Errorf("parent of %q: got %q, want %q", key, got, want)
		}
	}
}

// FuzzPending: whatever is noted is told, within bounds, sorted, without what a prefix says already.
func FuzzPending(f *testing.F) {
	f.Add([]byte("abc"), uint8(7), uint16(3000))
	f.Add([]byte{0, 255, 1, 254, 90}, uint8(1), uint16(5000))
	f.Fuzz(func(t *testing.T, shape []byte, spread uint8, n uint16) {
		if len(shape) == 0 {
			return
		}
		var p pending
		var notes []string
		for i := range int(n) {
			s := int(shape[i%len(shape)])
			key := ""
			for d := range s % 5 {
				key += fmt.Sprintf("%d/", (i*(s+1)>>d)%(int(spread)+1))
			}
			if s < 200 || key == "" {
				key += fmt.Sprint(i)
			}
			notes = append(notes, key)
			note(&p, key)
			if len(p.keys) > maxKeys || len(p.prefixes) > maxPrefixes {
				t.Fatalf("holds %d keys, %d prefixes", len(p.keys), len(p.prefixes))
			}
		}
		c := p.take()
		if c.Lost {
			if len(c.Keys)+len(c.Prefixes) > 0 {
				t.Fatalf("lost, and more: %v", c)
			}
			return
		}
		for _, note := range notes {
			if !covers(c, note) {
				t.Fatalf("%q is not in %v", note, c)
			}
		}
		if !slices.IsSorted(c.Keys) || !slices.IsSorted(c.Prefixes) {
			t.Fatalf("not sorted: %v", c)
		}
		for i, k := range c.Keys {
			if covers(Change{Prefixes: c.Prefixes}, k) || i > 0 && c.Keys[i-1] == k {
				t.Fatalf("%q is told twice in %v", k, c)
			}
		}
		for i, k := range c.Prefixes {
			if covers(Change{Prefixes: slices.Delete(slices.Clone(c.Prefixes), i, i+1)}, k) {
				t.Fatalf("%q is told twice in %v", k, c)
			}
		}
	})
}

// covers tells whether c says that a key, or all below a prefix, changed.
func covers(c Change, key string) bool {
	return c.Lost || slices.Contains(c.Keys, key) ||
		slices.ContainsFunc(c.Prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
}
