package geotiff

// A slot is the place of a wanted tag in a directory.
type slot uint8

const (
	slotSubfile slot = iota
	slotWidth
	slotHeight
	slotBits
	slotCompression
	slotPhotometric
	slotDescription
	slotStripOffsets
	slotSamples
	slotRowsPerStrip
	slotSoftware
	slotDateTime
	slotTileWidth
	slotTileHeight
	slotTileOffsets
	slotSubIFDs
	slotSampleFormat
	slotPixelScale
	slotTiepoints
	slotMatrix
	slotGeoDirectory
	slotGeoDoubles
	slotGeoASCII
	slotMetadata
	slotNodata
	slotRPC
	slotPlanar
	slotColorMap
	slotInkSet
	slotExtraSamples
	slotCount
	slotNone = slotCount
)

// Names of the tags, as the specifications have them.
var slotNames = [slotCount]string{
	"NewSubfileType", "ImageWidth", "ImageLength", "BitsPerSample", "Compression", "PhotometricInterpretation",
	"ImageDescription", "StripOffsets", "SamplesPerPixel", "RowsPerStrip", "Software", "DateTime", "TileWidth",
	"TileLength", "TileOffsets", "SubIFDs", "SampleFormat", "ModelPixelScaleTag", "ModelTiepointTag",
	"ModelTransformationTag", "GeoKeyDirectoryTag", "GeoDoubleParamsTag", "GeoAsciiParamsTag", "GDAL_METADATA",
	"GDAL_NODATA", "RPCCoefficientTag", "PlanarConfiguration", "ColorMap", "InkSet", "ExtraSamples",
}

func (s slot) String() string { return slotNames[s] }

// A slotSet is a set of slots, one bit each.
type slotSet uint32

func setOf(slots ...slot) slotSet {
	var set slotSet
	for _, s := range slots {
		set |= 1 << s
	}
	return set
}

func (set slotSet) has(s slot) bool { return set&(1<<s) != 0 }

var (
	allSlots = slotSet(1<<slotCount - 1)
	// Of a further image only its size and its role are wanted, and these values are always in the entry itself.
	chainSlots = setOf(slotSubfile, slotWidth, slotHeight, slotSamples, slotStripOffsets, slotTileOffsets)
	// Of these it counts that they are there, and how long. The arrays of offsets grow with the image.
	unreadSlots = setOf(slotStripOffsets, slotTileOffsets, slotRPC, slotColorMap)
	// Of these something is lost where they are cut.
	textSlots = setOf(slotDescription, slotSoftware, slotDateTime, slotNodata, slotGeoASCII, slotSubIFDs)
	// Of these an image has one value each. libtiff opens no file that has none or more, or none that is a number.
	singleSlots = setOf(slotWidth, slotHeight, slotSamples, slotRowsPerStrip, slotTileWidth, slotTileHeight, slotPlanar)
	// These say where the raster lies.
	placeSlots = setOf(slotPixelScale, slotTiepoints, slotMatrix, slotGeoDirectory, slotGeoDoubles, slotGeoASCII)
	// Where one of these is there but cannot be read, the image cannot be described.
	neededSlots = singleSlots | setOf(slotBits, slotSampleFormat)
)

// slotOf finds the slot of a tag number (TIFF 6.0 sections 8, 11, 14, 15; GeoTIFF 1.1 annex G; GDAL's GTiff driver).
func slotOf(tag uint16) slot {
	switch tag {
	case 254:
		return slotSubfile
	case 256:
		return slotWidth
	case 257:
		return slotHeight
	case 258:
		return slotBits
	case 259:
		return slotCompression
	case 262:
		return slotPhotometric
	case 270:
		return slotDescription
	case 273:
		return slotStripOffsets
	case 277:
		return slotSamples
	case 278:
		return slotRowsPerStrip
	case 284:
		return slotPlanar
	case 305:
		return slotSoftware
	case 306:
		return slotDateTime
	case 320:
		return slotColorMap
	case 322:
		return slotTileWidth
	case 323:
		return slotTileHeight
	case 324:
		return slotTileOffsets
	case 330:
		return slotSubIFDs
	case 332:
		return slotInkSet
	case 338:
		return slotExtraSamples
	case 339:
		return slotSampleFormat
	case 33550:
		return slotPixelScale
	case 33922:
		return slotTiepoints
	case 34264:
		return slotMatrix
	case 34735:
		return slotGeoDirectory
	case 34736:
		return slotGeoDoubles
	case 34737:
		return slotGeoASCII
	case 42112:
		return slotMetadata
	case 42113:
		return slotNodata
	case 50844:
		return slotRPC
	}
	return slotNone
}

// byteLimit is how much of a slot's value is read, and whether a longer one is cut rather than left out.
func byteLimit(s slot) (limit uint64, cut bool) {
	switch s {
	case slotDescription, slotSoftware, slotDateTime, slotNodata:
		return maxText, true
	case slotSubIFDs:
		return maxSubIFDs * 8, true
	case slotGeoDirectory, slotGeoDoubles:
		return maxGeoKeys, false
	case slotTiepoints:
		return maxPoints * 6 * 8, false
	case slotBits, slotSampleFormat, slotExtraSamples:
		return maxBands * 2, true
	case slotGeoASCII:
		return maxGeoText, true
	case slotMetadata:
		return maxValue, false
	}
	return 16 * 8, true // the transformation matrix is the largest of the rest
}
