package stac

import (
	"fmt"
	"time"
)

// MarshalJSON gives the canonical JSON of the Collection, its links last. What is empty is left out, but for what the
// specification requires. Source: STAC 1.1.0, collection-spec.
func (c Collection) MarshalJSON() ([]byte, error) {
	e := &encoder{}
	e.in(fmt.Sprintf("encode collection %q", c.ID), func() { e.collection(&c) })
	return e.buf, e.err
}

func (e *encoder) collection(c *Collection) {
	e.raw(`{"type":"Collection","stac_version":"` + Version + `"`)
	e.extensions(c.Extensions)
	e.key("id")
	e.str(c.ID)
	e.text("title", c.Title)
	e.key("description")
	e.str(c.Description)
	e.texts("keywords", c.Keywords)
	e.key("license")
	e.str(c.License)
	if len(c.Providers) > 0 {
		e.key("providers")
		array(e, c.Providers, e.provider)
	}
	e.key("extent")
	e.in("extent", func() { e.extent(c.Extent) })
	if len(c.Summaries) > 0 {
		e.key("summaries")
		e.in("summaries", func() { object(e, c.Summaries, e.value) })
	}
	if len(c.ItemAssets) > 0 {
		e.key("item_assets")
		e.in("item_assets", func() { object(e, c.ItemAssets, e.asset) })
	}
	if len(c.Assets) > 0 {
		e.key("assets")
		e.in("assets", func() { object(e, c.Assets, e.asset) })
	}
	e.key("links")
	e.links(c.Links)
	e.raw("}")
}

func (e *encoder) provider(p Provider) {
	e.raw(`{"name":`)
	e.str(p.Name)
	e.text("description", p.Description)
	e.texts("roles", p.Roles)
	e.text("url", p.URL)
	e.raw("}")
}

func (e *encoder) extent(x Extent) {
	e.raw(`{"spatial":{"bbox":`)
	array(e, x.BBoxes, func(b []float64) { array(e, b, e.num) })
	e.raw(`},"temporal":{"interval":`)
	array(e, x.Intervals, func(i [2]*time.Time) { array(e, i[:], e.instant) })
	e.raw("}}")
}

// instant writes RFC 3339 in UTC, with as many digits of the second as there are; null for an open end.
func (e *encoder) instant(t *time.Time) {
	if t == nil {
		e.raw("null")
		return
	}
	e.sane(t.UTC())
	e.str(t.UTC().Format(time.RFC3339Nano))
}

// sane refuses years that RFC 3339 cannot write.
func (t *trail) sane(at time.Time) {
	if y := at.Year(); y < 0 || y > 9999 {
		t.fail("year %d does not fit RFC 3339", y)
	}
}

// UnmarshalJSON is strict: a member that MarshalJSON would not write back is an error.
func (c *Collection) UnmarshalJSON(data []byte) error {
	*c = Collection{}
	err := decode(data, func(d *decoder) { d.collection(c) })
	if err != nil {
		return fmt.Errorf("decode collection %q: %w", c.ID, err)
	}
	return nil
}

func (d *decoder) collection(c *Collection) {
	d.object(func(name string) {
		switch name {
		case "type":
			d.want("Collection")
		case "stac_version":
			d.want(Version)
		case "stac_extensions":
			c.Extensions = d.strs()
		case "id":
			c.ID = d.str()
		case "title":
			c.Title = d.str()
		case "description":
			c.Description = d.str()
		case "keywords":
			c.Keywords = d.strs()
		case "license":
			c.License = d.str()
		case "providers":
			c.Providers = list(d, d.provider)
		case "extent":
			c.Extent = d.extent()
		case "summaries":
			c.Summaries = dict(d, d.value)
		case "item_assets":
			c.ItemAssets = dict(d, d.asset)
		case "assets":
			c.Assets = dict(d, d.asset)
		case "links":
			c.Links = d.links()
		default:
			d.unknown()
		}
	})
}

func (d *decoder) provider() (p Provider) {
	d.object(func(name string) {
		switch name {
		case "name":
			p.Name = d.str()
		case "description":
			p.Description = d.str()
		case "roles":
			p.Roles = d.strs()
		case "url":
			p.URL = d.str()
		default:
			d.unknown()
		}
	})
	return p
}

func (d *decoder) extent() (x Extent) {
	// only reads the one member that an object may have.
	only := func(want string, f func()) {
		d.object(func(name string) {
			if name != want {
				d.unknown()
				return
			}
			f()
		})
	}
	d.object(func(name string) {
		switch name {
		case "spatial":
			only("bbox", func() {
				x.BBoxes = list(d, func() []float64 { return list(d, d.num) })
			})
		case "temporal":
			only("interval", func() { x.Intervals = list(d, d.interval) })
		default:
			d.unknown()
		}
	})
	return x
}

func (d *decoder) interval() (i [2]*time.Time) {
	ends := list(d, d.instant)
	if len(ends) != 2 {
		d.fail("an interval of %d instants", len(ends))
		return i
	}
	return [2]*time.Time(ends)
}

// instant gives the time in UTC; nil for null.
func (d *decoder) instant() *time.Time {
	if d.null() {
		return nil
	}
	t, err := time.Parse(time.RFC3339, d.str())
	if err != nil {
		d.fail("%w", err)
	}
	t = t.UTC()
	d.sane(t)
	return &t
}

// MarshalJSON gives the canonical JSON of the Catalog. Source: STAC 1.1.0, catalog-spec.
func (c Catalog) MarshalJSON() ([]byte, error) {
	e := &encoder{}
	e.raw(`{"type":"Catalog","stac_version":"` + Version + `","stac_extensions":[]`)
	e.key("id")
	e.str(c.ID)
	e.text("title", c.Title)
	e.key("description")
	e.str(c.Description)
	e.texts("conformsTo", c.ConformsTo)
	e.key("links")
	e.links(c.Links)
	e.raw("}")
	return e.buf, e.err
}

// UnmarshalJSON is strict: a member that MarshalJSON would not write back is an error.
func (c *Catalog) UnmarshalJSON(data []byte) error {
	*c = Catalog{}
	err := decode(data, func(d *decoder) {
		d.object(func(name string) {
			switch name {
			case "type":
				d.want("Catalog")
			case "stac_version":
				d.want(Version)
			case "stac_extensions":
				if len(d.strs()) > 0 {
					d.fail("a catalog has none")
				}
			case "id":
				c.ID = d.str()
			case "title":
				c.Title = d.str()
			case "description":
				c.Description = d.str()
			case "conformsTo":
				c.ConformsTo = d.strs()
			case "links":
				c.Links = d.links()
			default:
				d.unknown()
			}
		})
	})
	if err != nil {
		return fmt.Errorf("decode catalog %q: %w", c.ID, err)
	}
	return nil
}
