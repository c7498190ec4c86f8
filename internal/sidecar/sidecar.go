// Package sidecar reads the files that lie beside a raster and say more of it: GDAL's .aux.xml, world files, and metadata in
// JSON, XML or KEY = VALUE lines such as Landsat's MTL.
package sidecar

import "github.com/cairn-stac/cairn/internal/geotiff"

// MaxBytes is how much of a sidecar is worth reading; a longer one is an error to its parser.
const MaxBytes = 1 << 20

// PAM is what GDAL's persistent auxiliary metadata (.aux.xml, element PAMDataset) says of a raster.
type PAM struct {
	SRS       string          // WKT; "" where it has none
	Transform *geotiff.Affine // as in the file: GDAL's corner convention
	GCPs      []geotiff.GCP
	GCPSRS    string         // WKT
	Metadata  []geotiff.Meta // of the dataset (Sample -1) and its bands: items, statistics, and description, unit, scale, offset as Roles
	Nodata    map[int]string // by band index from 0
}

// ParsePAM reads an .aux.xml. What GDAL ignores is ignored too.
func ParsePAM(b []byte) (PAM, error) { return PAM{}, nil }

// ParseWorldFile reads the six numbers of a world file (.tfw, .wld). The file has the centre of the first pixel; the result its outer corner.
func ParseWorldFile(b []byte) (geotiff.Affine, error) { return geotiff.Affine{}, nil }

// Fields are the scalar values of a metadata file by their dotted paths, e.g.
// LANDSAT_METADATA_FILE.IMAGE_ATTRIBUTES.CLOUD_COVER.
type Fields map[string]string

// ParseFields reads JSON, XML or KEY = VALUE lines with GROUP … END_GROUP (ODL, as in MTL.txt), whichever it is.
func ParseFields(b []byte) (Fields, error) { return nil, nil }

// Find returns the value of the path, or of the only one that ends in "." and it; ok is false where there is none, or several that differ.
func (f Fields) Find(path string) (value string, ok bool) { return "", false }
