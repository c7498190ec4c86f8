package sidecar

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parseODL makes nodes of KEY = VALUE lines: the Object Description Language (CCSDS 641.0-B-2) as Landsat's MTL.txt has it, and
// what is close to it, such as the .IMD files of Maxar. Groups and objects nest. A value may be a quoted text, which may go on over
// several lines, a list in parentheses or braces, which may too, or what stands up to the end of the line; units in angle
// brackets after it are dropped.
func parseODL(text string) (node, error) {
	p := odlParser{rest: text, open: []*node{{}}}
	for p.rest != "" {
		done, err := p.line()
		if err != nil {
			return node{}, err
		}
		if done {
			break
		}
	}
	if p.nodes == 0 {
		return node{}, errors.New("neither JSON nor XML nor KEY = VALUE lines")
	}
	for len(p.open) > 1 { // groups that the file does not close
		p.close()
	}
	return *p.open[0], nil
}

type odlParser struct {
	rest  string
	open  []*node // groups, the outermost first; the file itself is the first
	nodes int
}

// line reads a statement; done where it is END. A line that is none is passed over.
func (p *odlParser) line() (done bool, err error) {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n") // all of it at once: a look at what follows each blank line is a look too many
	if strings.HasPrefix(p.rest, "/*") {
		_, p.rest, _ = strings.Cut(p.rest, "*/")
		return false, nil
	}
	head, after, _ := strings.Cut(p.rest, "\n")
	key, _, found := strings.Cut(head, "=")
	equals := len(key)
	if key = strings.TrimSpace(key); !found || key == "" {
		p.rest = after
		word := strings.ToUpper(strings.TrimRight(strings.TrimSpace(head), ";"))
		switch word {
		case "END":
			return true, nil
		case "END_GROUP", "END_OBJECT":
			p.close()
		}
		return false, nil
	}
	p.rest = strings.TrimLeft(p.rest[equals+1:], " \t")
	switch strings.ToUpper(key) {
	case "GROUP", "BEGIN_GROUP", "OBJECT", "BEGIN_OBJECT":
		if len(p.open) > maxDepth {
			return false, fmt.Errorf("groups nested deeper than %d", maxDepth)
		}
		if err := p.count(); err != nil {
			return false, err
		}
		p.open = append(p.open, &node{name: p.plain("\n")})
		return false, nil
	case "END_GROUP", "END_OBJECT":
		p.plain("\n")
		p.close()
		return false, nil
	}
	n, err := p.value(key, "\n", 0)
	if err == nil {
		group := p.open[len(p.open)-1]
		group.children = append(group.children, n)
	}
	return false, err
}

// close ends the innermost group.
func (p *odlParser) close() {
	if last := len(p.open) - 1; last > 0 {
		group := p.open[last-1]
		group.children = append(group.children, *p.open[last])
		p.open = p.open[:last]
	}
}

func (p *odlParser) count() error {
	if p.nodes++; p.nodes > maxNodes {
		return fmt.Errorf("more than %d KEY = VALUE lines and members of lists", maxNodes)
	}
	return nil
}

// value reads a value, which one of the stops ends if it is neither quoted nor a list.
func (p *odlParser) value(name, stops string, depth int) (node, error) {
	n := node{name: name}
	if err := p.count(); err != nil {
		return n, err
	}
	p.rest = strings.TrimLeft(p.rest, " \t\r")
	if rest := strings.TrimLeft(p.rest, "\n \t\r"); stops == "\n" && rest != "" && strings.IndexByte("\"'({", rest[0]) >= 0 {
		p.rest = rest // a value that begins on the next line
	}
	if p.rest == "" {
		return n, nil
	}
	switch quote := p.rest[0]; quote {
	case '"', '\'':
		text, after, closed := strings.Cut(p.rest[1:], string(quote))
		if !closed {
			return n, fmt.Errorf("%.100s: the quoted text does not end", name)
		}
		n.value, p.rest = strings.Join(strings.Fields(text), " "), after
		p.plain(stops) // units
	case '(', '{':
		if depth == maxDepth {
			return n, fmt.Errorf("lists nested deeper than %d", maxDepth)
		}
		p.rest = p.rest[1:]
		err := p.list(&n, depth+1)
		p.plain(stops)
		return n, err
	default:
		n.value = p.plain(stops)
	}
	return n, nil
}

// list reads the members of a list and its end.
func (p *odlParser) list(n *node, depth int) error {
	for {
		p.rest = strings.TrimLeft(p.rest, " \t\r\n,")
		switch {
		case p.rest == "":
			return fmt.Errorf("%.100s: the list does not end", n.name)
		case p.rest[0] == ')' || p.rest[0] == '}':
			p.rest = p.rest[1:]
			return nil
		}
		c, err := p.value(strconv.Itoa(len(n.children)), ",)}", depth)
		if err != nil {
			return err
		}
		n.children = append(n.children, c)
	}
}

// plain reads up to one of the stops, which it leaves unless it is the end of the line, and returns what is there without units,
// closing semicolon and white space.
func (p *odlParser) plain(stops string) string {
	end := strings.IndexAny(p.rest, stops)
	if end < 0 {
		end = len(p.rest)
	}
	text := p.rest[:end]
	p.rest = p.rest[end:]
	if stops == "\n" {
		p.rest = strings.TrimPrefix(p.rest, "\n")
	}
	text = strings.TrimSpace(strings.TrimRight(strings.TrimSpace(text), ";"))
	if i := strings.IndexByte(text, '<'); i > 0 && strings.HasSuffix(text, ">") {
		text = strings.TrimSpace(text[:i])
	}
	return text
}
