package crs

import (
	"fmt"
	"math"
	"strings"
	"unicode"
)

// A geodetic is what a definition says of a geographic CRS: the datum with its figure of the Earth, prime meridian and unit.
type geodetic struct {
	code      int     // of the geographic CRS in the EPSG dataset; 0 where it has none
	name      string  // of the geographic CRS
	datum     string  // name
	figure    string  // name of the ellipsoid
	a, rf     float64 // semi-major axis in metres, inverse flattening (0: a sphere)
	meridian  string  // name
	longitude float64 // of the prime meridian in degrees
	unit      float64 // degrees a unit; 0 in a definition that leaves it open
	shift     *helmert
	accuracy  float64     // as CRS.Accuracy
	towgs84   *[7]float64 // its own shift as WKT 1 has it; nil where it has none
	datumCode int         // in the EPSG dataset; 0 for a datum of its own
}

// geodeticByCode is a geographic CRS of the EPSG dataset.
func geodeticByCode(code int) (g geodetic, ok bool) {
	c, err := ByCode(code)
	if err != nil || !c.Geographic {
		return g, false
	}
	names := find(datumTable, find(geographicTable, code).int(1))
	return geodetic{
		code: code, name: c.Name, datumCode: names.int(0), datum: strings.TrimSuffix(names.text(1), " ensemble"),
		figure: find(ellipsoidTable, names.int(2)).text(1), a: c.datum.ellipsoid.a, rf: c.datum.ellipsoid.inverseFlattening,
		meridian: find(meridianTable, names.int(3)).text(1), longitude: c.datum.meridian, unit: c.unit,
		shift: c.datum.shift, accuracy: c.datum.accuracy,
	}, true
}

// on is the datum that a CRS is on.
func (g *geodetic) on() datum {
	return datum{g.code, g.name, newEllipsoid(g.a, g.rf), g.longitude, g.shift, g.accuracy}
}

// crs is the geographic CRS: that of the EPSG dataset where it is one.
func (g geodetic) crs() (*CRS, error) {
	if g.code != 0 {
		return ByCode(g.code)
	}
	c, err := newGeographic(g.name, g.on(), g.unit)
	if err == nil {
		c.def = &definition{name: g.name, base: g}
	}
	return c, err
}

// ofDatum is the code of the geographic CRS that stands for a datum of the EPSG dataset; 0 where there is none.
func ofDatum(code int) int { return find(datumTable, code).int(4) }

// datumCandidates are the codes of the geographic CRSs of datums with that name.
func datumCandidates(name string) (codes []int) {
	// GDAL leaves Esri's prefix out, and Esri's writers put it before names that are not Esri's.
	for _, n := range []string{name, "D_" + name, strings.TrimPrefix(name, "D_")} {
		for _, code := range codesOf("datum", n) {
			codes = append(codes, ofDatum(code))
		}
	}
	return codes
}

// The Earth's ellipsoids are 6,370,997 m to 6,378,388 m wide; bodies nearest in size are Venus (6,051,800 m) and smaller ones.
const minEarth, maxEarth = 6.3e6, 6.45e6

// settle checks what was read, and takes name, shift and the exact figure from the first of the geographic CRSs of the EPSG
// dataset that is meant by its code, or else by its datum's name, and has that figure. Without one the datum is one of its own.
// towgs84 are the parameters of a shift in the order of WKT 1 (3 or 7, metres, seconds, parts per million), which overrides the
// dataset's unless a code was given, as in GDAL.
func (g *geodetic) settle(codes []int, towgs84 []float64) error {
	switch {
	case !(g.a >= minEarth && g.a <= maxEarth):
		return fmt.Errorf("ellipsoid %s with a semi-major axis of %v m: %w", g.figure, g.a, ErrNotEarth)
	case g.rf != 0 && !(g.rf >= 50):
		return fmt.Errorf("ellipsoid %s with an inverse flattening of %v: %w", g.figure, g.rf, ErrUnknown)
	case !(g.unit >= 0 && g.unit <= 360):
		return fmt.Errorf("angular unit of %v degrees: %w", g.unit, ErrUnknown)
	case !(math.Abs(g.longitude) <= 360):
		return fmt.Errorf("prime meridian at %v degrees: %w", g.longitude, ErrUnknown)
	}
	g.accuracy = -1
	for i, code := range append(codes, datumCandidates(g.datum)...) {
		b, ok := geodeticByCode(code)
		if !ok || !sameFigure(g.a, g.rf, b.a, b.rf) {
			continue
		}
		if i < len(codes) {
			towgs84 = nil
		}
		if math.Abs(g.longitude-b.longitude) < 1e-8 && (g.unit == 0 || math.Abs(g.unit-b.unit) < 1e-12) {
			*g = b
		} else {
			g.datumCode, g.datum, g.figure, g.a, g.rf, g.shift, g.accuracy = b.datumCode, b.datum, b.figure, b.a, b.rf, b.shift, b.accuracy
		}
		break
	}
	if g.unit == 0 {
		g.unit = 1
	}
	for _, name := range []*string{&g.name, &g.datum, &g.figure, &g.meridian} {
		if *name == "" {
			*name = "unknown"
		}
	}
	if len(towgs84) != 3 && len(towgs84) != 7 {
		return nil
	}
	var p [7]float64
	copy(p[:], towgs84)
	const arcsec = radians / 3600
	own := helmert{p[0], p[1], p[2], p[3] * arcsec, p[4] * arcsec, p[5] * arcsec, p[6] * 1e-6}
	for _, v := range p {
		if !(math.Abs(v) < 1e5) {
			return fmt.Errorf("TOWGS84 %v: %w", towgs84, ErrUnknown)
		}
	}
	if g.accuracy >= 0 && sameShift(g.shift, own) {
		return nil
	}
	// How good it is nobody says; and a datum with a shift of its own is not the dataset's.
	g.code, g.datumCode, g.shift, g.accuracy, g.towgs84 = 0, 0, &own, 999, &p
	return nil
}

// sameDatum tells whether two are the same datum of the EPSG dataset, with longitudes from the same meridian.
func (g *geodetic) sameDatum(h geodetic) bool {
	return g.datumCode != 0 && g.datumCode == h.datumCode && math.Abs(g.longitude-h.longitude) < 1e-8
}

// sameFigure tells an ellipsoid by its axes as files give them: rounded, or one computed from the other. It takes GRS 1980
// for WGS 84, which differs by a tenth of a millimetre.
func sameFigure(a, rf, a2, rf2 float64) bool {
	flattening := func(rf float64) float64 {
		if rf == 0 {
			return 0
		}
		return 1 / rf
	}
	return math.Abs(a-a2) < 0.01 && math.Abs(flattening(rf)-flattening(rf2)) < 1.5e-9 // a hundredth of a metre in the axes
}

func sameShift(h *helmert, other helmert) bool {
	if h == nil {
		return other == helmert{}
	}
	return math.Hypot(h.tx-other.tx, math.Hypot(h.ty-other.ty, h.tz-other.tz)) < 0.01 && math.Abs(h.rx-other.rx) < 1e-9 &&
		math.Abs(h.ry-other.ry) < 1e-9 && math.Abs(h.rz-other.rz) < 1e-9 && math.Abs(h.ds-other.ds) < 1e-9
}

// label is a name out of a file, fit to be shown: without control characters and of bounded length.
func label(s string) string {
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == unicode.ReplacementChar {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, " "))
	s = strings.Join(strings.Fields(s), " ")
	const most = 120
	if r := []rune(s); len(r) > most {
		s = string(r[:most-1]) + "…"
	}
	return s
}
