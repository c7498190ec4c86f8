package config

import (
	"fmt"
	"regexp"
	"time"

	"github.com/cairn-stac/cairn/internal/stac"
)

// A Config is what cairn.yaml says, with the defaults filled in. It is not changed after Parse, and safe for use by many
// goroutines.
type Config struct {
	Title       string // of the Catalog; "" where not given, as with the next four
	Description string // of the Catalog
	License     string // of the Collections: an SPDX identifier, or "other"
	Keywords    []string
	Providers   []stac.Provider

	Collections Collections
	Include     []Glob // which Objects are rasters; empty: *.tif and *.tiff, in any case, at any depth
	Exclude     []Glob // which Objects are left out, sidecars too
	Datetime    Datetime
	Properties  Properties
	Scenes      Scenes
	CommonNames bool // give the bands of known missions their common names (STAC EO extension)
	AssumeCRS   int  // EPSG code for rasters that name no CRS; 0: they are without a footprint
	// WithoutFootprint is what to do with rasters whose place on the Earth is not known.
	WithoutFootprint WithoutFootprint
	AssetHref        string // AssetSource, AssetHTTPS, or a URL template with {key}
	Static           Static
	Retention        time.Duration // how long a superseded Snapshot is kept
}

// Collections say how the Source is divided.
type Collections struct {
	Depth int // path levels that name a Collection; 0: one Collection of everything
	List  []Listed
}

// A Listed Collection is one that the config names by its prefix.
type Listed struct {
	Prefix      string // of its keys; ends in "/"
	ID          string // "" to make it from the prefix
	Title       string
	Description string
	License     string
	Keywords    []string
}

// Datetime says where the time of an Item comes from.
type Datetime struct {
	// Patterns are searched in the key, in order, before anything else. Their named groups are year, month, day, hour,
	// minute and second; or the same with start_ and with end_ in front, for an interval.
	Patterns []*regexp.Regexp
	// FromSidecar are fields of metadata files, FromMetadata GDAL's metadata items, that tell a time; the first that does wins.
	FromSidecar  []Field
	FromMetadata []Field
	Fallback     Fallback
}

// Properties are what the config adds to each Item.
type Properties struct {
	Constants map[string]any // string, bool, int64, uint64, float64, []any or map[string]any
	// FromPath are searched in the key. Each named group becomes a text property of that name; two underscores in it
	// stand for a colon (PropertyName). The first pattern that gives a property wins, and over the constant of that name.
	FromPath []*regexp.Regexp
	// FromSidecar and FromMetadata give properties by their names. What FromPath gives goes before, then FromSidecar.
	FromSidecar  map[string]Field
	FromMetadata map[string]Field
}

// A Field names what is to be taken from a sidecar's fields or from GDAL's metadata: a path, or several whose values belong
// together, as a date and a time of day do.
type Field []string

// Scenes say which files are the bands of one scene.
type Scenes struct {
	Off    bool
	Known  bool   // those of missions that are known count
	Tokens []Glob // what the names of a scene's files end in, after "_" or "."
}

// A WithoutFootprint is what to do with a raster whose place on the Earth is not known.
type WithoutFootprint string

// The values of WithoutFootprint.
const (
	FootprintOrReject WithoutFootprint = "reject" // make it a Reject
	FootprintOrNull   WithoutFootprint = "item"   // make it an Item without a geometry
)

// A Fallback is what to do with a raster that tells no time.
type Fallback string

// The Fallbacks.
const (
	FallbackModified Fallback = "last_modified" // take the Object's time of modification
	FallbackReject   Fallback = "reject"        // make it a Reject
)

// Static says which static files are written.
type Static string

// The values of Static.
const (
	StaticAuto        Static = "auto"        // items up to 10,000 Items, collections above
	StaticItems       Static = "items"       // a file for each Item, Collection and the Catalog
	StaticCollections Static = "collections" // a file for each Collection and the Catalog
	StaticNone        Static = "none"
)

// The values of AssetHref that are no template.
const (
	AssetSource = "source" // the URL of the file in the Source itself: file:// or s3://
	AssetHTTPS  = "https"  // the https URL under which the Source, a bucket, gives out the file
)

// KeyPlaceholder is what a key replaces, percent-encoded, in an AssetHref template.
const KeyPlaceholder = "{key}"

// Bounds on what a file may ask for.
const (
	maxBytes     = 256 << 10 // of a file
	maxTokens    = 30_000    // of YAML; the parser is quadratic in the keys of one mapping
	maxNesting   = 16        // brackets and dashes in one another
	maxDepth     = 10        // Collections.Depth
	maxList      = 2_000     // entries of any list
	maxText      = 10_000    // bytes of any text
	maxPattern   = 1_000     // bytes of a regular expression or glob
	maxPatterns  = 100       // regular expressions or globs of one list
	minRetention = time.Minute
	maxRetention = 10 * 366 * 24 * time.Hour
)

// Default is the Config of an empty file.
func Default() *Config {
	return &Config{
		Collections: Collections{Depth: 1},
		Datetime:    Datetime{Fallback: FallbackModified},
		Scenes:      Scenes{Known: true},
		AssetHref:   AssetSource,
		Static:      StaticAuto,
		Retention:   24 * time.Hour,

		WithoutFootprint: FootprintOrReject,
	}
}

// An Error says what is wrong with a config, and where.
type Error struct {
	Line int    // from 1; 0 where the whole file is meant
	Path string // the keys that lead there, e.g. "collections.depth"
	Msg  string
}

func (e *Error) Error() string {
	msg := e.Msg
	if e.Path != "" {
		msg = e.Path + ": " + msg
	}
	if e.Line == 0 {
		return "cairn.yaml: " + msg
	}
	return fmt.Sprintf("cairn.yaml:%d: %s", e.Line, msg)
}

// Parse reads a config. Empty data gives Default. Every error is an *Error.
func Parse(data []byte) (*Config, error) {
	root, err := parseYAML(data)
	if err != nil {
		return nil, err
	}
	c := Default()
	if root == nil {
		return c, nil
	}
	if err := mapping(c.fields())(root); err != nil {
		return nil, err
	}
	return c, nil
}
