package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A Glob is a pattern of keys. The whole key must match: "*" and "?" stand for characters other than "/", "**" as a path
// level for any number of levels, "[abc]", "[a-z]" and "[!abc]" for one character of a class, "{a,b}" for alternatives,
// and a backslash takes the next character as it is. Case counts.
type Glob struct {
	text string
	re   *regexp.Regexp
}

// NewGlob compiles a pattern. It becomes an RE2 expression, so matching is linear in time whatever it says.
func NewGlob(pattern string) (Glob, error) {
	if pattern == "" || len(pattern) > maxPattern {
		return Glob{}, fmt.Errorf("want a glob of 1 to %d bytes, have %d", maxPattern, len(pattern))
	}
	if pattern[0] == '/' {
		return Glob{}, fmt.Errorf("glob %s: keys do not begin with \"/\"", show(pattern))
	}
	expr, err := translate(pattern)
	if err != nil {
		return Glob{}, fmt.Errorf("glob %s: %w", show(pattern), err)
	}
	re, err := regexp.Compile(`^(?s:` + expr + `)$`)
	if err != nil {
		return Glob{}, fmt.Errorf("glob %s: %w", show(pattern), err)
	}
	return Glob{text: pattern, re: re}, nil
}

// Match tells whether the Glob matches the key.
func (g Glob) Match(key string) bool { return g.re.MatchString(key) }

// String is the pattern as it was written.
func (g Glob) String() string { return g.text }

// MarshalText makes a Glob its pattern in JSON.
func (g Glob) MarshalText() ([]byte, error) { return []byte(g.text), nil }

func translate(pattern string) (string, error) {
	var b strings.Builder
	braces := 0
	for i := 0; i < len(pattern); {
		rest := pattern[i:]
		level := i == 0 || strings.ContainsRune("/{,", rune(pattern[i-1]))
		switch c := rest[0]; {
		case level && strings.HasPrefix(rest, "**/"):
			b.WriteString(`(?:.*/)?`)
			i += 3
		case level && (rest == "**" || strings.HasPrefix(rest, "**}") || strings.HasPrefix(rest, "**,")):
			b.WriteString(`.*`)
			i += 2
		case c == '*':
			b.WriteString(`[^/]*`)
			i += len(rest) - len(strings.TrimLeft(rest, "*"))
		case c == '?':
			b.WriteString(`[^/]`)
			i++
		case c == '[':
			class, n, err := translateClass(rest)
			if err != nil {
				return "", err
			}
			b.WriteString(class)
			i += n
		case c == '{':
			b.WriteString(`(?:`)
			braces++
			i++
		case c == ',' && braces > 0:
			b.WriteString(`|`)
			i++
		case c == '}' && braces > 0:
			b.WriteString(`)`)
			braces--
			i++
		default:
			if c == '\\' {
				if i++; i == len(pattern) {
					return "", errors.New("a backslash at the end")
				}
			}
			_, n := utf8.DecodeRuneInString(pattern[i:])
			b.WriteString(regexp.QuoteMeta(pattern[i : i+n]))
			i += n
		}
	}
	if braces > 0 {
		return "", errors.New("a \"{\" without \"}\"")
	}
	return b.String(), nil
}

// translateClass turns "[…]" at the beginning of s into RE2, and tells its length in s. A class never matches "/".
func translateClass(s string) (string, int, error) {
	var items strings.Builder
	i, not := 1, false
	if i < len(s) && (s[i] == '!' || s[i] == '^') {
		not = true
		i++
	}
	one := func() (rune, bool) {
		if i < len(s) && s[i] == '\\' {
			i++
		}
		if i >= len(s) {
			return 0, false
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		return r, true
	}
	for first := true; i < len(s) && (first || s[i] != ']'); first = false {
		lo, _ := one()
		hi, ok := lo, true
		if i+1 < len(s) && s[i] == '-' && s[i+1] != ']' {
			i++
			hi, ok = one()
		}
		if !ok || hi < lo {
			return "", 0, fmt.Errorf("a bad range in %s", show(s))
		}
		// "/" is cut out of ranges, and of what is not excluded.
		for _, r := range [][2]rune{{lo, min(hi, '/'-1)}, {max(lo, '/'+1), hi}} {
			if r[0] <= r[1] {
				fmt.Fprintf(&items, `\x{%x}-\x{%x}`, r[0], r[1])
			}
		}
	}
	if i >= len(s) {
		return "", 0, errors.New("a \"[\" without \"]\"")
	}
	i++
	switch {
	case not:
		return `[^/` + items.String() + `]`, i, nil
	case items.Len() == 0:
		return `[^\x00-\x{10ffff}]`, i, nil
	}
	return `[` + items.String() + `]`, i, nil
}
