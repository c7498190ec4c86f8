package crs

import "math"

// Projections of one country each.
var islandMethods = []method{
	{"New Zealand Map Grid", 9811, nil, 26, placeParams, newZealand},
	{"Colombia Urban", 1052, []string{"IGAC_Plano_Cartesiano"}, 0,
		[]param{latNatOrigin, lonNatOrigin, falseEasting, falseNorthing, planeHeight}, colombiaUrban},
}

var planeHeight = param{"Projection plane origin height", 1039, length, planeHeightNames, nil, 0}

// Coefficients of the New Zealand Map Grid (Guidance Note 7-2, 3.5.2, from Reilly 1973): from latitude differences to
// isometric ones, from those to the map, and back to latitudes. The first power's come first.
var (
	mapGridPsi = []float64{0.6399175073, -0.1358797613, 0.063294409, -0.02526853, 0.0117879, -0.0055161, 0.0026906, -0.001333,
		0.00067, -0.00034}
	mapGridMap = []complex128{0.7557853228, 0.249204646 + 0.003371507i, -0.001541739 + 0.041058560i, -0.10162907 + 0.01727609i,
		-0.26623489 - 0.36249218i, -0.6870983 - 1.1651967i}
	mapGridPhi = []float64{1.5627014243, 0.5185406398, -0.03333098, -0.1052906, -0.0368594, 0.007317, 0.01220, 0.00394, -0.0013}
)

func newZealand(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, east, north := v[0], v[1], v[2], v[3]
	const fifth = 1e5 / 3600 // degrees in the unit of the latitude series
	return frame(e.a, lon0, east, north, func(x, y float64) (lam, phi float64) {
		if !(math.Hypot(x, y) < 0.25) {
			return off()
		}
		target := complex(y, x)
		z := target / mapGridMap[0]
		for range 20 {
			var value, slope complex128
			for k := len(mapGridMap) - 1; k >= 0; k-- {
				slope = times(slope, z) + value
				value = times(value, z) + mapGridMap[k]
			}
			slope = times(slope, z) + value
			step := (target - times(value, z)) / slope
			z += step
			if math.Abs(real(step))+math.Abs(imag(step)) < 1e-14 {
				break
			}
		}
		psi := real(z)
		dphi := horner(mapGridPhi, psi) * psi
		// The two series of latitudes fit each other around New Zealand; where they do not any more, the map ends.
		if !(math.Abs(float64(horner(mapGridPsi, dphi)*dphi)-psi) < 1e-7) {
			return off()
		}
		return imag(z), (lat0 + float64(dphi*fifth)) * radians
	})
}

// horner is a polynomial whose constant comes first.
func horner(c []float64, x float64) (sum float64) {
	for k := len(c) - 1; k >= 0; k-- {
		sum = float64(sum*x) + c[k]
	}
	return sum
}

// colombiaUrban is a plane at a city's height (Guidance Note 7-2, 3.5.5), solved for the latitude by iteration where
// the note has an approximation, and within 300 km of its origin.
func colombiaUrban(e ellipsoid, v []float64) (projection, error) {
	lat0, lon0, east, north, height := v[0], v[1], v[2], v[3], v[4]
	if err := within(85, "latitude of natural origin", lat0); err != nil {
		return nil, err
	}
	phi0 := lat0 * radians
	nu0, rho0 := e.nu(phi0), e.rho(phi0)
	a, b := 1+height/nu0, math.Tan(phi0)/(2*rho0*nu0)
	return frame(1, lon0, east, north, func(x, y float64) (lam, phi float64) {
		if !(math.Hypot(x, y) < 3e5) {
			return off()
		}
		out := x / a // longitude times the radius of the parallel
		phi = phi0
		for range 10 {
			g := 1 + height/e.rho((phi+phi0)/2)
			last := phi
			phi = phi0 + y/(g*rho0) - float64(b*float64(out*out))
			if math.Abs(phi-last) < 1e-13 {
				break
			}
		}
		return out / (e.nu(phi) * math.Cos(phi)), phi
	})
}

// rho is the radius of curvature of the meridian in metres, at a latitude in radians.
func (e ellipsoid) rho(phi float64) float64 {
	nu := e.nu(phi) / e.a
	return e.a * (1 - e.e2) * nu * nu * nu
}
