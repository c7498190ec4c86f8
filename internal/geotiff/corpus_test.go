package geotiff_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/geotiff/tifftest"
	"github.com/cairn-stac/cairn/internal/sharedtest"
)

// truth is what GDAL says of a file of the corpus.
type truth struct {
	File          string
	GDALOpens     bool `json:"gdal_opens"`
	Dtypes        []string
	Nodata        []any
	OverviewCount int `json:"overview_count"`
	Transform     []json.RawMessage
	IsTiled       bool `json:"is_tiled"`
	LayoutCOG     bool `json:"layout_cog"`
	COGValid      bool `json:"cog_valid"`
	GDAL          struct {
		Width, Height int64
		BandsN        int    `json:"bands_n"`
		GCPCount      int    `json:"gcp_count"`
		RPC           bool   `json:"rpc"`
		AreaOrPoint   string `json:"area_or_point"`
		Bands         []struct {
			Scale, Offset *float64
			Color         string
			MaskFlags     int `json:"mask_flags"`
		}
		Subdatasets int
		Interleave  string
		Metadata    map[string]string
	}
}

// notJSON finds what Python writes into JSON for numbers that are not finite.
var notJSON = regexp.MustCompile(`([\[:,])(-?Infinity|NaN)\b`)

// corpus finds the corpus beside the repository, or skips the test.
func corpus(t *testing.T) (dir string, rows []truth) {
	t.Helper()
	dir, ok := sharedtest.Dir("corpus")
	if !ok {
		t.Skip("the corpus is not beside the repository")
	}
	b, err := os.ReadFile(filepath.Join(dir, "truth.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var row truth
		line = notJSON.ReplaceAllString(line, `$1"$2"`)
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("truth: %v in %.200s", err, line)
		}
		rows = append(rows, row)
	}
	return dir, rows
}

// TestCorpus compares headers of real files with what GDAL 3.6 says of them, one fact at a time.
func TestCorpus(t *testing.T) {
	dir, rows := corpus(t)
	same, all := map[string]int{}, map[string]int{}
	opened, refused, reads, bytesRead := 0, 0, 0, int64(0)
	for _, row := range rows {
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(row.File)))
		if err != nil {
			t.Fatal(err)
		}
		r := &tifftest.Reader{Data: b}
		h, err := geotiff.Read(r, int64(len(b)))
		reads, bytesRead = reads+r.Reads, bytesRead+r.Bytes
		if r.Reads > 6 {
			t.Errorf("%s: %d reads", row.File, r.Reads)
		}
		check := func(fact string, ok bool, got, want any) {
			all[fact]++
			if ok {
				same[fact]++
			} else {
				t.Logf("%s: %s: got %.300s, GDAL has %.300s", row.File, fact, fmt.Sprint(got), fmt.Sprint(want))
			}
		}
		check("opens", (err == nil) == row.GDALOpens, err, row.GDALOpens)
		if err != nil {
			if _, ok := errors.AsType[*geotiff.FormatError](err); !ok {
				t.Errorf("%s: %v", row.File, err)
			}
			refused++
			continue
		} else if !row.GDALOpens {
			continue
		}
		opened++
		g := row.GDAL
		check("size", h.Width == g.Width && h.Height == g.Height && len(h.Bands) == g.BandsN,
			fmt.Sprint(h.Width, h.Height, len(h.Bands)), fmt.Sprint(g.Width, g.Height, g.BandsN))
		types := dataTypes(h)[:min(len(h.Bands), 64)] // the truth lists no more
		check("data types", slices.Equal(types, row.Dtypes), types, row.Dtypes)
		check("nodata", sameNodata(h.Bands[0].NodataValue(h.Nodata), row.Nodata), h.Nodata, row.Nodata)
		colours, shown := colours(h, len(g.Bands)), make([]string, len(g.Bands))
		for i, b := range g.Bands {
			shown[i] = strings.ToLower(b.Color)
		}
		check("colours", slices.Equal(colours, shown), colours, shown)
		const perDataset, alpha = 2, 4 // GDAL's mask flags
		if len(g.Bands) > 0 && g.Bands[0].MaskFlags&alpha == 0 && h.Nodata == "" {
			check("mask", h.HasMask == (g.Bands[0].MaskFlags == perDataset), h.HasMask, g.Bands[0].MaskFlags)
		}
		pages := h.Pages
		if pages < 2 {
			pages = 0
		}
		check("pages", pages == g.Subdatasets, pages, g.Subdatasets)
		check("planar", (h.Planar || len(h.Bands) == 1) == (g.Interleave == "BAND"), h.Planar, g.Interleave)
		check("overviews", len(h.Overviews) == row.OverviewCount, h.Overviews, row.OverviewCount)
		check("transform", sameTransform(h.Transform, row.Transform), h.Transform, row.Transform)
		check("tiled", h.Tiled == row.IsTiled, h.Tiled, row.IsTiled)
		check("ghost COG", !row.LayoutCOG || h.COG.Valid, h.COG, row.LayoutCOG)
		check("COG", h.COG.Valid == (row.COGValid && (row.IsTiled || row.LayoutCOG)), h.COG, row.COGValid)
		check("GCPs", len(h.GCPs) == g.GCPCount, len(h.GCPs), g.GCPCount)
		check("RPC", h.HasRPC == g.RPC, h.HasRPC, g.RPC)
		check("point", !h.PixelIsPoint || g.AreaOrPoint == "Point", h.PixelIsPoint, g.AreaOrPoint)
		for name, text := range map[string]string{"TIFFTAG_DATETIME": h.DateTime, "TIFFTAG_SOFTWARE": h.Software,
			"TIFFTAG_IMAGEDESCRIPTION": h.Description} {
			check(name, sameText(text, g.Metadata[name]), text, g.Metadata[name])
		}
		for _, m := range h.Metadata {
			if want, ok := g.Metadata[m.Name]; ok && m.Sample < 0 && m.Domain == "" {
				check("metadata", sameText(m.Value, want), m.Value, want)
			}
			if (m.Role == "scale" || m.Role == "offset") && m.Sample < len(g.Bands) {
				v, _ := strconv.ParseFloat(m.Value, 64)
				want := map[string]*float64{"scale": g.Bands[m.Sample].Scale, "offset": g.Bands[m.Sample].Offset}[m.Role]
				check(m.Role, want != nil && *want == v, m.Value, want)
			}
		}
	}
	t.Logf("%d files, %d read as GDAL does, %d refused; %.2f reads and %d bytes a file", len(rows), opened, refused,
		float64(reads)/float64(len(rows)), bytesRead/int64(len(rows)))
	for _, fact := range slices.Sorted(maps.Keys(all)) {
		n := all[fact]
		share := float64(same[fact]) / float64(n)
		t.Logf("%-24s %d of %d agree (%.2f %%)", fact, same[fact], n, 100*share)
		if share < 0.97 {
			t.Errorf("%s: only %d of %d agree with GDAL", fact, same[fact], n)
		}
	}
	if opened < 400 {
		t.Errorf("only %d files were compared", opened)
	}
}

