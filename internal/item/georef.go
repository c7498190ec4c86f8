package item

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/cairn-stac/cairn/internal/crs"
	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/sidecar"
)

// A finding is what keeps a raster from being catalogued.
type finding struct{ code, problem string }

func found(code, format string, args ...any) *finding {
	return &finding{code, fmt.Sprintf(format, args...)}
}

// Rules of an Origin, for transforms and CRSs.
const (
	fromHeader    = "header"
	fromAuxXML    = "aux_xml"
	fromWorldFile = "world_file"
	fromGCPs      = "gcps"
	fromPRJ       = "prj"
	fromAssumed   = "assume_crs"
)

// A place is where a raster lies, and what told so.
type place struct {
	transform       *geotiff.Affine
	transformOrigin Origin
	gcps            []geotiff.GCP // where there is no transform
	system          *crs.CRS
	systemOrigin    Origin
	outline         crs.Footprint
	problem         *finding // why there is no outline
}

// locate finds out where a raster lies. As in GDAL, the .aux.xml goes before the file itself, the file's own transform before a
// world file's, and that before ground control points. A .prj, which GDAL does not read, fills in where nothing else names a
// CRS.
func (b *builder) locate(m *raster) error {
	p := &m.place
	aux, auxKey, err := b.aux(m)
	if err != nil {
		return err
	}
	m.aux = aux
	if err := b.findTransform(m, aux, auxKey); err != nil {
		return err
	}
	if err := b.findCRS(m, aux, auxKey); err != nil {
		return err
	}
	if p.transform == nil && len(p.gcps) == 0 && m.header.Lost != "" {
		p.problem = found(CodeTruncated, "%s", m.header.Lost)
	} else if p.transform == nil && len(p.gcps) == 0 {
		p.problem = found(CodeNoTransform, "the file has no geotransform")
		if m.header.HasRPC {
			p.problem = found(CodeNoTransform, "the file has rational polynomial coefficients instead of a geotransform")
		}
	}
	if p.problem == nil {
		p.outline, p.problem = b.outline(m)
	}
	return nil
}

// pixelCounts is the geotransform that writers put where they have none.
var pixelCounts = geotiff.Affine{DX: 1, DY: 1}

// isTransform tells whether a transform says anything.
func isTransform(t *geotiff.Affine) bool { return t != nil && *t != pixelCounts }

func (b *builder) findTransform(m *raster, aux *sidecar.PAM, auxKey string) error {
	p, h := &m.place, m.header
	switch {
	case aux != nil && isTransform(aux.Transform):
		p.transform, p.transformOrigin = aux.Transform, Origin{Rule: fromAuxXML, Where: auxKey}
		return nil
	case isTransform(h.Transform):
		p.transform, p.transformOrigin = h.Transform, Origin{Rule: fromHeader}
		return nil
	}
	t, key, err := b.worldFile(m)
	switch {
	case err != nil:
		return err
	case isTransform(t):
		p.transform, p.transformOrigin = t, Origin{Rule: fromWorldFile, Where: key}
	case aux != nil && len(aux.GCPs) > 0:
		p.gcps, p.transformOrigin = aux.GCPs, Origin{Rule: fromGCPs, Where: auxKey}
	case len(h.GCPs) > 0 && h.Lost == "": // else they may be tiepoints whose scale is lost
		p.gcps, p.transformOrigin = h.GCPs, Origin{Rule: fromGCPs}
	}
	return nil
}

