package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
	"github.com/cairn-stac/cairn/internal/stac"
)

const sourceURL = "file:///data/ortho%20photos"

var day = time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)

// A clock stands still until it is told to go on.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(day.UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// A fakeDesk answers what it was told to.
type fakeDesk struct {
	answer    refresh.Answer
	err       error
	asked     []refresh.Request
	cancelled []string
	state     refresh.Status
	history   []refresh.Run // newest first
}

func (d *fakeDesk) Start(ctx context.Context, r refresh.Request) (refresh.Answer, error) {
	d.asked = append(d.asked, r)
	return d.answer, cmp.Or(d.err, ctx.Err())
}

func (d *fakeDesk) Status(context.Context) (refresh.Status, error) { return d.state, d.err }

func (d *fakeDesk) Run(_ context.Context, id string) (refresh.Run, error) {
	for _, r := range d.history {
		if r.ID == id {
			return r, d.err
		}
	}
	return refresh.Run{}, fmt.Errorf("run %s: %w", id, refresh.ErrNotFound)
}

func (d *fakeDesk) Cancel(_ context.Context, id string) error {
	if r, err := d.Run(context.Background(), id); err != nil || r.Ended != nil {
		return fmt.Errorf("cancel run %s: %w", id, refresh.ErrNoRun)
	}
	d.cancelled = append(d.cancelled, id)
	return nil
}

func (d *fakeDesk) Runs(_ context.Context, before string) iter.Seq2[refresh.Run, error] {
	return func(yield func(refresh.Run, error) bool) {
		for _, r := range d.history {
			if (before == "" || r.ID < before) && !yield(r, d.err) {
				return
			}
		}
	}
}

// A counter counts the reads of a store.
type counter struct {
	objstore.Store
	gets, bytes atomic.Int64
	mu          sync.Mutex
	fail        func(key string) error // may be nil
}

func (c *counter) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	c.mu.Lock()
	fail := c.fail
	c.mu.Unlock()
	if fail != nil {
		if err := fail(key); err != nil {
			return nil, objstore.Object{}, err
		}
	}
	b, o, err := c.Store.Get(ctx, key, off, n, ifMatch)
	c.gets.Add(1)
	c.bytes.Add(int64(len(b)))
	return b, o, err
}

func (c *counter) failOn(f func(key string) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = f
}

// A world is a Catalog, its Source, and the API over them.
type world struct {
	t       testing.TB
	catalog *counter
	source  *counter
	desk    *fakeDesk
	opt     Options
	log     *syncBuffer
	rejects func(collection string) []snapshot.Reject // further ones of each Collection, in order of their keys; may be nil
	*httptest.Server
}

// newWorld makes an empty Catalog and serves it; change may alter the options.
func newWorld(t *testing.T, change func(*Options)) *world {
	w := &world{t: t, catalog: &counter{Store: memstore.New()}, source: &counter{Store: memstore.New()}, desk: &fakeDesk{}, log: &syncBuffer{}}
	w.opt = Options{
		Desk: w.desk, Snapshots: NewSnapshots(w.catalog, 0, nil),
		Source: w.source, SourceURL: sourceURL, Served: func(key string) bool { return strings.HasSuffix(key, ".tif") },
		Version: "1.2.3", Log: slog.New(slog.NewTextHandler(w.log, nil)),
	}
	if change != nil {
		change(&w.opt)
	}
	w.Server = httptest.NewServer(New(w.opt))
	t.Cleanup(w.Close)
	return w
}

type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// publish makes a Snapshot with n Items in each of the Collections. Item i lies at longitude i, and its day is the ith after
// the first. The last file of each Collection is a Reject.
func (w *world) publish(fence uint64, n int, collections ...string) {
	w.t.Helper()
	ctx, run := context.Background(), fmt.Sprintf("run-%d", fence)
	m := snapshot.Manifest{Format: snapshot.Format, Fence: fence, Run: run, Source: sourceURL, Created: day,
		Title: "Ortho <photos>", Description: "All & sundry"}
	for _, id := range collections {
		all := scenes(w.t, id, n, fence)
		if w.rejects != nil {
			for _, rej := range w.rejects(id) {
				all = append(all, snapshot.Scene{Key: strings.TrimSuffix(rej.Key, "tif"), Rejects: []snapshot.Reject{rej},
					Objects: []snapshot.Object{{Object: objstore.Object{Key: rej.Key, Size: 1, ETag: "e", Modified: day}, Role: snapshot.Rejected}}})
			}
		}
		body, row, err := snapshot.EncodePart(all)
		if err != nil {
			w.t.Fatal(err)
		}
		row.Collection, row.Prefix, row.Start, row.End = id, id+"/", id+"/", id+"0"
		row.Part = snapshot.PartKey(id, fence, row.Hash)
		if _, err := w.catalog.Put(ctx, row.Part, body, objstore.PutOptions{}); err != nil {
			w.t.Fatal(err)
		}
		c := stac.Collection{ID: id, Title: "Title of " + id, Description: "Files under " + id, License: "other"}
		row.Summary.Apply(&c)
		m.Rows, m.Collections = append(m.Rows, row), append(m.Collections, c)
	}
	if err := m.Validate(); err != nil {
		w.t.Fatal(err)
	}
	if _, err := snapshot.Claim(ctx, w.catalog, fence, run); err != nil {
		w.t.Fatal(err)
	}
	if _, err := snapshot.Publish(ctx, w.catalog, m); err != nil {
		w.t.Fatal(err)
	}
}

