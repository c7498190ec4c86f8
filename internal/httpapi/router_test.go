package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
	"github.com/cairn-stac/cairn/internal/stac"
)

func TestMethods(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 2, "a")
	w.putSource("a.tif", "x")
	w.desk.history = history(1)
	run := "/refresh/runs/" + w.desk.history[0].ID
	const reads = "GET, HEAD, OPTIONS"
	for path, allow := range map[string]string{
		"/": reads, "/conformance": reads, "/collections": reads, "/collections/a": reads, "/collections/a/items": reads,
		"/collections/a/items/img-000": reads, "/assets/a.tif": reads, "/refresh/status": reads, "/refresh/runs": reads,
		run: "GET, HEAD, DELETE, OPTIONS", run + "/rejects": reads, "/refresh": "POST, OPTIONS",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} {
			if strings.Contains(allow, method) && method != "GET" && method != "HEAD" {
				continue // they do something
			}
			r := w.do(method, path, "")
			if strings.Contains(allow, method) {
				if r.status != 200 {
					t.Errorf("%s %s: %d %s", method, path, r.status, r.body)
				}
				if get := w.do("GET", path, ""); method == "HEAD" && (len(r.body) != 0 || r.header.Get("Content-Type") != get.header.Get("Content-Type")) {
					t.Errorf("HEAD %s: %s %q", path, r.header.Get("Content-Type"), r.body)
				}
			} else if method == "HEAD" {
				if r.status != 405 || len(r.body) != 0 {
					t.Errorf("HEAD %s: %d %q", path, r.status, r.body)
				}
			} else if w.refused(r, "method_not_allowed"); r.header.Get("Allow") != allow {
				t.Errorf("%s %s: Allow %q, want %q", method, path, r.header.Get("Allow"), allow)
			}
		}
		if r := w.do("OPTIONS", path, ""); r.status != 204 || r.header.Get("Allow") != allow {
			t.Errorf("OPTIONS %s: %d %v", path, r.status, r.header)
		}
	}
	for _, path := range []string{"/nothing", "/refresh/", "/refresh/nothing", "/collections/a/nothing", "/index.html", "/.git/config"} {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			w.refused(w.do(method, path, ""), "not_found")
		}
		if r := w.do("HEAD", path, ""); r.status != 404 || len(r.body) != 0 {
			t.Errorf("HEAD %s: %d %q", path, r.status, r.body)
		}
	}
}

// A HEAD has no body even where no server takes it away.
func TestHeadWithoutServer(t *testing.T) {
	w := newWorld(t, nil)
	rec := httptest.NewRecorder()
	w.Config.Handler.ServeHTTP(rec, httptest.NewRequest("HEAD", "/collections", nil))
	if rec.Code != 200 || rec.Body.Len() != 0 || rec.Header().Get("Content-Length") == "" {
		t.Errorf("%d %v %q", rec.Code, rec.Header(), rec.Body)
	}
}

func TestCORS(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		w := newWorld(t, func(o *Options) { o.CORSRefresh = allowed })
		w.publish(1, 1, "a")
		w.desk.answer = refresh.Answer{Kind: refresh.Started, Run: runID}
		const origin = "Origin: https://browser.example"
		for _, path := range []string{"/", "/collections/a/items", "/refresh/status", "/nothing"} {
			r := w.do("GET", path, "", origin)
			if r.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(r.header.Get("Access-Control-Expose-Headers"), "Content-Range") {
				t.Errorf("GET %s: %v", path, r.header)
			}
		}
		r := w.do("OPTIONS", "/collections", "", origin, "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: range")
		if r.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(r.header.Get("Access-Control-Allow-Methods"), "GET") ||
			!strings.Contains(r.header.Get("Access-Control-Allow-Headers"), "Range") {
			t.Errorf("preflight: %v", r.header)
		}
		r = w.do("OPTIONS", "/refresh", "", origin, "Access-Control-Request-Method: POST")
		if got := strings.Contains(r.header.Get("Access-Control-Allow-Methods"), "POST"); got != allowed {
			t.Errorf("preflight of POST /refresh (allowed %v): %v", allowed, r.header)
		}
		r = w.do("POST", "/refresh", "", origin)
		if got := r.header.Get("Access-Control-Allow-Origin") == "*"; got != allowed || (r.status == 202) != allowed {
			t.Errorf("POST /refresh (allowed %v): %d %v", allowed, r.status, r.header)
		}
	}
}

