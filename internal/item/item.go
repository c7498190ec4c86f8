package item

import (
	"fmt"
	"strings"
	"sync"

	"github.com/cairn-stac/cairn/internal/crs"
	"github.com/cairn-stac/cairn/internal/stac"
)

// item makes the Item of a group, or rejects its rasters.
func (b *builder) item(g group) error {
	r := b.rules
	files := b.filesOf(g)
	x := Explanation{Scene: g.scene != ""}
	fields := sync.OnceValues(func() ([]fieldSet, error) { return b.fields(files, &x) })
	when, ok, err := r.spanOf(witnesses(g), fields)
	if err != nil {
		return err
	}
	if !ok {
		for _, m := range g.rasters {
			m.problem = found(CodeNoDatetime, "neither the file nor its key tells a time")
		}
		return nil
	}
	x.Time = when.origin
	properties, err := r.properties(g, fields, &x)
	if err != nil {
		return err
	}
	when.set(properties)
	it := &stac.Item{ID: g.id, Collection: b.collection.ID, Properties: properties, Assets: map[string]stac.Asset{}}
	if m := largest(g.rasters); m != nil {
		it.Geometry, it.BBox = &stac.Geometry{Polygons: m.place.outline.Polygons}, m.place.outline.BBox[:]
		if m.place.transform == nil {
			properties["cairn:footprint_source"] = fromGCPs
		}
	}
	used := uses{}
	keys := assetKeys(g)
	together := sameSystem(g.rasters)
	gsd := 0.
	for i, m := range g.rasters {
		a := r.asset(m, keys[i], g, used)
		own := properties
		if !together {
			own = a.Fields
		}
		describeSystem(own, m.place.system)
		if side := gsdOf(m.place.transform, m.place.system); side > 0 {
			if gsd == 0 || side < gsd {
				gsd = side
			}
			if g.scene != "" {
				a.Fields["gsd"] = side
			}
		}
		it.Assets[keys[i]] = a
		b.result.Roles[m.index], b.result.Of[m.index] = RoleAsset, len(b.result.Items)
		x.add(b, m, keys[i])
	}
	if gsd > 0 && properties["gsd"] == nil {
		properties["gsd"] = gsd
	}
	b.addFiles(it, g, files)
	it.Extensions = used.extensions(properties)
	b.result.Items = append(b.result.Items, it)
	b.result.Explanations = append(b.result.Explanations, x)
	return nil
}

func witnesses(g group) []witness {
	out := make([]witness, len(g.rasters))
	for i, m := range g.rasters {
		out[i] = witness{m.object.Key, m.object.Modified, m.metadata(), m.header.DateTime}
	}
	return out
}

// largest is the first of the rasters with the largest outline; nil where none has one.
func largest(rasters []*raster) (out *raster) {
	for _, m := range rasters {
		if m.place.problem == nil && (out == nil || area(m.place.outline.BBox) > area(out.place.outline.BBox)*(1+1e-9)) {
			out = m
		}
	}
	return out
}

// sameSystem tells whether all rasters that have a CRS have the same one, and all others none.
func sameSystem(rasters []*raster) bool {
	first := rasters[0].place.system
	for _, m := range rasters[1:] {
		c := m.place.system
		switch {
		case c == first:
		case c == nil || first == nil:
			return false
		case c.Code != first.Code || c.Code == 0 && c.WKT2() != first.WKT2():
			return false
		}
	}
	return true
}

// unknownAccuracy is what the EPSG dataset says of a datum shift of which it says nothing better, in metres.
const unknownAccuracy = 999

// describeSystem writes what an Item, or an asset, says of its CRS (STAC projection extension 2.0.0).
func describeSystem(fields map[string]any, c *crs.CRS) {
	if c == nil {
		return
	}
	if c.Code != 0 {
		fields["proj:code"] = epsg(c.Code)
	} else {
		fields["proj:code"], fields["proj:wkt2"], fields["proj:projjson"] = nil, c.WKT2(), c.PROJJSON()
	}
	switch {
	case c.Accuracy < 0:
		fields["cairn:datum_shift"] = "none"
	case c.Approximate():
		fields["cairn:datum_shift"] = "approximate"
		if c.Accuracy < unknownAccuracy {
			fields["cairn:datum_accuracy"] = c.Accuracy
		}
	}
}

// assetKeys are what the rasters of a group are called in its Item: by their tokens without resolution and the like where that
// tells them apart, else by the whole token, else by what their names do not have in common.
func assetKeys(g group) []string {
	if g.scene == "" {
		return []string{dataAsset}
	}
	forms := []func(*raster) string{
		func(m *raster) string { token, _ := cutQualifiers(m.token); return token },
		func(m *raster) string { return m.token },
		func(m *raster) string { return strings.TrimPrefix(m.object.Key, g.scene) }, // keys differ, so these do
	}
	keys := make([]string, len(g.rasters))
	taken := map[string]bool{}
	for _, form := range forms {
		count := map[string]int{}
		for _, m := range g.rasters {
			count[form(m)]++
		}
		for i, m := range g.rasters {
			if key := form(m); keys[i] == "" && count[key] == 1 && !taken[key] {
				keys[i], taken[key] = key, true
			}
		}
	}
	return keys
}

// add tells of a raster of the Item.
func (x *Explanation) add(b *builder, m *raster, asset string) {
	p := m.place
	info := RasterInfo{Key: m.object.Key, Asset: asset, Header: m.header,
		CRS: p.system, CRSOrigin: p.systemOrigin, Transform: p.transform, TransformOrigin: p.transformOrigin}
	if p.problem != nil {
		reject := NewReject(m.object.Key, p.problem.code, p.problem.problem)
		info.NoFootprint = &reject
	}
	if o, ok := b.beside(m.object.Key, ".ovr"); ok {
		info.Overviews = o.Key
	}
	if o, ok := b.beside(m.object.Key, ".msk"); ok {
		info.Mask = o.Key
	}
	x.Rasters = append(x.Rasters, info)
	x.Sidecars = append(x.Sidecars, m.used...)
	x.Warnings = append(x.Warnings, m.warnings...)
}

func (x *Explanation) warn(key, format string, args ...any) {
	_, name := split(key)
	x.Warnings = append(x.Warnings, name+": "+fmt.Sprintf(format, args...))
}
