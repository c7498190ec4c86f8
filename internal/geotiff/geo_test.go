package geotiff_test

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

func TestTransform(t *testing.T) {
	area, point := tiffwrite.Geographic(4326), tiffwrite.Geographic(4326)
	point[1].Value = uint16(2)
	rotated := []float64{10, 2, 0, 500, 3, -20, 0, 900, 0, 0, 0, 0, 0, 0, 0, 1}
	tie := []float64{0, 0, 0, 500, 900, 7}
	nan := math.NaN()
	for _, c := range []struct {
		name    string
		raster  tiffwrite.Raster
		want    *geotiff.Affine
		warning string
	}{
		{"none", tiffwrite.Raster{}, nil, ""},
		{"scale and tiepoint", tiffwrite.Raster{PixelScale: []float64{10, 20, 0}, Tiepoints: tie},
			&geotiff.Affine{X0: 500, DX: 10, Y0: 900, DY: -20}, ""},
		{"two scales", tiffwrite.Raster{PixelScale: []float64{10, 20}, Tiepoints: tie},
			&geotiff.Affine{X0: 500, DX: 10, Y0: 900, DY: -20}, ""},
		{"tiepoint within", tiffwrite.Raster{PixelScale: []float64{10, 20, 0}, Tiepoints: []float64{4, 3, 0, 500, 900, 0}},
			&geotiff.Affine{X0: 460, DX: 10, Y0: 960, DY: -20}, ""},
		{"more tiepoints", tiffwrite.Raster{PixelScale: []float64{10, 20, 0}, Tiepoints: slices.Repeat(tie, 9)},
			&geotiff.Affine{X0: 500, DX: 10, Y0: 900, DY: -20}, ""},
		{"point", tiffwrite.Raster{PixelScale: []float64{10, 20, 0}, Tiepoints: tie, Keys: point},
			&geotiff.Affine{X0: 495, DX: 10, Y0: 910, DY: -20}, ""},
		{"area", tiffwrite.Raster{PixelScale: []float64{10, 20, 0}, Tiepoints: tie, Keys: area},
			&geotiff.Affine{X0: 500, DX: 10, Y0: 900, DY: -20}, ""},
		{"matrix", tiffwrite.Raster{Matrix: rotated},
			&geotiff.Affine{X0: 500, DX: 10, RX: 2, Y0: 900, RY: 3, DY: -20}, ""},
		{"matrix, point", tiffwrite.Raster{Matrix: rotated, Keys: point},
			&geotiff.Affine{X0: 494, DX: 10, RX: 2, Y0: 908.5, RY: 3, DY: -20}, ""},
		{"scale before matrix", tiffwrite.Raster{Matrix: rotated, PixelScale: []float64{1, 1, 0}, Tiepoints: tie},
			&geotiff.Affine{X0: 500, DX: 1, Y0: 900, DY: -1}, ""},
		{"a scale without a tiepoint keeps the matrix out", tiffwrite.Raster{Matrix: rotated, PixelScale: []float64{1, 1, 0}},
			nil, ""},
		{"scale 0 does not", tiffwrite.Raster{Matrix: rotated, PixelScale: []float64{0, 1, 0}, Tiepoints: tie},
			&geotiff.Affine{X0: 500, DX: 10, RX: 2, Y0: 900, RY: 3, DY: -20}, ""},
		{"identity", tiffwrite.Raster{Matrix: []float64{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
			&geotiff.Affine{DX: 1, DY: 1}, ""},
		{"scale of x negative", tiffwrite.Raster{PixelScale: []float64{-10, 20, 0}, Tiepoints: tie},
			&geotiff.Affine{X0: 500, DX: -10, Y0: 900, DY: -20}, ""},
		{"scale of shorts", tiffwrite.Raster{Tags: []tiffwrite.Tag{{ID: 33550, Value: []uint16{10, 20, 0}}}, Tiepoints: tie},
			&geotiff.Affine{X0: 500, DX: 10, Y0: 900, DY: -20}, ""},
		{"five of six numbers", tiffwrite.Raster{PixelScale: []float64{10, 20, 0}, Tiepoints: tie[:5]}, nil, ""},
		{"Intergraph's matrix", tiffwrite.Raster{Tags: []tiffwrite.Tag{{ID: 33920, Value: append(rotated, 1)}}}, nil, ""},
		{"long matrix", tiffwrite.Raster{Matrix: append(rotated, 1)}, nil, ""},
		{"short matrix", tiffwrite.Raster{Matrix: rotated[:12], PixelScale: []float64{1, 1, 0}, Tiepoints: tie},
			&geotiff.Affine{X0: 500, DX: 1, Y0: 900, DY: -1}, ""},
		{"south up", tiffwrite.Raster{PixelScale: []float64{10, -20, 0}, Tiepoints: tie},
			&geotiff.Affine{X0: 500, DX: 10, Y0: 900, DY: -20}, "negative"},
		{"scale of floats", tiffwrite.Raster{Tags: []tiffwrite.Tag{{ID: 33550, Value: []float32{10, 20, 0}}}, Tiepoints: tie},
			&geotiff.Affine{X0: 500, DX: 10, Y0: 900, DY: -20}, ""},
		{"scale alone", tiffwrite.Raster{PixelScale: []float64{1, 1, 0}}, nil, ""},
		{"scale NaN", tiffwrite.Raster{PixelScale: []float64{nan, 1, 0}, Tiepoints: tie}, nil, "no finite numbers"},
		{"matrix Inf", tiffwrite.Raster{Matrix: slices.Repeat([]float64{math.Inf(-1)}, 16)}, nil, "no finite numbers"},
		{"overflow", tiffwrite.Raster{PixelScale: []float64{1e300, 1e300, 0}, Tiepoints: tie}, nil, "no finite numbers"},
		{"matrix of zeros", tiffwrite.Raster{Matrix: make([]float64, 16)}, nil, "cannot be inverted"},
	} {
		for _, k := range kinds {
			c.raster.Width, c.raster.Height, c.raster.BigTIFF, c.raster.BigEndian = 10, 10, k.big, k.bigEndian
			h := read(t, bytesOf(t, c.raster))
			if !reflect.DeepEqual(h.Transform, c.want) || h.GCPs != nil {
				t.Errorf("%s, %+v: transform %v, GCPs %v", c.name, k, h.Transform, h.GCPs)
			}
			if text := strings.Join(h.Warnings, "; "); (text != "") != (c.warning != "") || !strings.Contains(text, c.warning) {
				t.Errorf("%s, %+v: warnings %q", c.name, k, h.Warnings)
			}
			if h.PixelIsPoint != (len(c.raster.Keys) > 0 && c.raster.Keys[1].Value == uint16(2)) {
				t.Errorf("%s: PixelIsPoint %v", c.name, h.PixelIsPoint)
			}
		}
	}
}

func TestAffineApply(t *testing.T) {
	x, y := geotiff.Affine{X0: 500, DX: 10, RX: 2, Y0: 900, RY: 3, DY: -20}.Apply(4, 5)
	if x != 550 || y != 812 {
		t.Errorf("got %v, %v", x, y)
	}
}

func TestGCPs(t *testing.T) {
	points := []float64{0, 0, 0, 10, 20, 30, 9, 0, 0, 11, 20, math.NaN(), 9, 8, 0, 11, 19, 0, 1, 1, 0, math.Inf(1), 0, 0}
	r := tiffwrite.Raster{Width: 10, Height: 10, Tiepoints: points, Keys: tiffwrite.Geographic(4326)}
	for _, shift := range []float64{0, 0.5} {
		if shift > 0 {
			r.Keys[1].Value = uint16(2)
		}
		want := []geotiff.GCP{{Col: shift, Row: shift, X: 10, Y: 20, Z: 30}, {Col: 9 + shift, Row: shift, X: 11, Y: 20},
			{Col: 9 + shift, Row: 8 + shift, X: 11, Y: 19}}
		h := read(t, bytesOf(t, r))
		if !reflect.DeepEqual(h.GCPs, want) || h.Transform != nil || len(h.Warnings) != 1 {
			t.Errorf("GCPs %v, transform %v, warnings %q", h.GCPs, h.Transform, h.Warnings)
		}
	}
	one := []geotiff.GCP{{Col: 0.5, Row: 0.5, X: 10, Y: 20, Z: 30}}
	for _, scale := range [][]float64{nil, {0, 0, 0}, {1}} {
		r.Tiepoints, r.PixelScale = points[:7], scale
		if h := read(t, bytesOf(t, r)); !reflect.DeepEqual(h.GCPs, one) || h.Transform != nil {
			t.Errorf("one tiepoint, scale %v: GCPs %v, transform %v", scale, h.GCPs, h.Transform)
		}
	}
	r.PixelScale = []float64{2, 2, 0}
	r.Tiepoints = slices.Repeat([]float64{1, 1, 0, 2, 2, 0}, 10_001)
	if h := read(t, bytesOf(t, r)); h.Transform == nil || h.GCPs != nil || len(h.Warnings) > 0 {
		t.Errorf("too many points beside a scale: transform %v, %d points, %q", h.Transform, len(h.GCPs), h.Warnings)
	}
	r.PixelScale[0] = 0
	if h := read(t, bytesOf(t, r)); h.Transform != nil || h.GCPs != nil {
		t.Errorf("too many points beside a scale of 0: transform %v, %d points", h.Transform, len(h.GCPs))
	}
	r.PixelScale = nil
	h := read(t, bytesOf(t, r))
	if h.GCPs != nil || len(h.Warnings) != 1 || !strings.Contains(h.Warnings[0], "ModelTiepointTag: 60006 values") {
		t.Errorf("too many points: %d, %q", len(h.GCPs), h.Warnings)
	}
}

func TestGeoKeyOddities(t *testing.T) {
	ascii := tiffwrite.Tag{ID: 34737, Value: "first|second|"}
	for _, c := range []struct {
		name     string
		dir      []uint16
		want     *geotiff.GeoKeys
		warnings int
	}{
		{"no keys", []uint16{1, 1, 0, 0}, &geotiff.GeoKeys{Short: map[uint16]uint16{}}, 0},
		{"trailing shorts", []uint16{1, 1, 0, 1, 1024, 0, 1, 2, 0, 0, 0, 0},
			&geotiff.GeoKeys{ModelType: 2, Short: map[uint16]uint16{1024: 2}}, 0},
		{"fewer than said", []uint16{1, 1, 0, 250, 1024, 0, 1, 2},
			&geotiff.GeoKeys{ModelType: 2, Short: map[uint16]uint16{1024: 2}}, 1},
		{"more than libgeotiff reads", []uint16{1, 1, 0, 251, 1024, 0, 1, 2}, nil, 1},
		{"version 0", []uint16{0, 0, 0, 1, 1024, 0, 1, 2},
			&geotiff.GeoKeys{ModelType: 2, Short: map[uint16]uint16{1024: 2}}, 0},
		{"version 2", []uint16{2, 1, 0, 1, 1024, 0, 1, 2}, nil, 1},
		{"two values in one", []uint16{1, 1, 0, 2, 1024, 0, 1, 2, 1025, 0, 2, 1}, nil, 1},
		{"twice", []uint16{1, 1, 0, 2, 3072, 0, 1, 32632, 3072, 0, 1, 32633},
			&geotiff.GeoKeys{ProjectedCRS: 32633, Short: map[uint16]uint16{3072: 32633}}, 0},
		{"in the directory", []uint16{1, 1, 0, 1, 2048, 34735, 1, 8, 4326},
			&geotiff.GeoKeys{GeodeticCRS: 4326, Short: map[uint16]uint16{2048: 4326}}, 0},
		{"behind the directory", []uint16{1, 1, 0, 2, 1024, 0, 1, 2, 2048, 34735, 1, 12}, nil, 1},
		{"in no tag", []uint16{1, 1, 0, 1, 2048, 270, 1, 0}, nil, 1},
		{"doubles that are not there", []uint16{1, 1, 0, 1, 2057, 34736, 1, 0}, nil, 1},
		{"no doubles of those that are not there", []uint16{1, 1, 0, 1, 2057, 34736, 0, 0},
			&geotiff.GeoKeys{Short: map[uint16]uint16{}}, 0},
		{"text beyond the end", []uint16{1, 1, 0, 1, 1026, 34737, 900, 15}, nil, 1},
		{"text one too long", []uint16{1, 1, 0, 1, 1026, 34737, 9, 6},
			&geotiff.GeoKeys{Citation: "second", Short: map[uint16]uint16{}, ASCII: map[uint16]string{1026: "second"}}, 0},
		{"text much too long", []uint16{1, 1, 0, 1, 1026, 34737, 900, 6},
			&geotiff.GeoKeys{Citation: "second", Short: map[uint16]uint16{}, ASCII: map[uint16]string{1026: "second"}}, 0},
		{"nothing but the NUL at the end", []uint16{1, 1, 0, 1, 1026, 34737, 1, 13},
			&geotiff.GeoKeys{Short: map[uint16]uint16{}, ASCII: map[uint16]string{1026: ""}}, 0},
		{"more than the NUL at the end", []uint16{1, 1, 0, 1, 1026, 34737, 2, 13}, nil, 1},
		{"nothing behind the NUL", []uint16{1, 1, 0, 1, 1026, 34737, 0, 14}, nil, 1},
		{"text without a bar", []uint16{1, 1, 0, 1, 1026, 34737, 5, 0},
			&geotiff.GeoKeys{Citation: "first", Short: map[uint16]uint16{}, ASCII: map[uint16]string{1026: "first"}}, 0},
		{"three shorts", []uint16{1, 1, 0}, nil, 1},
	} {
		h := read(t, bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1,
			Tags: []tiffwrite.Tag{{ID: 34735, Value: c.dir}, ascii}}))
		if !reflect.DeepEqual(h.Geo, c.want) || len(h.Warnings) != c.warnings {
			t.Errorf("%s: %+v, warnings %q", c.name, h.Geo, h.Warnings)
		}
	}
}

