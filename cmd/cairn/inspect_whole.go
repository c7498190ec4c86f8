package main

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/cairn-stac/cairn/internal/crs"
	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/stac"
)

// whole writes all there is to say of the file that is named, and of the Item that it belongs to. Of a sidecar that is what it
// belongs to.
func (r *reporter) whole(l look) error {
	f := l.files[slices.IndexFunc(l.files, func(f inspected) bool { return f.named })]
	fmt.Fprintln(r.out, printable(f.File))
	if f.outcome != nil {
		return r.wholeItem(l, f.outcome)
	}
	r.rejected(f)
	if f.header != nil {
		r.file(f.header, f.size)
		r.raster(rejectedRaster(f), nil)
		r.texts(f.header)
		r.warnings(f.header.Warnings)
	}
	if f.role != item.RoleSidecar {
		return nil
	}
	var shown []*outcome
	for _, f := range l.files {
		switch {
		case f.role == item.RoleReject:
			fmt.Fprintln(r.out, printable(f.File))
			r.rejected(f)
		case f.outcome != nil && !slices.Contains(shown, f.outcome):
			shown = append(shown, f.outcome)
			fmt.Fprintln(r.out, printable(f.File))
			if err := r.wholeItem(l, f.outcome); err != nil {
				return err
			}
		}
	}
	return nil
}

// rejectedRaster is what the header of a Reject says.
func rejectedRaster(f inspected) item.RasterInfo {
	h := f.header
	info := item.RasterInfo{Key: f.key, Header: h, Transform: h.Transform}
	if g := h.Geo; g != nil {
		info.CRS, info.CRSOrigin.Text, _ = crs.FromGeoKeys(crs.GeoKeys{Short: g.Short, Double: g.Double, ASCII: g.ASCII})
		info.CRSOrigin.Rule = "header"
	}
	return info
}

func (r *reporter) wholeItem(l look, o *outcome) error {
	r.sheet.line("item", "%s", itemText(o))
	r.sheet.line("source", "%s", l.source)
	var line []byte
	sizes := map[string]int64{}
	for _, f := range l.files {
		sizes[f.key] = f.size
		if f.outcome == o {
			line = f.Item
		}
	}
	rasters, first := o.why.Rasters, o.why.Rasters[0]
	if len(rasters) == 1 {
		r.file(first.Header, sizes[first.Key])
		r.raster(first, o.Assets[first.Asset].Bands)
	} else {
		r.sheet.line("scene", "%s", sceneText(o))
		for _, m := range rasters {
			r.member(m, first, sizes[m.Key])
		}
		r.crs(first)
	}
	for _, f := range l.files {
		if f.role == item.RoleReject && !f.named {
			r.sheet.line("left out", "%s: %s", printable(path.Base(f.key)), printable(f.Reject.Message))
		}
	}
	if o.Geometry == nil {
		r.sheet.line("footprint", "%s", bboxText(o))
	} else {
		r.sheet.line("footprint", "%s", footprintText(o))
		r.sheet.line("bbox", "%s", bboxText(o))
	}
	r.sheet.line("time", "%s", when(o))
	r.sheet.line("", "%s", originText(timeRules, o.why.Time))
	for _, key := range o.why.Sidecars {
		r.sheet.line("sidecar", "%s", printable(path.Base(key)))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Assets)) {
		r.sheet.line("asset", "%s", assetText(name, o.Assets[name]))
	}
	if len(rasters) == 1 {
		r.texts(first.Header)
	}
	r.warnings(o.why.Warnings)
	fmt.Fprintln(r.out)
	return r.sheet.json(line)
}

// member writes a line on a raster of a scene, with its CRS where that is another than the first one's.
func (r *reporter) member(m, first item.RasterInfo, bytes int64) {
	h := m.Header
	text := fmt.Sprintf("%s, %s", size(bytes), gridSize(h))
	if m.Transform != nil && m.CRS != nil {
		text += fmt.Sprintf(" of %s %s", pixelSize(m.Transform), unitText(m.CRS))
	}
	text += ", " + bandsText(h)
	if a, b := crsName(m.CRS), crsName(first.CRS); a != b {
		text += ", " + a
	}
	r.sheet.line(printable(m.Asset), "%s, %s", text, cogText(h))
}

