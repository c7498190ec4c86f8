package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/dirstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// folderHandler serves a Catalog of 1,000 Items that lies in a folder, as on one machine.
func folderHandler(b *testing.B) http.Handler {
	dir := b.TempDir()
	store, err := dirstore.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	w := &world{t: b, catalog: &counter{Store: store}}
	w.publish(1, 1000, "a")
	if _, err := store.Put(context.Background(), "x.tif", []byte(pattern(8<<20)), objstore.PutOptions{}); err != nil {
		b.Fatal(err)
	}
	return New(Options{
		Desk: &fakeDesk{answer: refresh.Answer{Kind: refresh.Busy, Run: runID}}, Snapshots: NewSnapshots(store, 0, nil),
		Source: store, SourceURL: sourceURL, Served: func(string) bool { return true },
	})
}

func BenchmarkRequests(b *testing.B) {
	h := folderHandler(b)
	for _, c := range [][3]string{
		{"POST", "/refresh", ""},
		{"GET", "/conformance", ""}, // no read
		{"GET", "/collections/a", ""},
		{"GET", "/collections/a/items/img-500", ""},
		{"GET", "/collections/a/items?limit=100", ""},
		{"GET", "/collections/a/items?limit=100&bbox=-90,-1,90,1", ""},
		{"GET", "/?f=html", ""},
		{"GET", "/assets/x.tif", "bytes=0-16383"},
		{"GET", "/assets/x.tif", ""},
	} {
		b.Run(c[0]+" "+c[1]+" "+c[2], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				req := httptest.NewRequest(c[0], c[1], nil)
				if c[2] != "" {
					req.Header.Set("Range", c[2])
				}
				w := &discard{header: http.Header{}}
				h.ServeHTTP(w, req)
				if w.status/100 != 2 {
					b.Fatal(w.status)
				}
			}
		})
	}
}

// discard is a ResponseWriter that keeps nothing.
type discard struct {
	header http.Header
	status int
}

func (w *discard) Header() http.Header { return w.header }
func (w *discard) WriteHeader(s int)   { w.status = s }
func (w *discard) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = 200
	}
	return len(b), nil
}