// TestNULsInGeoTexts: libgeotiff sees the texts as one of C, which ends at the first NUL, and ignores all keys where another begins
// behind it.
func TestNULsInGeoTexts(t *testing.T) {
	for text, second := range map[string]uint16{"first\x00\x00": 0, "first\x00second": 6} {
		h := read(t, bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Tags: []tiffwrite.Tag{{ID: 34737, Value: text},
			{ID: 34735, Value: []uint16{1, 1, 0, 2, 1026, 34737, 6, 0, 3073, 34737, 6, second}}}}))
		if (h.Geo == nil) != (second > 0) || h.Geo != nil && (h.Geo.Citation != "first" || h.Geo.ProjectedCitation != "first") {
			t.Errorf("%q: %+v, warnings %q", text, h.Geo, h.Warnings)
		}
	}
}

// TestGeoKeysThatOverlap holds 250 keys that each claim the whole of a long text, or of many doubles.
func TestGeoKeysThatOverlap(t *testing.T) {
	for _, c := range []struct {
		location, count uint16
		value           tiffwrite.Tag
	}{
		{34737, 60000, tiffwrite.Tag{ID: 34737, Value: strings.Repeat("a", 60000)}},
		{34736, 4000, tiffwrite.Tag{ID: 34736, Value: make([]float64, 4000)}},
	} {
		dir := []uint16{1, 1, 0, 250}
		for id := range uint16(250) {
			dir = append(dir, id, c.location, c.count, 0)
		}
		b := bytesOf(t, tiffwrite.Raster{Width: 1, Height: 1, Tags: []tiffwrite.Tag{{ID: 34735, Value: dir}, c.value}})
		var h *geotiff.Header
		allocated := allocatedBy(func() { h = read(t, b) })
		if h.Geo != nil || len(h.Warnings) != 1 || allocated > 1<<20 {
			t.Errorf("keys %+v, warnings %q, %d bytes allocated", h.Geo, h.Warnings, allocated)
		}
	}
}
