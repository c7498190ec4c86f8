// Package stac holds the STAC 1.1.0 types that Cairn writes, and their JSON.
// Specification: https://github.com/radiantearth/stac-spec/tree/v1.1.0
package stac

import "time"

// Version of the STAC specification that is written.
const Version = "1.1.0"

// Extension schema URIs.
const (
	ExtProjection = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
	ExtRaster     = "https://stac-extensions.github.io/raster/v2.0.0/schema.json"
	ExtFile       = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
	ExtEO         = "https://stac-extensions.github.io/eo/v2.0.0/schema.json"
	ExtView       = "https://stac-extensions.github.io/view/v1.0.0/schema.json"
	ExtSat        = "https://stac-extensions.github.io/sat/v1.0.0/schema.json"
)

// Media types.
const (
	TypeGeoTIFF = "image/tiff; application=geotiff"
	TypeCOG     = "image/tiff; application=geotiff; profile=cloud-optimized"
	TypeJSON    = "application/json"
	TypeGeoJSON = "application/geo+json"
)

// A Link relates one STAC object to another.
type Link struct {
	Href  string `json:"href"`
	Rel   string `json:"rel"`
	Type  string `json:"type,omitempty"`
	Title string `json:"title,omitempty"`
}

// An Asset is a file of an Item. Fields holds what the extensions add (proj:shape, file:size …); its names are merged into
// the object. One that shadows a member of the struct cannot be encoded.
type Asset struct {
	Href   string
	Title  string
	Type   string
	Roles  []string
	Bands  []Band
	Fields map[string]any
}

// A Band describes one band of an asset (common metadata 1.1).
type Band struct {
	Name        string         `json:"name,omitempty"`
	Description string         `json:"description,omitempty"`
	DataType    string         `json:"data_type,omitempty"`
	Nodata      any            `json:"nodata,omitempty"` // float64, or "nan", "inf", "-inf"
	Unit        string         `json:"unit,omitempty"`
	Statistics  map[string]any `json:"statistics,omitempty"`
	Scale       *float64       `json:"raster:scale,omitempty"`
	Offset      *float64       `json:"raster:offset,omitempty"`
	CommonName  string         `json:"eo:common_name,omitempty"`
}

// An Item is one raster as a GeoJSON Feature.
type Item struct {
	ID         string
	Extensions []string       // schema URIs, sorted
	Geometry   *Geometry      // nil: null in JSON, and BBox is left out
	BBox       []float64      // west, south, east, north in degrees; west > east over the antimeridian
	Properties map[string]any // datetime (RFC 3339 UTC or nil) and the rest
	Collection string
	Links      []Link
	Assets     map[string]Asset
}

// Geometry is a GeoJSON Polygon or MultiPolygon: polygons, rings, positions (longitude, latitude in degrees).
type Geometry struct {
	Polygons [][][][2]float64
}

// Extent of a Collection: boxes and intervals, the overall one first.
type Extent struct {
	BBoxes    [][]float64
	Intervals [][2]*time.Time
}

// A Collection is a group of Items.
type Collection struct {
	ID          string
	Title       string
	Description string
	License     string
	Keywords    []string
	Providers   []Provider
	Extensions  []string
	Extent      Extent
	Summaries   map[string]any
	ItemAssets  map[string]Asset // without Href
	Assets      map[string]Asset
	Links       []Link
}

// A Provider is an organisation that captured, processed or hosts the data.
type Provider struct {
	Name        string   `json:"name" yaml:"name"`
	Description string   `json:"description,omitempty" yaml:"description"`
	Roles       []string `json:"roles,omitempty" yaml:"roles"`
	URL         string   `json:"url,omitempty" yaml:"url"`
}

// A Catalog is the root.
type Catalog struct {
	ID          string
	Title       string
	Description string
	ConformsTo  []string
	Links       []Link
}
