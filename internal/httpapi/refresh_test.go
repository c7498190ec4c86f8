package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstate"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

const runID = "01HZZZZZZZZZZZZZZZZZZZZZZ1"

// The bytes that clients of the API know.
func TestStartAnswers(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct {
		answer refresh.Answer
		status int
		body   string
	}{
		{refresh.Answer{Kind: refresh.Started, Run: runID}, 202, `{"status":"started","message":"Catalog refresh started in background. ` +
			`Use GET /refresh/status to check progress.","is_running":true,"run_id":"` + runID + `"}`},
		{refresh.Answer{Kind: refresh.Busy, Run: runID}, 200, `{"status":"running","message":"Catalog refresh already in progress",` +
			`"is_running":true,"run_id":"` + runID + `"}`},
		{refresh.Answer{Kind: refresh.Queued, Run: runID, Position: 2}, 202, `{"status":"queued","message":"Catalog refresh queued behind ` +
			`the one in progress. Use GET /refresh/status to check progress.","is_running":true,"run_id":"` + runID + `","position":2}`},
	} {
		w.desk.answer = c.answer
		r := w.do("POST", "/refresh", "")
		if r.status != c.status || string(r.body) != c.body {
			t.Errorf("got %d %s\nwant %d %s", r.status, r.body, c.status, c.body)
		}
		if got := r.header.Get("Location"); got != "/refresh/runs/"+runID {
			t.Errorf("Location %q", got)
		}
		if r.header.Get("Retry-After") == "" || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("header %v", r.header)
		}
	}
	w.desk.answer = refresh.Answer{Kind: refresh.QueueFull}
	r := w.do("POST", "/refresh", `{"queue":true}`)
	w.refused(r, "queue_full")
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After with 429")
	}
}

