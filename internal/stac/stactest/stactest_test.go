package stactest

import (
	"strings"
	"testing"
)

const link = `{"rel":"collection","href":"../collection.json"}`

func item(properties, assets, links string) string {
	return `{"type":"Feature","stac_version":"1.1.0","stac_extensions":[
		"https://stac-extensions.github.io/projection/v2.0.0/schema.json"],"id":"a","collection":"c","geometry":null,
		"properties":{` + properties + `},"assets":{` + assets + `},"links":[` + links + `]}`
}

func TestCheck(t *testing.T) {
	s := load()
	if s == nil {
		t.Skip("the schemas are not here")
	}
	const when = `"datetime":"2024-01-31T00:00:00Z"`
	for _, tt := range []struct{ name, doc, want string }{
		{"good", item(when+`,"proj:code":"EPSG:4326"`, `"data":{"href":"a.tif"}`, link), ""},
		{"feature collection", `{"type":"FeatureCollection","features":[` + item(`"datetime":"2024"`, "", link) + `]}`, "date-time"},
		{"no link to the collection", item(when, "", ""), "/collection"},
		{"no datetime", item("", "", link), "datetime"},
		{"unknown field of an extension", item(when+`,"proj:nonsense":1`, "", link), "proj:nonsense"},
		{"no href", item(when, `"data":{}`, link), "href"},
		{"unknown extension", `{"type":"Catalog","stac_version":"1.1.0","id":"a","description":"d","links":[],
			"stac_extensions":["https://example.com/x.json"]}`, "no schema here"},
		{"unknown type", `{"type":"Point"}`, "none of STAC's"},
		{"no JSON", `{`, "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var all []string
			for _, err := range s.check([]byte(tt.doc)) {
				all = append(all, err.Error())
			}
			got := strings.Join(all, "\n")
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want it to hold %q", got, tt.want)
			}
		})
	}
}
