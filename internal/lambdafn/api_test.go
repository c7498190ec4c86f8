package lambdafn

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/httpapi"
	"github.com/cairn-stac/cairn/internal/objstate"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
	"github.com/cairn-stac/cairn/internal/stac"
)

var day = time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)

// published is a Catalog with one Collection "a" of an Item of about each of the sizes.
func published(t *testing.T, sizes ...int) *memstore.Store {
	t.Helper()
	ctx, store := context.Background(), memstore.New()
	var all []snapshot.Scene
	for i, size := range sizes {
		it := stac.Item{
			ID: fmt.Sprintf("img-%05d", i), Collection: "a", BBox: []float64{0, 0, 1, 1},
			Geometry:   &stac.Geometry{Polygons: [][][][2]float64{{{{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}}}}},
			Properties: map[string]any{"datetime": day.Format(time.RFC3339), "note": strings.Repeat(`"`, size/2)},
			Assets:     map[string]stac.Asset{"data": {Href: "s3://bucket/x.tif"}},
		}
		line, err := it.Line()
		if err != nil {
			t.Fatal(err)
		}
		key := fmt.Sprintf("a/%05d.tif", i)
		all = append(all, snapshot.Scene{Key: strings.TrimSuffix(key, "tif"), Items: []snapshot.Item{{ID: it.ID, JSON: line}},
			Objects: []snapshot.Object{{Object: objstore.Object{Key: key, Size: 9, ETag: "e", Modified: day}, Role: snapshot.Asset}}})
	}
	body, row, err := snapshot.EncodePart(all)
	if err != nil {
		t.Fatal(err)
	}
	row.Collection, row.Prefix, row.Start, row.End = "a", "a/", "a/", "a0"
	row.Part = snapshot.PartKey("a", 1, row.Hash)
	if _, err := store.Put(ctx, row.Part, body, objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	c := stac.Collection{ID: "a", Description: "d", License: "other"}
	row.Summary.Apply(&c)
	m := snapshot.Manifest{Format: snapshot.Format, Fence: 1, Run: "run-1", Source: "s3://bucket", Created: day, Title: "t",
		Rows: []snapshot.Row{row}, Collections: []stac.Collection{c}}
	if _, err := snapshot.Claim(ctx, store, 1, m.Run); err != nil {
		t.Fatal(err)
	}
	if _, err := snapshot.Publish(ctx, store, m); err != nil {
		t.Fatal(err)
	}
	return store
}

// a workflow that takes what it is given, and no more.
type willing struct{ refresh.Workflow }

func (willing) Launch(context.Context, refresh.Lease) error { return nil }
func (willing) Gone(refresh.Lease) bool                     { return false }
func (willing) Closing() bool                               { return false }
func (willing) Holder() refresh.Holder                      { return refresh.Holder{} }

// api is the whole API over a Catalog, as a Gateway and as the handler behind it.
func api(catalog *memstore.Store) (*Gateway, http.Handler) {
	desk := &refresh.Desk{State: objstate.New(memstore.New(), time.Now), Catalog: catalog, Workflow: willing{}, TTL: time.Minute, Now: time.Now, Log: quiet}
	h := httpapi.New(httpapi.Options{Desk: desk, Snapshots: httpapi.NewSnapshots(catalog, 0, nil), MaxAnswer: MaxAnswer})
	return &Gateway{Log: quiet, Handler: func(string) http.Handler { return h }}, h
}

func TestAnswersStayUnderSixMegabytes(t *testing.T) {
	var sizes []int
	for i := range 4_000 { // 12 MB as they are sent: a few pages of many Items
		sizes = append(sizes, 1000+i%2000)
	}
	for range 3 { // pages of one: an Item of the most bytes that a Part holds
		sizes = append(sizes, 4_193_900)
	}
	sizes = append(sizes, 10, 10)
	g, _ := api(published(t, sizes...))
	next, pages, seen := "https://r3pmxmplak.execute-api.us-east-2.amazonaws.com/collections/a/items?limit=10000", 0, map[string]bool{}
	for ; next != ""; pages++ {
		r, err := http.NewRequest("GET", next, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp := send(t, g, r) // which checks the size
		var page struct {
			Features []struct{ ID string }
			Links    []stac.Link
		}
		if err := json.NewDecoder(resp.Body).Decode(&page); err != nil || resp.StatusCode != 200 {
			t.Fatalf("page %d: %d, %v", pages, resp.StatusCode, err)
		}
		if len(page.Features) == 0 {
			t.Fatalf("page %d is empty", pages)
		}
		for _, f := range page.Features {
			seen[f.ID] = true
		}
		next = ""
		for _, l := range page.Links {
			if l.Rel == "next" {
				next = l.Href
			}
		}
	}
	if len(seen) != len(sizes) || pages < 6 {
		t.Errorf("%d items on %d pages, want %d on at least 6", len(seen), pages, len(sizes))
	}
}

// Behind API Gateway the API answers as behind a server that speaks TLS.
func TestGatewayAnswersAsAServer(t *testing.T) {
	g, h := api(published(t, 1, 2, 3))
	server := httptest.NewTLSServer(h)
	defer server.Close()
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, c := range []struct{ method, path, body, headers string }{
		{"GET", "/", "", "Accept: application/json, text/html;q=0.9"},
		{"GET", "/conformance", "", ""},
		{"GET", "/collections", "", "Accept: */*"},
		{"GET", "/collections/a/items?limit=1&datetime=2024-01-01T00%3A00%3A00Z%2F..&bbox=0,0,1,1", "", ""},
		{"GET", "/collections/a/items?limit=1&limit=2", "", ""},
		{"GET", "/collections/a/items/img-00001", "", ""},
		{"HEAD", "/collections/a/items/img-00001", "", ""},
		{"GET", "/collections/a%20b%2541", "", ""},
		{"GET", "//collections", "", ""},
		{"GET", "/nothing?x=%zz", "", ""},
		{"OPTIONS", "/collections", "", "Origin: https://elsewhere.example.com"},
		{"DELETE", "/collections", "", ""},
		{"POST", "/refresh", "", "Origin: https://elsewhere.example.com"},
		{"POST", "/refresh", "[", "Content-Type: text/plain"},
		{"POST", "/refresh", `{"prefixes":["/a"]}`, ""},
		{"POST", "/refresh", strings.Repeat(" ", 70_000), ""},
		{"GET", "/refresh/runs?limit=0", "", ""},
		{"GET", "/refresh/status", "", ""},
		{"PUT", "/refresh/status", "", ""},
	} {
		request := func() *http.Request {
			r, err := http.NewRequest(c.method, server.URL+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if name, value, ok := strings.Cut(c.headers, ": "); ok {
				r.Header.Set(name, value)
			}
			return r
		}
		want, err := client.Do(request())
		if err != nil {
			t.Fatal(err)
		}
		wantBody, _ := io.ReadAll(want.Body)
		want.Body.Close()
		got := send(t, g, request())
		gotBody, _ := io.ReadAll(got.Body)
		if got.StatusCode != want.StatusCode || string(gotBody) != string(wantBody) {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, got.StatusCode, gotBody, want.StatusCode, wantBody)
		}
		want.Header.Del("Date")
		if want.StatusCode == 204 || got.Header.Get("Content-Length") == "" {
			want.Header.Del("Content-Length") // which servers add
		}
		for name := range want.Header {
			if g, w := got.Header.Get(name), strings.Join(want.Header.Values(name), ", "); g != w {
				t.Errorf("%s %s: %s is %q, want %q", c.method, c.path, name, g, w)
			}
		}
	}
}

// What the client says of where it came from is not believed.
func TestLinksAreThoseOfTheGateway(t *testing.T) {
	g, _ := api(published(t, 1))
	raw := httpAPI(t, "GET", "/collections/a", map[string]any{"headers": map[string]string{
		"host": "evil.example.com", "x-forwarded-host": "evil.example.com", "x-forwarded-proto": "http", "forwarded": "host=evil.example.com", "x-forwarded-prefix": "/evil",
	}}, nil)
	resp, err := g.Handle(t.Context(), raw)
	if err != nil || strings.Contains(resp.Body, "evil") {
		t.Errorf("%+v, %v", resp, err)
	}
	if want := `"href":"https://r3pmxmplak.execute-api.us-east-2.amazonaws.com/collections/a"`; !strings.Contains(resp.Body, want) {
		t.Errorf("%s lacks %s", resp.Body, want)
	}
}
