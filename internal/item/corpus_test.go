package item

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/crs"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/sharedtest"
	"github.com/cairn-stac/cairn/internal/stac"
	"github.com/cairn-stac/cairn/internal/stac/stactest"
)

// A truth is what GDAL says of a file of the corpus.
type truth struct {
	File          string
	GDALOpens     bool `json:"gdal_opens"`
	Georeferenced bool
	CRSKind       string `json:"crs_kind"`
	EPSG          int
	Transform     []any
	Ring84        struct {
		Bounds    []float64
		Winding   float64
		BadPoints int `json:"bad_points"`
	} `json:"ring84_dense500"`
	COGValid bool `json:"cog_valid"`
	GDAL     struct {
		Width, Height int64
		Bands         []struct {
			Nodata            any
			Scale, Offset     *float64
			Unit, Description string
		}
	}
	Raw struct{ GeoKeys map[string]any }
}

// vertical tells whether the file has a vertical CRS. GDAL makes a 3D one of it, and the unit of the bands.
func (w truth) vertical() bool { return w.Raw.GeoKeys["4096:VerticalCRS"] != nil }

var notJSON = regexp.MustCompile(`([:,\[])-?(?:NaN|Infinity)`)

// TestCorpus makes an Item or a Reject of every file of the corpus, valid by the schemas, and holds both against GDAL.
func TestCorpus(t *testing.T) {
	dir, ok := sharedtest.Dir("corpus")
	if !ok {
		t.Skip("the corpus is not beside the repository")
	}
	data, err := os.ReadFile(filepath.Join(dir, "truth.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	r := rulesOf(t, "")
	became := map[string]int{}
	for line := range bytes.Lines(data) {
		var want truth
		// Python wrote it: NaN and Infinity stand where JSON has no number.
		if err := json.Unmarshal(notJSON.ReplaceAll(line, []byte("${1}null")), &want); err != nil {
			t.Fatal(err)
		}
		it, reject := buildFile(t, r, dir, want.File)
		if reject != nil {
			became[reject.Code]++
			if want.Georeferenced && reject.Code != CodeUnsupportedCRS && !worthless(want.Transform) {
				t.Errorf("%s is georeferenced, but %s: %s", want.File, reject.Code, reject.Message)
			}
			continue
		}
		became["item"]++
		compare(t, want, it)
	}
	t.Log(became)
	if became["item"] < 200 {
		t.Errorf("only %d files became Items", became["item"])
	}
}

// worthless tells whether GDAL's geotransform holds no number, or counts pixels.
func worthless(transform []any) bool {
	text := fmt.Sprint(transform)
	return strings.Contains(text, "nan") || text == "[0 1 0 0 0 1]"
}

func buildFile(t *testing.T, r *Rules, dir, key string) (*stac.Item, *Reject) {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, key))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	o := objstore.Object{Key: key, Size: info.Size(), Modified: time.Unix(1.7e9, 0)}
	res, err := r.Build(r.Collection(key), []objstore.Object{o}, func(objstore.Object) io.ReaderAt { return f })
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Items)+len(res.Rejects) != 1 {
		t.Fatalf("%s: %d items and %d rejects", key, len(res.Items), len(res.Rejects))
	}
	if len(res.Rejects) == 1 {
		checkReject(t, res.Rejects[0])
		return nil, &res.Rejects[0]
	}
	checkItem(t, res.Items[0])
	return res.Items[0], nil
}

// checkItem holds an Item against the schemas, and its extensions against what it uses. It returns the Item's line.
func checkItem(t *testing.T, it *stac.Item) []byte {
	t.Helper()
	line, err := it.Line()
	if err != nil {
		t.Fatalf("%s: %v", it.ID, err)
	}
	stactest.ValidateLine(t, line)
	for prefix, ext := range map[string]string{`"proj:`: stac.ExtProjection, `"file:`: stac.ExtFile, `"raster:`: stac.ExtRaster} {
		if bytes.Contains(line, []byte(prefix)) != slices.Contains(it.Extensions, ext) {
			t.Errorf("%s lists the extensions %v", line, it.Extensions)
		}
	}
	return line
}

