package config

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/stac"
)

const everything = `# a comment
title: Orthophotos
description: |
  Several
  lines.
license: CC-BY-4.0
keywords: [aerial, 2024]
providers:
  - name: Survey office
    description: Flies.
    roles: [producer, licensor]
    url: https://example.com
collections:
  depth: 2
  list:
    - prefix: sentinel/l2a/
      id: sentinel-2-l2a
      title: Sentinel-2
      description: Scenes
      license: proprietary
      keywords: [msi]
    - prefix: dem/
include: ["**/*.{tif,TIF}"]
exclude:
  - "**/old/**"
  - '*.bak.tif'
datetime:
  patterns:
    - 'y(?P<year>\d{4})'
    - '(?P<start_year>\d{4})-(?P<end_year>\d{4})'
  from_sidecar: [sensing_time, DATE_ACQUIRED + SCENE_CENTER_TIME]
  from_metadata: TIME
  fallback: reject
properties:
  constants:
    platform: drone
    gsd: 0.1
    view:off_nadir: 3
    cairnlike: true
    nested: {list: [1, -2, 2.5, 18446744073709551615, x]}
  from_path: '(?P<mission>S2[AB])_(?P<sat__orbit_state>asc|desc)'
  from_sidecar: {"eo:cloud_cover": IMAGE_ATTRIBUTES.CLOUD_COVER}
  from_metadata:
    view:sun_elevation: "IMAGERY:SUN_ELEVATION"
scenes: [known, red, "band_?"]
without_footprint: item
assume_crs: EPSG:4326
asset_href: https://example.com/tiles/{key}?v=1
static: none
retention: 36h
`

func TestParse(t *testing.T) {
	c, err := Parse([]byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %#v, want %#v", what, got, want)
		}
	}
	check("title", c.Title, "Orthophotos")
	check("description", c.Description, "Several\nlines.\n")
	check("license", c.License, "CC-BY-4.0")
	check("keywords", c.Keywords, []string{"aerial", "2024"})
	check("providers", c.Providers, []stac.Provider{{Name: "Survey office", Description: "Flies.",
		Roles: []string{"producer", "licensor"}, URL: "https://example.com"}})
	check("collections", c.Collections, Collections{Depth: 2, List: []Listed{
		{Prefix: "sentinel/l2a/", ID: "sentinel-2-l2a", Title: "Sentinel-2", Description: "Scenes", License: "proprietary",
			Keywords: []string{"msi"}},
		{Prefix: "dem/"},
	}})
	check("include", fmt.Sprint(c.Include), "[**/*.{tif,TIF}]")
	check("exclude", fmt.Sprint(c.Exclude), "[**/old/** *.bak.tif]")
	check("patterns", fmt.Sprint(c.Datetime.Patterns), `[y(?P<year>\d{4}) (?P<start_year>\d{4})-(?P<end_year>\d{4})]`)
	check("group", c.Datetime.Patterns[0].SubexpIndex("year"), 1)
	check("fallback", c.Datetime.Fallback, FallbackReject)
	check("constants", c.Properties.Constants, map[string]any{"platform": "drone", "gsd": 0.1, "view:off_nadir": int64(3),
		"cairnlike": true,
		"nested":    map[string]any{"list": []any{int64(1), int64(-2), 2.5, uint64(18446744073709551615), "x"}}})
	check("from_path", fmt.Sprint(c.Properties.FromPath), `[(?P<mission>S2[AB])_(?P<sat__orbit_state>asc|desc)]`)
	check("times in sidecars", c.Datetime.FromSidecar, []Field{{"sensing_time"}, {"DATE_ACQUIRED", "SCENE_CENTER_TIME"}})
	check("times in metadata", c.Datetime.FromMetadata, []Field{{"TIME"}})
	check("from_sidecar", c.Properties.FromSidecar, map[string]Field{"eo:cloud_cover": {"IMAGE_ATTRIBUTES.CLOUD_COVER"}})
	check("from_metadata", c.Properties.FromMetadata, map[string]Field{"view:sun_elevation": {"IMAGERY:SUN_ELEVATION"}})
	check("scenes", fmt.Sprint(c.Scenes), "{false true [red band_?]}")
	check("without_footprint", c.WithoutFootprint, FootprintOrNull)
	check("assume_crs", c.AssumeCRS, 4326)
	check("asset_href", c.AssetHref, "https://example.com/tiles/{key}?v=1")
	check("static", c.Static, StaticNone)
	check("retention", c.Retention, 36*time.Hour)
}

