package crs

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/cairn-stac/cairn/internal/crs/wkt"
)

// FromWKT is the horizontal CRS of a well-known text: WKT 1 as GDAL or Esri write it (.prj), or WKT 2 (ISO 19162). It has a code
// where the text names a CRS of the EPSG dataset, by code or by name, and defines the same. Errors wrap ErrNone (an empty
// text), ErrUnknown or ErrNotEarth and say what is missing.
func FromWKT(text string) (*CRS, error) {
	root, err := wkt.Parse(text)
	switch {
	case errors.Is(err, wkt.ErrEmpty):
		return nil, ErrNone
	case err != nil:
		return nil, fmt.Errorf("%v: %w", err, ErrUnknown)
	}
	return crsOfNode(root)
}

// Keywords of WKT 2 (ISO 19162:2019 section 7.1) and WKT 1 (OGC 01-009 section 7.2).
func crsOfNode(n *wkt.Node) (*CRS, error) {
	switch n.Keyword {
	case "PROJCS", "PROJCRS", "PROJECTEDCRS":
		return projectedOfNode(n)
	case "GEOGCS", "GEOGCRS", "GEOGRAPHICCRS", "GEODCRS", "GEODETICCRS":
		if n.Child("DERIVINGCONVERSION") != nil {
			return nil, fmt.Errorf("%s %s with a rotated pole: %w", n.Keyword, label(n.Text(0)), ErrUnknown)
		}
		if strings.EqualFold(n.Child("CS").Text(0), "Cartesian") {
			return nil, errGeocentric()
		}
		g, err := geodeticOfNode(n)
		if err != nil {
			return nil, err
		}
		return g.crs()
	case "GEOCCS":
		return nil, errGeocentric()
	case "COMPD_CS", "COMPOUNDCRS", "COORDINATEMETADATA":
		// The horizontal part comes first.
		if len(n.Children) > 0 {
			return crsOfNode(n.Children[0])
		}
	case "BOUNDCRS":
		if source := n.Child("SOURCECRS"); source != nil && len(source.Children) == 1 {
			return boundCRS(n, source.Children[0])
		}
	}
	return nil, fmt.Errorf("a %s is no horizontal CRS of the Earth: %w", label(n.Keyword), ErrUnknown)
}

func errGeocentric() error { return fmt.Errorf("it is geocentric: %w", ErrUnknown) }

// boundCRS is a CRS with its own shift (ISO 19162:2019 section 17.2): to the end that GDAL's TOWGS84 serves in WKT 1.
func boundCRS(n, source *wkt.Node) (*CRS, error) {
	target := n.Child("TARGETCRS")
	if target == nil || len(target.Children) != 1 {
		return nil, fmt.Errorf("a BOUNDCRS without a target: %w", ErrUnknown)
	}
	if to, err := crsOfNode(target.Children[0]); err != nil || to.Code != 4326 && to.Code != 4979 {
		return crsOfNode(source) // a shift to elsewhere; what is known of the datum is better
	}
	var v [7]float64
	shift := n.Child("ABRIDGEDTRANSFORMATION")
	for _, p := range shift.All("PARAMETER") {
		value, ok := p.Number(1)
		i, err := strconv.Atoi(idOf(p))
		if i -= 8605; ok && err == nil && 0 <= i && i < 7 {
			v[i] = value
			if i == 6 {
				v[i] = (value - 1) * 1e6 // abridged transformations give the scale itself
			}
		}
	}
	switch shift.Child("METHOD").Text(0) {
	case "Geocentric translations (geog2D domain)", "Position Vector transformation (geog2D domain)":
	case "Coordinate Frame rotation (geog2D domain)":
		v[3], v[4], v[5] = -v[3], -v[4], -v[5]
	default:
		return crsOfNode(source)
	}
	datum := source
	if base := baseOf(source); base != nil {
		datum = base
	}
	if d := datum.Child(datumKeywords...); d != nil && d.Child("TOWGS84") == nil {
		t := &wkt.Node{Keyword: "TOWGS84"}
		for _, x := range v {
			t.Values = append(t.Values, strconv.FormatFloat(x, 'g', -1, 64))
		}
		d.Children = append(d.Children, t)
	}
	return crsOfNode(source)
}

var datumKeywords = []string{"DATUM", "GEODETICDATUM", "TRF", "ENSEMBLE"}

func baseOf(n *wkt.Node) *wkt.Node {
	return n.Child("GEOGCS", "BASEGEOGCRS", "BASEGEODCRS", "GEOGCRS", "GEODCRS")
}

// idOf is the code that a node has in the EPSG dataset, or "".
func idOf(n *wkt.Node) string {
	id := n.Child("AUTHORITY", "ID")
	if !strings.EqualFold(id.Text(0), "EPSG") {
		return ""
	}
	return id.Text(1)
}

