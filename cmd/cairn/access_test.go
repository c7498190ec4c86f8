package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
	"github.com/cairn-stac/cairn/internal/refresh"
)

const testToken = "a-token-of-some-length"

// With a token a server may be reached from everywhere, and says how to ask it without telling the token.
func TestServeWithAToken(t *testing.T) {
	for _, c := range []struct {
		args  []string
		env   string
		reads int // status of reading the catalog without the token
	}{
		{[]string{"--addr", "0.0.0.0:0", "--token", testToken}, "another-token-of-some-length", http.StatusUnauthorized},
		{[]string{"--addr", "127.0.0.1:0", "--open-reads"}, testToken, http.StatusOK},
	} {
		t.Setenv(tokenName, c.env)
		s := startServer(t, newPlace(t).args("serve", c.args...)...)
		s.base = "http://127.0.0.1" + s.base[strings.LastIndexByte(s.base, ':'):]
		if resp := s.call("GET", "/collections", nil); resp.StatusCode != c.reads {
			t.Errorf("%q: reading without the token: %s; want %d", c.args, resp.Status, c.reads)
		}
		for _, path := range []string{"/refresh/status", "/refresh/runs"} {
			if resp := s.call("GET", path, nil); resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("%q: %s without the token: %s", c.args, path, resp.Status)
			}
		}
		if resp := s.call("POST", "/refresh", nil); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%q: POST /refresh without the token: %s", c.args, resp.Status)
		}
		s.token = testToken
		if st := s.settled(""); *st.State != refresh.Successful {
			t.Errorf("%q: %+v", c.args, st)
		}
		if resp := s.call("POST", "/refresh", nil); resp.StatusCode != http.StatusAccepted {
			t.Errorf("%q: POST /refresh with the token: %s", c.args, resp.Status)
		}
		if code := s.end(); code != 0 {
			t.Errorf("%q: exit code %d; stderr:\n%s", c.args, code, s.stderr)
		}
		out := s.stdout.String()
		if strings.Contains(out+s.stderr.String(), testToken) || !strings.Contains(out, `curl -H "Authorization: Bearer $CAIRN_TOKEN" -X POST http://`) {
			t.Errorf("%q: it says:\n%s%s", c.args, out, s.stderr)
		}
	}
}

// Others than this machine start Runs only so often.
func TestRefreshRateOffLoopback(t *testing.T) {
	p := newPlace(t)
	for addr, limited := range map[string]bool{"0.0.0.0:0": true, "127.0.0.1:0": false} {
		s := startServer(t, p.args("serve", "--addr", addr, "--token", testToken)...)
		s.base = "http://127.0.0.1" + s.base[strings.LastIndexByte(s.base, ':'):]
		s.token = testToken
		refused := 0
		for range 40 {
			if s.call("POST", "/refresh", nil).StatusCode == http.StatusTooManyRequests {
				refused++
			}
		}
		if (refused > 0) != limited {
			t.Errorf("%s: %d of 40 requests are refused; want some: %v", addr, refused, limited)
		}
		s.end()
	}
}

// Without its Source a Catalog is only read, and what others publish in it is served.
func TestServeACatalogAlone(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	for _, catalog := range []string{p.catalog, bucketCatalog} {
		refreshed(t, p.source, "--catalog", catalog)
		before := listing(t, p.catalog)
		b.Reset()
		s := startServer(t, "serve", "--catalog", catalog, "--addr", "127.0.0.1:0")
		s.serves("ortho", 3)
		var st refresh.Status
		if s.call("GET", "/refresh/status", &st); st.IsRunning || *st.ItemsCount != 5 || *st.State != refresh.Successful {
			t.Errorf("%s: status %+v", catalog, st)
		}
		if resp := s.call("POST", "/refresh", nil); resp.StatusCode != http.StatusConflict {
			t.Errorf("%s: POST /refresh: %s; want 409", catalog, resp.Status)
		}
		if n := b.Stats(s3test.Put | s3test.Delete).Requests; n != 0 || listing(t, p.catalog) != before {
			t.Errorf("%s: %d writes to the bucket; the folder was\n%s and is\n%s", catalog, n, before, listing(t, p.catalog))
		}
		put(t, p.source, "ortho/a9_20240102.tif", raster(t, 9))
		refreshed(t, p.source, "--catalog", catalog)
		s.serves("ortho", 4)
		if code := s.end(); code != 0 {
			t.Errorf("exit code %d; stderr:\n%s", code, s.stderr)
		}
		if err := os.Remove(filepath.Join(p.source, "ortho", "a9_20240102.tif")); err != nil {
			t.Fatal(err)
		}
	}
}

// listing is every file of a folder with its size and time.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			b.WriteString(path + " " + size(info.Size()) + " " + info.ModTime().String() + "\n")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
