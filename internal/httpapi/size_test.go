package httpapi

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
	"github.com/cairn-stac/cairn/internal/stac"
)

const mostAnswer = 200_000

// small serves with answers of at most mostAnswer bytes.
func small(t *testing.T) *world {
	return newWorld(t, func(o *Options) { o.MaxAnswer = mostAnswer })
}

// publishSizes makes a Snapshot of one Collection with an Item of about each size.
func (w *world) publishSizes(collection string, sizes ...int) {
	w.t.Helper()
	var all []snapshot.Scene
	for i, size := range sizes {
		it := stac.Item{
			ID: fmt.Sprintf("img-%05d", i), Collection: collection,
			Geometry:   &stac.Geometry{Polygons: [][][][2]float64{{{{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}}}}},
			BBox:       []float64{0, 0, 1, 1},
			Properties: map[string]any{"datetime": day.Format(time.RFC3339), "note": strings.Repeat(`"`, size/2)},
			Assets:     map[string]stac.Asset{"data": {Href: "s3://bucket/x.tif"}},
		}
		line, err := it.Line()
		if err != nil {
			w.t.Fatal(err)
		}
		key := fmt.Sprintf("%s/%05d.tif", collection, i)
		all = append(all, snapshot.Scene{Key: strings.TrimSuffix(key, "tif"), Items: []snapshot.Item{{ID: it.ID, JSON: line}},
			Objects: []snapshot.Object{{Object: objstore.Object{Key: key, Size: 9, ETag: "e", Modified: day}, Role: snapshot.Asset}}})
	}
	ctx := context.Background()
	body, row, err := snapshot.EncodePart(all)
	if err != nil {
		w.t.Fatal(err)
	}
	row.Collection, row.Prefix, row.Start, row.End = collection, collection+"/", collection+"/", collection+"0"
	row.Part = snapshot.PartKey(collection, 1, row.Hash)
	if _, err := w.catalog.Put(ctx, row.Part, body, objstore.PutOptions{}); err != nil {
		w.t.Fatal(err)
	}
	c := stac.Collection{ID: collection, Description: "d", License: "other"}
	row.Summary.Apply(&c)
	m := snapshot.Manifest{Format: snapshot.Format, Fence: 1, Run: "run-1", Source: sourceURL, Created: day, Title: "t",
		Rows: []snapshot.Row{row}, Collections: []stac.Collection{c}}
	if _, err := snapshot.Claim(ctx, w.catalog, 1, m.Run); err != nil {
		w.t.Fatal(err)
	}
	if _, err := snapshot.Publish(ctx, w.catalog, m); err != nil {
		w.t.Fatal(err)
	}
}

func TestPagesOfItemsEndByBytes(t *testing.T) {
	for _, query := range []string{"limit=10000", "limit=10000&bbox=0,0,1,1&datetime=2020-01-01T00:00:00Z/.."} {
		w := small(t)
		var sizes []int
		for i := range 3000 {
			sizes = append(sizes, i%977)
		}
		for i := 2000; i < 2010; i++ {
			sizes[i] = 90_000
		}
		w.publishSizes("a", sizes...)
		path := "/collections/a/items?" + query
		ids, pages, largest := map[string]bool{}, 0, 0
		for ; path != ""; pages++ {
			var page featureCollection
			r := w.get(path, &page)
			if len(r.body) > mostAnswer {
				t.Fatalf("page %d has %d bytes, more than %d", pages, len(r.body), mostAnswer)
			}
			if len(page.Features) == 0 || page.NumberReturned != len(page.Features) {
				t.Fatalf("page %d has %d items and says %d", pages, len(page.Features), page.NumberReturned)
			}
			largest = max(largest, len(r.body))
			for _, id := range page.ids() {
				if ids[id] {
					t.Fatalf("item %s comes twice", id)
				}
				ids[id] = true
			}
			path = href(page.Links, "next")
		}
		if len(ids) != len(sizes) {
			t.Errorf("%s: %d items on %d pages, want %d", query, len(ids), pages, len(sizes))
		}
		if largest < mostAnswer*9/10 {
			t.Errorf("%s: the largest page has %d bytes; the room is not used", query, largest)
		}
	}
}

