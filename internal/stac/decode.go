package stac

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A decoder reads JSON straight into the types of this package, ten times as fast as by way of encoding/json. It takes
// just what encoding/json takes, but for null, which stands for nothing but itself, and nesting beyond maxDepth. After the
// first error everything it reads is empty.
type decoder struct {
	trail
	data []byte
	pos  int
}

// decode reads the whole of data with f, which takes one value.
func decode(data []byte, f func(*decoder)) error {
	d := &decoder{data: data}
	if f(d); d.peek() != 0 || d.pos < len(data) {
		d.unexpected("the end")
	}
	return d.err
}

// peek is the next byte that is no space; 0 at the end and after an error.
func (d *decoder) peek() byte {
	for d.err == nil && d.pos < len(d.data) {
		switch c := d.data[d.pos]; c {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return c
		}
	}
	return 0
}

func (d *decoder) unexpected(want string) {
	if d.pos >= len(d.data) {
		d.fail("ends where %s is wanted", want)
		return
	}
	d.fail("byte %d is %q, not %s", d.pos, d.data[d.pos], want)
}

// took tells whether c is next, and takes it.
func (d *decoder) took(c byte) bool {
	if d.peek() != c {
		return false
	}
	d.pos++
	return true
}

// null tells whether null is next, and takes it.
func (d *decoder) null() bool {
	if d.peek() != 'n' {
		return false
	}
	d.literal("null")
	return true
}

func (d *decoder) literal(s string) {
	if d.peek(); len(d.data)-d.pos < len(s) || string(d.data[d.pos:d.pos+len(s)]) != s {
		d.unexpected(s)
		return
	}
	d.pos += len(s)
}

// object calls member for each member, to take its value.
func (d *decoder) object(member func(name string)) {
	d.list('{', '}', "an object", func() {
		name := d.str()
		if !d.took(':') {
			d.unexpected("a colon")
		}
		d.in(name, func() { member(name) })
	})
}

// array calls element for each element, to take it.
func (d *decoder) array(element func()) { d.list('[', ']', "an array", element) }

func (d *decoder) list(open, end byte, what string, one func()) {
	d.nest(func() {
		if !d.took(open) {
			d.unexpected(what)
			return
		}
		if d.took(end) {
			return
		}
		for d.err == nil {
			if one(); d.took(end) {
				return
			}
			if !d.took(',') {
				d.unexpected("a comma")
			}
		}
	})
}

// list reads an array of what one reads; nil if it is empty.
func list[T any](d *decoder, one func() T) (s []T) {
	d.array(func() { s = append(s, one()) })
	return s
}

// dict reads an object of what one reads; nil if it is empty.
func dict[T any](d *decoder, one func() T) map[string]T {
	var m map[string]T
	d.object(func(name string) {
		if m == nil {
			m = map[string]T{}
		}
		m[name] = one()
	})
	return m
}

func (d *decoder) str() string {
	if !d.took('"') {
		d.unexpected("a string")
		return ""
	}
	start, simple, ascii := d.pos, true, true
	for ; d.pos < len(d.data); d.pos++ {
		switch c := d.data[d.pos]; {
		case c == '"':
			d.pos++
			return d.text(d.data[start-1:d.pos], simple, ascii)
		case c == '\\':
			simple = false
			d.pos++
		case c < ' ':
			d.unexpected("a character of a string")
			return ""
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	d.pos = len(d.data)
	d.unexpected("the end of a string")
	return ""
}

// text is what a string means; quoted is with its quotes.
func (d *decoder) text(quoted []byte, simple, ascii bool) string {
	if !simple {
		var s string
		if err := json.Unmarshal(quoted, &s); err != nil {
			d.fail("%w", err)
		}
		return s
	}
	s := string(quoted[1 : len(quoted)-1])
	if !ascii {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	return s
}

func (d *decoder) strs() []string { return list(d, d.str) }

// want takes a string that must be s.
func (d *decoder) want(s string) {
	if got := d.str(); d.err == nil && got != s {
		d.fail("%q, not %q", got, s)
	}
}

// unknown refuses a member: what is not kept must not be lost in silence.
func (d *decoder) unknown() { d.fail("unknown member") }

// number takes a number and gives its digits too.
func (d *decoder) number() (float64, []byte) {
	d.peek()
	start := d.pos
	digits := func() bool {
		from := d.pos
		for d.pos < len(d.data) && d.data[d.pos]-'0' <= 9 {
			d.pos++
		}
		return d.pos > from
	}
	is := func(set string) bool {
		if d.pos < len(d.data) && strings.IndexByte(set, d.data[d.pos]) >= 0 {
			d.pos++
			return true
		}
		return false
	}
	is("-")
	ok := is("0") || digits()
	if ok && is(".") {
		ok = digits()
	}
	if ok && is("eE") {
		is("+-")
		ok = digits()
	}
	if !ok || d.err != nil {
		d.unexpected("a number")
		return 0, nil
	}
	text := d.data[start:d.pos]
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		d.fail("%w", err)
	}
	return f, text
}

func (d *decoder) num() float64 {
	f, _ := d.number()
	return f
}

// value reads any JSON. A number is a float64, or a json.Number where it is a whole one that a float64 would not write
// back with the same digits.
func (d *decoder) value() any {
	switch d.peek() {
	case 'n':
		d.literal("null")
		return nil
	case 't':
		d.literal("true")
		return true
	case 'f':
		d.literal("false")
		return false
	case '"':
		return d.str()
	case '[':
		s := []any{}
		d.array(func() { s = append(s, d.value()) })
		return s
	case '{':
		m := map[string]any{}
		d.object(func(name string) { m[name] = d.value() })
		return m
	}
	f, text := d.number()
	var short [32]byte
	if d.err == nil && whole(string(text)) && string(appendFloat(short[:0], f)) != string(text) {
		return json.Number(text)
	}
	return f
}
