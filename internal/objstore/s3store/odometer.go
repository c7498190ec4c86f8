package s3store

import (
	"math"
	"strings"
	"unicode/utf8"
)

// An odometer reads keys as numbers: each position is a wheel with the characters that may stand there, and what is the
// same in all keys does not turn. So "img_0999.tif" and one makes "img_1000.tif", and half the way from "00" to "ff" is
// "80". It only has to be about right.
type odometer struct{ wheels []string } // the characters in order; "": does not turn

const (
	decimal  = "0123456789"
	hexLower = "0123456789abcdef"
	hexUpper = "0123456789ABCDEF"
	lower    = "abcdefghijklmnopqrstuvwxyz"
	upper    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// rich is how many characters a wheel has that may be one for digits beside others, as in base 62. In "12.tif" it is not.
const rich = 30

// newOdometer makes one from a sample of keys.
func newOdometer(keys []string) odometer {
	var seen []bytesSet
	for _, key := range keys {
		for len(seen) < min(len(key), maxKey) {
			seen = append(seen, bytesSet{})
		}
		for i := range min(len(key), maxKey) {
			seen[i].add(key[i])
		}
	}
	// From the right, where wheels turn most and show what they have: in one word a wheel is like those to its right.
	m := odometer{make([]string, len(seen))}
	var word bytesSet
	for i := len(seen) - 1; i >= 0; i-- {
		s := seen[i]
		all := s.text()
		switch {
		case len(all) > 1:
			m.wheels[i] = wheel(s, word)
			word.addAll(m.wheels[i])
		case !strings.Contains(decimal+lower+upper, all):
			word = bytesSet{}
		case word.holds(all):
			m.wheels[i] = word.text()
		case strings.Contains(decimal, all):
			m.wheels[i] = decimal
		}
	}
	return m
}

// wheel completes what was seen at a position.
func wheel(seen, word bytesSet) string {
	all, both := seen.text(), word
	both.addAll(all)
	for _, w := range []string{decimal, hexLower, hexUpper} {
		if setOf(w).holds(both.text()) {
			return w
		}
	}
	if w := word.text(); word.holds(all) && (len(w) >= rich || !setOf(decimal).holds(all)) {
		return w
	}
	for _, w := range []string{decimal, lower, upper} {
		if setOf(w).holds(all) {
			return w
		}
	}
	return all
}

// place is where the key's character is on wheel i.
func (m odometer) place(key string, i int) int {
	w := m.wheels[i]
	if i >= len(key) || w == "" {
		return 0
	}
	n := 0
	for n < len(w)-1 && w[n] < key[i] {
		n++
	}
	return n
}

// distance is how far b lies behind a, in turns of wheel from by one character.
func (m odometer) distance(a, b string, from int) float64 {
	const least = 1e-200 // where keys differ only far behind from, small is still exact
	sum, unit := 0.0, 1.0
	for i := from; i < len(m.wheels) && unit > least; i++ {
		if m.wheels[i] == "" {
			continue
		}
		if i > from {
			unit /= float64(len(m.wheels[i]))
		}
		sum += unit * float64(m.place(b, i)-m.place(a, i))
	}
	return sum
}

// add is the key that lies that far behind key, without what follows where a turn makes no difference any more, or "" if
// the wheels do not go so far.
func (m odometer) add(key string, from int, distance float64) string {
	const most, fine = 1e6, 1e9
	if from >= min(len(key), len(m.wheels)) || !(distance >= 0 && distance < most) {
		return ""
	}
	turns := []int{int(distance)}
	rest := distance - math.Floor(distance)
	for i, units := from+1, 1.0; i < min(len(key), len(m.wheels)) && units < fine; i++ {
		n := float64(max(1, len(m.wheels[i])))
		rest *= n
		turn := 0.0
		if n > 1 {
			turn = math.Floor(rest)
		}
		if units > 1 || turn > 0 || turns[0] > 0 { // from the first one that turns at all
			units *= n
		}
		turns = append(turns, int(turn))
		rest -= turn
	}
	out := []byte(key[:from+len(turns)])
	carry := 0
	for i := len(out) - 1; i >= 0; i-- {
		w := m.wheels[i]
		if w == "" {
			if i == from {
				carry += turns[0]
			}
			continue
		}
		n := m.place(key, i) + carry
		if i >= from {
			n += turns[i-from]
		}
		out[i], carry = w[n%len(w)], n/len(w)
	}
	if carry > 0 {
		return ""
	}
	return string(out)
}

// differ is the first position at which two keys differ.
func differ(a, b string) int {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return i
}

// holds tells whether S3 can be asked about a key.
func holds(key string) bool { return len(key) <= maxKey && utf8.ValidString(key) }

// A bytesSet is a set of characters.
type bytesSet [4]uint64

func setOf(text string) (s bytesSet) {
	s.addAll(text)
	return s
}

func (s *bytesSet) add(c byte) { s[c>>6] |= 1 << (c & 63) }

func (s *bytesSet) addAll(text string) {
	for i := range len(text) {
		s.add(text[i])
	}
}

func (s bytesSet) holds(text string) bool {
	for i := range len(text) {
		if s[text[i]>>6]&(1<<(text[i]&63)) == 0 {
			return false
		}
	}
	return true
}

// text is the set in order.
func (s bytesSet) text() string {
	var b []byte
	for c := range 256 {
		if s[c>>6]&(1<<(c&63)) != 0 {
			b = append(b, byte(c))
		}
	}
	return string(b)
}
