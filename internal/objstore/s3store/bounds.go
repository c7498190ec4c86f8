package s3store

import (
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// bounds are what a listing of a Range asks the bucket for: the keys that begin with prefix and sort behind after. A few
// of them may lie before the Range, which starts at its first key where S3 starts behind a key.
type bounds struct {
	prefix, after string
	objstore.Range
}

// boundsOf takes a Range of keys in the bucket that lies within Prefixed(prefix).
func boundsOf(prefix string, r objstore.Range) bounds {
	// The longest prefix that every key of the Range has: a policy may allow only some, and it ends the listing by itself.
	for n := min(len(r.Start), maxKey); n > len(prefix); n-- {
		if p := r.Start[:n]; utf8.ValidString(p) && r.End != "" && within(r.End, p) {
			prefix = p
			break
		}
	}
	b := bounds{prefix: prefix, Range: r}
	if r.Start > prefix {
		b.after = before(r.Start)
	}
	return b
}

// within tells whether end bounds keys that begin with p, given that the Range starts with p.
func within(end, p string) bool {
	most := objstore.Prefixed(p).End
	return most == "" || end <= most
}

// before is a string of UTF-8 below every key that is not below start, and so high that hardly a key lies between.
func before(start string) string {
	if len(start) > maxKey {
		// No key is that long, so those not below start are those above its beginning.
		start = start[:maxKey] + "\x00"
	}
	// What is to be lowered is the last character, or the first that is none.
	cut := 0
	for cut < len(start) {
		c, n := utf8.DecodeRuneInString(start[cut:])
		if c == utf8.RuneError && n <= 1 || cut+n == len(start) {
			break
		}
		cut += n
	}
	head, tail := start[:cut], start[cut:]
	c, ok := runeBelow(tail)
	if !ok {
		return head
	}
	low := head + string(c)
	if len(low)+utf8.UTFMax <= maxKey {
		low += string(utf8.MaxRune)
	}
	return low
}

// runeBelow is the highest character whose UTF-8 sorts below text.
func runeBelow(text string) (rune, bool) {
	const surrogates, behind = 0xd800, 0xe000
	at := func(i int) rune {
		if i >= surrogates {
			i += behind - surrogates
		}
		return rune(i)
	}
	n := sort.Search(utf8.MaxRune+1-(behind-surrogates), func(i int) bool {
		return strings.Compare(string(at(i)), text) >= 0
	})
	return at(n - 1), n > 0
}