// part is the key of the Part of a Collection in a Snapshot.
func (w *world) part(fence uint64, collection string) string {
	w.t.Helper()
	m, err := snapshot.ReadManifest(context.Background(), w.catalog, fence)
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(m.Rows, func(r snapshot.Row) bool { return r.Collection == collection })
	return m.Rows[i].Part
}

func scenes(t testing.TB, collection string, n int, fence uint64) []snapshot.Scene {
	t.Helper()
	var out []snapshot.Scene
	for i := range n {
		key := fmt.Sprintf("%s/img %03d.tif", collection, i)
		x := float64(i%360) - 180
		it := stac.Item{
			ID: fmt.Sprintf("img-%03d", i), Collection: collection,
			Geometry: &stac.Geometry{Polygons: [][][][2]float64{{{{x, 0}, {x + .5, 0}, {x + .5, .5}, {x, .5}, {x, 0}}}}},
			BBox:     []float64{x, 0, x + .5, .5},
			Properties: map[string]any{"datetime": day.AddDate(0, 0, i).Format(time.RFC3339), "fence": float64(fence),
				"note": `"href":"` + sourceURL + `/x"`},
			Assets: map[string]stac.Asset{"data": {
				Href: fmt.Sprintf("%s/%s/img%%20%03d.tif", sourceURL, url.PathEscape(collection), i), Type: stac.TypeCOG, Roles: []string{"data"}}},
		}
		line, err := it.Line()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, snapshot.Scene{
			Key:     strings.TrimSuffix(key, "tif"),
			Objects: []snapshot.Object{{Object: objstore.Object{Key: key, Size: 9, ETag: "e", Modified: day}, Role: snapshot.Asset}},
			Items:   []snapshot.Item{{ID: it.ID, JSON: line}},
		})
	}
	bad := collection + "/zz.tif"
	return append(out, snapshot.Scene{
		Key:     collection + "/zz.",
		Objects: []snapshot.Object{{Object: objstore.Object{Key: bad, Size: 1, ETag: "e", Modified: day}, Role: snapshot.Rejected}},
		Rejects: []snapshot.Reject{{Key: bad, Code: "not_tiff", Message: "it is no TIFF"}},
	})
}

// A reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request; headers are "Name: value".
func (w *world) do(method, path, body string, headers ...string) reply {
	w.t.Helper()
	target := path
	if !strings.HasPrefix(path, "http") {
		target = w.URL + path
	}
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ": ")
		if !ok { // none
			continue
		}
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	resp, err := w.Client().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, b}
}

// get reads a path that has to be there into v, which may be nil.
func (w *world) get(path string, v any) reply {
	w.t.Helper()
	r := w.do("GET", path, "")
	if r.status != 200 {
		w.t.Fatalf("GET %s: %d %s", path, r.status, r.body)
	}
	if v != nil {
		if err := json.Unmarshal(r.body, v); err != nil {
			w.t.Fatalf("GET %s: %v in %s", path, err, r.body)
		}
	}
	return r
}

// refused checks that a reply is the problem with this code, and returns its detail.
func (w *world) refused(r reply, code string) string {
	w.t.Helper()
	var p problem
	if err := json.Unmarshal(r.body, &p); err != nil {
		w.t.Fatalf("%d %s: %v", r.status, r.body, err)
	}
	if p.Code != code || p.Status != r.status || r.status != statuses[code] || p.Type != "about:blank" || p.Title == "" ||
		r.header.Get("Content-Type") != "application/problem+json" {
		w.t.Errorf("got %d %s %s, want the problem %s", r.status, r.header.Get("Content-Type"), r.body, code)
	}
	return p.Detail
}

type featureCollection struct {
	Type           string
	Features       []feature
	Links          []stac.Link
	NumberMatched  *int
	NumberReturned int
}

type feature struct {
	ID         string
	Properties map[string]any
	Assets     map[string]struct{ Href string }
	Links      []stac.Link
}

func (f featureCollection) ids() []string {
	var out []string
	for _, x := range f.Features {
		out = append(out, x.ID)
	}
	return out
}

func href(links []stac.Link, rel string) string {
	i := slices.IndexFunc(links, func(l stac.Link) bool { return l.Rel == rel })
	if i < 0 {
		return ""
	}
	return links[i].Href
}
