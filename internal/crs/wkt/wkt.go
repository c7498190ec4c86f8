// Package wkt reads the syntax of well-known text of coordinate reference systems, WKT 1 (OGC 01-009 and what GDAL and Esri
// write) as well as WKT 2 (ISO 19162:2019, clause 6): a tree of keywords, with no idea of what they mean.
package wkt

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Limits, so that no text costs more than a few hundred kilobytes. Definitions of the EPSG dataset take up to 8 KiB and 1,000
// items, nested 9 deep.
const (
	MaxBytes = 64 << 10
	MaxDepth = 24
	MaxItems = 4000 // nodes and values
)

// ErrEmpty: there is no text.
var ErrEmpty = errors.New("well-known text is empty")

// A Node is KEYWORD[value, …, NODE[…], …].
type Node struct {
	Keyword  string   // in upper case
	Values   []string // quoted texts without their quotes, numbers and words, in their order
	Children []*Node
}

// Parse reads the first node of a text; Esri writes a vertical one after it, and others blanks or NULs.
func Parse(text string) (*Node, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	text = strings.TrimLeft(text, blanks+"\x00")
	if text == "" {
		return nil, ErrEmpty
	}
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("well-known text of %d bytes, more than %d", len(text), MaxBytes)
	}
	p := parser{text: text}
	word := p.word()
	if !p.open() {
		return nil, p.fail("a keyword and a bracket are wanted")
	}
	return p.node(word, 0)
}

const blanks = " \t\r\n"

type parser struct {
	text  string
	at    int
	items int
}

func (p *parser) fail(problem string) error {
	return fmt.Errorf("well-known text: byte %d: %s", p.at, problem)
}

// peek returns the next byte that is not blank; 0 at the end.
func (p *parser) peek() byte {
	for p.at < len(p.text) && strings.IndexByte(blanks, p.text[p.at]) >= 0 {
		p.at++
	}
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// word takes a keyword, an enumerated word or a number: all up to the next delimiter.
func (p *parser) word() string {
	p.peek()
	n := strings.IndexAny(p.text[p.at:], "[](),\""+blanks)
	if n < 0 {
		n = len(p.text) - p.at
	}
	p.at += n
	return p.text[p.at-n : p.at]
}

// open takes an opening bracket.
func (p *parser) open() bool {
	switch p.peek() {
	case '[', '(':
		p.at++
		return true
	}
	return false
}

// node reads what follows "keyword[".
func (p *parser) node(keyword string, depth int) (*Node, error) {
	if keyword == "" {
		return nil, p.fail("a bracket without a keyword")
	}
	if depth >= MaxDepth {
		return nil, p.fail("nested too deep")
	}
	n := &Node{Keyword: strings.ToUpper(keyword)}
	for {
		if p.items++; p.items > MaxItems {
			return nil, p.fail("too many items")
		}
		switch p.peek() {
		case 0:
			return nil, p.fail("ends within " + n.Keyword)
		case ']', ')': // some writers mix the two kinds
			p.at++
			return n, nil
		case '"':
			s, err := p.quoted()
			if err != nil {
				return nil, err
			}
			n.Values = append(n.Values, s)
		default:
			word := p.word()
			if p.open() {
				child, err := p.node(word, depth+1)
				if err != nil {
					return nil, err
				}
				n.Children = append(n.Children, child)
			} else if word != "" {
				n.Values = append(n.Values, word)
			}
		}
		switch p.peek() {
		case ',':
			p.at++
		case ']', ')', 0:
		default:
			return nil, p.fail("a comma or a closing bracket is wanted")
		}
	}
}

// quoted takes a text in quotes; a doubled quote in it is one.
func (p *parser) quoted() (string, error) {
	start := p.at + 1
	for i := start; i < len(p.text); i++ {
		if p.text[i] != '"' {
			continue
		}
		if i+1 < len(p.text) && p.text[i+1] == '"' {
			i++
			continue
		}
		p.at = i + 1
		return strings.ReplaceAll(p.text[start:i], `""`, `"`), nil
	}
	return "", p.fail("a quote is not closed")
}

// Child returns the first child with one of the keywords, or nil. It may be asked of a nil Node.
func (n *Node) Child(keywords ...string) *Node {
	if n == nil {
		return nil
	}
	for _, c := range n.Children {
		if slices.Contains(keywords, c.Keyword) {
			return c
		}
	}
	return nil
}

// Text returns value i, or "". It may be asked of a nil Node.
func (n *Node) Text(i int) string {
	if n == nil || i >= len(n.Values) {
		return ""
	}
	return n.Values[i]
}

// Number returns value i. ok is false where it is not there or is no finite number. It may be asked of a nil Node.
func (n *Node) Number(i int) (v float64, ok bool) {
	text := n.Text(i)
	if text == "" || strings.Trim(text, "0123456789+-.eE") != "" { // hexadecimal, "inf", "nan", "_"
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}

// All returns the children with the keyword. It may be asked of a nil Node.
func (n *Node) All(keyword string) (all []*Node) {
	if n == nil {
		return nil
	}
	for _, c := range n.Children {
		if c.Keyword == keyword {
			all = append(all, c)
		}
	}
	return all
}
