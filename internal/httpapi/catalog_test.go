package httpapi

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/stac"
	"github.com/cairn-stac/cairn/internal/stac/stactest"
)

type catalogAnswer struct {
	Title, Description string
	ConformsTo         []string
	Links              []stac.Link
}

func TestBeforeTheFirstSnapshot(t *testing.T) {
	w := newWorld(t, nil)
	var root catalogAnswer
	stactest.Validate(t, w.get("/", &root).body)
	if href(root.Links, "child") != "" || root.Title == "" {
		t.Errorf("root %+v", root)
	}
	var list struct{ Collections []json.RawMessage }
	if w.get("/collections", &list); list.Collections == nil || len(list.Collections) != 0 {
		t.Errorf("collections %v", list.Collections)
	}
	for _, path := range []string{"/collections/a", "/collections/a/items", "/collections/a/items/b"} {
		if d := w.refused(w.do("GET", path, ""), "not_found"); !strings.Contains(d, `"a"`) {
			t.Errorf("%s: %q", path, d)
		}
	}
}

func TestCatalogIsValid(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 3, "a", "b")
	var root catalogAnswer
	r := w.get("/", &root)
	stactest.Validate(t, r.body)
	if root.Title != "Ortho <photos>" || root.Description != "All & sundry" || r.header.Get("Vary") != "Accept" {
		t.Errorf("root %+v, header %v", root, r.header)
	}
	var conf struct{ ConformsTo []string }
	if w.get("/conformance", &conf); !slices.Equal(conf.ConformsTo, root.ConformsTo) || len(conf.ConformsTo) == 0 {
		t.Errorf("conformance %v and %v", conf.ConformsTo, root.ConformsTo)
	}
	var list struct{ Collections []json.RawMessage }
	w.get("/collections", &list)
	if len(list.Collections) != 2 {
		t.Fatalf("%d collections", len(list.Collections))
	}
	for i, id := range []string{"a", "b"} {
		one := w.get("/collections/"+id, nil).body
		stactest.Validate(t, one)
		if string(one) != string(list.Collections[i]) {
			t.Errorf("collection alone:   %s\nand in the list: %s", one, list.Collections[i])
		}
		stactest.Validate(t, w.get("/collections/"+id+"/items", nil).body)
		item := w.get("/collections/"+id+"/items/img-001", nil)
		stactest.Validate(t, item.body)
		if item.header.Get("Content-Type") != "application/geo+json" {
			t.Errorf("item is %s", item.header.Get("Content-Type"))
		}
	}
	for path, names := range map[string]string{"/collections/c": `"c"`, "/collections/c/items": `"c"`, "/collections/a%2F/items/x": `"a/"`,
		"/collections/a/items/x": `"x"`, "/collections/a/items/%22": `"\""`} {
		if d := w.refused(w.do("GET", path, ""), "not_found"); !strings.Contains(d, names) {
			t.Errorf("%s: %q", path, d)
		}
	}
}

// From the root every link leads somewhere, and to what it says.
func TestLinksLead(t *testing.T) {
	for _, base := range []string{"", "/a b/stac"} {
		w := newWorld(t, func(o *Options) { o.BasePath = base })
		w.publish(1, 25, "a", "b c")
		for _, sc := range append(scenes(t, "a", 25, 1), scenes(t, "b c", 25, 1)...) {
			w.putSource(sc.Objects[0].Key, "tif")
		}
		root := w.URL + strings.ReplaceAll(base, " ", "%20")
		seen := map[string]bool{}
		var follow func(href, mediaType string)
		follow = func(href, mediaType string) {
			if seen[href] {
				return
			}
			seen[href] = true
			r := w.do("GET", href, "")
			got, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
			want, _, _ := strings.Cut(mediaType, ";")
			if r.status != 200 || got != want || !strings.HasPrefix(href, root) {
				t.Errorf("%s: %d %s, want %s", href, r.status, got, want)
				return
			}
			var v any
			if json.Unmarshal(r.body, &v) == nil {
				eachLink(v, follow)
			}
		}
		follow(root+"/", stac.TypeJSON)
		// root, conformance, collections; two collections with 3 pages and 25 items each, and their assets
		if want := 3 + 2*(1+3+25+25); len(seen) != want {
			t.Errorf("%d links, want %d", len(seen), want)
		}
	}
}

// eachLink calls f for each object in v that has a href and a type.
func eachLink(v any, f func(href, mediaType string)) {
	switch v := v.(type) {
	case map[string]any:
		href, ok1 := v["href"].(string)
		mediaType, ok2 := v["type"].(string)
		if ok1 && ok2 {
			f(href, mediaType)
		}
		for _, x := range v {
			eachLink(x, f)
		}
	case []any:
		for _, x := range v {
			eachLink(x, f)
		}
	}
}