func compare(t *testing.T, want truth, it *stac.Item) {
	t.Helper()
	differ := func(what string, got, gdal any) {
		t.Helper()
		t.Errorf("%s: %s is %v, GDAL has %v", want.File, what, got, gdal)
	}
	if !want.Georeferenced {
		t.Errorf("%s is not georeferenced, but an Item", want.File)
	}
	var asset stac.Asset
	for _, asset = range it.Assets { // the only one, whatever it is called
	}
	shape, transform := asset.Fields["proj:shape"].([]any), asset.Fields["proj:transform"].([]float64)
	if shape[0] != want.GDAL.Height || shape[1] != want.GDAL.Width {
		differ("proj:shape", shape, want.GDAL)
	}
	code := it.Properties["proj:code"]
	if want.CRSKind == "epsg" && !want.vertical() && code != fmt.Sprintf("EPSG:%d", want.EPSG) {
		differ("proj:code", code, want.EPSG)
	}
	for i, at := range []int{2, 0, 1, 5, 3, 4} {
		if w, ok := want.Transform[i].(float64); !ok || math.Abs(transform[at]-w) > 1e-9*max(1, math.Abs(w)) {
			differ("proj:transform", transform, want.Transform)
			break
		}
	}
	if asset.Type == stac.TypeCOG && !want.COGValid {
		differ("type", asset.Type, "no COG")
	}
	compareBounds(t, want, it, differ)
	for i, b := range asset.Bands[:min(len(asset.Bands), len(want.GDAL.Bands))] { // GDAL was asked for 64
		w := want.GDAL.Bands[i]
		if w.Description != b.Description || w.Unit != b.Unit && !want.vertical() {
			differ(fmt.Sprintf("band %d", i+1), b, w)
		}
		if !sameNumber(w.Scale, b.Scale, 1) || !sameNumber(w.Offset, b.Offset, 0) {
			differ(fmt.Sprintf("scale and offset of band %d", i+1), b, w)
		}
		got, isNumber := b.Nodata.(float64)
		if w, ok := w.Nodata.(float64); ok && (!isNumber || math.Abs(got-w) > 1e-6*math.Abs(w)) {
			differ(fmt.Sprintf("nodata of band %d", i+1), b.Nodata, w)
		}
	}
}

// compareBounds allows a pixel, for the outline's straight lines, and twice the accuracy of the shift to WGS 84. Rows beyond
// a pole have no outline.
func compareBounds(t *testing.T, want truth, it *stac.Item, differ func(what string, got, gdal any)) {
	t.Helper()
	w := want.Ring84.Bounds
	code, _ := strconv.Atoi(strings.TrimPrefix(it.Properties["proj:code"].(string), "EPSG:"))
	c, err := crs.ByCode(code)
	if err != nil {
		t.Fatal(err)
	}
	if len(w) != 4 || want.Ring84.Winding != 0 || want.Ring84.BadPoints != 0 || c.Accuracy < 0 {
		return
	}
	const metre = 1. / 111_000
	for i, v := range it.BBox {
		pixel := math.Abs(w[i%2+2]-w[i%2]) / float64([]int64{want.GDAL.Width, want.GDAL.Height}[i%2])
		if i%2 == 1 {
			w[i] = max(-90, min(90, w[i]))
		}
		if allowed := pixel + 2*metre*c.Accuracy; math.Abs(v-w[i]) > allowed {
			differ("bbox", it.BBox, w)
			return
		}
	}
}

func sameNumber(gdal, got *float64, none float64) bool {
	g, w := none, none
	if gdal != nil {
		w = *gdal
	}
	if got != nil {
		g = *got
	}
	return g == w
}
