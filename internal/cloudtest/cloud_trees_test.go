package cloudtest

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// An apiItem is an Item as the API gives it.
type apiItem struct {
	Body  string
	Links map[string]string // by relation
}

// items reads all Items through the API, in small pages; page is called before each page but the first of a Collection, if not nil.
func (w *world) items(t *testing.T, page func(n int)) map[string]apiItem {
	t.Helper()
	type link struct{ Rel, Href string }
	var collections struct {
		Collections []struct{ ID string }
	}
	w.get(t, "/collections", &collections)
	items := map[string]apiItem{}
	pages := 0
	for _, c := range collections.Collections {
		for next := "/collections/" + c.ID + "/items?limit=2"; next != ""; {
			var out struct {
				Features []json.RawMessage
				Links    []link
			}
			w.get(t, next, &out)
			next = ""
			for _, l := range out.Links {
				if l.Rel == "next" {
					next = l.Href
				}
			}
			for _, f := range out.Features {
				var it struct {
					ID    string
					Links []link
				}
				if err := json.Unmarshal(f, &it); err != nil {
					t.Fatal(err)
				}
				links := map[string]string{}
				for _, l := range it.Links {
					links[l.Rel] = l.Href
				}
				if _, twice := items[c.ID+"/"+it.ID]; twice {
					t.Errorf("item %s of %s comes twice", it.ID, c.ID)
				}
				items[c.ID+"/"+it.ID] = apiItem{string(f), links}
			}
			if pages++; page != nil && next != "" {
				page(pages)
			}
		}
	}
	return items
}

func jsonEqual(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal([]byte(a), &x), json.Unmarshal([]byte(b), &y)); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}

// unlinked is an Item without its links.
func unlinked(t *testing.T, item string) map[string]any {
	t.Helper()
	var it map[string]any
	if err := json.Unmarshal([]byte(item), &it); err != nil {
		t.Fatalf("item %q: %v", item, err)
	}
	delete(it, "links")
	return it
}

// tree reads the static tree of a Catalog.
func tree(t *testing.T, catalog objstore.Store) map[string]string {
	t.Helper()
	files := map[string]string{}
	for o, err := range catalog.List(t.Context(), objstore.Range{}) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Key == "catalog.json" || strings.HasPrefix(o.Key, "collections/") {
			body, _, err := catalog.Get(t.Context(), o.Key, 0, -1, "")
			if err != nil {
				t.Fatal(err)
			}
			files[o.Key] = string(body)
		}
	}
	return files
}

// folder reads the static tree of a Catalog in a folder.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name != "catalog.json" && !strings.HasPrefix(name, "collections/") {
			return err
		}
		body, err := os.ReadFile(filepath.Join(dir, name))
		files[name] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// same holds two static trees against each other.
func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s is\n%s\nwant\n%s", name, got[name], want[name])
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is not what cairn refresh writes", name)
		}
	}
}

// coldStarts tells how long functions took to start.
func (w *world) coldStarts(t *testing.T) {
	sums := map[string][]Start{}
	for _, s := range w.lambda.Starts() {
		sums[s.Function] = append(sums[s.Function], s)
	}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		s := sums[name]
		slices.SortFunc(s, func(a, b Start) int { return int(a.Next - b.Next) })
		next := s[len(s)/2].Next
		slices.SortFunc(s, func(a, b Start) int { return int(a.Answer - b.Answer) })
		t.Logf("cold start of %-16s %3d times, medians: exec to first event %v, to first answer %v", name, len(s),
			next.Round(time.Millisecond), s[len(s)/2].Answer.Round(time.Millisecond))
	}
}
