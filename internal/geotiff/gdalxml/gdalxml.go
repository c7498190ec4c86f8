// Package gdalxml reads the XML that GDAL and its like write into rasters and beside them, with as few demands as GDAL makes.
package gdalxml

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// maxTag is how long a tag may be in bytes. The decoder keeps its attributes, 64 bytes for one of two letters, before anybody can
// count them.
const maxTag = 16 << 10

// A Reader reads the tokens of an XML text in UTF-8, whatever encoding it claims to have. Entities that the text defines are not
// expanded.
type Reader struct {
	text string
	dec  *xml.Decoder
	in   limited
}

// NewReader makes a Reader of a text, without the characters that XML forbids and GDAL does not mind.
func NewReader(text string) *Reader {
	r := new(Reader)
	r.reset(strings.Map(allowed, text))
	return r
}

// allowed drops what is no Char (XML 1.0 section 2.2).
func allowed(c rune) rune {
	if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xfffe || c == 0xffff {
		return -1
	}
	return c
}

func (r *Reader) reset(text string) {
	r.text = text
	r.in.Reset(text)
	r.dec = xml.NewDecoder(&r.in)
	r.dec.Strict = false
	r.dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
}

// Token returns the next token, as xml.Decoder.RawToken does: names have their prefixes by themselves, an empty element has a start
// and an end, nobody checks that they match, and what is in the token is good up to the next call only. At the end it is io.EOF.
func (r *Reader) Token() (xml.Token, error) {
	r.in.left = len(r.text) + 1 // as much as there is, and its end
	if next := r.text[r.dec.InputOffset():]; len(next) > 1 && next[0] == '<' && next[1] != '!' && next[1] != '?' {
		r.in.left = maxTag
	}
	return r.dec.RawToken()
}

// Skip goes on behind the element of a name that the last token began. It looks for the end in the text, as the million elements
// of an attribute table take a decoder a long time; the element must not hold another one of its name.
func (r *Reader) Skip(name string) error {
	if at := int(r.dec.InputOffset()); r.text[at-2] != '/' { // not an empty one
		end := strings.Index(r.text[at:], "</"+name)
		if end < 0 {
			return fmt.Errorf("XML element %.100q is not closed", name)
		}
		r.reset(r.text[at+end:])
	}
	_, err := r.Token()
	return err
}

// limited reads a text byte by byte, so many of them.
type limited struct {
	strings.Reader
	left int
}

func (l *limited) ReadByte() (byte, error) {
	if l.left == 0 {
		return 0, fmt.Errorf("XML tag of more than %d bytes", maxTag)
	}
	l.left--
	return l.Reader.ReadByte()
}
