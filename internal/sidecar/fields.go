package sidecar

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Fields are the scalar values of a metadata file by their dotted paths, e.g.
// LANDSAT_METADATA_FILE.IMAGE_ATTRIBUTES.CLOUD_COVER. Members of a list, and of several things of one name within the
// same, have a number from 0 as a part of their path: bands.0.name. An attribute of an XML element is name@attribute, in
// an element of its own name: product.band@id.
type Fields map[string]string

// ParseFields reads JSON, XML or KEY = VALUE lines with GROUP … END_GROUP (ODL, as in MTL.txt), whichever it is. Values are as they
// stand in the file: numbers with all of their digits, texts without their quotes; null and what is empty is left out.
func ParseFields(b []byte) (Fields, error) {
	text, err := Text(b)
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	text = strings.TrimSpace(text)
	var root node
	switch {
	case text == "":
		return nil, errors.New("metadata: the file is empty")
	case text[0] == '{' || text[0] == '[':
		root, err = parseJSON(text)
	case text[0] == '<':
		root, err = nodesOfXML(text)
	default:
		root, err = parseODL(text)
	}
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	f := flattener{fields: make(Fields)}
	if err := f.node(root, ""); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return f.fields, nil
}

// Find returns the value of the path, or of the only one that ends in "." and it; ok is false where there is none, or several that
// differ.
func (f Fields) Find(path string) (value string, ok bool) {
	if value, ok = f[path]; ok || path == "" {
		return value, ok
	}
	for p, v := range f {
		if before, ends := strings.CutSuffix(p, path); ends && strings.HasSuffix(before, ".") {
			if ok && v != value {
				return "", false
			}
			value, ok = v, true
		}
	}
	return value, ok
}

// A node is a thing of a metadata file: a value, or something that holds others.
type node struct {
	name     string
	value    string
	children []node
}

// flattener makes Fields of nodes.
type flattener struct {
	fields Fields
	bytes  int // of paths
}

func (f *flattener) node(n node, path string) error {
	if n.value != "" && path != "" {
		if f.bytes += len(path); f.bytes > maxPaths {
			return fmt.Errorf("paths of more than %d bytes", maxPaths)
		}
		f.fields[path] = n.value
	}
	count := make(map[string]int, len(n.children))
	for _, c := range n.children {
		count[c.name]++
	}
	next := make(map[string]int)
	for _, c := range n.children {
		name := c.name
		if count[name] > 1 {
			name += "." + strconv.Itoa(next[c.name])
			next[c.name]++
		}
		switch {
		case strings.HasPrefix(name, "@"):
			name = path + name
		case path != "":
			name = path + "." + name
		}
		if f.bytes += len(name); f.bytes > 2*maxPaths {
			return fmt.Errorf("paths of more than %d bytes", maxPaths)
		}
		if err := f.node(c, name); err != nil {
			return err
		}
	}
	return nil
}

// nodesOfXML makes nodes of an XML text; attributes become children whose names begin with "@".
func nodesOfXML(text string) (node, error) {
	root, err := parseXML(text)
	if err != nil {
		return node{}, err
	}
	return node{children: []node{nodeOf(root)}}, nil
}

func nodeOf(e *element) node {
	n := node{name: e.name, value: e.text, children: make([]node, 0, len(e.attrs)+len(e.children))}
	for _, a := range e.attrs {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			n.children = append(n.children, node{name: "@" + a.Name.Local, value: strings.TrimSpace(a.Value)})
		}
	}
	for _, c := range e.children {
		n.children = append(n.children, nodeOf(c))
	}
	return n
}
