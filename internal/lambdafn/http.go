package lambdafn

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// MaxAnswer is how many bytes of a body an answer may have. Lambda takes 6,291,556 of the answer's JSON; in base64, which is the
// larger of the two ways for nearly any text and the only one for bytes, these come to 6,200,000, and the rest is for the headers.
const MaxAnswer = 4_650_000

// maxJSON is how many bytes of JSON Lambda takes as an answer, less what is around the body and the headers, which API Gateway
// limits to 10,240 bytes.
const maxJSON = 6_291_556 - 64<<10

// A Gateway answers the requests of an HTTP API of API Gateway, payload format 2.0, with an http.Handler
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
//
// What is asked for is told by the gateway alone: the host of links is its domain name, always over https, whatever Host or
// X-Forwarded-* the client sent.
type Gateway struct {
	// Handler makes the handler of the requests below a path without a closing slash; "" is the root. It is called once for each.
	Handler func(basePath string) http.Handler
	// BasePath is the path at which a domain name of one's own has the API; "" is the root.
	BasePath string
	Log      *slog.Logger

	handlers sync.Map // http.Handler by base path
}

// An httpEvent is what of a request is looked at.
type httpEvent struct {
	Version  string            `json:"version"`
	Route    string            `json:"routeKey"`
	RawPath  string            `json:"rawPath"` // decoded, unlike that of a function's own URL
	RawQuery string            `json:"rawQueryString"`
	Cookies  []string          `json:"cookies"`
	Headers  map[string]string `json:"headers"` // those of one name joined by commas
	Body     string            `json:"body"`
	Base64   bool              `json:"isBase64Encoded"`
	Context  struct {
		Domain string `json:"domainName"`
		Stage  string `json:"stage"`
		// What an authorizer of the route found out, by its kind; a route that is open to all has none.
		Authorizer map[string]json.RawMessage `json:"authorizer"`
		HTTP       struct {
			Method   string `json:"method"`
			SourceIP string `json:"sourceIp"`
		} `json:"http"`
	} `json:"requestContext"`
}

// A Response is what API Gateway makes an answer of.
type Response struct {
	Status  int               `json:"statusCode"`
	Headers map[string]string `json:"headers"`
	Cookies []string          `json:"cookies,omitempty"`
	Body    string            `json:"body"`
	Base64  bool              `json:"isBase64Encoded"`
}

// Handle answers an event. One that is no request is an error.
func (g *Gateway) Handle(ctx context.Context, raw json.RawMessage) (Response, error) {
	started := time.Now()
	e, err := parseHTTP(raw)
	if err != nil {
		return Response{}, err
	}
	base := g.base(e)
	if e.strays(base) {
		return notThere, nil
	}
	r, err := e.request(withProof(ctx, e))
	if err != nil {
		return Response{}, err
	}
	w := &recorder{header: http.Header{}}
	g.handler(base).ServeHTTP(w, r)
	resp, err := w.response()
	if err != nil {
		g.Log.ErrorContext(ctx, "answer is too large", "method", r.Method, "path", r.URL.Path, "bytes", w.body.Len(), "error", err)
		resp = tooLarge
	}
	g.Log.InfoContext(ctx, "request answered", "method", r.Method, "path", r.URL.Path, "status", resp.Status, "bytes", w.body.Len(),
		"elapsed_seconds", time.Since(started).Seconds())
	return resp, nil
}

func parseHTTP(raw json.RawMessage) (httpEvent, error) {
	var e httpEvent
	switch err := json.Unmarshal(raw, &e); {
	case err != nil:
		return e, fmt.Errorf("decode HTTP event: %w", err)
	case e.Version != "2.0":
		return e, fmt.Errorf("event has payload format %.20q; this function answers an HTTP API with payload format 2.0", e.Version)
	case e.Context.HTTP.Method == "":
		return e, errors.New("HTTP event has no method")
	}
	return e, nil
}

