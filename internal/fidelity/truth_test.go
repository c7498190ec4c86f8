package fidelity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/cairn-stac/cairn/internal/sharedtest"
)

// A truth is what GDAL and PROJ say of a file: a line of truth.jsonl.
type truth struct {
	File          string // below the folder
	Opens         bool   `json:"gdal_opens"`
	Georeferenced bool   // has a transform and a CRS
	Kind          string `json:"crs_kind"` // epsg, autoid, match90, user-defined, none
	EPSG          int    // of the horizontal CRS
	AutoID        int    `json:"epsg_autoid"` // as recognised by GDAL
	Match         []any  `json:"epsg_match"`  // the likeliest code by name, with its likelihood in percent
	NonEarth      bool   `json:"non_earth"`
	Transform     []number
	Dtypes        []string
	Overviews     int  `json:"overview_count"`
	Tiled         bool `json:"is_tiled"`
	Block         []int64
	Compression   string
	LayoutCOG     bool  `json:"layout_cog"`
	COGValid      bool  `json:"cog_valid"`
	Ring          *ring `json:"ring84_dense500"`
	GDAL          gdal
	Beside        []string // files of the same stem that GDAL may have read too
}

// A ring is PROJ's outline of a file in WGS 84, 500 points an edge.
type ring struct {
	Bad     int       `json:"bad_points"`
	Winding int       // turns around a pole
	Bounds  []float64 // west, south, east, north; east < west over the antimeridian
	West    float64   `json:"west_unwrapped"`
	East    float64   `json:"east_unwrapped"`
	Crosses bool      `json:"crosses_antimeridian"`
	Pole    string    // N or S
	Full    bool      `json:"full_circle"`
}

type gdal struct {
	Width, Height int64
	BandsN        int `json:"bands_n"`
	Bands         []gdalBand
	Metadata      map[string]string
	GCPs          int       `json:"gcp_count"`
	GCPBounds     []float64 `json:"gcp_wgs84_bbox"`
	RPC           bool
	AreaOrPoint   string `json:"area_or_point"`
	CRS           *gdalCRS
}

type gdalBand struct {
	Color             string
	MaskFlags         int `json:"mask_flags"`
	Nodata            any // number or text
	Scale, Offset     *number
	Unit, Description string
	Metadata          map[string]string
	Nbits, Pixeltype  string
}

type gdalCRS struct {
	Name, Type, Method, Vertical string
	Ellipsoid                    []any              // name, semi-major axis in metres, inverse flattening (0: a sphere)
	Parameters                   map[string]float64 // degrees, metres, ratios by PROJ's names; not in every truth
	UnitFactor                   float64            `json:"unit_factor"`
}

// A number may be NaN or infinite, which Python writes as no JSON number is, or as text.
type number float64

func (n *number) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(bytes.Trim(b, `"`)), 64)
	*n = number(f)
	return err
}

// jsonToken finds texts, which stay as they are, and what Python writes for numbers that are not finite.
var jsonToken = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)\b`)

// readTruth finds the folder to measure, and its truth: CAIRN_TEST_CORPUS, or the corpus beside the repository, which has every
// field. Without either the test is skipped.
func readTruth(t *testing.T) (dir string, whole bool, rows []truth) {
	t.Helper()
	dir, whole = sharedtest.Dir("corpus")
	if other := os.Getenv("CAIRN_TEST_CORPUS"); other != "" {
		dir, whole = other, whole && other == dir
	} else if !whole {
		t.Skip("no corpus beside the repository")
	}
	data, err := os.ReadFile(filepath.Join(dir, "truth.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		line = jsonToken.ReplaceAllFunc(line, func(token []byte) []byte {
			if token[0] == '"' {
				return token
			}
			return fmt.Appendf(nil, "%q", token)
		})
		var row truth
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatalf("truth of %s: %v", row.File, err)
		}
		rows = append(rows, row)
	}
	return dir, whole, rows
}

// transform is GDAL's, nil where it has none or one that is no transform.
func (w *truth) transform() []number {
	for _, v := range w.Transform {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil
		}
	}
	return w.Transform
}
