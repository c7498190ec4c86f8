package stac

func (g *Geometry) empty() bool { return g == nil || len(g.Polygons) == 0 }

// MarshalJSON gives a Polygon where there is one, a MultiPolygon where there are more, null where there is none.
// Source: RFC 7946, section 3.1.
func (g Geometry) MarshalJSON() ([]byte, error) {
	e := &encoder{}
	e.geometry(&g)
	return e.buf, e.err
}

func (e *encoder) geometry(g *Geometry) {
	position := func(p [2]float64) { array(e, p[:], e.num) }
	ring := func(r [][2]float64) { array(e, r, position) }
	polygon := func(p [][][2]float64) { array(e, p, ring) }
	switch {
	case g.empty():
		e.raw("null")
	case len(g.Polygons) == 1:
		e.raw(`{"type":"Polygon","coordinates":`)
		polygon(g.Polygons[0])
		e.raw("}")
	default:
		e.raw(`{"type":"MultiPolygon","coordinates":`)
		array(e, g.Polygons, polygon)
		e.raw("}")
	}
}

// UnmarshalJSON reads a Polygon or MultiPolygon of two-dimensional positions; anything else is an error,
// and so are coordinates that come before the type.
func (g *Geometry) UnmarshalJSON(data []byte) error {
	return decode(data, func(d *decoder) { *g = d.geometry() })
}

func (d *decoder) geometry() (g Geometry) {
	position := func() (p [2]float64) {
		n := 0
		d.array(func() {
			if x := d.num(); n < len(p) {
				p[n] = x
			}
			n++
		})
		if n != len(p) {
			d.fail("position of %d numbers", n)
		}
		return p
	}
	polygon := func() [][][2]float64 {
		return list(d, func() [][2]float64 { return list(d, position) })
	}
	kind := ""
	d.object(func(name string) {
		switch {
		case name == "type":
			kind = d.str()
		case name == "coordinates" && kind == "Polygon":
			g.Polygons = [][][][2]float64{polygon()}
		case name == "coordinates" && kind == "MultiPolygon":
			g.Polygons = list(d, polygon)
		case name == "coordinates":
			d.fail("of type %q; Polygon and MultiPolygon are known, the type first", kind)
		default:
			d.unknown()
		}
	})
	if g.empty() {
		d.fail("no coordinates")
	}
	return g
}
