package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/snapshot"
)

func TestItemsAreFiltered(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 360, "a") // item i at longitude i-180, on the ith day from 2024-03-01
	for query, want := range map[string][]int{
		"limit=3":                              {0, 1, 2},
		"":                                     {0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
		"bbox=-170,-1,-168.9,1":                {10, 11},
		"bbox=-170,-1,-5,-168.9,1,5":           {10, 11},
		"bbox=179,-1,-179,1":                   {0, 1, 359},
		"bbox=0,10,1,20":                       nil,
		"datetime=2024-03-05T00:00:00Z":        {4},
		"datetime=2024-03-05T01:00:00%2B01:00": {4},
		"datetime=2024-03-05T00:00:01Z":        nil,
		"datetime=2024-03-05T00:00:00Z/2024-03-07T00:00:00Z":           {4, 5, 6},
		"datetime=../2024-03-02T00:00:00Z":                             {0, 1},
		"datetime=/2024-03-02T00:00:00Z":                               {0, 1},
		"datetime=2024-03-02T00:00:00Z/..&bbox=-180,-1,-177.9,1":       {1, 2},
		"datetime=2025-02-22T00:00:00Z/":                               {358, 359},
		"bbox=-170,-1,-160,1&datetime=2024-03-12T00:00:00Z/..&limit=1": {11},
	} {
		var got featureCollection
		w.get("/collections/a/items?"+query, &got)
		var ids []string
		for _, i := range want {
			ids = append(ids, fmt.Sprintf("img-%03d", i))
		}
		if !slices.Equal(got.ids(), ids) || got.NumberReturned != len(ids) || got.Features == nil || got.Type != "FeatureCollection" {
			t.Errorf("%s: %v (%d returned), want %v", query, got.ids(), got.NumberReturned, ids)
		}
	}
	var got featureCollection
	if w.get("/collections/a/items?limit=99999", &got); len(got.Features) != 360 || got.NumberMatched == nil || *got.NumberMatched != 360 {
		t.Errorf("a limit above the greatest gives %d items, matched %v", len(got.Features), got.NumberMatched)
	}
}

func TestBadParametersAreNamed(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 1, "a")
	for query, name := range map[string]string{
		"bbox=1,2,3":          `"bbox"`,
		"bbox=":               `"bbox"`,
		"datetime=2024":       `"datetime"`,
		"datetime=../..":      `"datetime"`,
		"limit=0":             `"limit"`,
		"limit=1&limit=2":     `"limit"`,
		"token=x":             `"token"`,
		"filter=cloud<1":      `"filter"`,
		"BBOX=1,2,3,4":        `"BBOX"`,
		"limit=%zz":           "query string",
		"limit=1;bbox=1":      "query string",
		"datetime=2024-03-05": `"datetime"`,
	} {
		if d := w.refused(w.do("GET", "/collections/a/items?"+query, ""), "bad_parameter"); !strings.Contains(d, name) {
			t.Errorf("%s: detail %q does not name %s", query, d, name)
		}
	}
}

// Pages go through the Snapshot that they began in, whatever is published meanwhile.
func TestPagingKeepsToItsSnapshot(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 95, "a")
	var got []string
	pages := 0
	for next := "/collections/a/items?bbox=-180,-90,180,90&limit=10"; next != ""; pages++ {
		var page featureCollection
		w.get(next, &page)
		for _, f := range page.Features {
			if f.Properties["fence"] != 1.0 {
				t.Fatalf("page %d shows snapshot %v", pages, f.Properties["fence"])
			}
		}
		got = append(got, page.ids()...)
		next = href(page.Links, "next")
		w.publish(uint64(pages+2), 95-pages, "a") // more Snapshots than are kept open
	}
	if len(got) != 95 || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != 95 || pages != 10 {
		t.Errorf("%d pages with %d items: %v", pages, len(got), got)
	}
	var page featureCollection
	if w.get("/collections/a/items", &page); page.Features[0].Properties["fence"] != 11.0 {
		t.Errorf("without a token: snapshot %v", page.Features[0].Properties["fence"])
	}
}

