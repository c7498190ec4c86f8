// Package geotiff reads the header of a TIFF, BigTIFF or GeoTIFF: what a catalog wants to know of a raster, from a few
// bounded ranged reads and never from its pixels.
package geotiff

// A Header is what the tags of a TIFF's first image say. Slices and pointers are nil where the file says nothing.
type Header struct {
	BigTIFF       bool
	BigEndian     bool
	Width, Height int64 // pixels
	Bands         []Band
	Planar        bool // each band is stored by itself (PlanarConfiguration 2)
	Tiled         bool
	BlockWidth    int64    // pixels; tile size, or width and rows per strip
	BlockHeight   int64    // pixels
	Compression   uint16   // tag 259 (1: none, 5: LZW, 7: JPEG, 8 and 32946: deflate, 50000: zstd …)
	Photometric   uint16   // tag 262
	Overviews     []Size   // reduced-resolution images in the file, largest first; masks not counted
	HasMask       bool     // a transparency mask of the image (NewSubfileType 4) is there
	Pages         int      // images that stand for themselves; where there is more than one, GDAL has the others as subdatasets
	COG           COG      // whether the layout is that of a Cloud Optimized GeoTIFF
	Transform     *Affine  // nil where the file has none
	PixelIsPoint  bool     // GTRasterTypeGeoKey is 2; Transform already has the half-pixel shift
	GCPs          []GCP    // tiepoints that do not make a transform, as there is no scale; GDAL has even one alone
	HasRPC        bool     // tag 50844
	Geo           *GeoKeys // nil where the file has no GeoKeyDirectory, or one that contradicts itself
	Metadata      []Meta   // GDAL_METADATA items (tag 42112), in file order; of two of one name GDAL takes the last
	Nodata        string   // GDAL_NODATA (tag 42113), trimmed; "" where there is none
	DateTime      string   // tag 306 as it stands, trimmed; "" where there is none
	Software      string   // tag 305, trimmed
	Description   string   // tag 270, trimmed
	Lost          string   // why tags that say where the raster lies could not be had, though they are there; "" where all were
	Warnings      []string // oddities that did not keep the header from being read
}

// A Size is an image's size in pixels.
type Size struct{ Width, Height int64 }

// A Band is one sample of a pixel.
type Band struct {
	// DataType in the words of STAC's common metadata: int8 … int64, uint8 … uint64, float16, float32, float64, cint16,
	// cint32, cfloat32, cfloat64.
	DataType string
	Bits     int // BitsPerSample, e.g. 1, 4, 12
	// ColorInterp is what the band shows: GDAL's name in lower case, such as gray, palette, red, green, blue, alpha, nir, rededge;
	// "undefined" where the file does not say.
	ColorInterp string
}

// COG is the verdict on a file's layout.
type COG struct {
	Valid  bool
	Reason string // why not, in words; "" where valid
	Remark string // what a valid one had better have, in words; "" where it lacks nothing
}

// An Affine maps pixel corners to model coordinates, in GDAL's order: x = X0 + DX·col + RX·row, y = Y0 + RY·col + DY·row.
// (0, 0) is the outer corner of the top-left pixel, whatever the raster type.
type Affine struct{ X0, DX, RX, Y0, RY, DY float64 }

// Apply maps a pixel position to model coordinates.
func (a Affine) Apply(col, row float64) (x, y float64) {
	// The conversions keep compilers from fusing multiply and add, so that every architecture gives the same bits.
	return a.X0 + float64(a.DX*col) + float64(a.RX*row), a.Y0 + float64(a.RY*col) + float64(a.DY*row)
}

// A GCP ties a pixel position to model coordinates.
type GCP struct{ Col, Row, X, Y, Z float64 }

// A Meta is one item of GDAL_METADATA.
type Meta struct {
	Name   string
	Domain string // "" for the default one
	Role   string // of a band's item: "scale", "offset", "unittype", "description", "colorinterp"; "" for a plain item
	Sample int    // band index from 0; -1 for the whole file
	Value  string
}

// GeoKeys are the keys of the GeoKeyDirectory (GeoTIFF 1.1, requirement class 7). A zero number means that the key is not
// there; 32767 is "user-defined".
type GeoKeys struct {
	ModelType         uint16               // 1024: 1 projected, 2 geographic, 3 geocentric
	RasterType        uint16               // 1025: 1 PixelIsArea, 2 PixelIsPoint
	Citation          string               // 1026
	GeodeticCRS       uint16               // 2048
	GeodeticCitation  string               // 2049
	GeodeticDatum     uint16               // 2050
	PrimeMeridian     uint16               // 2051
	AngularUnits      uint16               // 2054
	Ellipsoid         uint16               // 2056
	ProjectedCRS      uint16               // 3072
	ProjectedCitation string               // 3073
	Projection        uint16               // 3074
	ProjectionMethod  uint16               // 3075
	ProjectedLinear   uint16               // 3076
	VerticalCRS       uint16               // 4096
	Short             map[uint16]uint16    // every SHORT-valued key, the ones above too
	Double            map[uint16][]float64 // every DOUBLE-valued key
	ASCII             map[uint16]string    // every ASCII-valued key, without its closing "|"
}
