package functions_test

import (
	"encoding/json"
	"net/url"
)

// pages follows next links from a path and returns the Items, a line each.
func (w *world) pages(ask func(method, path, body string) response, path string, items []string) []string {
	w.t.Helper()
	for path != "" {
		r := ask("GET", path, "")
		var page struct{ Features []json.RawMessage }
		if err := json.Unmarshal([]byte(r.body), &page); err != nil || r.status != 200 {
			w.t.Errorf("GET %s: %d %s", path, r.status, r.body)
			return items
		}
		for _, f := range page.Features {
			items = append(items, string(f))
		}
		path = w.next(r)
	}
	return items
}

// next is where the next page of an answer is, "" if there is none.
func (w *world) next(r response) string {
	w.t.Helper()
	var page struct{ Links []struct{ Rel, Href string } }
	if err := json.Unmarshal([]byte(r.body), &page); err != nil {
		w.t.Errorf("%s: %v", r.body, err)
	}
	for _, l := range page.Links {
		if l.Rel == "next" {
			u, err := url.Parse(l.Href)
			if err != nil || u.Host != "abc.execute-api.xx-test-1.amazonaws.com" || u.Scheme != "https" {
				w.t.Errorf("next link %s: %v", l.Href, err)
				return ""
			}
			return u.RequestURI()
		}
	}
	return ""
}
