// Package tiffwrite writes small TIFFs, BigTIFFs, GeoTIFFs and Cloud Optimized GeoTIFFs: the rasters of `cairn demo`, and
// the inputs of tests. It writes what it is told, odd layouts too; tifftest breaks what it wrote.
package tiffwrite

// A Raster says what to write. Its zero value with a Width and a Height is a classic little-endian TIFF in strips, of one
// uint8 band, whose blocks are sparse.
type Raster struct {
	Width, Height int
	Bands         int    // 1 if 0; interleaved by pixel
	DataType      string // in the words of geotiff.Band; "uint8" if ""

	// Value gives the pixels: band from 0, x and y in pixels of the full image. Values are converted as Go converts
	// numbers, so they must be in range; complex types get them as their real part. Nil writes no pixels: every block is
	// sparse, as GDAL's SPARSE_OK has it, so that an image of any size is a small file.
	Value   func(band, x, y int) float64
	Deflate bool

	Tile         int // edge of a tile in pixels, a multiple of 16; 0 for strips
	RowsPerStrip int // 0 for one strip
	Overviews    int // reduced images, each half the one before
	Mask         bool
	SubIFDs      bool // overviews lie in SubIFDs of the first image instead of the chain

	BigTIFF, BigEndian bool
	Layout             Layout
	NoGhost            bool // no ghost area in a COG: the layout alone, as other writers have it

	Keys        []Key     // GeoKeyDirectory; none if nil
	PixelScale  []float64 // ModelPixelScaleTag
	Tiepoints   []float64 // ModelTiepointTag, six a point
	Matrix      []float64 // ModelTransformationTag, 16 by rows
	Nodata      string    // GDAL_NODATA
	Metadata    string    // GDAL_METADATA, the XML
	DateTime    string    // "YYYY:MM:DD HH:MM:SS"
	Software    string
	Description string
	Tags        []Tag // more tags of the first image, in place of those of the same number; a nil Value only removes
}

// A Layout is the order of a file's pieces.
type Layout int

const (
	// IFDsFirst: each IFD with its values in the order of their tags, then the pixels of the first image, then the rest.
	IFDsFirst Layout = iota
	// IFDsLast: the pixels, then the IFDs; what a writer does that does not know its compressed sizes in advance.
	IFDsLast
	// COG: GDAL's ghost area, IFDs with their values, the arrays of block offsets and sizes, then pixels from the smallest
	// overview to the full image, each block with leader and trailer.
	COG
)

// A Tag is an entry of an IFD. Value is a string (ASCII), []byte (UNDEFINED), []uint16 (SHORT), []uint32 (LONG), []uint64
// (LONG8), []int16 (SSHORT), []float32 (FLOAT) or []float64 (DOUBLE).
type Tag struct {
	ID    uint16
	Value any
}

// A Key is a GeoKey. Value is a uint16, a float64, a []float64 or a string without its closing "|".
type Key struct {
	ID    uint16
	Value any
}

// Projected returns the GeoKeys of a projected CRS by its EPSG code, PixelIsArea.
func Projected(epsg uint16) []Key { return []Key{{1024, uint16(1)}, {1025, uint16(1)}, {3072, epsg}} }

// Geographic returns the GeoKeys of a geographic CRS by its EPSG code, PixelIsArea.
func Geographic(epsg uint16) []Key { return []Key{{1024, uint16(2)}, {1025, uint16(1)}, {2048, epsg}} }

// NorthUp sets scale and tiepoint: the outer corner of the first pixel lies at x, y, and a pixel measures dx by dy.
func (r *Raster) NorthUp(x, y, dx, dy float64) {
	r.PixelScale, r.Tiepoints = []float64{dx, dy, 0}, []float64{0, 0, 0, x, y, 0}
}

// Optimized returns r as a Cloud Optimized GeoTIFF: tiles of 256 pixels, deflate, overviews down to one tile.
func (r Raster) Optimized() Raster {
	r.Layout, r.Tile, r.Deflate, r.Overviews = COG, 256, true, 0
	for n := max(r.Width, r.Height); n > r.Tile; n = (n + 1) / 2 {
		r.Overviews++
	}
	return r
}
