package sidecar

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cairn-stac/cairn/internal/geotiff/gdalxml"
)

// An element of an XML text: local names, without name spaces.
type element struct {
	name     string
	attrs    []xml.Attr
	text     string // directly within it, without white space around it
	children []*element
}

// parseXML reads the root element of a text, with as few demands as GDAL makes. Elements called as one of skip are left out with
// all that they hold. Entities that the text defines are not expanded.
func parseXML(text string, skip ...string) (*element, error) {
	r := gdalxml.NewReader(text)
	var open []*element
	var texts strings.Builder // of the innermost element so far; a child ends it, as mixed content says nothing here
	nodes := 0
	for {
		token, err := r.Token()
		switch {
		case err == io.EOF && len(open) == 0:
			return nil, errors.New("no XML element")
		case err == io.EOF:
			return nil, fmt.Errorf("XML element %.100q is not closed", open[len(open)-1].name)
		case err != nil:
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if nodes += 1 + len(t.Attr); nodes > maxNodes {
				return nil, fmt.Errorf("more than %d XML elements and attributes", maxNodes)
			}
			if slices.Contains(skip, t.Name.Local) {
				if err := r.Skip(t.Name.Local); err != nil {
					return nil, err
				}
				continue
			}
			e := &element{name: t.Name.Local, attrs: slices.Clone(t.Attr)}
			if len(open) == maxDepth {
				return nil, fmt.Errorf("XML elements nested deeper than %d", maxDepth)
			} else if len(open) > 0 {
				parent := open[len(open)-1]
				parent.children = append(parent.children, e)
			}
			open = append(open, e)
			texts.Reset()
		case xml.CharData:
			if len(open) > 0 {
				texts.Write(t)
			}
		case xml.EndElement:
			if len(open) == 0 {
				return nil, fmt.Errorf("XML element %.100q is closed that was not open", t.Name.Local)
			}
			e := open[len(open)-1]
			if !strings.EqualFold(e.name, t.Name.Local) {
				return nil, fmt.Errorf("XML element %.100q is closed as %.100q", e.name, t.Name.Local)
			}
			if len(e.children) == 0 {
				e.text = strings.TrimSpace(texts.String())
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				return e, nil
			}
			texts.Reset()
		}
	}
}

// attr is an attribute by its name in any case; ok is false where there is none.
func (e *element) attr(name string) (value string, ok bool) {
	for _, a := range e.attrs {
		if strings.EqualFold(a.Name.Local, name) {
			return a.Value, true
		}
	}
	return "", false
}

// child is the first child of a name in any case; nil where there is none.
func (e *element) child(name string) *element {
	for _, c := range e.children {
		if strings.EqualFold(c.name, name) {
			return c
		}
	}
	return nil
}

// find is the text of the element that the names lead to; "" where there is none.
func (e *element) find(names ...string) string {
	for _, name := range names {
		if e = e.child(name); e == nil {
			return ""
		}
	}
	return e.text
}
