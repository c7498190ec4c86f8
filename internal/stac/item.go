package stac

import (
	"bytes"
	"fmt"
)

// noLinks ends an Item's line.
const noLinks = `,"links":[]}`

// Line is the canonical JSON of the Item without its Links: one line without a newline that ends in `,"links":[]}`, ready
// for WithLinks. Members stand in a fixed order, the keys of maps are sorted, and numbers have their shortest form, so equal
// Items give equal bytes. NaN and infinities, an Item without id, and a geometry without a bbox are errors.
// Source: STAC 1.1.0, item-spec.
func (it *Item) Line() ([]byte, error) {
	e := &encoder{buf: make([]byte, 0, 2048)}
	e.in(fmt.Sprintf("encode item %q", it.ID), func() { e.item(it) })
	return append(e.buf, noLinks...), e.err
}

// MarshalJSON is Line with the Item's Links.
func (it Item) MarshalJSON() ([]byte, error) {
	line, err := it.Line()
	if err != nil {
		return nil, err
	}
	return WithLinks(line, it.Links), nil
}

// WithLinks gives an Item's line other links, without parsing it. The line stays as it is; one that does not end in
// `,"links":[]}` is not an Item's line and comes back unchanged.
func WithLinks(line []byte, links []Link) []byte {
	head, ok := bytes.CutSuffix(line, []byte(noLinks))
	if !ok {
		return line
	}
	e := &encoder{buf: make([]byte, 0, len(line)+96*len(links))}
	e.buf = append(e.buf, head...)
	e.key("links")
	e.links(links)
	e.raw("}")
	return e.buf
}

// item writes all of the Item but its links and the closing brace.
func (e *encoder) item(it *Item) {
	e.raw(`{"type":"Feature","stac_version":"` + Version + `"`)
	e.extensions(it.Extensions)
	e.key("id")
	e.str(it.ID)
	e.text("collection", it.Collection)
	e.key("geometry")
	if it.Geometry.empty() {
		e.raw("null")
	} else {
		e.in("geometry", func() { e.geometry(it.Geometry) })
		e.key("bbox")
		e.in("bbox", func() { array(e, it.BBox, e.num) })
	}
	e.key("properties")
	e.in("properties", func() { object(e, it.Properties, e.value) })
	e.key("assets")
	e.in("assets", func() { object(e, it.Assets, e.asset) })
	if err := it.check(); err != nil {
		e.fail("%w", err)
	}
}

// check refuses what cannot be valid STAC, whatever the rest says.
func (it *Item) check() error {
	switch {
	case it.ID == "":
		return fmt.Errorf("no id")
	case !it.Geometry.empty() && len(it.BBox) != 4 && len(it.BBox) != 6:
		return fmt.Errorf("a geometry with a bbox of %d numbers", len(it.BBox))
	}
	return nil
}

// DecodeItem reads the JSON of an Item. It is strict: what Line would not write back is an error, so for a line that it
// wrote, Line of the result is that line. Numbers in maps are float64, but json.Number where they are whole and too large.
func DecodeItem(data []byte) (*Item, error) {
	it := &Item{}
	if err := it.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	return it, nil
}

// UnmarshalJSON is DecodeItem.
func (it *Item) UnmarshalJSON(data []byte) error {
	*it = Item{}
	err := decode(data, func(d *decoder) { d.item(it) })
	if err != nil {
		return fmt.Errorf("decode item %q: %w", it.ID, err)
	}
	return nil
}

func (d *decoder) item(it *Item) {
	kind, version := false, false
	d.object(func(name string) {
		switch name {
		case "type":
			d.want("Feature")
			kind = true
		case "stac_version":
			d.want(Version)
			version = true
		case "stac_extensions":
			it.Extensions = d.strs()
		case "id":
			it.ID = d.str()
		case "collection":
			it.Collection = d.str()
		case "geometry":
			if it.Geometry = nil; !d.null() {
				g := d.geometry()
				it.Geometry = &g
			}
		case "bbox":
			it.BBox = list(d, d.num)
		case "properties":
			it.Properties = dict(d, d.value)
		case "assets":
			it.Assets = dict(d, d.asset)
		case "links":
			it.Links = d.links()
		default:
			d.unknown()
		}
	})
	switch err := it.check(); {
	case !kind:
		d.fail("no type")
	case !version:
		d.fail("no stac_version")
	case it.Geometry == nil && len(it.BBox) > 0:
		d.fail("a bbox without a geometry")
	case err != nil:
		d.fail("%w", err)
	}
}