func TestBaseOfLinks(t *testing.T) {
	for _, c := range []struct {
		trust   bool
		base    string
		headers []string
		want    string
	}{
		{false, "", []string{"Host: maps.example"}, "http://maps.example"},
		{false, "/a/b/", []string{"Host: maps.example:8080"}, "http://maps.example:8080/a/b"},
		{false, "", []string{"Host: in", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"}, "http://in"},
		{true, "", []string{"Host: in"}, "http://in"},
		{true, "/b", []string{"Host: in", "X-Forwarded-Proto: https", "X-Forwarded-Host: maps.example, in", "X-Forwarded-Prefix: /p/"}, "https://maps.example/p/b"},
		{true, "", []string{"Host: in", `Forwarded: for=1.2.3.4;Proto=HTTPS;host="maps.example:1", for=5.6.7.8;host=in`}, "https://maps.example:1"},
		{true, "", []string{"Host: in", "X-Forwarded-Proto: javascript", "X-Forwarded-Prefix: x"}, "http://in"},
	} {
		w := newWorld(t, func(o *Options) { o.TrustProxy, o.BasePath = c.trust, c.base })
		r := w.do("GET", strings.TrimSuffix(c.base, "/")+"/collections", "", c.headers...)
		if !strings.Contains(string(r.body), `{"href":"`+c.want+`/collections","rel":"self"`) {
			t.Errorf("%+v: %d %s", c, r.status, r.body)
		}
	}
	w := newWorld(t, func(o *Options) { o.BasePath = "a" })
	for _, path := range []string{"/a", "/a/"} {
		var root catalogAnswer
		if w.get(path, &root); href(root.Links, "self") != w.URL+"/a/" {
			t.Errorf("%s: %+v", path, root)
		}
	}
	w.refused(w.do("GET", "/", ""), "not_found")
}

// A Host header that is no host stays data.
func TestHostileHost(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 1, "a")
	for _, path := range []string{"/", "/?f=html", "/collections/a/items", "/collections/a/items/img-000"} {
		req := httptest.NewRequest("GET", path, nil)
		req.Host = `x"/><script>alert(1)</script>`
		rec := httptest.NewRecorder()
		w.Config.Handler.ServeHTTP(rec, req)
		if rec.Code != 200 {
			t.Errorf("%s: %d", path, rec.Code)
		}
		if strings.Contains(path, "html") {
			if strings.Contains(rec.Body.String(), "alert(1)") {
				t.Error("the page has the script")
			}
			continue
		}
		var links struct{ Links []stac.Link }
		if err := json.Unmarshal(rec.Body.Bytes(), &links); err != nil || !strings.Contains(links.Links[0].Href, "alert") {
			t.Errorf("%s: %v in %s", path, err, rec.Body)
		}
	}
}

func TestErrorsAreTold(t *testing.T) {
	for _, c := range []struct {
		err  error
		code string
	}{
		{errors.New("read /secret/place: boom"), "internal"},
		{fmt.Errorf("x: %w", snapshot.ErrNewerFormat), "newer_format"},
		{context.Canceled, "cancelled"},
		{fmt.Errorf("read /secret/place: %w", objstore.ErrNoStore), "catalog_unavailable"},
		{fmt.Errorf("read /secret/place: %w", objstore.ErrCredentials), "catalog_unavailable"},
		{fmt.Errorf("read /secret/place: %w", objstore.ErrUnreachable), "catalog_unavailable"},
		{fmt.Errorf("read /secret/place: %w", context.DeadlineExceeded), "catalog_unavailable"},
	} {
		w := newWorld(t, nil)
		w.desk.err = c.err
		w.catalog.failOn(func(string) error { return c.err })
		for _, path := range []string{"/refresh/status", "/", "/collections", "/collections/a/items"} {
			r := w.do("GET", path, "")
			detail := w.refused(r, c.code)
			if strings.Contains(string(r.body), "secret") || r.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %s", path, r.body)
			}
			if c.code == "catalog_unavailable" && (r.header.Get("Retry-After") == "" || !strings.Contains(w.log.String(), "/secret/place")) {
				t.Errorf("header %v, log %s", r.header, w.log)
			}
			if c.code == "internal" {
				id := regexp.MustCompile(`[A-Z2-7]{10}`).FindString(detail)
				if log := w.log.String(); id == "" || !strings.Contains(log, id) || !strings.Contains(log, "/secret/place") {
					t.Errorf("detail %q, log %s", detail, log)
				}
			}
		}
	}
}

func TestPanics(t *testing.T) {
	s := New(Options{Desk: &fakeDesk{}, Snapshots: NewSnapshots(newWorld(t, nil).catalog, 0, nil)}).(*server)
	s.get("/early", func(http.ResponseWriter, *http.Request) error { panic("secret") })
	s.get("/late", func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic("secret")
	})
	log := &syncBuffer{}
	s.Log = slog.New(slog.NewTextHandler(log, nil))
	srv := httptest.NewServer(s)
	defer srv.Close()
	w := &world{t: t, Server: srv}
	if r := w.do("GET", "/early", ""); strings.Contains(string(r.body), "secret") {
		t.Errorf("body %s", r.body)
	} else {
		w.refused(r, "internal")
	}
	if resp, err := http.Get(srv.URL + "/late"); err == nil {
		defer resp.Body.Close()
		if _, err := io.ReadAll(resp.Body); err == nil {
			t.Error("what was cut short looks whole")
		}
	}
	if n := strings.Count(log.String(), "level=ERROR msg=panic"); n != 2 {
		t.Errorf("%d panics logged: %s", n, log)
	}
}