// epsgCode is idOf as a number; 0 where it is none.
func epsgCode(n *wkt.Node) int {
	code, _ := strconv.Atoi(idOf(n))
	return code
}

func geodeticOfNode(n *wkt.Node) (g geodetic, err error) {
	datum := n.Child(datumKeywords...)
	figure := datum.Child("SPHEROID", "ELLIPSOID")
	if figure == nil {
		return g, fmt.Errorf("%s %s has no datum with an ellipsoid: %w", n.Keyword, label(n.Text(0)), ErrUnknown)
	}
	g = geodetic{name: label(n.Text(0)), datum: label(datum.Text(0)), figure: label(figure.Text(0)), meridian: "Greenwich"}
	a, ok := figure.Number(1)
	rf, ok2 := figure.Number(2)
	if !ok || !ok2 {
		return g, fmt.Errorf("ellipsoid %s without axes: %w", g.figure, ErrUnknown)
	}
	if size, ok := sizeOf(figure, length, "LENGTHUNIT", "UNIT"); ok {
		a *= size
	}
	g.a, g.rf = a, rf
	unit := n
	if cs := n.Child("AXIS"); cs.Child("ANGLEUNIT", "UNIT") != nil {
		unit = cs
	}
	if size, ok := sizeOf(unit, angle, "ANGLEUNIT", "UNIT"); ok {
		g.unit = size
	}
	if m := n.Child("PRIMEM", "PRIMEMERIDIAN"); m != nil {
		g.meridian = label(m.Text(0))
		v, ok := m.Number(1)
		if !ok {
			return g, fmt.Errorf("prime meridian %s without a longitude: %w", g.meridian, ErrUnknown)
		}
		switch size, ok := sizeOf(m, angle, "ANGLEUNIT", "UNIT"); {
		case ok:
			g.longitude = v * size
		case g.unit != 0:
			g.longitude = meridianDegrees(g.meridian, v, g.unit)
		default:
			g.longitude = v
		}
	}
	var codes []int
	if code := epsgCode(n); code != 0 {
		codes = append(codes, code)
	}
	if code := epsgCode(datum); code != 0 {
		codes = append(codes, ofDatum(code))
	}
	var towgs84 []float64
	if t := datum.Child("TOWGS84"); t != nil && len(t.Values) <= 7 {
		for i := range t.Values {
			v, ok := t.Number(i)
			if !ok {
				return g, fmt.Errorf("TOWGS84 %s: %w", label(t.Text(i)), ErrUnknown)
			}
			towgs84 = append(towgs84, v)
		}
	}
	return g, g.settle(codes, towgs84)
}

// meridianDegrees is the longitude of a prime meridian in units of that many degrees, unless it is what the meridian of that name
// has in degrees or in radians: GDAL before version 3 and Esri write degrees beside grads, and GDAL's GeoTIFFs radians.
func meridianDegrees(name string, v, unit float64) float64 {
	if known, ok := meridianByName(name); ok && (math.Abs(v-known) < 1e-5 || unit != 1 && math.Abs(v-known*unit*radians) < 1e-7) {
		return known
	}
	return v * unit
}

// sizeOf is the size of a unit that a node has, in metres or degrees. ok is false where it has none that makes sense.
func sizeOf(n *wkt.Node, k kind, keywords ...string) (size float64, ok bool) {
	u := n.Child(keywords...)
	if u == nil {
		return 0, false
	}
	size, ok = u.Number(1)
	if k == angle {
		size *= degrees
	}
	return exactSize(size, k), ok && size > 0
}

// usFoot is the survey foot of the US in metres, 1200/3937, to the last digit of the EPSG dataset's in PROJ.
const usFoot = 0.30480060960121924

// exactSize is the size of a common unit, where a file's is that rounded.
func exactSize(size float64, k kind) float64 {
	exact := [...]float64{1, 0.3048, usFoot, 1000}
	if k == angle {
		exact = [...]float64{1, 0.9, degrees, 1. / 3600}
	}
	for _, e := range exact {
		if math.Abs(size/e-1) < 1e-8 {
			return e
		}
	}
	return size
}

func projectedOfNode(n *wkt.Node) (*CRS, error) {
	d := definition{name: label(n.Text(0)), code: epsgCode(n)}
	base := baseOf(n)
	if base == nil {
		return nil, fmt.Errorf("%s %s without a geographic CRS: %w", n.Keyword, d.name, ErrUnknown)
	}
	var err error
	if d.base, err = geodeticOfNode(base); err != nil {
		return nil, err
	}
	unit := n
	if axis := n.Child("AXIS"); axis.Child("LENGTHUNIT", "UNIT") != nil {
		unit = axis
	}
	d.unit = 1
	if size, ok := sizeOf(unit, length, "LENGTHUNIT", "UNIT"); ok {
		d.unit = size
	}
	axes := axesOf(n)
	if err := d.project(n, base, axes); err != nil {
		return nil, fmt.Errorf("%s: %w", d.name, err)
	}
	c, err := d.crs()
	if err != nil {
		return nil, err
	}
	if _, ok := c.proj.(swapped); ok {
		return c, nil // one of the EPSG dataset that has the axes of few
	}
	if err := d.natural(axes); err != nil {
		return nil, err
	}
	return c, nil
}

