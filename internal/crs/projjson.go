package crs

import "strings"

// PROJJSON is the definition of a user-defined CRS (Code 0) as a PROJJSON object (PROJ schema 0.7), of values that encoding/json
// writes; nil for others. A shift of its own makes it a BoundCRS. Parameters are in degrees and metres whatever the units
// of the axes.
func (c *CRS) PROJJSON() map[string]any {
	if c.def == nil {
		return nil
	}
	d := c.def
	o := d.base.projJSON()
	if d.method != nil {
		o = map[string]any{
			"type": "ProjectedCRS", "name": d.name, "base_crs": o, "conversion": map[string]any{
				"name": "unnamed", "method": d.method.projJSON(), "parameters": d.parametersJSON(),
			},
			"coordinate_system": axesJSON("Cartesian", unitJSON(length, d.unit), d.method.axes()...),
		}
	}
	if d.base.towgs84 != nil {
		wgs84, _ := geodeticByCode(4326)
		o = map[string]any{"type": "BoundCRS", "source_crs": o, "target_crs": wgs84.projJSON(), "transformation": d.base.shiftJSON()}
	}
	o["$schema"] = "https://proj.org/schemas/v0.7/projjson.schema.json"
	return o
}

// projJSON of a geographic CRS, of any: of the EPSG dataset too.
func (g *geodetic) projJSON() map[string]any {
	figure := map[string]any{"name": g.figure, "semi_major_axis": g.a, "inverse_flattening": g.rf}
	if g.rf == 0 {
		figure = map[string]any{"name": g.figure, "radius": g.a}
	}
	datum := map[string]any{"type": "GeodeticReferenceFrame", "name": g.datum, "ellipsoid": figure}
	if g.longitude != 0 || g.meridian != "Greenwich" {
		datum["prime_meridian"] = map[string]any{"name": g.meridian, "longitude": g.longitude}
	}
	o := map[string]any{
		"type": "GeographicCRS", "name": g.name, "datum": datum,
		"coordinate_system": axesJSON("ellipsoidal", unitJSON(angle, g.unit),
			"Geodetic latitude", "Lat", "north", "Geodetic longitude", "Lon", "east"),
	}
	if g.code != 0 {
		o["id"] = idJSON(g.code)
	}
	return o
}

func (g *geodetic) shiftJSON() map[string]any {
	var parameters []any
	for i, v := range g.towgs84 {
		name, code, unit := shiftParameter(i)
		parameters = append(parameters, map[string]any{"name": name, "value": v, "unit": unit, "id": idJSON(code)})
	}
	return map[string]any{
		"name":   "Transformation from " + g.name + " to WGS84",
		"method": map[string]any{"name": positionVector, "id": idJSON(9606)}, "parameters": parameters,
	}
}

const positionVector = "Position Vector transformation (geog2D domain)"

// shiftParameter is one of EPSG method 9606, in the order of TOWGS84 in WKT 1 and in its units.
func shiftParameter(i int) (name string, code int, unit any) {
	axis := "XYZ"[i%3 : i%3+1]
	switch {
	case i < 3:
		return axis + "-axis translation", 8605 + i, "metre"
	case i < 6:
		return axis + "-axis rotation", 8605 + i, unitJSON(angle, 1./3600)
	}
	return "Scale difference", 8611, map[string]any{"type": "ScaleUnit", "name": "parts per million", "conversion_factor": 1e-6}
}

func (m *method) projJSON() map[string]any {
	o := map[string]any{"name": m.name}
	if m.code != 0 {
		o["id"] = idJSON(m.code)
	}
	return o
}

func (d *definition) parametersJSON() (all []any) {
	for i, p := range d.method.params {
		unit := map[kind]string{angle: "degree", length: "metre", ratio: "unity"}[p.kind]
		o := map[string]any{"name": p.name, "value": d.values[i], "unit": unit}
		if p.code != 0 {
			o["id"] = idJSON(p.code)
		}
		all = append(all, o)
	}
	return all
}

// axes are name, abbreviation and direction of x and of y.
func (m *method) axes() (names []string) {
	first, second := m.pointing()
	for _, direction := range []string{first, second} {
		names = append(names, direction[:1]+strings.ToLower(direction[1:])+"ing", direction[:1], strings.ToLower(direction))
	}
	return names
}

// axesJSON: name, abbreviation and direction of each axis.
func axesJSON(kind string, unit any, names ...string) map[string]any {
	var axes []any
	for i := 0; i < len(names); i += 3 {
		axes = append(axes, map[string]any{"name": names[i], "abbreviation": names[i+1], "direction": names[i+2], "unit": unit})
	}
	return map[string]any{"subtype": kind, "axis": axes}
}

func unitJSON(k kind, size float64) any {
	name := unitName(k, size)
	switch {
	case k == angle && size == 1, k == length && size == 1:
		return name
	case k == angle:
		return map[string]any{"type": "AngularUnit", "name": name, "conversion_factor": size * radians}
	}
	return map[string]any{"type": "LinearUnit", "name": name, "conversion_factor": size}
}

func idJSON(code int) map[string]any { return map[string]any{"authority": "EPSG", "code": code} }
