// Package httpapi answers HTTP: the refresh API, a STAC API over the published Snapshot, the files of a folder Source, and a
// page for people. New makes one http.Handler of them, without globals or goroutines, so that the same one runs behind a
// listener and behind an API gateway.
//
// Specifications: STAC API 1.0.0 (core, collections, features), https://github.com/radiantearth/stac-api-spec/tree/v1.0.0;
// OGC API Features 1.0.1, OGC 17-069r4; problem details, RFC 9457.
package httpapi

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// A Desk starts, cancels and tells of Runs. A *refresh.Desk is one, and its contract is there.
type Desk interface {
	Start(ctx context.Context, r refresh.Request) (refresh.Answer, error)
	Cancel(ctx context.Context, run string) error
	Status(ctx context.Context) (refresh.Status, error)
	Run(ctx context.Context, id string) (refresh.Run, error)
	Runs(ctx context.Context, before string) iter.Seq2[refresh.Run, error]
}

// Options of New. Desk and Snapshots must be set.
type Options struct {
	Desk      Desk
	Snapshots *Snapshots

	// Source is read for /assets/; nil where clients can read the Source themselves (a bucket).
	Source objstore.Reader
	// SourceURL is how the hrefs of its files begin in Items, without a slash at the end. They become /assets/ in answers.
	SourceURL string
	// Served tells which keys of the Source may be read: those that a Run would take up, so that what else lies in the folder,
	// perhaps the Catalog itself, stays private. nil: none.
	Served func(key string) bool

	// Token, unless it is "", is needed for every request: as a bearer token (RFC 6750), or as the password of Basic (RFC 7617)
	// with any user name, which browsers, QGIS and curl ask for. What goes over the network should be encrypted then.
	Token string
	// OpenReads lets everybody read the catalog, but nothing of /refresh, without the Token.
	OpenReads bool
	// Manages tells whether whoever sent a request may see Runs on the page for people and ask for them there. Where something
	// before the handler judges who may call, it has to say: routes may be open to all. nil: who has the Token, or all without one.
	Manages func(*http.Request) bool
	// RefreshRate is how many requests a second may start or cancel Runs, after the first few; 0: any number.
	RefreshRate float64
	// ReadOnly refuses to start and cancel Runs, for a server without the Source.
	ReadOnly bool

	// CORSRefresh lets pages of other origins start and cancel Runs.
	CORSRefresh bool
	// TrustProxy takes scheme, host and prefix of links from Forwarded or X-Forwarded-*. Without a proxy that sets them,
	// clients could choose what others see.
	TrustProxy bool
	// MaxAnswer is how many bytes the body of an answer may have; 0: any number. Pages of Items and Rejects end before it and go on
	// in a next one; anything else that is larger is the problem answer_too_large.
	MaxAnswer int
	// BasePath is the path under which requests arrive; "" is the root.
	BasePath string

	// ID, Title and Description of the root. What is empty is that of the published Snapshot.
	ID, Title, Description string
	// Version of Cairn, for the page for people.
	Version string
	Log     *slog.Logger // nil: no log
}

// New makes the handler.
func New(opt Options) http.Handler {
	opt.BasePath = strings.TrimSuffix(path.Clean("/"+opt.BasePath), "/")
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	s := &server{Options: opt, mux: http.NewServeMux(), wrong: newPace(wrongRate, wrongBurst)}
	if opt.RefreshRate > 0 {
		s.pace = newPace(opt.RefreshRate, refreshBurst)
	}
	s.get("/{$}", s.landing)
	if opt.BasePath != "" {
		s.get("", s.landing)
	}
	s.get("/conformance", s.conformance)
	s.get("/collections", s.collections)
	s.get("/collections/{collection}", s.collection)
	s.get("/collections/{collection}/items", s.items)
	s.get("/collections/{collection}/items/{item}", s.item)
	if s.servesAssets() {
		s.download("/assets/{key...}", s.asset)
	}
	s.handle("POST", "/refresh", s.changes(s.start))
	s.get("/refresh/status", s.status)
	s.get("/refresh/runs", s.runs)
	s.get("/refresh/runs/{run}", s.run)
	s.get("/refresh/runs/{run}/rejects", s.rejects)
	s.handle("DELETE", "/refresh/runs/{run}", s.changes(s.cancel))
	return s
}

type server struct {
	Options
	mux   *http.ServeMux
	pace  *pace // of requests that change something
	wrong *pace // of wrong tokens
}

// A handler answers a request, or returns why it cannot, before it wrote anything.
type handler func(w http.ResponseWriter, r *http.Request) error

// get routes GET, and HEAD with it.
func (s *server) get(path string, h handler) { s.handle("GET", path, h) }

func (s *server) handle(method, path string, h handler) {
	s.mux.HandleFunc(method+" "+s.BasePath+path, func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), answerTime)
		defer cancel()
		if err := h(w, r.WithContext(ctx)); err != nil {
			s.fail(w, r, err)
		}
	})
}

// answerTime is how long an answer may take to be made, so that a store that says nothing holds nobody up. The download of a file
// has all the time that it wants.
const answerTime = 20 * time.Second

// download routes GET of what may take its time.
func (s *server) download(path string, h handler) {
	s.mux.HandleFunc("GET "+s.BasePath+path, func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

func (s *server) servesAssets() bool { return s.Source != nil && s.Served != nil && s.SourceURL != "" }