// The bytes around the features are counted: with Items of every size around the limit no answer is larger.
func TestPagesOfItemsAreFilledToTheByte(t *testing.T) {
	w := small(t)
	w.publishSizes("a", 190_000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	for limit := 1; limit <= 21; limit++ {
		var page featureCollection
		long := url.QueryEscape(strings.Repeat("0", 40))
		r := w.get(fmt.Sprintf("/collections/a/items?limit=%d&bbox=-1.%s,-1,2,2", limit, long), &page)
		if len(r.body) > mostAnswer || len(page.Features) == 0 {
			t.Errorf("limit %d: %d bytes, %d items", limit, len(r.body), len(page.Features))
		}
	}
}

func TestItemThatNoAnswerHolds(t *testing.T) {
	w := small(t)
	w.publishSizes("a", 10, mostAnswer+10, 10)
	var page featureCollection
	w.get("/collections/a/items", &page)
	if ids := page.ids(); len(ids) != 1 || ids[0] != "img-00000" {
		t.Errorf("the first page has %v, want what is before the large item", ids)
	}
	next := href(page.Links, "next")
	if detail := w.refused(w.do("GET", next, ""), "answer_too_large"); !strings.Contains(detail, "catalog.json") {
		t.Errorf("the problem does not say what to do: %s", detail)
	}
	w.refused(w.do("GET", "/collections/a/items/img-00001", ""), "answer_too_large")
	w.get("/collections/a/items/img-00002", nil)
	unbounded := newWorld(t, nil)
	unbounded.publishSizes("a", 10, mostAnswer+10, 10)
	if unbounded.get("/collections/a/items", &page); len(page.Features) != 3 {
		t.Errorf("without a bound a page has %d items, want all 3", len(page.Features))
	}
}

func TestPagesOfRejectsEndByBytes(t *testing.T) {
	w := small(t)
	w.rejects = func(c string) []snapshot.Reject {
		var out []snapshot.Reject
		for i := range 1500 {
			out = append(out, snapshot.Reject{Key: fmt.Sprintf("%s/zzz%04d%s.tif", c, i, strings.Repeat("é", i%300)), Code: "bad_tiff", Message: strings.Repeat("\t", i%50)})
		}
		return out
	}
	w.publish(1, 1, "a")
	w.desk.history = []refresh.Run{{ID: runID, State: refresh.Successful, Snapshot: 1, Started: &day, Ended: &day}}
	for query, want := range map[string]int{"limit=10000": 1501, "limit=10000&code=bad_tiff": 1500} {
		keys, path := map[string]bool{}, "/refresh/runs/"+runID+"/rejects?"+query
		for path != "" {
			var page struct {
				Rejects []struct{ Key string }
				Links   []stac.Link
			}
			r := w.get(path, &page)
			if len(r.body) > mostAnswer || len(page.Rejects) == 0 {
				t.Fatalf("a page has %d bytes and %d rejects", len(r.body), len(page.Rejects))
			}
			for _, rej := range page.Rejects {
				if keys[rej.Key] {
					t.Fatalf("%s comes twice", rej.Key)
				}
				keys[rej.Key] = true
			}
			path = href(page.Links, "next")
		}
		if len(keys) != want {
			t.Errorf("%s: %d rejects, want %d", query, len(keys), want)
		}
	}
}

func TestLargeAnswersSayWhatToDo(t *testing.T) {
	w := small(t)
	var names []string
	for i := range 400 {
		names = append(names, fmt.Sprintf("c%03d-%s", i, strings.Repeat("x", 60)))
	}
	w.publish(1, 1, names...)
	for _, path := range []string{"/collections", "/?f=html"} {
		r := w.do("GET", path, "")
		w.refused(r, "answer_too_large")
		if len(r.body) > 1000 || bytes.Contains(r.body, []byte("c000")) {
			t.Errorf("%s: %d bytes", path, len(r.body))
		}
	}
	w.get("/collections/"+names[7], nil)
}