// file writes what a single file is like.
func (r *reporter) file(h *geotiff.Header, bytes int64) {
	r.sheet.line("file", "%s, %s", size(bytes), fileText(h))
}

// raster writes what a raster is like, and where it lies. bands is what the Item says of its bands, or nil.
func (r *reporter) raster(m item.RasterInfo, bands []stac.Band) {
	h := m.Header
	r.sheet.line("raster", "%s, %s", gridSize(h), bandsText(h))
	r.sheet.line("layout", "%s", layoutText(h))
	r.sheet.line("", "%s", cogText(h))
	if text := overviewsText(h, m.Overviews); text != "" {
		r.sheet.line("overviews", "%s", text)
	}
	if text := maskText(h, m.Mask); text != "" {
		r.sheet.line("mask", "%s", text)
	}
	r.bands(h, bands)
	r.crs(m)
	r.transform(m)
}

func (r *reporter) crs(m item.RasterInfo) {
	if m.CRS == nil {
		r.sheet.line("crs", "%s", keysText(m.Header.Geo))
		return
	}
	r.sheet.line("crs", "%s, in %s", crsName(m.CRS), unitText(m.CRS))
	if m.CRS.Code == 0 && m.CRS.Name != "" {
		r.sheet.line("", "called %s", quoted(m.CRS.Name))
	}
	r.sheet.line("", "%s", crsOriginText(m.CRSOrigin))
	if text := shiftText(m.CRS); text != "" {
		r.sheet.line("", "%s", text)
	}
}

func (r *reporter) transform(m item.RasterInfo) {
	h := m.Header
	switch {
	case m.Transform != nil:
		r.sheet.line("transform", "%s", gridText(m.Transform, m.CRS))
		if m.TransformOrigin.Rule != "" {
			r.sheet.line("", "%s", originText(placeRules, m.TransformOrigin))
		}
		if h.PixelIsPoint {
			r.sheet.line("", "the file ties the centres of pixels, and the corner is half a pixel away")
		}
	case len(h.GCPs) > 0:
		r.sheet.line("transform", "none, but %s", count(len(h.GCPs), "ground control point"))
	default:
		r.sheet.line("transform", "none")
	}
	if h.HasRPC {
		r.sheet.line("rpc", "there are rational polynomial coefficients")
	}
}

// mostBands is how many lines there are on bands.
const mostBands = 20

// bands writes what there is to say of each band; neighbours that are alike share a line.
func (r *reporter) bands(h *geotiff.Header, told []stac.Band) {
	texts := make([]string, len(h.Bands))
	for i, b := range h.Bands {
		var more stac.Band
		if i < len(told) {
			more = told[i]
		}
		texts[i] = bandText(b, more)
	}
	lines := 0
	for i := 0; i < len(texts); lines++ {
		n := i + 1
		for n < len(texts) && texts[n] == texts[i] {
			n++
		}
		if lines == mostBands {
			r.sheet.line("", "and %s", count(len(texts)-i, "more band"))
			break
		}
		label := fmt.Sprintf("band %d", i+1)
		if n > i+1 {
			label = fmt.Sprintf("bands %d-%d", i+1, n)
		}
		r.sheet.line(label, "%s", texts[i])
		i = n
	}
	if told == nil && h.Nodata != "" {
		r.sheet.line("nodata", "%s", printable(h.Nodata))
	}
}

// texts writes what the file says of itself.
func (r *reporter) texts(h *geotiff.Header) {
	for _, t := range []struct{ label, text string }{
		{"DateTime", h.DateTime}, {"Software", h.Software}, {"about", h.Description},
	} {
		if t.text != "" {
			r.sheet.line(t.label, "%s", quoted(t.text))
		}
	}
	plain := slices.DeleteFunc(slices.Clone(h.Metadata), func(m geotiff.Meta) bool { return m.Role != "" || m.Sample >= 0 })
	for i, m := range plain {
		if i == mostMetadata {
			r.sheet.line("", "and %s", count(len(plain)-i, "more item"))
			break
		}
		r.sheet.line("metadata", "%s: %s", printable(joined(" ", m.Domain, m.Name)), quoted(m.Value))
	}
}

// mostMetadata is how many items of GDAL's metadata are shown.
const mostMetadata = 12
