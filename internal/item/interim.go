package item

import (
	"errors"
	"fmt"
	"math"

	"github.com/cairn-stac/cairn/internal/crs"
	"github.com/cairn-stac/cairn/internal/geotiff"
)

// fromGeoKeys is crs.FromGeoKeys, and what it stands for where that does not know yet.
func fromGeoKeys(g *geotiff.GeoKeys) (*crs.CRS, string, error) {
	c, origin, err := crs.FromGeoKeys(crs.GeoKeys{Short: g.Short, Double: g.Double, ASCII: g.ASCII})
	if err == nil || !errors.Is(err, crs.ErrUnknown) {
		return c, origin, err
	}
	code, citation := g.ProjectedCRS, g.ProjectedCitation
	switch g.ModelType {
	case 1:
		if code == 0 && (g.Projection != 0 || g.ProjectionMethod != 0) {
			code = 32767
		}
	case 2:
		code, citation = g.GeodeticCRS, g.GeodeticCitation
	case 3:
		return nil, "", fmt.Errorf("its coordinate reference system is geocentric: %w", crs.ErrUnknown)
	case 32767:
		code = 32767
	default:
		if code == 0 {
			code = g.GeodeticCRS
		}
	}
	switch code {
	case 0:
		return nil, "", crs.ErrNone
	case 32767:
		return nil, "", fmt.Errorf("its coordinate reference system is user-defined (%s%s): %w", clean(citation, 100), clean(g.Citation, 100), crs.ErrUnknown)
	}
	if c, err = crs.ByCode(int(code)); err != nil {
		return nil, "", err
	}
	if unit := map[uint16]float64{9001: 1, 9002: 0.3048, 9003: 1200. / 3937, 9036: 1000}[g.ProjectedLinear]; !c.Geographic && unit != 0 &&
		math.Abs(unit-c.UnitMetres) > 1e-9 {
		return nil, "", fmt.Errorf("the file counts in units of %v m, where EPSG:%d has units of %v m: %w", unit, code, c.UnitMetres, crs.ErrUnknown)
	}
	return c, fmt.Sprintf("CRS key %d", code), nil
}