// findCRS finds the horizontal CRS of a raster.
func (b *builder) findCRS(m *raster, aux *sidecar.PAM, auxKey string) error {
	p := &m.place
	take := func(c *crs.CRS, err error, o Origin) bool {
		switch {
		case err == nil:
			p.system, p.systemOrigin = c, o
		case errors.Is(err, crs.ErrNone):
			return false
		case errors.Is(err, crs.ErrNotEarth):
			p.problem = found(CodeNotEarth, "%v", err)
		default: // crs.ErrUnknown
			p.problem = found(CodeUnsupportedCRS, "%v", err)
		}
		return true
	}
	if aux != nil {
		text := aux.SRS
		if text == "" && p.transformOrigin == (Origin{Rule: fromGCPs, Where: auxKey}) {
			text = aux.GCPSRS
		}
		c, err := fromText(text)
		if errors.Is(err, crs.ErrUnknown) {
			m.warn(auxKey, "%v", err) // the file itself may name one that is known
		} else if take(c, err, Origin{Rule: fromAuxXML, Where: auxKey}) {
			return nil
		}
	}
	if g := m.header.Geo; g != nil {
		c, origin, err := crs.FromGeoKeys(crs.GeoKeys{Short: g.Short, Double: g.Double, ASCII: g.ASCII})
		if take(c, err, Origin{Rule: fromHeader, Text: origin}) {
			return nil
		}
	}
	if lost := m.header.Lost; lost != "" { // what the file does say of it must not be made up for
		p.problem = found(CodeTruncated, "%s", lost)
		return nil
	}
	text, key, err := b.prj(m)
	if err != nil {
		return err
	}
	c, err := fromText(text)
	if take(c, err, Origin{Rule: fromPRJ, Where: key}) {
		return nil
	}
	if b.rules.assume == nil {
		p.problem = found(CodeNoCRS, "the file names no coordinate reference system")
		return nil
	}
	p.system, p.systemOrigin = b.rules.assume, Origin{Rule: fromAssumed}
	return nil
}

// fromText reads the CRS of a sidecar: well-known text, or the code of one.
func fromText(text string) (*crs.CRS, error) {
	text = strings.TrimSpace(text)
	if code, ok := epsgCode(text); ok {
		return crs.ByCode(code)
	}
	if text == "" {
		return nil, crs.ErrNone
	}
	return crs.FromWKT(text)
}

func epsgCode(text string) (code int, ok bool) {
	if len(text) < 6 || len(text) > 11 || !strings.EqualFold(text[:5], "EPSG:") || digits(text[5:]) != len(text)-5 {
		return 0, false
	}
	for _, c := range []byte(text[5:]) {
		code = 10*code + int(c-'0')
	}
	return code, true
}

// A traced is what an outline depends on: rasters of a scene mostly share theirs.
type traced struct {
	code    int // of the CRS
	corners [3][2]float64
}

// outline is the outline of a raster on the Earth.
func (b *builder) outline(m *raster) (crs.Footprint, *finding) {
	p, h := &m.place, m.header
	if p.transform == nil {
		points := make([][2]float64, len(p.gcps))
		for i, g := range p.gcps {
			points[i] = [2]float64{g.X, g.Y}
		}
		f, err := p.system.HullFootprint(points)
		return f, outlineProblem(err, "the file has ground control points instead of a geotransform, and they enclose no area")
	}
	key := traced{code: p.system.Code}
	for i, corner := range [3][2]float64{{0, 0}, {float64(h.Width), 0}, {0, float64(h.Height)}} {
		x, y := p.transform.Apply(corner[0], corner[1])
		key.corners[i] = [2]float64{x, y}
	}
	if f, ok := b.outlines[key]; ok {
		return f, nil
	}
	f, err := p.system.Footprint(p.transform.Apply, h.Width, h.Height)
	if err == nil && len(b.rasters) > 1 && key.code != 0 { // others may have the same name
		if b.outlines == nil {
			b.outlines = map[traced]crs.Footprint{}
		}
		b.outlines[key] = f
	}
	return f, outlineProblem(err, "the geotransform gives the raster no area")
}

func outlineProblem(err error, degenerate string) *finding {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, crs.ErrDegenerate):
		return found(CodeNoTransform, "%s", degenerate)
	default: // crs.ErrOffEarth
		return found(CodeOffEarth, "%v", err)
	}
}

// gsdOf is the size of a pixel in metres, the longer side; 0 where it does not follow from the CRS. A metre of the Web
// Mercator is no metre on the ground.
func gsdOf(t *geotiff.Affine, c *crs.CRS) float64 {
	if t == nil || c == nil || c.Geographic || c.Code == webMercator {
		return 0
	}
	side := max(math.Hypot(t.DX, t.RY), math.Hypot(t.RX, t.DY))
	gsd := round(side*c.UnitMetres, 6)
	if math.IsInf(gsd, 0) {
		return 0
	}
	return gsd
}

const webMercator = 3857

func epsg(code int) string { return fmt.Sprintf("EPSG:%d", code) }