func TestEmptyIsDefault(t *testing.T) {
	for _, s := range []string{"", "\n", "# nothing\n", "---\n", "title:\ncollections:\n  # list:\ninclude:\n"} {
		c, err := Parse([]byte(s))
		if err != nil || !reflect.DeepEqual(c, Default()) {
			t.Errorf("Parse(%q) = %+v, %v; want the default", s, c, err)
		}
	}
}

func TestWindowsText(t *testing.T) {
	c, err := Parse([]byte("\ufefftitle: a\r\ncollections:\r\n  depth: 2\r\n"))
	if err != nil || c.Title != "a" || c.Collections.Depth != 2 {
		t.Errorf("Parse = %+v, %v", c, err)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"title: a\n\n\n# x\n\n\ncolections:\n  depth: 1\n", `cairn.yaml:7: unknown key "colections"; did you mean "collections"?`},
		{"zzz: 1", `cairn.yaml:1: unknown key "zzz"; known here: asset_href, assume_crs, collections, common_names, datetime, description, exclude, ` +
			`include, keywords, license, properties, providers, retention, scenes, static, title, without_footprint`},
		{"collections:\n  dept: 1", `cairn.yaml:2: collections: unknown key "dept"; did you mean "depth"?`},
		{"collections:\n  depth: -1", `cairn.yaml:2: collections.depth: want a number from 0 to 10, have "-1"`},
		{"collections:\n  depth: one", `cairn.yaml:2: collections.depth: want a number from 0 to 10, have "one"`},
		{"collections: [a]", `cairn.yaml:1: collections: want keys (depth, list), have a list`},
		{"collections:\n  list:\n    - prefix: a\n", `cairn.yaml:3: collections.list.prefix: the prefix "a" must end in "/", ` +
			`so that it does not mean "a-other/" too`},
		{"collections:\n  list:\n    - prefix: /a/\n", `cairn.yaml:3: collections.list.prefix: the prefix "/a/" must not begin ` +
			`with "/": it is relative to the source`},
		{"collections:\n  list:\n    - title: x\n", `cairn.yaml:3: collections.list: a listed collection needs a prefix`},
		{"collections:\n  list:\n    - prefix: a/\n    - prefix: a/\n", `cairn.yaml:4: collections.list.prefix: the prefix "a/" is listed twice`},
		{"collections:\n  list:\n    - prefix: a/\n      id: x\n    - prefix: b/\n      id: x\n",
			`cairn.yaml:6: collections.list.id: the id "x" is listed twice`},
		{"scenes: a/b", `cairn.yaml:1: scenes: want what names end in, such as red or B*, have "a/b"`},
		{"common_names: often", `cairn.yaml:1: common_names: want true or false, have "often"`},
		{"scenes: []", `cairn.yaml:1: scenes: want off, or what the names of a scene's files end in, such as [red, green, blue]`},
		{"scenes: ['[']", `cairn.yaml:1: scenes: glob "[": a "[" without "]"`},
		{"without_footprint: maybe", `cairn.yaml:1: without_footprint: want one of reject, item; have "maybe"`},
		{"datetime: {from_sidecar: a+}", `cairn.yaml:1: datetime.from_sidecar: want the name of a field, such as CLOUD_COVER, or up to 4 with ` +
			`"+" between them, have "a+"`},
		{"properties:\n  from_sidecar:\n    datetime: x\n", `cairn.yaml:3: properties.from_sidecar: the property datetime cannot be set here`},
		{"properties: {from_sidecar: {eo:cloud_cover: C}}", `cairn.yaml:1: properties.from_sidecar: want the name of a field, have ` +
			`"cloud_cover: C"; a property with a colon in braces needs quotes, as in {"eo:cloud_cover": C}`},
		{"properties: {from_metadata: [a]}", `cairn.yaml:1: properties.from_metadata: want up to 100 properties with a field each, have a list`},
		{"collections:\n  list: [{prefix: a/, id: a b}]\n",
			`cairn.yaml:2: collections.list.id: want an id of 1 to 200 letters, digits, ".", "_" and "-", have "a b"`},
		{"collections:\n  list: [{prefix: a/, id: ..}]\n",
			`cairn.yaml:2: collections.list.id: want an id of 1 to 200 letters, digits, ".", "_" and "-", have ".."`},
		{"title: [a]", `cairn.yaml:1: title: want text, have a list`},
		{"title: ''", `cairn.yaml:1: title: want text, have none`},
		{"title: a\ntitle: b", `cairn.yaml:2: mapping key "title" already defined at [1:1]`},
		{"license: CC BY", `cairn.yaml:1: license: want an SPDX license identifier such as CC-BY-4.0, or "other", have "CC BY"`},
		{"providers:\n- url: https://a.b\n", `cairn.yaml:2: providers: a provider needs a name`},
		{"providers:\n- name: a\n  roles: [boss]\n", `cairn.yaml:3: providers.roles: want one of licensor, producer, processor, host; have "boss"`},
		{"providers:\n- name: a\n  url: nowhere\n", `cairn.yaml:3: providers.url: want a URL, have "nowhere"`},
		{"include: '/a'", `cairn.yaml:1: include: glob "/a": keys do not begin with "/"`},
		{"include:\n - a\n - '[a'", `cairn.yaml:3: include: glob "[a": a "[" without "]"`},
		{"datetime:\n  fallback: now", `cairn.yaml:2: datetime.fallback: want one of last_modified, reject; have "now"`},
		{"datetime:\n  patterns: ['(']", "cairn.yaml:2: datetime.patterns: error parsing regexp: missing closing ): `(`"},
		{"datetime:\n  patterns: ['(?P<year>x)(?P<day>y)']",
			`cairn.yaml:2: datetime.patterns: pattern "(?P<year>x)(?P<day>y)": the group day needs the group month`},
		{"datetime:\n  patterns: ['a']",
			`cairn.yaml:2: datetime.patterns: pattern "a": it needs a group (?P<year>…), or both of start_year and end_year`},
		{"datetime:\n  patterns: ['(?P<year>x)(?P<start_year>y)']",
			`cairn.yaml:2: datetime.patterns: pattern "(?P<year>x)(?P<start_year>y)": groups with and without start_ and end_ do not go together`},
		{"datetime:\n  patterns: ['(?P<year>x)(?P<tag>y)']",
			`cairn.yaml:2: datetime.patterns: pattern "(?P<year>x)(?P<tag>y)": unknown group "tag"; known: year, month, day, hour, ` +
				`minute, second, and these with start_ or end_ in front`},
		{"properties:\n  constants:\n    a: 1\n    datetime: x\n", `cairn.yaml:4: properties.constants: the property datetime cannot be set here`},
		{"properties:\n  constants:\n    proj:code: x\n", `cairn.yaml:3: properties.constants: the property proj:code cannot be set here`},
		{"properties:\n  constants:\n    gsd: -1\n", `cairn.yaml:3: properties.constants: gsd: want metres, above 0`},
		{"properties:\n  constants:\n    instruments: msi\n", `cairn.yaml:3: properties.constants: instruments: want a list of texts`},
		{"properties:\n  constants:\n    created: 2024\n", `cairn.yaml:3: properties.constants: created: want a time such as 2024-01-31T12:00:00Z`},
		{"properties:\n  constants:\n    a: []\n", `cairn.yaml:3: properties.constants: want a value, have an empty list`},
		{"properties:\n  constants:\n    a:\n", `cairn.yaml:3: properties.constants: want a value, have nothing`},
		{"properties:\n  constants:\n    a: .nan\n", `cairn.yaml:3: properties.constants: want a value, have something else`},
		{"properties:\n  from_path: a\n", `cairn.yaml:2: properties.from_path: pattern "a": it needs a named group, such as (?P<platform>…)`},
		{"properties:\n  from_path: '(?P<gsd>1)'\n",
			`cairn.yaml:2: properties.from_path: pattern "(?P<gsd>1)": the group gsd: the property gsd cannot be text`},
		{"assume_crs: EPSG:1", `cairn.yaml:1: assume_crs: EPSG:1: coordinate reference system is not supported`},
		{"assume_crs: UTM", `cairn.yaml:1: assume_crs: want an EPSG code such as 32633 or EPSG:32633, have "UTM"`},
		{"asset_href: https://a.b/", `cairn.yaml:1: asset_href: want source, https, or a URL with {key} in it once, such as ` +
			`https://example.com/{key}; have "https://a.b/"`},
		{"asset_href: '{key}'", `cairn.yaml:1: asset_href: want source, https, or a URL with {key} in it once, such as ` +
			`https://example.com/{key}; have "{key}"`},
		{"static: yes", `cairn.yaml:1: static: want one of auto, items, collections, none; have "yes"`},
		{"retention: 1s", `cairn.yaml:1: retention: want a duration from 1m0s to 87840h0m0s, have 1s`},
		{"retention: 5", `cairn.yaml:1: retention: want a duration such as 24h, have "5"`},
		{"title: &a b", `cairn.yaml:1: "&": anchors, aliases, tags, directives and complex keys are not used here`},
		{"title: a\n---\ntitle: b\n", `cairn.yaml:3: a second YAML document; there may be only one`},
		{"- a", `cairn.yaml:1: want keys (asset_href, assume_crs, collections, common_names, datetime, description, exclude, include, keywords, ` +
			`license, properties, providers, retention, scenes, static, title, without_footprint), have a list`},
		{"title: a\n\tb: c", ``},
		{"title: \xff", `cairn.yaml: the file is not UTF-8 text`},
		{strings.Repeat("#", maxBytes+1), `cairn.yaml: the file has 262145 bytes; at most 262144 are read`},
		{strings.Repeat("a: 1\n", maxTokens), `cairn.yaml: the file has more than 30000 YAML tokens`},
		{strings.Repeat("[", 5000), `cairn.yaml:1: more than 16 levels of nesting`},
		{strings.Repeat("- ", 5000), `cairn.yaml:1: more than 16 levels of nesting`},
	} {
		_, err := Parse([]byte(tt.in))
		var e *Error
		if !errors.As(err, &e) || tt.want != "" && err.Error() != tt.want {
			t.Errorf("Parse(%.80q)\n got %v\nwant %s", tt.in, err, tt.want)
		}
	}
}

