package crs

// reversed is a projection whose coordinates are counted to the west, and perhaps to the south as well: from false origins, which are
// added to them and not to the easting and northing of the projection within.
type reversed struct {
	projection
	west  float64 // false westing in metres
	south bool    // whether the second coordinate is a southing
	from  float64 // false southing in metres
}

func (r reversed) inverse(x, y float64) (lon, lat float64, ok bool) {
	if r.south {
		y = r.from - y
	}
	return r.projection.inverse(r.west-x, y)
}
