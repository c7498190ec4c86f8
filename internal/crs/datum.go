package crs

import "math"

const (
	radians = math.Pi / 180
	degrees = 180 / math.Pi
)

// A datum is what places longitudes and latitudes on the Earth.
type datum struct {
	code      int // EPSG code of the geographic CRS that stands for it; 0 where there is none
	name      string
	ellipsoid ellipsoid
	meridian  float64  // prime meridian in degrees east of Greenwich
	shift     *helmert // to WGS 84; nil: none is needed or known
	accuracy  float64  // of the shift; see CRS.Accuracy
}

// datumOf returns the datum of a geographic CRS of the EPSG table.
func datumOf(r row) datum {
	d := datum{code: r.int(0), name: r.text(2), ellipsoid: newEllipsoid(r.num(3), r.num(4)), meridian: r.num(5)}
	d.shift, d.accuracy = shiftByCode(r.int(7), d.ellipsoid), r.num(8)
	return d
}

// An ellipsoid of revolution.
type ellipsoid struct {
	a                 float64 // semi-major axis in metres
	f                 float64 // flattening
	e2                float64 // squared first eccentricity
	inverseFlattening float64 // 0 for a sphere
}

// wgs84 is newEllipsoid(6378137, 298.257223563), written out so that nothing is reckoned when a program starts.
var wgs84 = ellipsoid{a: 6378137, f: 0.0033528106647474805, e2: 0.0066943799901413165, inverseFlattening: 298.257223563}

// newEllipsoid: semi-major axis in metres; an inverse flattening of 0 makes a sphere.
func newEllipsoid(a, inverseFlattening float64) ellipsoid {
	if inverseFlattening == 0 {
		return ellipsoid{a: a} // a sphere
	}
	f := 1 / inverseFlattening
	return ellipsoid{a: a, f: f, e2: f * (2 - f), inverseFlattening: inverseFlattening}
}

// geocentric returns the Earth-centred coordinates in metres of a point on the ellipsoid (EPSG method 9602).
func (e ellipsoid) geocentric(lon, lat float64) (x, y, z float64) {
	sinLon, cosLon := math.Sincos(lon * radians)
	sinLat, cosLat := math.Sincos(lat * radians)
	n := e.a / math.Sqrt(1-float64(e.e2*float64(sinLat*sinLat)))
	return n * cosLat * cosLon, n * cosLat * sinLon, n * (1 - e.e2) * sinLat
}

// geographic returns the longitude and latitude in degrees of a point near the ellipsoid's surface: Bowring's formula of
// EPSG method 9602, better than a tenth of a millimetre below 10 km.
func (e ellipsoid) geographic(x, y, z float64) (lon, lat float64) {
	b := e.a * (1 - e.f)
	p := math.Hypot(x, y)
	sin, cos := math.Sincos(math.Atan2(z*e.a, p*b))
	second := e.e2 / (1 - e.e2)
	up := z + float64(second*b*float64(sin*sin*sin))
	out := p - float64(e.e2*e.a*float64(cos*cos*cos))
	return math.Atan2(y, x) * degrees, math.Atan2(up, out) * degrees
}

// A helmert is a transformation of Earth-centred coordinates to WGS 84: translation in metres, rotation in radians, scale
// difference; in the position vector convention (EPSG method 9606). Others are turned into it by gen/shifts.py.
type helmert struct{ tx, ty, tz, rx, ry, rz, ds float64 }

// shiftByCode returns the transformation of that code from a datum on an ellipsoid; nil where it changes nothing.
func shiftByCode(code int, from ellipsoid) *helmert {
	r := find(shiftTable, code)
	if r == nil {
		return nil
	}
	const arcsec = radians / 3600
	h := &helmert{r.num(1), r.num(2), r.num(3), r.num(4) * arcsec, r.num(5) * arcsec, r.num(6) * arcsec, r.num(7) * 1e-6}
	if *h == (helmert{}) && from.a == wgs84.a && math.Abs(from.f-wgs84.f) < 1e-10 {
		return nil // GRS 1980 and WGS 84 differ by a tenth of a millimetre
	}
	return h
}

// apply shifts a point given in degrees. The longitude stays within half a turn of what it was.
func (h *helmert) apply(from ellipsoid, lon, lat float64) (lon84, lat84 float64) {
	x, y, z := from.geocentric(lon, lat)
	m := 1 + h.ds
	lon84, lat84 = wgs84.geographic(
		h.tx+float64(m*(x-float64(h.rz*y)+float64(h.ry*z))),
		h.ty+float64(m*(float64(h.rz*x)+y-float64(h.rx*z))),
		h.tz+float64(m*(float64(h.rx*y)-float64(h.ry*x)+z)))
	return near(lon84, lon), lat84
}

// near returns the longitude that differs from lon by whole turns and lies within half a turn of other.
func near(lon, other float64) float64 {
	return other + math.Remainder(float64(lon)-float64(other), 360)
}
