package httpapi

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
)

// What a request may have at most, in bytes. What is around them is the server's (serve.go).
const (
	maxBody = 64 << 10
	maxURL  = 16 << 10 // path and query; a key of 1,024 bytes takes 3 KiB
)

// ServeHTTP does what every request needs, and then routes it.
func (s *server) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w := &response{ResponseWriter: rw, head: r.Method == http.MethodHead, most: s.MaxAnswer}
	defer s.recovered(w, r)
	r.Body = http.MaxBytesReader(rw, r.Body, maxBody) // of every method; what a handler leaves the server reads a little of
	w.Header().Set("X-Content-Type-Options", "nosniff")
	reads := r.Method == http.MethodGet || w.head || r.Method == http.MethodOptions
	if reads || s.CORSRefresh {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Expose-Headers",
			"Accept-Ranges, Content-Length, Content-Range, ETag, Last-Modified, Location, Retry-After")
	}
	if len(r.URL.Path)+len(r.URL.RawQuery) > maxURL {
		s.fail(w, r, refuse("url_too_long", "path and query together are longer than %d bytes", maxURL))
		return
	}
	if !reads && !s.CORSRefresh && s.foreign(r) {
		s.fail(w, r, refuse("foreign_origin", "pages of another origin may not do this: %s %s", r.Method, r.URL.Path))
		return
	}
	_, pattern := s.mux.Handler(r)
	if err := s.admit(w, r, pattern); err != nil {
		s.fail(w, r, err)
		return
	}
	if pattern != "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	methods := s.methods(r)
	switch {
	case len(methods) == 0:
		s.fail(w, r, refuse("not_found", "there is nothing at %s", r.URL.Path))
	case r.Method == http.MethodOptions:
		s.preflight(w, methods)
	default:
		w.Header().Set("Allow", strings.Join(methods, ", "))
		s.fail(w, r, refuse("method_not_allowed", "%s is answered here, not %s", strings.Join(methods, ", "), r.Method))
	}
}

// methods that are answered at the request's path; none where nothing is.
func (s *server) methods(r *http.Request) []string {
	var out []string
	probe := *r
	for _, m := range []string{"GET", "HEAD", "POST", "DELETE"} {
		probe.Method = m
		if _, pattern := s.mux.Handler(&probe); pattern != "" {
			out = append(out, m)
		}
	}
	if out != nil {
		out = append(out, "OPTIONS")
	}
	return out
}

// preflight answers OPTIONS, for CORS and for whoever asks.
func (s *server) preflight(w http.ResponseWriter, methods []string) {
	h := w.Header()
	h.Set("Allow", strings.Join(methods, ", "))
	cors := slices.DeleteFunc(slices.Clone(methods), func(m string) bool {
		return !s.CORSRefresh && (m == "POST" || m == "DELETE")
	})
	h.Set("Access-Control-Allow-Methods", strings.Join(cors, ", "))
	allowed := "Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Range, Range"
	if s.CORSRefresh {
		allowed += ", Idempotency-Key"
	}
	if s.Token != "" {
		allowed += ", Authorization"
	}
	h.Set("Access-Control-Allow-Headers", allowed)
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

// foreign tells whether a browser sent the request for a page of another origin. Programs send neither header. Browsers send
// the first only to where they are sure of whom they talk to, so it settles the matter.
func (s *server) foreign(r *http.Request) bool {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	if site == "same-origin" || origin == "" {
		return site == "cross-site" || site == "same-site"
	}
	u, err := url.Parse(origin)
	if err != nil || !strings.EqualFold(u.Host, s.base(r).Host) {
		return true
	}
	// A name of the attacker's that resolves to this machine makes its page and the request one origin. On a loopback address
	// only loopback names are at home; a proxy before it is for TrustProxy.
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && !s.TrustProxy && isLoopback(local.String()) && !isLoopback(u.Host)
}

// isLoopback takes a host with or without a port.
func isLoopback(hostport string) bool {
	host := (&url.URL{Host: hostport}).Hostname()
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback() || strings.EqualFold(host, "localhost") ||
		strings.HasSuffix(strings.ToLower(host), ".localhost")
}

// recovered turns a panic into an answer.
func (s *server) recovered(w *response, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	s.Log.ErrorContext(r.Context(), "panic", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
	if w.wrote {
		panic(http.ErrAbortHandler) // what was sent must not look whole
	}
	clear(w.Header())
	s.fail(w, r, fmt.Errorf("panic: %v", p))
}

// A response notes whether anything was written, and sends no body to HEAD, whatever server is around the handler.
type response struct {
	http.ResponseWriter
	head, wrote bool
	most        int // bytes of a body; 0: any number
}

func (w *response) WriteHeader(status int) {
	w.wrote = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(b []byte) (int, error) {
	w.wrote = true
	if w.head {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }
