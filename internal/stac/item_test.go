package stac_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/stac"
	"github.com/cairn-stac/cairn/internal/stac/stactest"
)

func ptr[T any](v T) *T { return &v }

var square = [][][2]float64{{{13, 52}, {13.5, 52}, {13.5, 52.25}, {13, 52.25}, {13, 52}}}

// sample is an Item like those of a scan, the n-th of many.
func sample(n int) *stac.Item {
	return &stac.Item{
		ID:         fmt.Sprintf("scene-%04d", n),
		Extensions: []string{stac.ExtRaster, stac.ExtFile, stac.ExtProjection},
		Geometry:   &stac.Geometry{Polygons: [][][][2]float64{square}},
		BBox:       []float64{13, 52, 13.5, 52.25},
		Collection: "berlin",
		Properties: map[string]any{
			"datetime":              "2024-01-31T10:20:30.5Z",
			"proj:code":             "EPSG:32633",
			"gsd":                   10.0,
			"cairn:datetime_source": "name",
		},
		Assets: map[string]stac.Asset{"data": {
			Href: fmt.Sprintf("file:///rasters/berlin/scene-%04d.tif", n), Type: stac.TypeCOG, Roles: []string{"data"},
			Bands: []stac.Band{
				{Name: "b1", DataType: "uint16", Nodata: 0.0, Scale: ptr(0.0001), Statistics: map[string]any{"minimum": 1.0}},
				{Name: "b2", DataType: "float32", Nodata: "nan"},
			},
			Fields: map[string]any{
				"file:size":      int64(1234567),
				"proj:shape":     []int{512, 1024},
				"proj:transform": []float64{10, 0, 399960, 0, -10, 5800020},
			},
		}},
	}
}

