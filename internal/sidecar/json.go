package sidecar

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// parseJSON makes nodes of a JSON text (RFC 8259).
func parseJSON(text string) (node, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	p := jsonParser{dec: dec}
	n, err := p.value("", 0)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

type jsonParser struct {
	dec   *json.Decoder
	nodes int
}

func (p *jsonParser) value(name string, depth int) (node, error) {
	n := node{name: name}
	if p.nodes++; p.nodes > maxNodes {
		return n, fmt.Errorf("more than %d JSON values", maxNodes)
	}
	token, err := p.dec.Token()
	if err != nil {
		return n, err
	}
	switch t := token.(type) {
	case string:
		n.value = strings.TrimSpace(t)
	case json.Number:
		n.value = t.String()
	case bool:
		n.value = strconv.FormatBool(t)
	case json.Delim:
		if depth == maxDepth {
			return n, fmt.Errorf("JSON nested deeper than %d", maxDepth)
		}
		err = p.members(&n, t == '{', depth+1)
	}
	return n, err
}

// members reads the members of an object or an array that has just begun, and its end.
func (p *jsonParser) members(n *node, object bool, depth int) error {
	for p.dec.More() {
		name := strconv.Itoa(len(n.children))
		if object {
			token, err := p.dec.Token()
			if err != nil {
				return err
			}
			var ok bool
			if name, ok = token.(string); !ok {
				return errors.New("JSON object with a name that is no text")
			}
		}
		c, err := p.value(name, depth)
		if err != nil {
			return err
		}
		n.children = append(n.children, c)
	}
	_, err := p.dec.Token()
	return err
}
