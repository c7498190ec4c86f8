package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/cairn-stac/cairn/internal/deployment"
	"github.com/cairn-stac/cairn/internal/dynamostate"
	"github.com/cairn-stac/cairn/internal/objstate"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// A home is where the state of a Catalog is kept: in a table where it is deployed on AWS, so that a command line and the cloud
// never refresh it at once, and else in objects of the Catalog itself.
type home struct {
	at      location
	catalog objstore.Reader
	table   *deployment.Deployment // nil: objects
}

// findHome looks which of the two it is. One read.
func findHome(ctx context.Context, at location, catalog objstore.Reader) (home, error) {
	h := home{at: at, catalog: catalog}
	d, err := deployment.Read(ctx, catalog)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return h, nil
	case err != nil:
		return h, fmt.Errorf("catalog %s: %w", at, err)
	}
	h.table = &d
	return h, nil
}

// deployed tells whether the Catalog is deployed on AWS itself.
func (h home) deployed() bool { return h.table != nil && !h.foreign() }

// foreign tells whether the Catalog has its cairn.json from another one, of which it is a copy.
func (h home) foreign() bool {
	return h.table != nil && h.table.Catalog != "" && h.table.Catalog != h.at.url()
}

// open opens the state for a process that refreshes the Catalog.
func (h home) open(ctx context.Context, catalog objstore.Store, log *slog.Logger) (liveState, error) {
	switch {
	case h.table == nil:
		return &settled{objstate.New(catalog, time.Now), h}, nil
	case h.foreign():
		return nil, fmt.Errorf("the catalog %s is a copy of %s, or another name for it, and that one is deployed on AWS; give --catalog %s, or, "+
			"to refresh the copy by itself, delete %s first", h.at, h.table.Catalog, quote(h.table.Catalog), h.at.file(deployment.Key))
	}
	state, err := h.openTable(ctx, log)
	if err != nil {
		return nil, err
	}
	return &settled{&watched{State: state, runs: map[string]*refresh.Progress{}}, h}, nil
}

// look opens the state for a process that only tells of it.
func (h home) look(ctx context.Context, log *slog.Logger) (refresh.State, error) {
	if !h.deployed() {
		return objstate.New(readOnly{h.catalog}, time.Now), nil
	}
	return h.openTable(ctx, log)
}

func (h home) openTable(ctx context.Context, log *slog.Logger) (*dynamostate.State, error) {
	client, err := h.table.Client(ctx, log)
	if err != nil {
		return nil, err
	}
	return dynamostate.New(client, h.table.Table, time.Now), nil
}

// A liveState is a State that tells of the Runs of this process without asking anybody.
type liveState interface {
	refresh.State
	Live(run string) (refresh.Progress, bool)
}

// A settled State grants no Lease any more once the Catalog's state has moved: while a server runs its Catalog may be deployed, or
// its deployment end. One read a Run.
type settled struct {
	liveState
	home home
}

func (s *settled) Swap(ctx context.Context, loaded refresh.Token, next refresh.Control) error {
	if l := next.Lease; l != nil && !l.Launched { // only just granted
		now, err := findHome(ctx, s.home.at, s.home.catalog)
		if err != nil {
			return err
		}
		if moved := (now.table == nil) != (s.home.table == nil) || now.table != nil && *now.table != *s.home.table; moved {
			return &refresh.RefusedError{Reason: fmt.Sprintf("the catalog %s has been deployed on AWS since cairn was started, or is no longer; start it again", s.home.at)}
		}
	}
	return s.liveState.Swap(ctx, loaded, next)
}

// A watched State remembers how far the Runs of this process are, so that showing it costs no requests.
type watched struct {
	refresh.State
	mu   sync.Mutex
	runs map[string]*refresh.Progress
}

func (s *watched) note(run string, change func(*refresh.Progress)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs[run] == nil {
		s.runs[run] = &refresh.Progress{}
	}
	change(s.runs[run])
}

func (s *watched) Begin(ctx context.Context, run string, phase refresh.Phase, t refresh.Totals) error {
	s.note(run, func(p *refresh.Progress) { p.Enter(phase, t, time.Now()) })
	return s.State.Begin(ctx, run, phase, t)
}

func (s *watched) Shard(ctx context.Context, run, shard string, t refresh.Tally) error {
	s.note(run, func(p *refresh.Progress) { p.Advance(shard, t, time.Now()) })
	return s.State.Shard(ctx, run, shard, t)
}

func (s *watched) Live(run string) (refresh.Progress, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.runs[run]
	if p == nil {
		return refresh.Progress{}, false
	}
	out := *p
	out.Shards = maps.Clone(p.Shards)
	return out, true
}

func (s *watched) Progress(ctx context.Context, run string) (refresh.Progress, error) {
	if p, ok := s.Live(run); ok {
		return p, nil
	}
	return s.State.Progress(ctx, run)
}

func (s *watched) PutRun(ctx context.Context, r refresh.Run) (refresh.Run, error) {
	s.mu.Lock()
	delete(s.runs, r.ID)
	s.mu.Unlock()
	return s.State.PutRun(ctx, r)
}
