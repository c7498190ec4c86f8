package item

import (
	"reflect"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/config"
)

func TestShaping(t *testing.T) {
	plain := rulesOf(t, "").Shaping()
	if len(plain) != 32 || plain != rulesOf(t, "# comment\n").Shaping() {
		t.Errorf("Shaping = %q", plain)
	}
	seen := map[string]string{plain: "nothing"}
	for _, yaml := range []string{
		"collections: {depth: 2}", "collections: {list: [{prefix: a/, id: b}]}", "collections: {list: [{prefix: b/, id: b}]}",
		"collections: {list: [{prefix: a/, id: c}]}", "include: x", "include: y", "exclude: x",
		"datetime: {patterns: ['(?P<year>x)']}", "datetime: {fallback: reject}", "properties: {constants: {a: 1}}",
		"properties: {constants: {a: 2}}", "properties: {from_path: '(?P<a>x)'}", "assume_crs: 4326", "assume_crs: 3857",
		"properties: {from_sidecar: {a: x}}", "properties: {from_sidecar: {a: y}}", "properties: {from_metadata: {a: x}}",
		"datetime: {from_sidecar: x}", "datetime: {from_metadata: x}", "scenes: off", "scenes: red", "scenes: [known, red]",
		"without_footprint: item", "common_names: true", "asset_href: https://a.b/{key}", "asset_href: https://a.c/{key}",
	} {
		shaping := rulesOf(t, yaml).Shaping()
		if other, ok := seen[shaping]; ok {
			t.Errorf("%s shapes like %s", yaml, other)
		}
		seen[shaping] = yaml
	}
	for _, yaml := range []string{
		"title: x", "description: x", "license: MIT", "keywords: [x]", "providers: [{name: x}]", "static: none", "retention: 1h",
		"collections: {depth: 1}", "datetime: {fallback: last_modified}", "asset_href: source",
		"scenes: known", "common_names: false", "without_footprint: reject",
	} {
		if rulesOf(t, yaml).Shaping() != plain {
			t.Errorf("%s shapes Items", yaml)
		}
	}
	one := rulesOf(t, "collections: {list: [{prefix: a/, id: b}, {prefix: b/}]}").Shaping()
	two := rulesOf(t, "collections: {list: [{prefix: b/, title: x}, "+
		"{prefix: a/, id: b, title: x, description: x, license: MIT, keywords: [x]}]}").Shaping()
	if one != two {
		t.Error("titles and the order of the list shape Items")
	}
}

func TestShapingOfSource(t *testing.T) {
	shaping := func(yaml string, src Source) string { return rulesAt(t, yaml, src).Shaping() }
	moved, renamed := Source{URL: "file:///elsewhere/photos", Name: "photos"}, Source{URL: photos.URL, Name: "pictures"}
	if plain := shaping("", photos); plain == shaping("", moved) || plain == shaping("", renamed) {
		t.Error("the Source does not shape Items")
	}
	template := "asset_href: https://a.b/{key}"
	if shaping(template, photos) != shaping(template, moved) {
		t.Error("the Source's address shapes Items whose assets are elsewhere")
	}

	// With assets over https it is that address that counts, and only then.
	there, elsewhere, moved := bucket, bucket, bucket
	elsewhere.HTTPS, moved.URL = "https://cdn.example", "s3://copy/photos"
	https := "asset_href: https"
	if shaping(https, there) == shaping("", there) || shaping(https, there) == shaping(https, elsewhere) {
		t.Error("the https address does not shape Items")
	}
	if shaping(https, there) != shaping(https, moved) || shaping("", there) != shaping("", elsewhere) {
		t.Error("an address that no asset has shapes Items")
	}
}

// TestShapingKnowsEveryKey fails when the config gets a field that nobody decided about.
func TestShapingKnowsEveryKey(t *testing.T) {
	decided := "Title Description License Keywords Providers Collections Include Exclude Datetime Properties Scenes CommonNames " +
		"AssumeCRS WithoutFootprint AssetHref Static Retention"
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[config.Config]()) {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != decided {
		t.Errorf("the config has %s; does what is new shape Items?", got)
	}
}