func TestStartBody(t *testing.T) {
	w := newWorld(t, nil)
	w.desk.answer = refresh.Answer{Kind: refresh.Started, Run: runID}
	for body, want := range map[string]refresh.Request{
		"":       {},
		" \r\n ": {},
		"{}":     {},
		`{"prefixes":["a/","b"],"keys":["c/d.tif"],"mode":"full","queue":true,"allow_mass_delete":true}`: {Queue: true,
			Scope: refresh.Scope{Prefixes: []string{"a/", "b"}, Keys: []string{"c/d.tif"}, Mode: refresh.Full, AllowMassDelete: true}},
		` {"mode":"incremental"} `: {Scope: refresh.Scope{Mode: refresh.Incremental}},
		`{"prefixes":[]}`:          {Scope: refresh.Scope{Prefixes: []string{}}},
	} {
		for _, contentType := range []string{"application/json", "text/plain", "application/x-www-form-urlencoded", ""} {
			w.desk.asked = nil
			r := w.do("POST", "/refresh", body, "Content-Type: "+contentType)
			if r.status != 202 || len(w.desk.asked) != 1 || !reflect.DeepEqual(w.desk.asked[0], want) {
				t.Errorf("body %q as %q: %d, asked %+v; want %+v", body, contentType, r.status, w.desk.asked, want)
			}
		}
	}
	w.desk.asked = nil
	for body, names := range map[string]string{
		`{"prefix":["a/"]}`:       `"prefix"`,
		`{"Mode":"full"}`:         `"Mode"`,
		`{"mode":1}`:              `"mode"`,
		`{"mode":null}`:           `"mode"`,
		`{"prefixes":"a/"}`:       `"prefixes"`,
		`{"prefixes":[1]}`:        `"prefixes"`,
		`{"keys":"a"}`:            `"keys"`,
		`{"keys":{}}`:             `"keys"`,
		`{"keys":null}`:           `"keys"`,
		`{"queue":"yes"}`:         `"queue"`,
		`{"queue":null}`:          `"queue"`,
		`{"allow_mass_delete":1}`: `"allow_mass_delete"`,
		`{} x`:                    "JSON object",
		`{}{}`:                    "JSON object",
		`[]`:                      "JSON object",
		`null`:                    "JSON object",
		`"full"`:                  "JSON object",
		`{"mode":"full"`:          "JSON object",
		"\x00":                    "JSON object",
		`{"mode":"` + strings.Repeat("x", maxBody) + `"}`:   "larger",
		strings.Repeat("[", maxBody):                        "JSON object",
		`{"x` + strings.Repeat(`\u0000`, 100) + `":[[[[]]]`: "JSON object",
	} {
		if detail := w.refused(w.do("POST", "/refresh", body), "bad_body"); !strings.Contains(detail, names) {
			t.Errorf("body %.40q: detail %q does not name %s", body, detail, names)
		}
	}
	if w.desk.asked != nil {
		t.Errorf("a refused body was asked for: %+v", w.desk.asked)
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(`{"prefixes":["a/"],"mode":"full","queue":true,"allow_mass_delete":false}`))
	f.Add([]byte(`{"mode":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := parseRequest(body)
		var p *problem
		switch {
		case err != nil && (!errors.As(err, &p) || p.Code != "bad_body"):
			t.Errorf("error %v", err)
		case err == nil && len(bytes.TrimSpace(body)) > 0 && !json.Valid(body):
			t.Errorf("%q was taken as %+v", body, req)
		}
	})
}

// A client that hangs up has asked all the same.
func TestStartOutlivesItsRequest(t *testing.T) {
	w := newWorld(t, nil)
	w.desk.answer = refresh.Answer{Kind: refresh.Started, Run: runID}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rec := httptest.NewRecorder()
	w.Config.Handler.ServeHTTP(rec, httptest.NewRequest("POST", "/refresh", nil).WithContext(ctx))
	if rec.Code != 202 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestStartErrors(t *testing.T) {
	w := newWorld(t, nil)
	w.desk.err = &refresh.ScopeError{Reason: `mode is "x"; it must be "incremental" or "full"`}
	if d := w.refused(w.do("POST", "/refresh", `{"mode":"x"}`), "bad_scope"); !strings.Contains(d, `mode is "x"`) {
		t.Errorf("detail %q", d)
	}
	w.desk.err = errors.Join(errors.New("launch"), &refresh.RefusedError{Reason: "arn:secret"})
	r := w.do("POST", "/refresh", "")
	if d := w.refused(r, "refused"); strings.Contains(d, "secret") || r.header.Get("Retry-After") == "" {
		t.Errorf("detail %q, header %v", d, r.header)
	}
}

// What is wrong with a scope is told before anything starts.
func TestBadScopes(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Desk = realDesk() })
	many := func(n int, what string) string {
		b, _ := json.Marshal(map[string][]string{what: slices.Repeat([]string{"a/b.tif"}, n)})
		return string(b)
	}
	for _, body := range []string{`{"mode":"x"}`, `{"keys":[""]}`, `{"keys":["/a.tif"]}`, `{"keys":[null]}`, `{"prefixes":["/a"]}`,
		`{"keys":["` + strings.Repeat("k", 1025) + `"]}`, many(201, "keys"), many(201, "prefixes")} {
		w.refused(w.do("POST", "/refresh", body), "bad_scope")
	}
	if r := w.do("POST", "/refresh", many(200, "keys")); r.status != 202 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestForeignOriginsMayNotStart(t *testing.T) {
	for _, c := range []struct {
		headers []string
		ok      bool
	}{
		{nil, true},
		{[]string{"Origin: http://{host}"}, true},
		{[]string{"Origin: https://{host}"}, true}, // before TLS ends at a proxy
		{[]string{"Origin: https://evil.example"}, false},
		{[]string{"Origin: http://{host}.evil.example"}, false},
		{[]string{"Origin: http://127.0.0.1:1"}, false},
		{[]string{"Origin: null"}, false},
		{[]string{"Origin: ://"}, false},
		{[]string{"Sec-Fetch-Site: cross-site"}, false},
		{[]string{"Sec-Fetch-Site: same-site"}, false},
		{[]string{"Sec-Fetch-Site: none"}, true},
		{[]string{"Sec-Fetch-Site: same-origin", "Origin: https://public.example"}, true}, // a proxy changed Host
		{[]string{"Origin: http://rebound.example", "Host: rebound.example"}, false},
		{[]string{"Origin: http://localhost:8000", "Host: localhost:8000"}, true},
		{[]string{"Origin: http://[::1]:8000", "Host: [::1]:8000"}, true},
	} {
		for _, allowed := range []bool{false, true} {
			w := newWorld(t, func(o *Options) { o.CORSRefresh = allowed })
			w.desk.answer = refresh.Answer{Kind: refresh.Started, Run: runID}
			w.desk.history = []refresh.Run{{ID: runID, State: refresh.Running}}
			var headers []string
			for _, h := range c.headers {
				headers = append(headers, strings.ReplaceAll(h, "{host}", strings.TrimPrefix(w.URL, "http://")))
			}
			for _, call := range [][2]string{{"POST", "/refresh"}, {"DELETE", "/refresh/runs/" + runID}} {
				r := w.do(call[0], call[1], "", headers...)
				if c.ok || allowed {
					if r.status != 202 {
						t.Errorf("%s with %q (allowed %v): %d %s", call[0], headers, allowed, r.status, r.body)
					}
				} else {
					w.refused(r, "foreign_origin")
				}
			}
			if refused := !c.ok && !allowed; refused != (len(w.desk.asked) == 0) || refused != (len(w.desk.cancelled) == 0) {
				t.Errorf("with %q (allowed %v): asked %v, cancelled %v", headers, allowed, w.desk.asked, w.desk.cancelled)
			}
		}
	}
}

// idleFlow is a Workflow whose Runs never get anywhere.
type idleFlow struct{}

func (idleFlow) Launch(context.Context, refresh.Lease) error { return nil }
func (idleFlow) Describe(context.Context, refresh.Lease) (refresh.LaunchState, error) {
	return refresh.LaunchRunning, nil
}
func (idleFlow) Stop(context.Context, refresh.Lease) error { return nil }
func (idleFlow) Gone(refresh.Lease) bool                   { return false }
func (idleFlow) Closing() bool                             { return false }
func (idleFlow) Holder() refresh.Holder                    { return refresh.Holder{} }

func realDesk() *refresh.Desk {
	store := memstore.New()
	return &refresh.Desk{State: objstate.New(store, time.Now), Catalog: store, Workflow: idleFlow{}, TTL: time.Hour, Now: time.Now,
		Log: slog.New(slog.DiscardHandler)}
}

func TestManyStartOne(t *testing.T) {
	srv := httptest.NewServer(New(Options{Desk: realDesk(), Snapshots: NewSnapshots(memstore.New(), 0, nil)}))
	defer srv.Close()
	const n = 200
	answers := make([]startAnswer, n)
	statuses := make([]int, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			resp, err := http.Post(srv.URL+"/refresh", "", nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			statuses[i] = resp.StatusCode
			if err := json.NewDecoder(resp.Body).Decode(&answers[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	started := 0
	for i, a := range answers {
		switch {
		case a.RunID == "" || a.RunID != answers[0].RunID || !a.IsRunning:
			t.Errorf("answer %d is %+v, answer 0 names %s", i, a, answers[0].RunID)
		case statuses[i] == 202 && a.Status == "started":
			started++
		case statuses[i] != 200 || a.Status != "running":
			t.Errorf("answer %d is %d %+v", i, statuses[i], a)
		}
	}
	if started != 1 {
		t.Errorf("%d started, want 1", started)
	}
}

func TestStatus(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Desk = realDesk() })
	want := `{"is_running":false,"last_refresh":null,"last_duration_seconds":null,"collections_count":null,"error":null,"run_id":null,` +
		`"state":null,"phase":null,"progress":null,"queue_length":0,"items_count":null,"snapshot":null}`
	r := w.get("/refresh/status", nil)
	if string(r.body) != want || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("before the first refresh: %s, header %v", r.body, r.header)
	}
	var started startAnswer
	if err := json.Unmarshal(w.do("POST", "/refresh", "").body, &started); err != nil {
		t.Fatal(err)
	}
	var st refresh.Status
	w.get("/refresh/status", &st)
	if !st.IsRunning || st.RunID == nil || *st.RunID != started.RunID || st.Phase == nil || *st.Phase != refresh.Planning || st.Progress == nil {
		t.Errorf("while running: %+v", st)
	}
}