func TestTokens(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 20, "a", "b")
	var page featureCollection
	w.get("/collections/a/items?limit=5", &page)
	next, err := url.Parse(href(page.Links, "next"))
	if err != nil {
		t.Fatal(err)
	}
	tok := "token=" + next.Query().Get("token")
	for _, query := range []string{"/collections/b/items?" + tok, "/collections/a/items?bbox=1,2,3,4&" + tok,
		"/collections/a/items?datetime=2024-03-05T00:00:00Z&" + tok, "/collections/a/items?" + tok + "A", "/collections/a/items?token="} {
		w.refused(w.do("GET", query, ""), "bad_parameter")
	}
	if w.get("/collections/a/items?limit=2&"+tok, &page); !slices.Equal(page.ids(), []string{"img-005", "img-006"}) {
		t.Errorf("with another limit: %v", page.ids())
	}
	forged := func(fence uint64, at snapshot.Position) string {
		return "/collections/a/items?token=" + token{fence, queryHash(snapshot.Query{Collection: "a"}), at}.String()
	}
	for _, fence := range []uint64{0, 2, 1 << 63} {
		w.refused(w.do("GET", forged(fence, snapshot.Position{}), ""), "token_expired")
	}
	if w.get(forged(1, snapshot.Position{Row: 1 << 30, Item: 1 << 30}), &page); len(page.Features) != 0 {
		t.Errorf("far past the end: %v", page.ids())
	}

	// Clean-up, as a process sees it that has the Snapshot open, and one that has not.
	w.publish(2, 20, "a")
	old := w.part(1, "a")
	for _, key := range []string{snapshot.ManifestKey(1), old} {
		if err := w.catalog.Delete(context.Background(), key); err != nil {
			t.Fatal(err)
		}
	}
	w.refused(w.do("GET", next.String(), ""), "token_expired")
	w.opt.Snapshots = NewSnapshots(w.catalog, 0, nil)
	w.Config.Handler = New(w.opt)
	w.refused(w.do("GET", next.String(), ""), "token_expired")
	if w.get("/collections/a/items", &page); len(page.Features) != 10 {
		t.Errorf("the published snapshot: %v", page.ids())
	}
}

// Assets of a folder are read through the API; what only looks like one stays as it is.
func TestAssetHrefs(t *testing.T) {
	for _, base := range []string{"", "/x"} {
		w := newWorld(t, func(o *Options) { o.BasePath = base })
		w.publish(1, 1, "a")
		var f feature
		w.get(base+"/collections/a/items/img-000", &f)
		if got, want := f.Assets["data"].Href, w.URL+base+"/assets/a/img%20000.tif"; got != want {
			t.Errorf("href %s, want %s", got, want)
		}
		if got, want := f.Properties["note"], `"href":"`+sourceURL+`/x"`; got != want {
			t.Errorf("note %s, want %s", got, want)
		}
		var page featureCollection
		w.get(base+"/collections/a/items", &page)
		if page.Features[0].Assets["data"].Href != f.Assets["data"].Href {
			t.Errorf("href on a page %s, alone %s", page.Features[0].Assets["data"].Href, f.Assets["data"].Href)
		}
	}
	w := newWorld(t, func(o *Options) { o.Source = nil })
	w.publish(1, 1, "a")
	var f feature
	w.get("/collections/a/items/img-000", &f)
	if got, want := f.Assets["data"].Href, sourceURL+"/a/img%20000.tif"; got != want {
		t.Errorf("href %s, want %s", got, want)
	}
	w.refused(w.do("GET", "/assets/a/img%20000.tif", ""), "not_found")
}

// Readers see one Snapshot or the other, whole, at every moment of many publishes.
func TestReadsWhilePublishing(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 40, "a")
	stop := make(chan struct{})
	errs := make(chan error, 4)
	for range 4 {
		go func() {
			for {
				select {
				case <-stop:
					errs <- nil
					return
				default:
				}
				if err := w.checkOneSnapshot(); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	for fence := range uint64(20) {
		w.publish(fence+2, 40, "a")
	}
	close(stop)
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func (w *world) checkOneSnapshot() error {
	resp, err := http.Get(w.URL + "/collections/a/items?limit=100")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(string(body), `"fence":`)
	fence, _, _ := strings.Cut(rest, ",")
	if n := strings.Count(string(body), `"fence":`+fence+","); resp.StatusCode != 200 || n != 40 {
		return errors.New(resp.Status + ": " + string(body))
	}
	return nil
}