// TestKeysAreRead holds each key against Default: a key that changed nothing would be one that does not work.
func TestKeysAreRead(t *testing.T) {
	values := map[string]string{
		"title": "x", "description": "x", "license": "MIT", "keywords": "[x]", "providers": "[{name: x}]",
		"collections": "{depth: 3}", "include": "x", "exclude": "x", "datetime": "{fallback: reject}",
		"properties": "{constants: {x: 1}}", "assume_crs": "4326", "asset_href": "http://x/{key}", "static": "none", "retention": "1h",
		"scenes": "off", "without_footprint": "item", "common_names": "true",
	}
	for key := range Default().fields() {
		c, err := Parse([]byte(key + ": " + values[key]))
		if err != nil {
			t.Error(err)
		} else if reflect.DeepEqual(c, Default()) {
			t.Errorf("%s changes nothing", key)
		}
	}
}

func TestScenes(t *testing.T) {
	for in, want := range map[string]string{
		"": "{false true []}", "scenes: off": "{true false []}", "scenes: false": "{true false []}", "scenes: known": "{false true []}",
		"scenes: [red, nir]": "{false false [red nir]}", "scenes: B*": "{false false [B*]}", "scenes:": "{false true []}",
	} {
		if c, err := Parse([]byte(in)); err != nil || fmt.Sprint(c.Scenes) != want {
			t.Errorf("%q gives %v, %v; want %s", in, c.Scenes, err, want)
		}
	}
}

