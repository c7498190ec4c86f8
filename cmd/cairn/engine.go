package main

import (
	"context"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/localflow"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/watch"
)

// How Runs are driven on one machine.
const (
	leaseTTL   = 30 * time.Second
	leaseRenew = 5 * time.Second
	stepTries  = 3
	stepPause  = 200 * time.Millisecond
)

// An engine refreshes a Catalog from its Source, in this process.
type engine struct {
	*setup
	catalog objstore.Store
	state   liveState
	desk    *refresh.Desk
	flow    *localflow.Flow
	log     *slog.Logger
	events  watcher
	current atomic.Pointer[item.Rules] // of the config as the last Run read it
}

// A watcher tells what changes in a folder: watch.Folder, but in tests.
type watcher func(ctx context.Context, root string, opt watch.Options, found func(context.Context, watch.Change) error) error

// openEngine assembles an engine. It makes the Catalog's folder.
func (a *app) openEngine(ctx context.Context, s *setup, log *slog.Logger) (*engine, error) {
	home, err := findHome(ctx, s.places.catalog, s.into)
	if err != nil {
		return nil, err
	}
	catalog, err := openCatalog(s.catalog, s.into)
	if err != nil {
		return nil, err
	}
	if a.wrap != nil {
		catalog = a.wrap(catalog)
	}
	state, err := home.open(ctx, catalog, log)
	if err != nil {
		return nil, err
	}
	flow, err := localflow.New(localflow.Options{Scans: s.scans(), Renew: leaseRenew, Tries: stepTries, Pause: stepPause, Log: log})
	if err != nil {
		return nil, err
	}
	e := &engine{setup: s, catalog: catalog, state: state, flow: flow, log: log, events: watch.Folder}
	e.desk = &refresh.Desk{State: e.state, Catalog: catalog, Workflow: flow, TTL: leaseTTL, Now: time.Now, Log: log}
	w := s.worker(catalog, log)
	w.State = e.state
	e.current.Store(s.rules)
	read := w.Config
	w.Config = func(ctx context.Context) ([]byte, error) {
		raw, err := read(ctx)
		if err == nil {
			e.follow(raw)
		}
		return raw, err
	}
	flow.Bind(e.desk, w)
	return e, nil
}

// follow takes up the rules of the config that a Run has read, for what is watched and served from now on.
func (e *engine) follow(raw []byte) {
	cfg, err := config.Parse(raw)
	if err != nil {
		return // the Run says so
	}
	if rules, err := item.New(cfg, e.about); err == nil {
		e.current.Store(rules)
	}
}

// reads is how many scenes a Shard's scan reads at once: enough to keep the connections to a bucket busy, or the cores.
func (s *setup) reads() int {
	if s.source.isBucket() {
		return s.options.bucket.parallel
	}
	return max(8, 2*runtime.NumCPU())
}

// scans is how many Shards are scanned at once. Reading a bucket, one fills the connections while another one starts or ends.
func (s *setup) scans() int {
	if s.source.isBucket() {
		return 2
	}
	return runtime.NumCPU()
}

// Close cancels what the engine runs and waits until that is settled.
func (e *engine) Close() error { return e.flow.Close() }

// ours returns the Run that this process drives, if it holds the Lease.
func (e *engine) ours(ctx context.Context) (refresh.Lease, bool, error) {
	c, _, err := e.state.Load(ctx)
	if err != nil || c.Lease == nil {
		return refresh.Lease{}, false, err
	}
	return *c.Lease, c.Lease.Holder == e.flow.Holder(), nil
}

// onlooker tells of a Catalog and writes nothing to it.
func (h home) onlooker(ctx context.Context, log *slog.Logger) (*refresh.Desk, error) {
	state, err := h.look(ctx, log)
	return &refresh.Desk{State: state, Catalog: readOnly{h.catalog}, Workflow: localflow.Onlooker{}, Now: time.Now, Log: log}, err
}
