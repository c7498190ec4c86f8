package stac

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An encoder appends canonical JSON: the keys of maps sorted, no space, no HTML escapes, numbers in the shortest form that
// reads back as the same float64, invalid UTF-8 replaced by U+FFFD. NaN and infinities are errors. After the first error
// nothing more is appended that matters.
type encoder struct {
	trail
	buf []byte
}

func (e *encoder) raw(s string) { e.buf = append(e.buf, s...) }

// key begins the member of an object.
func (e *encoder) key(name string) {
	e.comma()
	e.str(name)
	e.buf = append(e.buf, ':')
}

// comma separates an element or member from the one before it, if there is one.
func (e *encoder) comma() {
	if last := e.buf[len(e.buf)-1]; last != '{' && last != '[' {
		e.buf = append(e.buf, ',')
	}
}

func (e *encoder) str(s string) {
	if plain(s) {
		e.buf = append(e.buf, '"')
		e.buf = append(e.buf, s...)
		e.buf = append(e.buf, '"')
		return
	}
	var b bytes.Buffer
	j := json.NewEncoder(&b)
	j.SetEscapeHTML(false)
	_ = j.Encode(strings.ToValidUTF8(s, "\ufffd")) // a string always encodes
	e.buf = append(e.buf, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

// plain tells whether s needs no escape. The line separators U+2028 and U+2029 do, as in encoding/json.
func plain(s string) bool {
	ascii := true
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c == '"', c == '\\':
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return ascii || utf8.ValidString(s) && !strings.ContainsAny(s, "\u2028\u2029")
}

func (e *encoder) num(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.fail("%v is no JSON number", f)
		return
	}
	e.buf = appendFloat(e.buf, f)
}

// appendFloat writes like encoding/json: without an exponent from 1e-6 to 1e21.
func appendFloat(b []byte, f float64) []byte {
	if a := math.Abs(f); a == 0 || a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	if n := len(b); b[n-2] == '0' && b[n-3] == '-' { // e-09 is e-9
		b = append(b[:n-2], b[n-1])
	}
	return b
}

// text writes the member if it is not empty.
func (e *encoder) text(name, s string) {
	if s != "" {
		e.key(name)
		e.str(s)
	}
}

// texts writes the member if it is not empty.
func (e *encoder) texts(name string, s []string) {
	if len(s) > 0 {
		e.key(name)
		e.strs(s)
	}
}

func (e *encoder) strs(s []string) { array(e, s, e.str) }

// array writes the elements one by one.
func array[T any](e *encoder, s []T, one func(T)) {
	e.raw("[")
	e.nest(func() {
		for _, v := range s {
			e.comma()
			one(v)
		}
	})
	e.raw("]")
}

// object writes the members by name.
func object[T any](e *encoder, m map[string]T, one func(T)) {
	e.raw("{")
	e.nest(func() {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			e.key(k)
			e.in(k, func() { one(m[k]) })
		}
	})
	e.raw("}")
}

// value writes what a Fields or Properties map may hold. Types that it does not know go through encoding/json first.
func (e *encoder) value(v any) {
	switch v := v.(type) {
	case nil:
		e.raw("null")
	case bool:
		e.buf = strconv.AppendBool(e.buf, v)
	case string:
		e.str(v)
	case float64:
		e.num(v)
	case int:
		e.buf = strconv.AppendInt(e.buf, int64(v), 10)
	case int64:
		e.buf = strconv.AppendInt(e.buf, v, 10)
	case json.Number:
		e.number(v)
	case []any:
		array(e, v, e.value)
	case []string:
		e.strs(v)
	case []float64:
		array(e, v, e.num)
	case map[string]any:
		object(e, v, e.value)
	default:
		data, err := json.Marshal(v)
		if err == nil {
			err = decode(data, func(d *decoder) { v = d.value() })
		}
		if err != nil {
			e.fail("%w", err)
			return
		}
		e.value(v)
	}
}

// number writes whole numbers with all their digits and others as the float64 that they are.
func (e *encoder) number(n json.Number) {
	if whole(string(n)) {
		e.raw(string(n))
		return
	}
	f, err := n.Float64()
	if err != nil {
		e.fail("%w", err)
		return
	}
	e.num(f)
}

// whole tells whether s is a JSON number without fraction and exponent, other than -0.
func whole(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || digits[0] == '0' && s != "0" {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

func (e *encoder) extensions(uris []string) {
	e.key("stac_extensions")
	if !slices.IsSorted(uris) {
		uris = slices.Sorted(slices.Values(uris))
	}
	e.strs(slices.Compact(slices.Clone(uris)))
}

func (e *encoder) links(links []Link) {
	array(e, links, func(l Link) {
		e.raw(`{"rel":`)
		e.str(l.Rel)
		e.text("type", l.Type)
		e.key("href")
		e.str(l.Href)
		e.text("title", l.Title)
		e.raw("}")
	})
}

func (d *decoder) links() []Link {
	return list(d, func() (l Link) {
		d.object(func(name string) {
			switch name {
			case "rel":
				l.Rel = d.str()
			case "type":
				l.Type = d.str()
			case "href":
				l.Href = d.str()
			case "title":
				l.Title = d.str()
			default:
				d.unknown()
			}
		})
		return l
	})
}
