package stac_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/stac"
	"github.com/cairn-stac/cairn/internal/stac/stactest"
)

func summaryOf(items ...*stac.Item) (s stac.Summary) {
	for _, it := range items {
		s.Add(it)
	}
	return s
}

func box(b ...float64) *stac.Item { return &stac.Item{BBox: b} }

func at(properties map[string]any) *stac.Item { return &stac.Item{Properties: properties} }

func apply(s stac.Summary) stac.Collection {
	c := stac.Collection{ID: "c", Description: "d", License: "other"}
	s.Apply(&c)
	return c
}

// anItem is an Item out of few values, so that Items often agree, with one of many here and there.
func anItem(r *rand.Rand) *stac.Item {
	pick := func(values ...any) any { return values[r.IntN(len(values))] }
	text := func(values ...any) string { return pick(values...).(string) }
	lon := func() float64 { return math.Round(r.Float64()*3600-1800) / 10 }
	it := box(lon(), pick(-90.0, -1.5, math.Copysign(0, -1)).(float64), lon(), pick(0.0, 45.0, 90.0).(float64))
	if r.IntN(3) > 0 && it.BBox[0] > it.BBox[2] {
		it.BBox[0], it.BBox[2] = it.BBox[2], it.BBox[0]
	}
	it.Properties = map[string]any{
		"datetime":  pick(nil, "2024-01-31T00:00:00Z", "2023-12-31T23:59:59.25-05:00", "yesterday", "0000-01-01T00:00:00+01:00"),
		"proj:code": pick(nil, "EPSG:32633", "EPSG:4326", fmt.Sprintf("EPSG:%d", r.IntN(200)), strings.Repeat("é", 200)),
		"gsd":       pick(nil, 10.0, 20, json.Number("0.5"), math.Copysign(0, -1), 0.0, r.Float64(), "ten", math.NaN()),
	}
	for _, uri := range []string{stac.ExtRaster, stac.ExtProjection} {
		if r.IntN(2) == 0 {
			it.Extensions = append(it.Extensions, uri)
		}
	}
	it.Assets = map[string]stac.Asset{}
	for range r.IntN(3) {
		a := stac.Asset{
			Title: text("", "Data"), Type: text(stac.TypeCOG, stac.TypeGeoTIFF, stac.TypeCOG), Roles: pick([]string(nil), []string{}, []string{"data"}, []string{"data"}).([]string),
		}
		for range pick(0, 1, 1, 1, 2, 65).(int) {
			a.Bands = append(a.Bands, stac.Band{
				Name: text("red", "red", "nir"), DataType: text("uint8", "uint8", "float32"), Nodata: pick(nil, 0, 0.0, math.Copysign(0, -1), "nan"),
				Scale: pick(ptr(1.0), ptr(1.0), ptr(2.0), (*float64)(nil)).(*float64), Statistics: map[string]any{"mean": r.Float64()},
			})
		}
		it.Assets[text("data", "data", "data", "thumbnail", fmt.Sprint(r.IntN(100)))] = a
	}
	return it
}

// However Items are split, added and merged, and stored in between, the Summary is the same.
func TestSummaryInAnyOrder(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		items := make([]*stac.Item, 1+r.IntN(200))
		for i := range items {
			items[i] = anItem(r)
		}
		want := summaryOf(items...)
		wantJSON := toJSON(t, want)
		r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		parts := make([]stac.Summary, 1+r.IntN(6))
		for _, it := range items {
			parts[r.IntN(len(parts))].Add(it)
		}
		for len(parts) > 1 {
			i := 1 + r.IntN(len(parts)-1)
			before, kept := toJSON(t, parts[i]), parts[0]
			keptJSON := toJSON(t, kept)
			parts[0].Merge(parts[i])
			if toJSON(t, parts[i]) != before || toJSON(t, kept) != keptJSON {
				t.Fatal("Merge changed another Summary")
			}
			parts = slices.Delete(parts, i, i+1)
			var stored stac.Summary
			if err := json.Unmarshal([]byte(toJSON(t, parts[0])), &stored); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(stored, parts[0]) {
				t.Fatalf("stored %#v\nread   %#v", parts[0], stored)
			}
			parts[0] = stored
		}
		if got := toJSON(t, parts[0]); got != wantJSON {
			t.Fatalf("seed %d:\ngot  %s\nwant %s", seed, got, wantJSON)
		}
		if len(wantJSON) > 20_000 {
			t.Errorf("a summary of %d bytes", len(wantJSON))
		}
		data, err := apply(want).MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		data = []byte(strings.Replace(string(data), `"links":[]`, `"links":[{"rel":"root","href":"x"}]`, 1))
		stactest.Validate(t, data)
		checkCovers(t, apply(want).Extent.BBoxes[0], items)
	}
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// checkCovers samples each box and looks for its longitudes in the overall one.
func checkCovers(t *testing.T, all []float64, items []*stac.Item) {
	t.Helper()
	within := func(x float64) bool {
		if all[0] <= all[2] {
			return all[0] <= x && x <= all[2]
		}
		return x >= all[0] || x <= all[2]
	}
	for _, it := range items {
		w, e := it.BBox[0], it.BBox[2]
		if w > e {
			e += 360
		}
		for i := range 11 {
			x := w + (e-w)*float64(i)/10
			if x > 180 {
				x -= 360
			}
			if i == 10 {
				x = it.BBox[2]
			}
			if !within(x) {
				t.Fatalf("%v does not cover %v of %v", all, x, it.BBox)
			}
		}
	}
}

