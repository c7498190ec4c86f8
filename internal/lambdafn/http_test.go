package lambdafn

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var quiet = slog.New(slog.DiscardHandler)

// httpAPI is an event of an HTTP API as AWS documents it, changed by further members of the top level and of requestContext.
func httpAPI(t testing.TB, method, path string, members, inContext map[string]any) json.RawMessage {
	t.Helper()
	event := map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
		"headers": map[string]string{
			"accept": "*/*", "content-length": "0", "host": "elsewhere.example.com", "user-agent": "curl/8.5.0",
			"x-amzn-trace-id": "Root=1-5fff599f-6fca6ee66e37fe5e518eb45b", "x-forwarded-for": "203.0.113.7", "x-forwarded-port": "443", "x-forwarded-proto": "http",
		},
		"isBase64Encoded": false,
	}
	about := map[string]any{
		"accountId": "123456789012", "apiId": "r3pmxmplak", "domainName": "r3pmxmplak.execute-api.us-east-2.amazonaws.com",
		"domainPrefix": "r3pmxmplak", "requestId": "JKJaXmPLvHcESHA=", "routeKey": "$default", "stage": "$default",
		"time": "10/Mar/2020:05:16:23 +0000", "timeEpoch": 1583817383220,
		// claims come as text mostly, but nothing depends on it
		"authorizer": map[string]any{"jwt": map[string]any{"claims": map[string]any{"sub": "1", "exp": 1583817383}, "scopes": nil}},
		"http":       map[string]any{"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "curl/8.5.0"},
	}
	for name, v := range inContext {
		about[name] = v
	}
	event["requestContext"] = about
	for name, v := range members {
		event[name] = v
	}
	raw, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// serving is a Gateway to h.
func serving(h http.HandlerFunc) *Gateway {
	return &Gateway{Handler: func(string) http.Handler { return h }, Log: quiet}
}

// asked gives a request to a Gateway and returns it as the handler saw it, with its body.
func asked(t *testing.T, event json.RawMessage) (*http.Request, string) {
	t.Helper()
	var got *http.Request
	var body []byte
	g := serving(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	})
	if _, err := g.Handle(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	return got, string(body)
}

func TestRequestsComeAsTheyWereSent(t *testing.T) {
	headers := map[string]string{
		"if-modified-since": "Tue, 03 Nov 2026 10:00:00 GMT", "if-range": "Tue, 03 Nov 2026 10:00:00 GMT", "range": "bytes=0-1,4-5",
		"if-none-match": `"a,b", W/"c"`, "accept": "text/html, application/json;q=0.5", "user-agent": "Mozilla/5.0 (KHTML, like Gecko)",
		"idempotency-key": "one,two", "host": "evil.example.com", "forwarded": "host=evil.example.com;proto=http", "origin": "https://a.example.com",
		"x-forwarded-host": "evil.example.com",
	}
	r, body := asked(t, httpAPI(t, "get", "/collections/a b/items/ü%?#x+y", map[string]any{
		"rawQueryString": "bbox=1%2C2&bbox=3&q=a+b%20c&empty=", "headers": headers, "cookies": []string{"a=1", "b=2; c"},
		"queryStringParameters": map[string]string{"bbox": "1,2,3", "q": "a b c", "empty": ""},
	}, nil))
	for name, want := range headers {
		if name == "host" {
			want = ""
		}
		if got := r.Header.Values(name); strings.Join(got, "|") != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if c := r.Header.Get("Cookie"); c != "a=1; b=2; c" {
		t.Errorf("cookies %q", c)
	}
	q := r.URL.Query()
	if !slices.Equal(q["bbox"], []string{"1,2", "3"}) || q.Get("q") != "a b c" || !q.Has("empty") {
		t.Errorf("query %v", q)
	}
	if r.Method != "GET" || r.URL.Path != "/collections/a b/items/ü%?#x+y" || r.RequestURI != "/collections/a%20b/items/%C3%BC%25%3F%23x+y?bbox=1%2C2&bbox=3&q=a+b%20c&empty=" {
		t.Errorf("%s %q, %s", r.Method, r.URL.Path, r.RequestURI)
	}
	if r.Host != "r3pmxmplak.execute-api.us-east-2.amazonaws.com" || r.TLS == nil || r.RemoteAddr != "203.0.113.7" {
		t.Errorf("host %s over TLS %v from %s", r.Host, r.TLS != nil, r.RemoteAddr)
	}
	if body != "" || r.ContentLength != 0 || r.Body != http.NoBody {
		t.Errorf("a body of %d bytes", r.ContentLength)
	}
	if err := r.ParseForm(); err != nil {
		t.Error(err)
	}
}

func TestBodies(t *testing.T) {
	binary := "\x00\xff\xfe{}"
	for _, c := range []struct {
		body   string
		base64 bool
		want   string
	}{{"", false, ""}, {"", true, ""}, {`{"queue":true}`, false, `{"queue":true}`}, {base64.StdEncoding.EncodeToString([]byte(binary)), true, binary}} {
		r, body := asked(t, httpAPI(t, "POST", "/refresh", map[string]any{"body": c.body, "isBase64Encoded": c.base64}, nil))
		if body != c.want || r.ContentLength != int64(len(c.want)) {
			t.Errorf("%q came as %q of %d bytes", c.body, body, r.ContentLength)
		}
	}
	if _, err := serving(nil).Handle(t.Context(), httpAPI(t, "POST", "/", map[string]any{"body": "%", "isBase64Encoded": true}, nil)); err == nil {
		t.Error("a body that is no base64 is answered")
	}
}

func TestResponses(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   Response
	}{
		"text": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Accept")
			w.Header().Add("Vary", "Origin")
			w.Header().Set("Last-Modified", "Tue, 03 Nov 2026 10:00:00 GMT")
			w.WriteHeader(202)
			w.WriteHeader(500)
			w.Header().Set("Late", "x")
			fmt.Fprint(w, "{\"é\":")
			fmt.Fprint(w, "1}")
		}, Response{Status: 202, Headers: map[string]string{"Vary": "Accept, Origin", "Last-Modified": "Tue, 03 Nov 2026 10:00:00 GMT"}, Body: `{"é":1}`}},
		"nothing":       {func(http.ResponseWriter, *http.Request) {}, Response{Status: 200, Headers: map[string]string{}}},
		"no body":       {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }, Response{Status: 204, Headers: map[string]string{}}},
		"bytes":         {func(w http.ResponseWriter, r *http.Request) { w.Write([]byte{0, 0xff}) }, Response{Status: 200, Headers: map[string]string{}, Body: "AP8=", Base64: true}},
		"an early hint": {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(103); w.WriteHeader(404) }, Response{Status: 404, Headers: map[string]string{}}},
		"encoded": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, "ab")
		}, Response{Status: 200, Headers: map[string]string{"Content-Encoding": "gzip"}, Body: "YWI=", Base64: true}},
		"cookies": {func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
			http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
			w.WriteHeader(200)
		}, Response{Status: 200, Headers: map[string]string{}, Cookies: []string{"a=1", "b=2"}}},
	} {
		got, err := serving(c.answer).Handle(t.Context(), httpAPI(t, "GET", "/", nil, nil))
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(c.want)
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: %s, error %v, want %s", name, a, err, b)
		}
	}
}

func TestBasePaths(t *testing.T) {
	for _, c := range []struct{ own, stage, path, base string }{
		{"", "$default", "/refresh", ""},
		{"", "prod", "/prod/refresh", "/prod"},
		{"", "prod", "/prod", "/prod"},
		{"", "prod", "/production/x", ""},
		{"", "prod", "/refresh", ""}, // by a domain name of one's own
		{"catalog", "prod", "/catalog/refresh", "/catalog"},
		{"/a/b/", "$default", "/a/b", "/a/b"},
		{"/a/b/", "prod", "/prod/a/b", "/prod"},
		{"/a/b/", "$default", "/a/bc", ""},
		{"/", "", "/x", ""},
	} {
		var bases []string
		g := &Gateway{BasePath: c.own, Log: quiet, Handler: func(base string) http.Handler {
			bases = append(bases, base)
			return http.NotFoundHandler()
		}}
		for range 3 {
			if _, err := g.Handle(t.Context(), httpAPI(t, "GET", c.path, nil, map[string]any{"stage": c.stage})); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(bases, []string{c.base}) {
			t.Errorf("%+v: handlers of %q", c, bases)
		}
	}
}

// send gives a request to a Gateway in the way of API Gateway, and reads the answer in its way.
func send(t *testing.T, g *Gateway, r *http.Request) *http.Response {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	headers := map[string]string{}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	raw := httpAPI(t, r.Method, r.URL.Path, map[string]any{"rawQueryString": r.URL.RawQuery, "headers": headers,
		"body": base64.StdEncoding.EncodeToString(body), "isBase64Encoded": true}, map[string]any{"domainName": r.URL.Host})
	resp, err := g.Handle(r.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

// read makes of a Response what API Gateway sends, and checks its size.
func read(t *testing.T, resp Response) *http.Response {
	t.Helper()
	var encoded bytes.Buffer // as the Lambda runtime does it
	e := json.NewEncoder(&encoded)
	e.SetEscapeHTML(false)
	if err := e.Encode(resp); err != nil {
		t.Fatal(err)
	}
	if encoded.Len() > 6_291_556 {
		t.Fatalf("an answer of %d bytes of JSON, which Lambda does not take", encoded.Len())
	}
	body := []byte(resp.Body)
	if resp.Base64 {
		var err error
		if body, err = base64.StdEncoding.DecodeString(resp.Body); err != nil {
			t.Fatal(err)
		}
	}
	w := httptest.NewRecorder()
	for name, value := range resp.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(resp.Status)
	w.Write(body)
	return w.Result()
}

func TestAnswersThatDoNotFit(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"the most":            {strings.Repeat("x", MaxAnswer), 200},
		"all quotes":          {strings.Repeat(`"`, MaxAnswer), 200},
		"all controls":        {strings.Repeat("\x01", MaxAnswer), 200},
		"line separators":     {strings.Repeat("\u2028", MaxAnswer/3), 200},
		"bytes":               {strings.Repeat("\xff", MaxAnswer), 200},
		"text that just fits": {strings.Repeat("x", maxJSON-2), 200},
		"too much text":       {strings.Repeat("x", maxJSON-1), 501},
		"too many quotes":     {strings.Repeat(`"`, 4_700_000), 501},
		"too many bytes":      {strings.Repeat("\xff", 4_700_000), 501},
	} {
		headers := strings.Repeat("é", 5_000) // API Gateway takes 10,240 bytes
		got, err := serving(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Long", headers)
			io.WriteString(w, c.body)
		}).Handle(t.Context(), httpAPI(t, "GET", "/", nil, nil))
		if err != nil {
			t.Fatal(err)
		}
		resp := read(t, got)
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != c.status || c.status == 200 && string(body) != c.body {
			t.Errorf("%s: %d, %d bytes of %d", name, resp.StatusCode, len(body), len(c.body))
		}
		if c.status != 200 {
			var p struct{ Code string }
			if err := json.Unmarshal(body, &p); err != nil || p.Code != "answer_too_large" || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %s, %v", name, body, err)
			}
		}
	}
}

