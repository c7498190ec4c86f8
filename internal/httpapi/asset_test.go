package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
)

func (w *world) putSource(key, body string) {
	w.t.Helper()
	if _, err := w.source.Put(context.Background(), key, []byte(body), objstore.PutOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// pattern of n bytes, in which each place looks different.
func pattern(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return string(b)
}

func TestAssetRanges(t *testing.T) {
	w := newWorld(t, nil)
	body := pattern(3<<20 + 17)
	w.putSource("a/b c%2F.tif", body)
	const path = "/assets/a/b%20c%252F.tif"
	for _, c := range []struct {
		rng        string
		status     int
		want       string
		gets, most int64 // reads of the source, and bytes
	}{
		{"", 200, body, 8, int64(len(body))},
		{"bytes=0-16383", 206, body[:16384], 2, 64 << 10},
		{"bytes=100000-165535", 206, body[100000:165536], 2, 64 << 10},
		{"bytes=100000-200000", 206, body[100000:200001], 3, 3 * 64 << 10},
		{"bytes=-17", 206, body[len(body)-17:], 2, 17},
		{"bytes=3145740-99999999", 206, body[3145740:], 2, 17},
		{"bytes=99999999-", 416, "", 1, 0},
		{"bytes=5-3", 416, "", 1, 0},
	} {
		w.source.gets.Store(0)
		w.source.bytes.Store(0)
		r := w.do("GET", path, "", "Range: "+c.rng)
		if r.status == 416 && !strings.Contains(string(r.body), `"code":"bad_range"`) {
			t.Errorf("%s: %s", c.rng, r.body)
		}
		if r.status != c.status || c.want != "" && string(r.body) != c.want {
			t.Errorf("range %q: %d with %d bytes, want %d with %d", c.rng, r.status, len(r.body), c.status, len(c.want))
		}
		if gets, n := w.source.gets.Load(), w.source.bytes.Load(); gets != c.gets || n > c.most {
			t.Errorf("range %q: %d reads of %d bytes, want %d of at most %d", c.rng, gets, n, c.gets, c.most)
		}
	}
	r := w.do("GET", path, "", "Range: bytes=0-1,10-12")
	if r.status != 206 || !strings.HasPrefix(r.header.Get("Content-Type"), "multipart/byteranges") || !bytes.Contains(r.body, []byte(body[10:13])) {
		t.Errorf("two ranges: %d %s", r.status, r.header.Get("Content-Type"))
	}
}

func TestAssetHeader(t *testing.T) {
	w := newWorld(t, nil)
	w.putSource("a.tif", "0123456789")
	r := w.do("HEAD", "/assets/a.tif", "")
	etag, modified := r.header.Get("ETag"), r.header.Get("Last-Modified")
	if r.status != 200 || len(r.body) != 0 || r.header.Get("Content-Length") != "10" || r.header.Get("Content-Type") != "image/tiff" ||
		r.header.Get("Accept-Ranges") != "bytes" || r.header.Get("X-Content-Type-Options") != "nosniff" || modified == "" ||
		len(etag) < 3 || etag[0] != '"' || etag[len(etag)-1] != '"' {
		t.Errorf("HEAD: %d %v", r.status, r.header)
	}
	if n := w.source.gets.Load(); n != 1 || w.source.bytes.Load() != 0 {
		t.Errorf("HEAD made %d reads of %d bytes", n, w.source.bytes.Load())
	}
	for _, h := range []string{"If-None-Match: " + etag, "If-Modified-Since: " + modified} {
		if r := w.do("GET", "/assets/a.tif", "", h); r.status != 304 || len(r.body) != 0 {
			t.Errorf("with %s: %d", h, r.status)
		}
	}
	if r := w.do("GET", "/assets/a.tif", "", "If-Range: \"other\"", "Range: bytes=1-2"); r.status != 200 || string(r.body) != "0123456789" {
		t.Errorf("If-Range of another version: %d %s", r.status, r.body)
	}
	if r := w.do("GET", "/assets/a.tif", "", "If-Match: \"other\""); r.status != 412 {
		t.Errorf("If-Match of another version: %d", r.status)
	}
}

func TestOnlyServedAssetsAreThere(t *testing.T) {
	w := newWorld(t, nil)
	w.putSource("notes.txt", "private")
	w.putSource("denied.tif", "x")
	w.source.failOn(func(key string) error {
		if key == "denied.tif" {
			return fs.ErrPermission
		}
		if strings.Contains(key, "..") {
			return objstore.ErrKey
		}
		return nil
	})
	for _, path := range []string{"/assets/", "/assets/notes.txt", "/assets/none.tif", "/assets/denied.tif", "/assets/..%2fnotes.txt",
		"/assets/..%2F..%2Fetc%2Fx.tif", "/assets/%2e%2e/%2e%2e/x.tif", "/assets/%00.tif", "/assets/a%5C..%5Cb.tif", "/assets/%2Fetc%2Fx.tif"} {
		r := w.do("GET", path, "")
		w.refused(r, "not_found")
		if strings.Contains(string(r.body), "private") {
			t.Errorf("%s: %s", path, r.body)
		}
	}
}

// What breaks under way must not look whole.
func TestAssetThatChangesUnderWayIsCutShort(t *testing.T) {
	w := newWorld(t, nil)
	body := pattern(4 << 20)
	w.putSource("a.tif", body)
	n := 0
	w.source.failOn(func(string) error {
		if n++; n == 4 {
			w.putSource("a.tif", strings.Repeat("x", len(body)))
		}
		return nil
	})
	resp, err := http.Get(w.URL + "/assets/a.tif")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got bytes.Buffer
	if _, err := got.ReadFrom(resp.Body); err == nil {
		t.Errorf("%d of %d bytes and no error", got.Len(), len(body))
	}
	if !strings.HasPrefix(body, got.String()) {
		t.Error("what came is not the beginning of the file")
	}
	if !strings.Contains(w.log.String(), "a.tif") {
		t.Errorf("log: %s", w.log)
	}

	w = newWorld(t, nil)
	w.source.failOn(func(string) error { return objstore.ErrPrecondition })
	if r := w.do("GET", "/assets/b.tif", ""); r.header.Get("Retry-After") == "" {
		t.Errorf("a file that is being written: %d %v", r.status, r.header)
	} else {
		w.refused(r, "changing")
	}
	w.source.failOn(func(string) error { return errors.New("disk /dev/sdz9 is on fire") })
	r := w.do("GET", "/assets/b.tif", "")
	if d := w.refused(r, "internal"); strings.Contains(d, "sdz9") {
		t.Errorf("detail %q", d)
	}
	for _, err := range []error{objstore.ErrNoStore, objstore.ErrCredentials} {
		w.source.failOn(func(string) error { return fmt.Errorf("open /mnt/sdz9: %w", err) })
		r := w.do("GET", "/assets/b.tif", "")
		if d := w.refused(r, "source_unavailable"); strings.Contains(d, "sdz9") || !strings.Contains(w.log.String(), err.Error()) {
			t.Errorf("detail %q, log %s", d, w.log)
		}
	}
}