// dataTypes has the types as GDAL 3.6 calls them, which has no Int8.
func dataTypes(h *geotiff.Header) []string {
	names := map[string]string{"uint8": "Byte", "int8": "Byte", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32",
		"int32": "Int32", "uint64": "UInt64", "int64": "Int64", "float16": "Float32", "float32": "Float32",
		"float64": "Float64", "cint16": "CInt16", "cint32": "CInt32", "cfloat32": "CFloat32", "cfloat64": "CFloat64"}
	out := make([]string, len(h.Bands))
	for i, b := range h.Bands {
		out[i] = names[b.DataType]
	}
	return out
}

// sameText allows for the truth's texts being cut to 300 characters.
func sameText(got, want string) bool {
	if utf8.RuneCountInString(want) >= 300 {
		return strings.HasPrefix(got, strings.TrimSpace(want))
	}
	return strings.TrimSpace(got) == strings.TrimSpace(want)
}

func sameNodata(got any, want []any) bool {
	for _, w := range want {
		if w == nil || got == nil {
			if w != nil || got != nil {
				return false
			}
			continue
		}
		v, err := strconv.ParseFloat(fmt.Sprint(w), 64)
		g, err2 := strconv.ParseFloat(fmt.Sprint(got), 64)
		if err != nil || err2 != nil || !(math.IsNaN(v) && math.IsNaN(g)) && g != v {
			return false
		}
	}
	return true
}

// colours are those of the first bands, of which the truth lists no more than 64.
func colours(h *geotiff.Header, most int) []string {
	out := make([]string, min(len(h.Bands), most))
	for i := range out {
		out[i] = h.Bands[i].ColorInterp
	}
	return out
}

func sameTransform(got *geotiff.Affine, want []json.RawMessage) bool {
	if len(want) != 6 {
		return got == nil
	}
	var values [6]float64
	for i, raw := range want {
		if json.Unmarshal(raw, &values[i]) != nil {
			return got == nil // NaN, as text
		}
	}
	if got == nil {
		return false
	}
	for i, v := range [6]float64{got.X0, got.DX, got.RX, got.Y0, got.RY, got.DY} {
		if math.Abs(v-values[i]) > 1e-9*max(1, math.Abs(values[i])) {
			return false
		}
	}
	return true
}