func TestPropertyValue(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       any
	}{
		{"eo:cloud_cover", "12.50", 12.5}, {"a", "7", int64(7)}, {"a", "-0", int64(0)}, {"a", "1e3", 1000.}, {"a", "024", "024"}, {"a", ".5", ".5"},
		{"a", "1e999", "1e999"}, {"a", "9223372036854775808", 9223372036854775808.}, {"a", "NaN", "NaN"}, {"a", "true", true}, {"a", "True", "True"},
		{"a", "", nil}, {"platform", "8", "8"}, {"mission", "", nil}, {"instruments", "OLI_TIRS", []any{"OLI_TIRS"}}, {"gsd", "30", 30.},
		{"gsd", "-1", nil}, {"gsd", "inf", nil}, {"gsd", "x", nil}, {"created", "2024-01-31T12:00:00Z", "2024-01-31T12:00:00Z"},
		{"created", "2024-01-31", nil}, {"license", "a b", nil},
	} {
		v, ok := PropertyValue(tt.name, tt.text)
		if ok != (tt.want != nil) || ok && !reflect.DeepEqual(v, tt.want) {
			t.Errorf("PropertyValue(%s, %q) = %#v, %v; want %#v", tt.name, tt.text, v, ok, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(everything))
	for _, s := range []string{"", "a", "title: |\n", "collections: {list: [{prefix: a/}]}", "include: ['{a,b}/**', '[!x]']",
		"- - - a", "? a\n: b", "properties: {constants: {a: {b: [c]}}}", "title: \"\\u0000\"", "a: &a [*a]", "\ufeff", "%YAML 1.2\n---\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), "cairn.yaml:") {
				t.Fatalf("error of type %T: %v", err, err)
			}
			return
		}
		again, err := Parse(data)
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("parsed twice: %+v and %+v, %v", c, again, err)
		}
	})
}

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		glob, yes, no string // keys parted by spaces
	}{
		{"*.tif", "a.tif .tif", "a/b.tif a.tiff a.TIF"},
		{"**/*.tif", "a.tif a/b.tif a/b/c.tif", "a.tif/b"},
		{"a/**", "a/b a/b/c a/", "a ab/c b/a/c"},
		{"**/a/**", "a/b x/a/b x/y/a/z/b", "a x/a xa/b"},
		{"**", "a a/b", ""},
		{"a/**/b", "a/b a/x/b a/x/y/b", "a/xb ab"},
		{"a**b", "ab axb", "a/b"},
		{"?.tif", "a.tif é.tif", "ab.tif /.tif"},
		{"[a-c]", "a b c", "d - /"},
		{"[!a-c]", "d -", "a b /"},
		{"[^a]", "b", "a /"},
		{"[]a]", "] a", "b"},
		{"[!]]", "a", "]"},
		{"[.-0]", ". 0", "/ 1"},
		{"[/]", "", "/ a"},
		{"[a-]", "a -", "b"},
		{`[\]]`, "]", `\`},
		{"{a,b/**}/c", "a/c b/x/c b/x/y/c", "c a/b/c"},
		{"{**/,}x", "x a/x", "ax"},
		{"a,b}", "a,b}", "a"},
		{`\*\{`, "*{", "x{"},
		{"a.(b)+$", "a.(b)+$", "ax(b)+$"},
		{"日本*", "日本.tif", "日.tif"},
	} {
		g, err := NewGlob(tt.glob)
		if err != nil {
			t.Error(err)
			continue
		}
		for want, keys := range map[bool]string{true: tt.yes, false: tt.no} {
			for _, key := range strings.Fields(keys) {
				if g.Match(key) != want {
					t.Errorf("%s matches %s: %v", tt.glob, key, !want)
				}
			}
		}
	}
	for _, bad := range []string{"", "/a", "[", "[]", "[b-a]", "{a", `a\`, `[\`, "[a-", strings.Repeat("a", maxPattern+1), "\xff"} {
		if _, err := NewGlob(bad); err == nil {
			t.Errorf("NewGlob(%q) is no error", bad)
		}
	}
}

// TestGlobAgainstMatcher holds the translation to RE2 against a plain backtracking matcher over random small patterns.
func TestGlobAgainstMatcher(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(parts ...string) string {
		var b strings.Builder
		for range 1 + r.IntN(5) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		return b.String()
	}
	matched := 0
	for range 20_000 {
		levels := strings.TrimSuffix(random("a/", "**/", "*/", "?b/", "b*/"), "/") + random("", "", "/**", "/*")
		key := strings.Trim(random("a", "b", "ab", "a/", "/b", "/"), "/")
		g, err := NewGlob(levels)
		if err != nil {
			t.Fatal(err)
		}
		want := matchLevels(strings.Split(levels, "/"), strings.Split(key, "/"))
		if want {
			matched++
		}
		if g.Match(key) != want {
			t.Fatalf("%s matches %s: %v", levels, key, !want)
		}
	}
	if matched < 1000 {
		t.Fatalf("only %d of the random pairs matched", matched)
	}
}

func matchLevels(glob, key []string) bool {
	switch {
	case len(glob) == 0:
		return len(key) == 0
	case glob[0] == "**" && len(glob) == 1:
		return len(key) > 0
	case glob[0] == "**":
		return matchLevels(glob[1:], key) || len(key) > 0 && matchLevels(glob, key[1:])
	}
	return len(key) > 0 && matchLevel(glob[0], key[0]) && matchLevels(glob[1:], key[1:])
}

func matchLevel(glob, name string) bool {
	switch {
	case glob == "":
		return name == ""
	case glob[0] == '*':
		return matchLevel(glob[1:], name) || name != "" && matchLevel(glob, name[1:])
	}
	return name != "" && (glob[0] == '?' || glob[0] == name[0]) && matchLevel(glob[1:], name[1:])
}