func line(t testing.TB, it *stac.Item) []byte {
	t.Helper()
	b, err := it.Line()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const sampleLine = `{"type":"Feature","stac_version":"1.1.0","stac_extensions":["https://stac-extensions.github.io/file/v2.1.0/schema.json",` +
	`"https://stac-extensions.github.io/projection/v2.0.0/schema.json","https://stac-extensions.github.io/raster/v2.0.0/schema.json"],` +
	`"id":"scene-0007","collection":"berlin","geometry":{"type":"Polygon","coordinates":[[[13,52],[13.5,52],[13.5,52.25],[13,52.25],[13,52]]]},` +
	`"bbox":[13,52,13.5,52.25],"properties":{"cairn:datetime_source":"name","datetime":"2024-01-31T10:20:30.5Z","gsd":10,"proj:code":"EPSG:32633"},` +
	`"assets":{"data":{"href":"file:///rasters/berlin/scene-0007.tif","type":"image/tiff; application=geotiff; profile=cloud-optimized","roles":["data"],` +
	`"bands":[{"name":"b1","data_type":"uint16","nodata":0,"statistics":{"minimum":1},"raster:scale":0.0001},{"name":"b2","data_type":"float32","nodata":"nan"}],` +
	`"file:size":1234567,"proj:shape":[512,1024],"proj:transform":[10,0,399960,0,-10,5800020]}},"links":[]}`

func TestItemLine(t *testing.T) {
	it := sample(7)
	got := line(t, it)
	if string(got) != sampleLine {
		t.Errorf("got  %s\nwant %s", got, sampleLine)
	}
	stactest.ValidateLine(t, got)
	if it.Extensions[0] != stac.ExtRaster {
		t.Error("Line sorted the caller's Extensions")
	}
}

func TestItemRoundTrip(t *testing.T) {
	wide := sample(1)
	wide.Geometry.Polygons = append(wide.Geometry.Polygons, square)
	wide.BBox = []float64{170, -10, -170, 10}
	bare := &stac.Item{ID: "bare", BBox: []float64{1, 2, 3, 4}, Properties: map[string]any{"datetime": "2024-01-01T00:00:00Z"}}
	odd := sample(2)
	odd.Properties["odd"] = map[string]any{
		"<&>\u2028\x01\"\\": "tab\there, bad \xff, fine é", "nil": nil, "yes": true, "huge": uint64(math.MaxUint64),
		"big": int64(9007199254740993), "tiny": 5e-324, "max": math.MaxFloat64, "-0": math.Copysign(0, -1),
		"list": []any{1e21, 1e-7, []string{}, map[string]any{}}, "struct": struct{ B, A int }{1, 2},
		"number": json.Number("1.50"), "float32": float32(0.1), "digits": json.Number("100000000000000000000000"),
	}
	for name, it := range map[string]*stac.Item{"polygon": sample(0), "multipolygon": wide, "no geometry": bare, "odd values": odd} {
		t.Run(name, func(t *testing.T) {
			first := line(t, it)
			decoded, err := stac.DecodeItem(first)
			if err != nil {
				t.Fatal(err)
			}
			if again := line(t, decoded); !bytes.Equal(again, first) {
				t.Errorf("got  %s\nwant %s", again, first)
			}
			if bytes.ContainsRune(first, '\n') || !bytes.HasSuffix(first, []byte(`,"links":[]}`)) {
				t.Errorf("not a line: %s", first)
			}
			whole, err := json.Marshal(it)
			if err != nil {
				t.Fatal(err)
			}
			var same stac.Item
			if err := json.Unmarshal(whole, &same); err != nil || !reflect.DeepEqual(&same, decoded) {
				t.Errorf("through encoding/json: %v, %v", same, err)
			}
		})
	}
	if got := string(line(t, bare)); strings.Contains(got, "bbox") || !strings.Contains(got, `"geometry":null`) {
		t.Errorf("without a geometry: %s", got)
	}
	if got := string(line(t, wide)); !strings.Contains(got, `{"type":"MultiPolygon","coordinates":[[[[`) {
		t.Errorf("two polygons: %s", got)
	}
	for _, want := range []string{`"big":9007199254740993`, `"huge":18446744073709551615`, `"number":1.5`, `"struct":{"A":2,"B":1}`,
		`"<&>\u2028\u0001\"\\":"tab\there, bad ` + "\ufffd" + `, fine é"`, `[1e+21,1e-7,[],{}]`, `"-0":-0`} {
		if got := string(line(t, odd)); !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

func TestItemLineErrors(t *testing.T) {
	for want, spoil := range map[string]func(*stac.Item){
		`encode item "": no id`:                                               func(it *stac.Item) { it.ID = "" },
		`bbox of 0 numbers`:                                                   func(it *stac.Item) { it.BBox = nil },
		`item "scene-0000": bbox: NaN is no JSON number`:                      func(it *stac.Item) { it.BBox[1] = math.NaN() },
		`geometry: +Inf`:                                                      func(it *stac.Item) { it.Geometry = &stac.Geometry{Polygons: [][][][2]float64{{{{math.Inf(1), 0}}}}} },
		`properties: gsd: -Inf`:                                               func(it *stac.Item) { it.Properties["gsd"] = math.Inf(-1) },
		`properties: n: `:                                                     func(it *stac.Item) { it.Properties["n"] = json.Number("0x1") },
		`properties: f: json: unsupported type: func()`:                       func(it *stac.Item) { it.Properties["f"] = func() {} },
		`assets: data: bands: nodata: NaN`:                                    func(it *stac.Item) { it.Assets["data"].Bands[0].Nodata = math.NaN() },
		`assets: data: field "href" shadows the asset's own`:                  func(it *stac.Item) { it.Assets["data"].Fields["href"] = "x" },
		`assets: data: bands: raster:scale: NaN`:                              func(it *stac.Item) { *it.Assets["data"].Bands[0].Scale = math.NaN() },
		`assets: data: list: ` /* of infinities */ + `+Inf is no JSON number`: func(it *stac.Item) { it.Assets["data"].Fields["list"] = []float64{math.Inf(1)} },
	} {
		it := sample(0)
		spoil(it)
		if _, err := it.Line(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := json.Marshal(it); err == nil {
			t.Errorf("MarshalJSON: no error, want %s", want)
		}
	}
}

func TestDecodeItemErrors(t *testing.T) {
	good := string(line(t, sample(0)))
	for want, swap := range map[string][2]string{
		`decode item "": type: "Point", not "Feature"`: {`"Feature"`, `"Point"`},
		`stac_version: "1.0.0"`:                        {`"1.1.0"`, `"1.0.0"`},
		`item "scene-0000": no type`:                   {`"type":"Feature",`, ``},
		`no stac_version`:                              {`"stac_version":"1.1.0",`, ``},
		`extra: unknown member`:                        {`"id":`, `"extra":1,"id":`},
		`geometry: byte 317 is 'n', not a comma`:       {`"type":"Polygon"`, `"type":"Polygon"nor`},
		`of type "Point"`:                              {`"type":"Polygon"`, `"type":"Point"`},
		`the type first`:                               {`"type":"Polygon",`, ``},
		`no coordinates`:                               {`"Polygon","coordinates":[[[13,52],[13.5,52],[13.5,52.25],[13,52.25],[13,52]]]`, `"MultiPolygon","coordinates":[]`},
		`position of 3 numbers`:                        {`[13,52]`, `[13,52,0]`},
		`bbox without a geometry`:                      {`{"type":"Polygon","coordinates":[[[13,52],[13.5,52],[13.5,52.25],[13,52.25],[13,52]]]}`, `null`},
		`bbox of 3 numbers`:                            {`"bbox":[13,`, `"bbox":[`},
		`properties: byte 517 is '[', not an object`:   {`"gsd":10,`, `"gsd":10},"properties":[],"x":{`},
		`value out of range`:                           {`"gsd":10,`, `"gsd":1e999,`},
		`properties: gsd: nested more than`:            {`"gsd":10,`, `"gsd":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `,`},
		`bands: noise: unknown member`:                 {`"data_type":"uint16"`, `"noise":1`},
		`assets: data: byte 546 is 'n', not an object`: {`"data":{`, `"data":null,"x":{`},
		`links: method: unknown member`:                {`"links":[]`, `"links":[{"rel":"a","href":"b","method":"GET"}]`},
		`no id`:                                        {`"scene-0000","collection"`, `"","collection"`},
		`ends where the end of a string is wanted`:     {`"links":[]}`, `"li\`},
		`not the end`:                                  {`"links":[]}`, `"links":[]}` + "\x00"},
		`is '\n', not a character of a string`:         {`"gsd"`, "\"g\nd\""},
		`is '1', not a comma`:                          {`"gsd":10`, `"gsd":01`},
		`not a number`:                                 {`"gsd":10`, `"gsd":1.e5`},
		`not true`:                                     {`"gsd":10`, `"gsd":trye`},
	} {
		text := strings.Replace(good, swap[0], swap[1], 1)
		if text == good {
			t.Fatalf("%s: nothing replaced", want)
		}
		if _, err := stac.DecodeItem([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for _, text := range []string{"", "null", "[]", "{}", good + good, good[:len(good)-1]} {
		if _, err := stac.DecodeItem([]byte(text)); err == nil {
			t.Errorf("no error for %.40q", text)
		}
	}
}

func TestWithLinks(t *testing.T) {
	it := sample(0)
	bare := line(t, it)
	links := []stac.Link{{Rel: "root", Href: "../a&b.json", Type: stac.TypeJSON}, {Rel: "parent", Href: "x", Title: "Über <x>"}}
	got := stac.WithLinks(bare, links)
	want := strings.TrimSuffix(string(bare), "[]}") +
		`[{"rel":"root","type":"application/json","href":"../a&b.json"},{"rel":"parent","href":"x","title":"Über <x>"}]}`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
	if !bytes.Equal(bare, line(t, it)) {
		t.Error("the line was changed")
	}
	decoded, err := stac.DecodeItem(got)
	if err != nil || !reflect.DeepEqual(decoded.Links, links) {
		t.Errorf("links %v, %v", decoded, err)
	}
	if same := line(t, decoded); !bytes.Equal(same, bare) {
		t.Errorf("Line wrote links: %s", same)
	}
	if got := stac.WithLinks(bare, nil); !bytes.Equal(got, bare) {
		t.Errorf("no links: %s", got)
	}
	if got := stac.WithLinks([]byte("{}"), links); string(got) != "{}" {
		t.Errorf("not a line: %s", got)
	}
}

// A line of a Part may come from anybody. What decodes must encode, to a line that stays as it is from then on.
func FuzzDecodeItem(f *testing.F) {
	f.Add([]byte(sampleLine))
	f.Add([]byte(strings.Replace(sampleLine, `"gsd":10`, `"gsd":-0.0,"x":[1E400,12345678901234567890,"\ud800",{"":null}]`, 1)))
	f.Add([]byte(`{"id":"a","type":"Feature","stac_version":"1.1.0","geometry":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		it, err := stac.DecodeItem(data)
		if err != nil {
			return
		}
		first, err := it.Line()
		if err != nil {
			t.Fatalf("decoded, but: %v", err)
		}
		again, err := stac.DecodeItem(first)
		if err != nil {
			t.Fatalf("%v in %s", err, first)
		}
		if second := line(t, again); !bytes.Equal(first, second) {
			t.Fatalf("%s\nbecame %s", first, second)
		}
		var s stac.Summary
		s.Add(it)
	})
}

// Text and numbers come out as encoding/json writes them.
func FuzzValues(f *testing.F) {
	f.Add("plain", 1.5)
	f.Add("\u2029<\x7f\x00\b\f", -1e-7)
	f.Add("é\xff", 1e21)
	f.Fuzz(func(t *testing.T, s string, x float64) {
		it := &stac.Item{ID: "a", Properties: map[string]any{"s": s, "x": x}}
		got, err := it.Line()
		if (err != nil) != (math.IsNaN(x) || math.IsInf(x, 0)) {
			t.Fatal(err)
		}
		if err != nil {
			return
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(map[string]any{"s": strings.ToValidUTF8(s, "\ufffd"), "x": x})
		if want := strings.TrimSpace(b.String()); !strings.Contains(string(got), want) {
			t.Fatalf("no %s in %s", want, got)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	it := sample(0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := it.Line(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeItem(b *testing.B) {
	data := line(b, sample(0))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := stac.DecodeItem(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWithLinks(b *testing.B) {
	data := line(b, sample(0))
	links := []stac.Link{{Rel: "root", Href: "../../../catalog.json", Type: stac.TypeJSON}, {Rel: "parent", Href: "../collection.json"}}
	b.ReportAllocs()
	for b.Loop() {
		stac.WithLinks(data, links)
	}
}
