package httpapi

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/cairn-stac/cairn/internal/stac"
)

// base is the URL of the root as the client knows it, without a slash at the end.
func (s *server) base(r *http.Request) *url.URL {
	u := &url.URL{Scheme: "http", Host: r.Host, Path: s.BasePath}
	if r.TLS != nil {
		u.Scheme = "https"
	}
	if !s.TrustProxy {
		return u
	}
	proto, host := forwarded(r.Header)
	if proto = strings.ToLower(proto); proto == "http" || proto == "https" {
		u.Scheme = proto
	}
	if host != "" {
		u.Host = host
	}
	if p := first(r.Header.Get("X-Forwarded-Prefix")); strings.HasPrefix(p, "/") {
		u.Path = strings.TrimSuffix(path.Clean(p), "/") + s.BasePath
	}
	return u
}

// forwarded reads what the first proxy was asked for: Forwarded (RFC 7239), else the older headers.
func forwarded(h http.Header) (proto, host string) {
	proto, host = first(h.Get("X-Forwarded-Proto")), first(h.Get("X-Forwarded-Host"))
	for pair := range strings.SplitSeq(first(h.Get("Forwarded")), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "proto":
			proto = value
		case "host":
			host = value
		}
	}
	return proto, host
}

// first of a header's comma-separated values.
func first(header string) string {
	v, _, _ := strings.Cut(header, ",")
	return strings.TrimSpace(v)
}

// links makes the links of one answer.
type links struct{ base string }

func (s *server) links(r *http.Request) links { return links{s.base(r).String()} }

// to makes a link to a place below the root. Each element is one path segment, escaped here.
func (l links) to(rel, mediaType, title string, elements ...string) stac.Link {
	return stac.Link{Rel: rel, Type: mediaType, Title: title, Href: l.href(elements...)}
}

func (l links) href(elements ...string) string {
	if len(elements) == 0 {
		return l.base + "/"
	}
	var b strings.Builder
	b.WriteString(l.base)
	for _, e := range elements {
		b.WriteString("/" + url.PathEscape(e))
	}
	return b.String()
}

func (l links) root() stac.Link { return l.to("root", stac.TypeJSON, "") }