func TestNoRequests(t *testing.T) {
	for name, raw := range map[string]string{
		"format 1.0": `{"version":"1.0","httpMethod":"GET","path":"/","requestContext":{}}`,
		"no method":  `{"version":"2.0","rawPath":"/","requestContext":{"http":{}}}`,
		"a list":     `[]`, "nothing": ``, "a queue": `{"Records":[]}`,
	} {
		if _, err := serving(nil).Handle(t.Context(), json.RawMessage(raw)); err == nil {
			t.Errorf("%s is answered", name)
		}
	}
}

func TestOnly(t *testing.T) {
	h := Only("POST /refresh", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(202) }))
	for call, want := range map[string]int{"POST /refresh": 202, "GET /refresh": 405, "POST /": 404, "DELETE /refresh/runs/x": 404, "GET /refresh/status": 404} {
		method, path, _ := strings.Cut(call, " ")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", call, w.Code, want)
		}
	}
}

// quoted is never less than what a text takes in JSON.
func FuzzQuoted(f *testing.F) {
	f.Add("a\"\\\n\x00é\u2028😀\x7f<>&")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			t.Skip()
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(text); err != nil {
			t.Fatal(err)
		}
		if n := b.Len() - 1; n > quoted([]byte(text)) {
			t.Errorf("%q takes %d bytes, more than %d", text, n, quoted([]byte(text)))
		}
	})
}

// Whatever the event, the handler gets a request that net/http would have made, or none.
func FuzzHTTPEvent(f *testing.F) {
	f.Add([]byte(httpAPI(f, "GET", "/collections", map[string]any{"cookies": []string{"a=b"}}, nil)))
	f.Add([]byte(httpAPI(f, "POST", "/prod/refresh", map[string]any{"body": "e30=", "isBase64Encoded": true}, map[string]any{"stage": "prod"})))
	f.Add([]byte(`{"version":"2.0","requestContext":{"http":{"method":"GET"}},"headers":{"":"\u0000"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		g := serving(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/") || r.Body == nil || r.URL.Host != "" || r.Header.Get("Host") != "" {
				t.Errorf("%+v", r)
			}
			if u, err := url.ParseRequestURI(r.RequestURI); err == nil && u.Path != r.URL.Path {
				t.Errorf("%q and %q", u.Path, r.URL.Path)
			}
			_, _ = io.Copy(w, r.Body)
		})
		resp, err := g.Handle(context.Background(), raw)
		if err == nil && (resp.Status < 200 || resp.Headers == nil) {
			t.Errorf("%+v", resp)
		}
	})
}
