package crs

// Parameters of methods. Their GeoKeys are those that libgeotiff looks for, in its order. Names and keys are variables
// of their own, which lets the compiler lay out the methods that copy a parameter, so that nothing runs at start.
var (
	latKeys       = []uint16{3081, 3085, 3089} // natural origin, false origin, centre
	lonKeys       = []uint16{3080, 3084, 3088}
	poleLonKeys   = []uint16{3095, 3080, 3084, 3088} // straight vertical longitude from the pole first
	eastKeys      = []uint16{3082, 3090, 3086}       // false easting, centre, false origin
	northKeys     = []uint16{3083, 3091, 3087}
	scaleKeys     = []uint16{3092, 3093} // natural origin, centre
	scaleOnlyKeys = []uint16{3092}       // methods where libgeotiff looks nowhere else
	parallelKeys  = []uint16{3078}
	azimuthKeys   = []uint16{3094}
	skewKeys      = []uint16{3096}

	latNames   = []string{"latitude_of_origin", "latitude_of_center", "central_parallel"}
	lonNames   = []string{"central_meridian", "longitude_of_center", "longitude_of_origin"}
	scaleNames = []string{"scale_factor"}
	eastNames  = []string{"false_easting"}
	northNames = []string{"false_northing"}

	parallelNames      = []string{"standard_parallel_1"}
	polarParallelNames = []string{"latitude_of_origin", "standard_parallel_1"}
	azimuthNames       = []string{"azimuth", "Azimuth of initial line"}
	scaleCentreNames   = []string{"scale_factor", "Scale factor on initial line"}
	skewNames          = []string{"rectified_grid_angle", "XY_Plane_Rotation"}
	satelliteNames     = []string{"satellite_height", "Height"}
	planeHeightNames   = []string{"Height"}

	latNatOrigin   = param{"Latitude of natural origin", 8801, angle, latNames, latKeys, 0}
	lonNatOrigin   = param{"Longitude of natural origin", 8802, angle, lonNames, lonKeys, 0}
	scaleNatOrigin = param{"Scale factor at natural origin", 8805, ratio, scaleNames, scaleKeys, 1}
	scaleNatOnly   = param{"Scale factor at natural origin", 8805, ratio, scaleNames, scaleOnlyKeys, 1}
	falseEasting   = param{"False easting", 8806, length, eastNames, eastKeys, 0}
	falseNorthing  = param{"False northing", 8807, length, northNames, northKeys, 0}

	latCentre   = param{"Latitude of projection centre", 8811, angle, latNames, latKeys, 0}
	lonCentre   = param{"Longitude of projection centre", 8812, angle, lonNames, lonKeys, 0}
	azimuth     = param{"Azimuth at projection centre", 8813, angle, azimuthNames, azimuthKeys, 0}
	scaleCentre = param{"Scale factor at projection centre", 8815, ratio, scaleCentreNames, scaleKeys, 1}
	eastCentre  = param{"Easting at projection centre", 8816, length, eastNames, eastKeys, 0}
	northCentre = param{"Northing at projection centre", 8817, length, northNames, northKeys, 0}

	eastFalseOrigin  = param{"Easting at false origin", 8826, length, eastNames, eastKeys, 0}
	northFalseOrigin = param{"Northing at false origin", 8827, length, northNames, northKeys, 0}

	standardParallel = param{"Latitude of 1st standard parallel", 8823, angle, parallelNames, parallelKeys, 0}
)
