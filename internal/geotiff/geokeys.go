package geotiff

import "bytes"

// geoKeys reads the GeoKeyDirectory (GeoTIFF 1.1 section 7.1). A directory that is wrong in one key is ignored as a whole, as
// libgeotiff does: what the others say may mean something else without it. Of a key that is there twice the last one counts.
func (rd *reader) geoKeys() *GeoKeys {
	dir := &rd.main.fields[slotGeoDirectory]
	n := dir.len()
	if n == 0 {
		return nil
	}
	at := func(i int) uint16 { v, _ := rd.uint(dir, i); return uint16(v) }
	switch {
	case n < 4:
		rd.warn("%v: %d values, too few for a header; ignored", slotGeoDirectory, n)
		return nil
	case at(0) > 1:
		rd.warn("%v: version %d, not 1; ignored", slotGeoDirectory, at(0))
		return nil
	case at(3) > maxKeys:
		rd.warn("%v: %d keys, more than %d; ignored", slotGeoDirectory, at(3), maxKeys)
		return nil
	}
	keys := int(at(3))
	if room := (n - 4) / 4; keys > room {
		rd.warn("%v: %d keys, but room for %d", slotGeoDirectory, keys, room)
		keys = room
	}
	g := rd.keys
	g.Short = make(map[uint16]uint16, keys)
	// Values of different keys do not overlap; a hostile file's would, to be copied over and over.
	doubles := 2 * rd.main.fields[slotGeoDoubles].len()
	text, _, _ := bytes.Cut(rd.main.fields[slotGeoASCII].bytes(), []byte{0}) // a text of C: nothing behind a NUL counts
	chars := 2 * len(text)
	for i := 4; i < 4+4*keys; i += 4 {
		id, location, count, value := at(i), at(i+1), int(at(i+2)), int(at(i+3))
		ok := true
		switch location {
		case 0:
			if ok = count == 1; ok {
				g.Short[id] = uint16(value)
			}
		case 34735:
			if ok = value+count <= n; ok && count > 0 {
				g.Short[id] = at(value)
			}
		case 34736:
			doubles -= count
			ok = doubles >= 0 && rd.doubleKey(g, id, value, count)
		case 34737:
			ok = text != nil && asciiKey(g, id, text, value, count)
			chars -= len(g.ASCII[id])
			ok = ok && chars >= 0
		default:
			ok = false
		}
		if !ok {
			rd.warn("%v: the value of key %d is not in tag %d; all keys are ignored", slotGeoDirectory, id, location)
			return nil
		}
	}
	g.name()
	return g
}

func (rd *reader) doubleKey(g *GeoKeys, id uint16, from, count int) bool {
	f := &rd.main.fields[slotGeoDoubles]
	if count == 0 || from+count > f.len() {
		return count == 0
	}
	values := make([]float64, count)
	for i := range values {
		values[i], _ = rd.float(f, from+i)
	}
	if g.Double == nil {
		g.Double = make(map[uint16][]float64)
	}
	g.Double[id] = values
	return true
}

// asciiKey takes a text out of the shared string. Real files say that it is longer than it is, so that it is cut at the string's
// end; only one that begins there is wrong, but for the NUL that some count as its last character.
func asciiKey(g *GeoKeys, id uint16, shared []byte, from, count int) bool {
	if end := len(shared); from > 0 && (from > end || from == end && count > 1) {
		return false
	}
	if g.ASCII == nil {
		g.ASCII = make(map[uint16]string)
	}
	g.ASCII[id] = toUTF8(bytes.TrimSuffix(shared[from:min(from+count, len(shared))], []byte("|")))
	return true
}

// name copies the keys that have a field of their own out of the maps.
func (g *GeoKeys) name() {
	g.ModelType, g.RasterType, g.Citation = g.Short[1024], g.Short[1025], g.ASCII[1026]
	g.GeodeticCRS, g.GeodeticCitation, g.GeodeticDatum = g.Short[2048], g.ASCII[2049], g.Short[2050]
	g.PrimeMeridian, g.AngularUnits, g.Ellipsoid = g.Short[2051], g.Short[2054], g.Short[2056]
	g.ProjectedCRS, g.ProjectedCitation, g.Projection = g.Short[3072], g.ASCII[3073], g.Short[3074]
	g.ProjectionMethod, g.ProjectedLinear, g.VerticalCRS = g.Short[3075], g.Short[3076], g.Short[4096]
}
