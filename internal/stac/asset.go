package stac

import (
	"maps"
	"slices"
)

// MarshalJSON writes what is not empty: href, title, type, roles, bands, then Fields by name.
func (a Asset) MarshalJSON() ([]byte, error) {
	e := &encoder{}
	e.asset(a)
	return e.buf, e.err
}

func (e *encoder) asset(a Asset) {
	e.raw("{")
	e.text("href", a.Href)
	e.text("title", a.Title)
	e.text("type", a.Type)
	e.texts("roles", a.Roles)
	if len(a.Bands) > 0 {
		e.key("bands")
		e.in("bands", func() { array(e, a.Bands, e.band) })
	}
	for _, name := range slices.Sorted(maps.Keys(a.Fields)) {
		switch name {
		case "href", "title", "type", "roles", "bands":
			e.fail("field %q shadows the asset's own", name)
		}
		e.key(name)
		e.in(name, func() { e.value(a.Fields[name]) })
	}
	e.raw("}")
}

// UnmarshalJSON puts what is no member of the struct into Fields.
func (a *Asset) UnmarshalJSON(data []byte) error {
	return decode(data, func(d *decoder) { *a = d.asset() })
}

func (d *decoder) asset() (a Asset) {
	d.object(func(name string) {
		switch name {
		case "href":
			a.Href = d.str()
		case "title":
			a.Title = d.str()
		case "type":
			a.Type = d.str()
		case "roles":
			a.Roles = d.strs()
		case "bands":
			a.Bands = list(d, d.band)
		default:
			if a.Fields == nil {
				a.Fields = map[string]any{}
			}
			a.Fields[name] = d.value()
		}
	})
	return a
}

func (e *encoder) band(b Band) {
	e.raw("{")
	e.text("name", b.Name)
	e.text("description", b.Description)
	e.text("data_type", b.DataType)
	if b.Nodata != nil {
		e.key("nodata")
		e.in("nodata", func() { e.value(b.Nodata) })
	}
	e.text("unit", b.Unit)
	if len(b.Statistics) > 0 {
		e.key("statistics")
		e.in("statistics", func() { e.value(b.Statistics) })
	}
	e.float("raster:scale", b.Scale)
	e.float("raster:offset", b.Offset)
	e.text("eo:common_name", b.CommonName)
	e.raw("}")
}

func (e *encoder) float(name string, f *float64) {
	if f != nil {
		e.key(name)
		e.in(name, func() { e.num(*f) })
	}
}

func (d *decoder) band() (b Band) {
	d.object(func(name string) {
		switch name {
		case "name":
			b.Name = d.str()
		case "description":
			b.Description = d.str()
		case "data_type":
			b.DataType = d.str()
		case "nodata":
			b.Nodata = d.value()
		case "unit":
			b.Unit = d.str()
		case "statistics":
			b.Statistics = dict(d, d.value)
		case "raster:scale":
			b.Scale = d.float()
		case "raster:offset":
			b.Offset = d.float()
		case "eo:common_name":
			b.CommonName = d.str()
		default:
			d.unknown()
		}
	})
	return b
}

func (d *decoder) float() *float64 {
	f := d.num()
	return &f
}