// axesOf are the directions of the axes, in upper case; nil where they are not given.
func axesOf(n *wkt.Node) (directions []string) {
	for _, a := range n.All("AXIS") {
		directions = append(directions, strings.ToUpper(a.Text(1)))
	}
	return directions
}

// project finds the method of a projected CRS and the values of its parameters.
func (d *definition) project(n, base *wkt.Node, axes []string) (err error) {
	conversion, projection := n, n.Child("PROJECTION")
	if c := n.Child("CONVERSION"); c != nil {
		conversion, projection = c, c.Child("METHOD", "PROJECTION")
	}
	if projection == nil {
		return fmt.Errorf("%s without a projection: %w", n.Keyword, ErrUnknown)
	}
	p := projecting{name: projection.Text(0), code: epsgCode(projection)}
	for _, n := range conversion.All("PARAMETER") {
		v, ok := n.Number(1)
		if !ok {
			return fmt.Errorf("parameter %s is no number: %w", label(n.Text(0)), ErrUnknown)
		}
		g := given{name: n.Text(0), code: epsgCode(n), value: v}
		g.size, _ = n.Child("ANGLEUNIT", "LENGTHUNIT", "SCALEUNIT", "UNIT").Number(1)
		p.params = append(p.params, g)
	}
	name := normal(p.name)
	proj4 := n.Child("EXTENSION").Text(1) // where WKT 1 cannot say all, GDAL adds it
	esri := strings.HasPrefix(base.Text(0), "GCS_") || strings.HasPrefix(base.Child("DATUM").Text(0), "D_")
	switch {
	case strings.Contains(proj4, "+proj=merc") && strings.Contains(proj4, "+nadgrids=@null"):
		p.code = methodPseudoMercator // spherical formulas on ellipsoidal coordinates
	case name == "geostationarysatellite" && strings.Contains(proj4, "+sweep=x"):
		p.name += " (Sweep X)"
	case name == "orthographic" && esri:
		p.name = "Orthographic (Spherical)"
	case name == "krovak" && p.code == 0:
		// Esri turns the axes by parameters. To others they point to the east and north unless they say so.
		x, turned := p.take("X_Scale")
		y, _ := p.take("Y_Scale")
		turn, _ := p.take("XY_Plane_Rotation")
		switch {
		case turned && (x != -1 || y != 1 || turn != 90) && (x != 1 || y != 1 || turn != 0):
			return fmt.Errorf("a Krovak projection with axes turned by %v degrees: %w", turn, ErrUnknown)
		case turned && x == -1, !turned && !slices.Contains(axes, "SOUTH"):
			p.name = "Krovak (North Orientated)"
		}
	case name == "goodehomolosine": // Esri's three of one name
		switch option, _ := p.take("Option"); option {
		case 1:
			p.name = "Interrupted Goode Homolosine"
		case 2:
			p.name = "Interrupted Goode Homolosine Ocean"
		}
	case strings.HasPrefix(name, "hotineobliquemercator") || strings.HasPrefix(name, "rectifiedskew"):
		// Esri's have no angle from the rectified to the skew grid: the azimuth.
		azimuth, ok := p.value(angle, d.base.unit, "azimuth", "azimuth of initial line")
		if ok && !p.has("rectified_grid_angle", "angle from rectified to skew grid", "XY_Plane_Rotation") {
			p.params = append(p.params, given{name: "rectified_grid_angle", value: azimuth, size: radians})
		}
	}
	d.method, d.values, err = p.method(d.base.unit, d.unit)
	if err == nil && p.code == 0 {
		d.polar()
	}
	return err
}

// natural refuses axes that the method does not have by nature: whoever flips them would have x and y mean something else. Both
// may go along meridians, from a pole or to it.
func (d *definition) natural(axes []string) error {
	if len(axes) != 2 || axes[0] == axes[1] {
		return nil
	}
	first, second := d.method.pointing()
	if axes[0] == first && axes[1] == second {
		return nil
	}
	flipped := func(s string) bool { return s == "WEST" || s == "SOUTH" }
	if !flipped(first) && !slices.ContainsFunc(axes, flipped) {
		return nil // to the east and the north in either order, or to "other"
	}
	to := func(i int) string { return label(strings.ToLower(axes[i])) }
	return fmt.Errorf("%s: axes to the %s and %s: %w", d.name, to(0), to(1), ErrUnknown)
}
