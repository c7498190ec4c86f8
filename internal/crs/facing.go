package crs

// facing is a projection under axes other than its own: axes says what its coordinates are in terms of those, as the EPSG table does.
// Whether that mirrors is not to be seen here, since methods may have such axes by themselves; see projection.
func facing(axes string, p projection) projection {
	switch axes {
	case "yx":
		return swapped{p, 1}
	case "-y-x":
		return swapped{p, -1}
	}
	return p
}

type swapped struct {
	projection
	sign float64
}

func (s swapped) inverse(x, y float64) (lon, lat float64, ok bool) {
	return s.projection.inverse(s.sign*y, s.sign*x)
}