func TestSummaryBox(t *testing.T) {
	for _, tt := range []struct {
		name  string
		items []*stac.Item
		want  []float64
	}{
		{"none", nil, []float64{-180, -90, 180, 90}},
		{"no geometry", []*stac.Item{box()}, []float64{-180, -90, 180, 90}},
		{"one", []*stac.Item{box(13, 52, 14, 53)}, []float64{13, 52, 14, 53}},
		{"west only", []*stac.Item{box(-20, 1, -10, 2), box(-5, 0, -1, 1)}, []float64{-20, 0, -1, 2}},
		{"over Greenwich", []*stac.Item{box(-1, 50, 1, 51), box(0.5, 49, 2, 50)}, []float64{-1, 49, 2, 51}},
		{"at Greenwich", []*stac.Item{box(0, 50, 1, 51), box(0, 50, 0, 50)}, []float64{0, 50, 1, 51}},
		{"with heights", []*stac.Item{box(1, 2, -5, 3, 4, 100)}, []float64{1, 2, 3, 4}},
		{"both sides of the antimeridian, none over it", []*stac.Item{box(178, -1, 179, 1), box(-179, -1, -178, 1)}, []float64{-179, -1, 179, 1}},
		{"over the antimeridian", []*stac.Item{box(170, -1, -170, 1)}, []float64{170, -1, -170, 1}},
		{"over it and beside", []*stac.Item{box(170, -1, -170, 1), box(160, 0, 165, 1), box(-175, 0, -150, 1)}, []float64{160, -1, -150, 1}},
		{"over both", []*stac.Item{box(170, -1, -170, 1), box(-1, 0, 1, 1)}, []float64{-180, -1, 180, 1}},
		{"nearly round", []*stac.Item{box(-170, -1, -175, 1)}, []float64{-180, -1, 180, 1}},
		{"over it and over Greenwich", []*stac.Item{box(100, -1, 20, 1)}, []float64{-180, -1, 180, 1}},
		{"a pole", []*stac.Item{box(-180, 80, 180, 90), box(170, 70, -170, 80)}, []float64{-180, 70, 180, 90}},
		{"not finite", []*stac.Item{box(1, 2, 3, 4), box(math.NaN(), 0, math.Inf(1), 1)}, []float64{1, 2, 3, 4}},
	} {
		if got := apply(summaryOf(tt.items...)).Extent.BBoxes; len(got) != 1 || !slices.Equal(got[0], tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSummaryInterval(t *testing.T) {
	utc := func(text string) *time.Time {
		if text == "" {
			return nil
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return &at
	}
	for _, tt := range []struct {
		name       string
		items      []*stac.Item
		start, end string
	}{
		{"none", []*stac.Item{at(nil), at(map[string]any{"datetime": nil}), at(map[string]any{"datetime": 2024})}, "", ""},
		{"instants", []*stac.Item{
			at(map[string]any{"datetime": "2024-03-01T00:00:00Z"}), at(map[string]any{"datetime": "2024-02-01T01:00:00+02:00"}),
		}, "2024-01-31T23:00:00Z", "2024-03-01T00:00:00Z"},
		{"start and end", []*stac.Item{
			at(map[string]any{"datetime": "2024-06-01T00:00:00Z"}),
			at(map[string]any{"datetime": nil, "start_datetime": "2024-01-01T00:00:00Z", "end_datetime": "2024-12-31T23:59:59.999Z"}),
		}, "2024-01-01T00:00:00Z", "2024-12-31T23:59:59.999Z"},
	} {
		got := apply(summaryOf(tt.items...)).Extent.Intervals
		if want := [][2]*time.Time{{utc(tt.start), utc(tt.end)}}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", tt.name, got, want)
		}
	}
}

func TestSummaryApply(t *testing.T) {
	a, b := sample(1), sample(2)
	b.Properties["proj:code"], b.Properties["gsd"] = "EPSG:32632", 20
	b.Assets["thumbnail"] = stac.Asset{Href: "x.png", Type: "image/png"}
	d := b.Assets["data"]
	d.Bands[1].Nodata, d.Bands[0].Name = nil, "first"
	c := apply(summaryOf(a, b))
	got := toJSON(t, c)
	want := `{"type":"Collection","stac_version":"1.1.0","stac_extensions":["https://stac-extensions.github.io/projection/v2.0.0/schema.json",` +
		`"https://stac-extensions.github.io/raster/v2.0.0/schema.json"],"id":"c","description":"d","license":"other",` +
		`"extent":{"spatial":{"bbox":[[13,52,13.5,52.25]]},"temporal":{"interval":[["2024-01-31T10:20:30.5Z","2024-01-31T10:20:30.5Z"]]}},` +
		`"summaries":{"cairn:band_count":[2],"cairn:datetime_source":["name"],"data_type":["float32","uint16"],"gsd":[10,20],"proj:code":["EPSG:32632","EPSG:32633"]},` +
		`"item_assets":{"data":{"type":"image/tiff; application=geotiff; profile=cloud-optimized","roles":["data"],` +
		`"bands":[{"data_type":"uint16","nodata":0,"raster:scale":0.0001},{"name":"b2","data_type":"float32"}]}},"links":[]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	c.Extensions = []string{"https://example.com/own.json"}
	c.Title = "kept"
	summaryOf(at(nil)).Apply(&c)
	if c.Title != "kept" || !slices.Equal(c.Extensions, []string{"https://example.com/own.json"}) || c.Summaries != nil || c.ItemAssets != nil {
		t.Errorf("applied anew: %#v", c)
	}
}

func TestSummaryIsBounded(t *testing.T) {
	var s stac.Summary
	for i := range 2000 {
		it := sample(i)
		it.Properties["proj:code"] = fmt.Sprint("EPSG:", i)
		it.Properties["gsd"] = 1000 - float64(i)
		it.Properties["platform"] = strings.Repeat("p", 10_000)
		it.Extensions = append(it.Extensions, fmt.Sprintf("https://stac-extensions.github.io/e%d/v1.0.0/schema.json", i))
		it.Assets[fmt.Sprint("asset ", i)] = it.Assets["data"]
		s.Add(it)
	}
	if n := len(toJSON(t, s)); n > 2000 {
		t.Errorf("a summary of %d bytes", n)
	}
	c := apply(s)
	if s.Items != 2000 || c.Summaries["proj:code"] != nil || c.Summaries["platform"] != nil || c.ItemAssets != nil || c.Extensions != nil {
		t.Errorf("%#v", c)
	}
	if got, want := c.Summaries["gsd"], (map[string]any{"minimum": -999.0, "maximum": 1000.0}); !reflect.DeepEqual(got, want) {
		t.Errorf("gsd %v, want %v", got, want)
	}
}

// A manifest may come from anybody.
func FuzzSummary(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		f.Add([]byte(toJSON(f, summaryOf(anItem(r), anItem(r)))))
	}
	f.Add([]byte(`{"texts":{"a":{}},"numbers":{"b":{"values":[3,1,2]}},"assets":{"data":{"bands":[{"nodata":[1]}]}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s stac.Summary
		if json.Unmarshal(data, &s) != nil {
			return
		}
		twice := s
		twice.Merge(s)
		twice.Add(sample(1))
		apply(twice)
	})
}

func BenchmarkSummaryAdd(b *testing.B) {
	items := make([]*stac.Item, 100)
	for i := range items {
		items[i] = sample(i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		var s stac.Summary
		for _, it := range items {
			s.Add(it)
		}
	}
}