// base is the path below which a request arrived: that of the own domain name, or the stage, which is part of the path of any other one
// than $default, but only at the API's own name.
func (g *Gateway) base(e httpEvent) string {
	candidates := []string{strings.TrimSuffix(path.Clean("/"+g.BasePath), "/")}
	if s := e.Context.Stage; s != "" && s != "$default" {
		candidates = append(candidates, "/"+s)
	}
	for _, base := range candidates {
		if base != "" && (e.RawPath == base || strings.HasPrefix(e.RawPath, base+"/")) {
			return base
		}
	}
	return ""
}

func (g *Gateway) handler(base string) http.Handler {
	h, ok := g.handlers.Load(base)
	if !ok {
		h, _ = g.handlers.LoadOrStore(base, g.Handler(base))
	}
	return h.(http.Handler)
}

// request makes of the event what a server makes of a request.
func (e httpEvent) request(ctx context.Context) (*http.Request, error) {
	body := []byte(e.Body)
	if e.Base64 {
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, fmt.Errorf("decode body of HTTP event: %w", err)
		}
	}
	u := &url.URL{Path: "/" + strings.TrimPrefix(e.RawPath, "/"), RawQuery: e.RawQuery}
	r := (&http.Request{
		Method: strings.ToUpper(e.Context.HTTP.Method), URL: u, RequestURI: u.RequestURI(), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, ContentLength: int64(len(body)),
		Host: e.Context.Domain, RemoteAddr: e.Context.HTTP.SourceIP, TLS: &tls.ConnectionState{},
	}).WithContext(ctx)
	if len(body) > 0 {
		r.Body = readCloser{bytes.NewReader(body)}
	}
	for name, value := range e.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Del("Host") // where a server has it is r.Host
	if len(e.Cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(e.Cookies, "; "))
	}
	return r, nil
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// A recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	sent   http.Header // as the header was when the status was written
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

var errTooLarge = errors.New("answer does not fit into what Lambda takes")

// tooLarge stands in for an answer of a handler that does not keep to MaxAnswer.
var tooLarge = Response{
	Status:  http.StatusNotImplemented,
	Headers: map[string]string{"Content-Type": "application/problem+json", "Cache-Control": "no-store"},
	Body: `{"type":"about:blank","title":"Not Implemented","status":501,"code":"answer_too_large",` +
		`"detail":"the answer is larger than can be sent from here: ask for a part of it"}`,
}

// response is the answer in the words of API Gateway: as text where it is one and fits, else in base64.
func (w *recorder) response() (Response, error) {
	w.WriteHeader(http.StatusOK)
	resp := Response{Status: w.status, Headers: map[string]string{}}
	for name, values := range w.sent {
		if name == "Set-Cookie" {
			resp.Cookies = values
			continue
		}
		resp.Headers[name] = strings.Join(values, ", ")
	}
	body := w.body.Bytes()
	text := w.sent.Get("Content-Encoding") == "" && utf8.Valid(body)
	switch {
	case text && quoted(body) <= maxJSON:
		resp.Body = string(body)
	case base64.StdEncoding.EncodedLen(len(body)) <= maxJSON:
		resp.Body, resp.Base64 = base64.StdEncoding.EncodeToString(body), true
	default:
		return Response{}, errTooLarge
	}
	return resp, nil
}

// quoted is how many bytes of JSON a text takes at most.
func quoted(text []byte) int {
	n := len(text) + len(`""`)
	for _, c := range text {
		switch {
		case c == '"', c == '\\':
			n++
		case c < ' ':
			n += len(`\u0000`) - 1
		case c == 0xE2: // U+2028 and U+2029 begin with it
			n += len(`\u2028`) - 3
		}
	}
	return n
}

// Only is a handler of one pattern of http.ServeMux. Everything else is not found: what a function is not there for must not
// depend on how the gateway routes.
func Only(pattern string, h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(pattern, h)
	return mux
}
