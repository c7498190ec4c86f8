package fidelity

// An excuse argues that a difference is GDAL's, or one of taste. One that no longer applies fails the test.
type excuse struct{ file, field, reason string }

// excuses are matched by the end of the file's name.
var excuses = []excuse{
	{"data__tests__egm96_15_uncompressed_truncated.tif", "proj:code", threeD},
	{"data__tests__fr_ign_RAGTBT2016.tif", "proj:code", threeD},
	{"data__tests__test_hydroid_height.tif", "proj:code", threeD},
	{"data__tests__test_vgrid_single_strip_truncated.tif", "proj:code", threeD},
	{"static__rgbi16.big.endian.tif", "colours", infrared},
	{"static__rgbi16.stats.tif", "colours", infrared},
	{"output__BR33_500_040034.tif", "colours", infrared},
	{"Tests__images__hopper_lzma.tif", "TIFF texts", "the truth has Python's notation of a text in Latin-1, which is published as UTF-8"},
	{"Tests__images__crash_2.tif", "opens", "65535 samples a pixel in a file of 6 KB, which GDAL opens all the same"},
	{"Tests__images__crash_2.tif", "became", "65535 samples a pixel in a file of 6 KB, which GDAL opens all the same"},
	{"Tests__images__crash-2020-10-test.tif", "GCPs", "7 of its 41 control points have coordinates that are no numbers"},
	{"Tests__images__crash-63b1dffefc8c075ddc606c0a2f5fdc15ece78863.tif", "block", widthAlone},
	{"Tests__images__crash-63b1dffefc8c075ddc606c0a2f5fdc15ece78863.tif", "COG", widthAlone},
	{"data__wms_uvraster_map_reprojection.tif", "became", "a polar stereographic from 60 degrees north with a scale of 90 is none"},
	{"MCD15A2H.A2022025.h01v11.061.2022035062702_Fpar_500m.tif", "bbox, datum approximate", wrapped},
	{"MCD15A2H.A2022025.h01v11.061.2022035062702_Fpar_500m.tif", "antimeridian", wrapped},

	// Of scripts/oddtiffs.py.
	{"named/epsg-4979.tif", "proj:code", threeD},
	{"defined/krovak.tif", "bbox, PROJ's partly off Earth", krovak},
	{"defined/krovak-esripe.tif", "bbox, PROJ's partly off Earth", krovak},
	{"metadata/statistics-percent.tif", "statistics", "STAC takes no more than 100 percent for valid"},
	{"nodata/complex_int16-x2dnan.tif", "nodata", minusNaN},
	{"nodata/float32-x2dnan.tif", "nodata", minusNaN},
	{"nodata/uint32-x2dnan.tif", "nodata", minusNaN},
	{"layouts/mask-source.tif", "COG", maskBehind},
	{"layouts/mask-source.tif", "media type", maskBehind},
}

const (
	threeD   = "a vertical key names a 3D CRS, which GDAL takes for the whole; a footprint is of the 2D one"
	infrared = "GDAL 3.6, of which the truth is, had no name for the near infrared; 3.10 has"

	widthAlone = "a broken file with a TileWidth but no TileLength is not tiled; GDAL makes up tiles of one row"
	maskBehind = "the IFD of the mask lies behind the pixels, which GDAL's validator does not look at"
	minusNaN   = `"-nan" is what C prints for a NaN; GDAL takes it for no number, and that for 0`

	wrapped = "a corner of a sinusoidal tile is off the Earth; PROJ wraps it round, beyond the antimeridian"
	krovak  = "GDAL writes Krovak with axes to the east and the north, and reads one with axes to the south and the west"
)
