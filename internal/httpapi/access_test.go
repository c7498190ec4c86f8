package httpapi

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
)

const secret = "s3cret ünd"

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestToken(t *testing.T) {
	for _, open := range []bool{false, true} {
		w := newWorld(t, func(o *Options) { o.Token, o.OpenReads = secret, open })
		w.publish(1, 1, "a")
		w.putSource("a.tif", "x")
		w.desk.answer = refresh.Answer{Kind: refresh.Started, Run: runID}
		w.desk.history = append(history(1), refresh.Run{ID: runID, State: refresh.Running})
		run := "/refresh/runs/" + w.desk.history[0].ID
		for call, public := range map[string]bool{
			"GET /": true, "HEAD /": true, "GET /?f=html": true, "GET /collections": true, "GET /collections/a/items": true,
			"GET /assets/a.tif": true, "GET /conformance": true,
			"GET /?sign-in": false, "GET /?f=html&sign-in=": false,
			"GET /refresh/status": false, "HEAD /refresh/status": false, "GET /refresh/runs": false, "GET " + run: false,
			"GET " + run + "/rejects": false, "POST /refresh": false, "DELETE /refresh/runs/" + runID: false,
		} {
			method, path, _ := strings.Cut(call, " ")
			for _, given := range []struct {
				header string
				ok     bool
			}{
				{"", open && public},
				{"Authorization: Bearer " + secret, true},
				{"Authorization: bEaReR  " + secret + " ", true},
				{basic("", secret), true},
				{basic("anybody", secret), true},
				{"Authorization: Bearer " + secret[1:], false},
				{"Authorization: Bearer ", false},
				{"Authorization: " + secret, false},
				{basic(secret, ""), false},
				{"Authorization: Basic %%%", false},
				{"Authorization: Digest " + secret, false},
			} {
				w.Config.Handler.(*server).wrong = nil
				r := w.do(method, path, "", given.header)
				switch {
				case given.ok && r.status/100 != 2:
					t.Errorf("%s with %q, open %v: %d %s", call, given.header, open, r.status, r.body)
				case given.ok:
				case method == "HEAD" && r.status != 401, len(r.header.Values("WWW-Authenticate")) != 2,
					!slices.Equal(r.header.Values("WWW-Authenticate"), challenges):
					t.Errorf("%s with %q, open %v: %d %v", call, given.header, open, r.status, r.header)
				case method != "HEAD":
					w.refused(r, "unauthorized")
				}
			}
		}
		w.desk.asked, w.desk.cancelled = nil, nil
		w.do("POST", "/refresh", "")
		w.do("DELETE", "/refresh/runs/"+runID, "", "Authorization: Bearer x")
		if w.desk.asked != nil || w.desk.cancelled != nil {
			t.Errorf("without the token: asked %v, cancelled %v", w.desk.asked, w.desk.cancelled)
		}
		if r := w.do("GET", "/nothing", ""); open != (r.status == 404) {
			t.Errorf("where nothing is, open %v: %d", open, r.status)
		}
	}
}

// However a path is written, what is below /refresh is not read without the token.
func TestOpenReadsByAnyPath(t *testing.T) {
	for _, base := range []string{"", "/refresh", "/x"} {
		w := newWorld(t, func(o *Options) { o.Token, o.OpenReads, o.BasePath = secret, true, base })
		w.desk.history = history(1)
		for _, path := range []string{"/refresh/runs", "/%72efresh/runs", "/refresh/%72uns", "//refresh/runs", "/./refresh/runs", "/collections/../refresh/runs",
			"/collections/%2e%2e/refresh/runs", "/refresh%2fruns", "/refresh/runs/" + idOfRun(1), "/REFRESH/runs", "/refresh/runs?f=json", "/refresh;/runs"} {
			req := httptest.NewRequest("GET", "http://cairn.example"+base+path, nil)
			rec := httptest.NewRecorder()
			w.Config.Handler.ServeHTTP(rec, req)
			if rec.Code/100 == 2 || strings.Contains(rec.Body.String(), idOfRun(1)) && rec.Code != 404 {
				t.Errorf("%s: %d %s", base+path, rec.Code, rec.Body)
			}
		}
		if r := w.do("GET", base+"/collections", ""); r.status != 200 {
			t.Errorf("%s/collections: %d", base, r.status)
		}
	}
}

// Wrong tokens are answered so often, and whoever has the right one, or none yet, does not feel it.
func TestWrongTokensAreBounded(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Token = secret })
	c := newClock()
	w.Config.Handler.(*server).wrong.now = c.now
	wrong := func() reply { return w.do("GET", "/conformance", "", basic("x", "guess")) }
	for range wrongBurst {
		w.refused(wrong(), "unauthorized")
	}
	for range 3 {
		r := wrong()
		if w.refused(r, "too_many_requests"); r.header.Get("Retry-After") != "1" || r.header.Get("WWW-Authenticate") != "" {
			t.Errorf("header %v", r.header)
		}
		if r := w.do("GET", "/conformance", "", basic("x", secret)); r.status != 200 {
			t.Errorf("the right token: %d", r.status)
		}
		w.refused(w.do("GET", "/conformance", ""), "unauthorized")
	}
	c.advance(time.Second)
	w.refused(wrong(), "unauthorized")
	w.refused(wrong(), "too_many_requests")
}

func TestTokenAndOtherOrigins(t *testing.T) {
	for _, cors := range []bool{false, true} {
		w := newWorld(t, func(o *Options) { o.Token, o.CORSRefresh = secret, cors })
		w.desk.answer = refresh.Answer{Kind: refresh.Started, Run: runID}
		const origin = "Origin: https://browser.example"
		r := w.do("OPTIONS", "/refresh", "", origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization")
		allowed := r.header.Get("Access-Control-Allow-Headers")
		if r.status != 204 || !strings.Contains(allowed, "Authorization") || strings.Contains(allowed, "Idempotency-Key") != cors {
			t.Errorf("preflight: %d %v", r.status, r.header)
		}
		// Browsers send a password that they know by themselves, for whichever page.
		if r = w.do("POST", "/refresh", "", origin, basic("", secret)); cors != (r.status == 202) {
			t.Errorf("allowed %v: %d %s", cors, r.status, r.body)
		} else if !cors {
			w.refused(r, "foreign_origin")
		}
		if r = w.do("GET", "/collections", "", origin, "Authorization: Bearer "+secret); r.status != 200 || r.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("a read: %d %v", r.status, r.header)
		}
	}
	w := newWorld(t, nil)
	if r := w.do("OPTIONS", "/refresh", ""); strings.Contains(r.header.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("without a token: %v", r.header)
	}
}

// The page shows who may not see Runs the catalog alone, and a way to give the token.
func TestPageForThePublic(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Token, o.OpenReads = secret, true })
	w.publish(1, 1, "a")
	w.desk.history = history(1)
	for _, header := range []string{"", basic("", secret)} {
		page := string(w.do("GET", "/", "", browser, header).body)
		for _, part := range []string{"<script", "Refresh now", "/refresh/", "Last refreshes", "not_tiff", "<time", sourceURL} {
			if strings.Contains(page, part) != (header != "") {
				t.Errorf("with %q: %s in the page is %v", header, part, header == "")
			}
		}
		if !strings.Contains(page, "/collections/a") || strings.Contains(page, `href="/?sign-in"`) != (header == "") {
			t.Errorf("with %q: %s", header, page)
		}
	}
	if r := w.do("GET", "/?sign-in", "", browser); r.status != http.StatusUnauthorized {
		t.Errorf("sign-in: %d", r.status)
	}
}
