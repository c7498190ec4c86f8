package item

import (
	"errors"
	"fmt"
	"math"

	"github.com/cairn-stac/cairn/internal/crs"
	"github.com/cairn-stac/cairn/internal/geotiff"
)

// A finding is what keeps a raster from being catalogued.
type finding struct{ code, problem string }

func found(code, format string, args ...any) *finding {
	return &finding{code, fmt.Sprintf(format, args...)}
}

// GeoKey values (GeoTIFF 1.1, requirements classes 7.1.1 and 7.1.2).
const (
	modelProjected  = 1
	modelGeographic = 2
	modelGeocentric = 3
	userDefined     = 32767
)

// crsOf is the horizontal CRS of a raster.
func (r *Rules) crsOf(h *geotiff.Header) (*crs.CRS, *finding) {
	code, problem := crsCode(h.Geo)
	if problem != nil {
		return nil, problem
	}
	if code == 0 {
		if r.assume == nil {
			return nil, found(CodeNoCRS, "the file names no coordinate reference system")
		}
		return r.assume, nil
	}
	c, err := crs.ByCode(code)
	if err != nil {
		return nil, found(CodeUnsupportedCRS, "%v", err) // ErrUnknown, the only error there is
	}
	if unit := linearUnits[h.Geo.ProjectedLinear]; !c.Geographic && unit != 0 && math.Abs(unit-c.UnitMetres) > 1e-9 {
		return nil, found(CodeUnsupportedCRS, "the file counts in units of %v m, where EPSG:%d has units of %v m",
			unit, code, c.UnitMetres)
	}
	return c, nil
}

// linearUnits are the EPSG units in which rasters count, in metres.
var linearUnits = map[uint16]float64{9001: 1, 9002: 0.3048, 9003: 1200. / 3937, 9036: 1000}

// crsCode reads the EPSG code of the horizontal CRS from the GeoKeys; 0 if there is none.
func crsCode(g *geotiff.GeoKeys) (int, *finding) {
	if g == nil {
		return 0, nil
	}
	code, citation := g.ProjectedCRS, g.ProjectedCitation
	switch g.ModelType {
	case modelProjected:
		if code == 0 && (g.Projection != 0 || g.ProjectionMethod != 0) {
			code = userDefined
		}
	case modelGeographic:
		code, citation = g.GeodeticCRS, g.GeodeticCitation
		if code == 0 && (g.GeodeticDatum != 0 || g.Ellipsoid != 0) {
			code = userDefined
		}
	case modelGeocentric:
		return 0, found(CodeUnsupportedCRS, "its coordinate reference system is geocentric")
	case userDefined:
		code = userDefined
	default: // not told, so whichever code is there
		if code == 0 {
			code, citation = g.GeodeticCRS, g.GeodeticCitation
		}
	}
	if code == userDefined {
		for _, s := range []string{citation, g.Citation} {
			if s = clean(s, 100); s != "" {
				return 0, found(CodeUnsupportedCRS, "its coordinate reference system is user-defined (%s)", s)
			}
		}
		return 0, found(CodeUnsupportedCRS, "its coordinate reference system is user-defined")
	}
	return int(code), nil
}

// footprintOf is the outline of a raster on the Earth.
func footprintOf(h *geotiff.Header, c *crs.CRS) (crs.Footprint, *finding) {
	f, err := c.Footprint(h.Transform.Apply, h.Width, h.Height)
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, crs.ErrDegenerate):
		return f, found(CodeNoTransform, "the geotransform gives the raster no area")
	default: // crs.ErrOffEarth
		return f, found(CodeOffEarth, "%v", err)
	}
}

// pixelCounts is the geotransform that writers put where they have none.
var pixelCounts = geotiff.Affine{DX: 1, DY: 1}

// checkTransform tells what speaks against the geotransform of a raster.
func checkTransform(h *geotiff.Header) *finding {
	switch t := h.Transform; {
	case t != nil && *t != pixelCounts:
		return nil
	case len(h.GCPs) > 0:
		return found(CodeNoTransform, "the file has %d ground control points instead of a geotransform", len(h.GCPs))
	case h.HasRPC:
		return found(CodeNoTransform, "the file has rational polynomial coefficients instead of a geotransform")
	}
	return found(CodeNoTransform, "the file has no geotransform")
}

// gsdOf is the size of a pixel in metres, the longer side; 0 where it does not follow from the CRS. A metre of the Web
// Mercator is no metre on the ground.
func gsdOf(t *geotiff.Affine, c *crs.CRS) float64 {
	if c.Geographic || c.Code == webMercator {
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
