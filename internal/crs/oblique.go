package crs

import (
	"errors"
	"math"
)

// Oblique Mercator projections (Guidance Note 7-2, 3.2.4): Mercator's, turned, of Gauss's sphere. Variant A counts from
// where the initial line crosses the sphere's equator, B from the projection centre. The Swiss one is B with an azimuth
// of 90 degrees.
var obliqueMethods = []method{
	{"Hotine Oblique Mercator (variant A)", 9812,
		[]string{"Hotine_Oblique_Mercator", "Hotine_Oblique_Mercator_Azimuth_Natural_Origin",
			"Rectified_Skew_Orthomorphic_Natural_Origin"}, 3,
		[]param{latCentre, lonCentre, azimuth, skewAngle, scaleCentre, falseEasting, falseNorthing},
		func(e ellipsoid, v []float64) (projection, error) { return hotine(e, v, false) }},
	{"Hotine Oblique Mercator (variant B)", 9815,
		[]string{"Hotine_Oblique_Mercator_Azimuth_Center", "Rectified_Skew_Orthomorphic_Center"}, 9815,
		[]param{latCentre, lonCentre, azimuth, skewAngle, scaleCentre, eastCentre, northCentre},
		func(e ellipsoid, v []float64) (projection, error) { return hotine(e, v, true) }},
	{"Laborde Oblique Mercator", 9813, nil, 4,
		[]param{latCentre, lonCentre, azimuth, scaleCentre, falseEasting, falseNorthing}, laborde},
	{"Gauss Schreiber Transverse Mercator", 0, nil, 0,
		[]param{latNatOrigin, lonNatOrigin, scaleNatOrigin, falseEasting, falseNorthing}, gaussSchreiber},
}

// skewAngle is 90 in a GeoTIFF without it (libgeotiff); in a WKT without it the azimuth, as Esri means it, which is for
// its reader to see to.
var skewAngle = param{"Angle from Rectified to Skew Grid", 8814, angle, skewNames, skewKeys, 90}

func hotine(e ellipsoid, v []float64, fromCentre bool) (projection, error) {
	lat0, lon0, azimuth, skew, k0, east, north := v[0], v[1], v[2], v[3], v[4], v[5], v[6]
	if err := within(89.99, "latitude of projection centre", lat0); err != nil {
		return nil, err
	}
	alpha := math.Remainder(azimuth, 360)
	if math.Abs(alpha) > 90 {
		return nil, errors.New("azimuth of the initial line to the south, which PROJ takes for another one")
	}
	g := newGauss(e, lat0)
	sinA, cosA := math.Sincos(alpha * radians)
	if math.Abs(alpha) == 90 {
		cosA = 0
	}
	// The initial line crosses the equator of the sphere with an azimuth of which these are sine and cosine, this far
	// before the centre: in longitude on the sphere, and along the line.
	sin, cos := sinA*g.cos, math.Hypot(cosA, sinA*g.sin)
	lag := math.Atan2(sinA*g.sin, cosA)
	u0 := 0.0
	if fromCentre {
		u0 = math.Atan2(g.sin, g.cos*cosA)
	}
	turnSin, turnCos := math.Sincos(skew * radians)
	return frame(g.radius*k0, lon0-float64(lag/g.n*degrees), east, north, func(x, y float64) (lam, phi float64) {
		along := float64(y*turnCos) + float64(x*turnSin) + u0
		beside := float64(x*turnCos) - float64(y*turnSin)
		if !(math.Abs(along) <= math.Pi+brim) {
			return off()
		}
		sinU, cosU := math.Sincos(along)
		sinh := math.Sinh(beside)
		return g.geographic(cosU, float64(sinU*sin)+float64(sinh*cos), float64(sinU*cos)-float64(sinh*sin))
	})
}

// laborde is of Madagascar, where a cubic turns a transverse Mercator projection into an oblique one; it is inverted as
// far as it is one.
func laborde(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, azimuth, k0, east, north := v[0], v[1], v[2], v[3], v[4], v[5]
	if err := within(89.99, "latitude of projection centre", lat0); err != nil {
		return nil, err
	}
	g := newGauss(e, lat0)
	sin, cos := math.Sincos(2 * azimuth * radians)
	cubic := complex((1-cos)/12, sin/12)
	chi0 := math.Atan2(g.sin, g.cos)
	return frame(g.radius*k0, lon0, east, north, func(x, y float64) (lam, phi float64) {
		if !(math.Hypot(x, y) < 0.25) { // 1,600 km
			return off()
		}
		target := complex(y, x)
		h := target
		for range 20 {
			h2 := times(h, h)
			h3 := times(h2, h)
			step := (target - h - times(cubic, h3)) / (1 + times(3, times(cubic, h2)))
			h += step
			if math.Abs(real(step))+math.Abs(imag(step)) < 1e-15 {
				break
			}
		}
		return g.geographic(fromTransverse(imag(h), chi0+real(h)))
	})
}

// times is a product without fused multiply-add.
func times(a, b complex128) complex128 {
	return complex(float64(real(a)*real(b))-float64(imag(a)*imag(b)), float64(real(a)*imag(b))+float64(imag(a)*real(b)))
}

// gaussSchreiber is the transverse Mercator projection of Gauss's sphere, as on Réunion.
func gaussSchreiber(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, k0, east, north := v[0], v[1], v[2], v[3], v[4]
	if err := within(89.99, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	g := newGauss(e, lat0)
	chi0 := math.Atan2(g.sin, g.cos)
	return frame(g.radius*k0, lon0, east, north, func(x, y float64) (lam, phi float64) {
		if !(math.Abs(y+chi0) <= halfPi) { // a quarter turn on either side of the meridian, as far as PROJ goes
			return off()
		}
		return g.geographic(fromTransverse(x, y+chi0))
	})
}

// fromTransverse returns the vector (to the central meridian, to the east, to the pole) of a place on a transverse
// Mercator map of the unit sphere.
func fromTransverse(x, y float64) (px, py, pz float64) {
	sin, cos := math.Sincos(y)
	return cos, math.Sinh(x), sin
}
