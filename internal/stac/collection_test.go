package stac_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/stac"
	"github.com/cairn-stac/cairn/internal/stac/stactest"
)

func sampleCollection() stac.Collection {
	start := time.Date(2024, 1, 31, 12, 20, 30, 5e8, time.FixedZone("", 2*3600))
	return stac.Collection{
		ID: "berlin", Title: "Berlin <&>", Description: "Orthophotos", License: "CC-BY-4.0", Keywords: []string{"ortho"},
		Providers:  []stac.Provider{{Name: "City", Roles: []string{"producer"}, URL: "https://example.com"}},
		Extensions: []string{stac.ExtRaster, stac.ExtProjection, stac.ExtProjection},
		Extent:     stac.Extent{BBoxes: [][]float64{{13, 52, 13.5, 52.25}}, Intervals: [][2]*time.Time{{&start, nil}}},
		Summaries:  map[string]any{"proj:code": []string{"EPSG:32633"}, "gsd": map[string]any{"minimum": 1.0, "maximum": 2.5}},
		ItemAssets: map[string]stac.Asset{"data": {Type: stac.TypeCOG, Roles: []string{"data"}, Bands: []stac.Band{{Scale: ptr(2.0)}}}},
		Assets:     map[string]stac.Asset{"items": {Href: "items.parquet", Type: "application/vnd.apache.parquet"}},
		Links:      []stac.Link{{Rel: "root", Href: "../../catalog.json", Type: stac.TypeJSON}},
	}
}

const sampleCollectionJSON = `{"type":"Collection","stac_version":"1.1.0",` +
	`"stac_extensions":["https://stac-extensions.github.io/projection/v2.0.0/schema.json","https://stac-extensions.github.io/raster/v2.0.0/schema.json"],` +
	`"id":"berlin","title":"Berlin <&>","description":"Orthophotos","keywords":["ortho"],"license":"CC-BY-4.0",` +
	`"providers":[{"name":"City","roles":["producer"],"url":"https://example.com"}],` +
	`"extent":{"spatial":{"bbox":[[13,52,13.5,52.25]]},"temporal":{"interval":[["2024-01-31T10:20:30.5Z",null]]}},` +
	`"summaries":{"gsd":{"maximum":2.5,"minimum":1},"proj:code":["EPSG:32633"]},` +
	`"item_assets":{"data":{"type":"image/tiff; application=geotiff; profile=cloud-optimized","roles":["data"],"bands":[{"raster:scale":2}]}},` +
	`"assets":{"items":{"href":"items.parquet","type":"application/vnd.apache.parquet"}},` +
	`"links":[{"rel":"root","type":"application/json","href":"../../catalog.json"}]}`

func TestCollection(t *testing.T) {
	c := sampleCollection()
	got, err := c.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != sampleCollectionJSON {
		t.Errorf("got  %s\nwant %s", got, sampleCollectionJSON)
	}
	stactest.Validate(t, got)

	// A manifest keeps a list of them.
	list, err := json.Marshal([]stac.Collection{c, {ID: "bare"}})
	if err != nil {
		t.Fatal(err)
	}
	var back []stac.Collection
	if err := json.Unmarshal(list, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back[1], stac.Collection{ID: "bare"}) {
		t.Errorf("bare: %#v", back[1])
	}
	if again, err := back[0].MarshalJSON(); err != nil || string(again) != sampleCollectionJSON {
		t.Errorf("round trip: %v, %s", err, again)
	}
}

func TestCollectionErrors(t *testing.T) {
	for want, swap := range map[string][2]string{
		`decode collection "": type: "Catalog"`:                 {`"Collection"`, `"Catalog"`},
		`decode collection "berlin": extra: unknown`:            {`"title"`, `"extra":1,"title"`},
		`extent: temporal: interval: an interval of 1 instants`: {`,null]`, `]`},
		`extent: temporal: interval: parsing time "2024`:        {`30.5Z`, `30.5`},
		`extent: spatial: other: unknown`:                       {`"bbox"`, `"other"`},
		`extent: other: unknown`:                                {`"temporal"`, `"other"`},
		`providers: boss: unknown`:                              {`"roles":["producer"]`, `"boss":1`},
		`item_assets: data: bands: x: unknown`:                  {`"raster:scale"`, `"x"`},
		`summaries: gsd: minimum: byte`:                         {`"minimum":1`, `"minimum":one`},
		`stac_version: "1.1.1", not "1.1.0"`:                    {`"1.1.0"`, `"1.1.1"`},
		`ends where a comma is wanted`:                          {`.json"}]}`, `.json"}]`},
	} {
		text := strings.Replace(sampleCollectionJSON, swap[0], swap[1], 1)
		if text == sampleCollectionJSON {
			t.Fatalf("%s: nothing replaced", want)
		}
		var c stac.Collection
		if err := c.UnmarshalJSON([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	late := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	c := stac.Collection{ID: "a", Extent: stac.Extent{Intervals: [][2]*time.Time{{&late, nil}}}}
	if _, err := c.MarshalJSON(); err == nil || !strings.Contains(err.Error(), `collection "a": extent: year 10000`) {
		t.Error(err)
	}
}

func TestCatalog(t *testing.T) {
	c := stac.Catalog{
		ID: "root", Title: "All", Description: "Everything", ConformsTo: []string{"https://example.com/conf"},
		Links: []stac.Link{{Rel: "root", Href: "./catalog.json", Type: stac.TypeJSON, Title: "All"}},
	}
	got, err := c.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"Catalog","stac_version":"1.1.0","stac_extensions":[],"id":"root","title":"All","description":"Everything",` +
		`"conformsTo":["https://example.com/conf"],"links":[{"rel":"root","type":"application/json","href":"./catalog.json","title":"All"}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	stactest.Validate(t, got)
	var back stac.Catalog
	if err := back.UnmarshalJSON(got); err != nil || !reflect.DeepEqual(back, c) {
		t.Errorf("%v, %#v", err, back)
	}
	for want, swap := range map[string][2]string{
		`decode catalog "": type: "Feature"`:    {`"Catalog"`, `"Feature"`},
		`catalog "root": child: unknown member`: {`"links"`, `"child"`},
		`stac_extensions: a catalog has none`:   {`"stac_extensions":[]`, `"stac_extensions":["x"]`},
	} {
		if err := back.UnmarshalJSON([]byte(strings.Replace(string(got), swap[0], swap[1], 1))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func FuzzCollection(f *testing.F) {
	f.Add([]byte(sampleCollectionJSON))
	f.Add([]byte(strings.Replace(sampleCollectionJSON, `2024-01-31T10:20:30.5Z`, `0000-01-01T00:00:00+01:00`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c, again stac.Collection
		if c.UnmarshalJSON(data) != nil {
			return
		}
		first, err := c.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalJSON(first); err != nil {
			t.Fatalf("%v in %s", err, first)
		}
		if second, _ := again.MarshalJSON(); string(second) != string(first) {
			t.Fatalf("%s\nbecame %s", first, second)
		}
	})
}
