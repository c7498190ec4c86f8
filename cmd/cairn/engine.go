package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/localflow"
	"github.com/cairn-stac/cairn/internal/objstate"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/dirstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// How Runs are driven on one machine.
const (
	leaseTTL   = 30 * time.Second
	leaseRenew = 5 * time.Second
	stepTries  = 3
	stepPause  = 200 * time.Millisecond
	pollEvery  = 10 * time.Millisecond // of the record of a Run that this process waits for
	showEvery  = 10                    // polls
)

// configName is the config in a Catalog.
const configName = "cairn.yaml"

// An engine refreshes a Catalog folder from a Source folder, in this process.
type engine struct {
	folders folders
	about   item.Source
	source  objstore.Reader
	catalog objstore.Store
	state   *objstate.State
	desk    *refresh.Desk
	flow    *localflow.Flow
}

// openEngine assembles an engine. It makes the Catalog's folder, so that what the user gave must have been checked before.
func (a *app) openEngine(f folders, configFile string, log *slog.Logger) (*engine, error) {
	source, err := dirstore.OpenReader(f.source)
	if err != nil {
		return nil, err
	}
	catalog, err := dirstore.Open(f.catalog)
	if err != nil {
		return nil, err
	}
	e, err := a.overCatalog(catalog, log)
	if err != nil {
		return nil, err
	}
	e.folders, e.about, e.source = f, aboutSource(f.source), source
	w := &refresh.Worker{
		State: e.state, Catalog: e.catalog, Source: source, About: e.about, Own: f.own,
		Config: refresh.ReadConfig(e.catalog), Parallel: max(8, 2*runtime.NumCPU()), Now: time.Now, Log: log,
	}
	if configFile != "" {
		w.Config = func(context.Context) ([]byte, error) { return os.ReadFile(configFile) }
	}
	e.flow.Bind(e.desk, w)
	return e, nil
}

// overCatalog assembles what tells of a Catalog, and starts no Run.
func (a *app) overCatalog(catalog objstore.Store, log *slog.Logger) (*engine, error) {
	if a.wrap != nil {
		catalog = a.wrap(catalog)
	}
	flow, err := localflow.New(localflow.Options{
		Scans: runtime.NumCPU(), Renew: leaseRenew, Tries: stepTries, Pause: stepPause, Log: log,
	})
	if err != nil {
		return nil, err
	}
	state := objstate.New(catalog, time.Now)
	desk := &refresh.Desk{State: state, Catalog: catalog, Workflow: flow, TTL: leaseTTL, Now: time.Now, Log: log}
	flow.Bind(desk, nil)
	return &engine{catalog: catalog, state: state, desk: desk, flow: flow}, nil
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

// prepare checks all that the user gave before anything is made.
func prepare(source, catalog, configFile string) (folders, *config.Config, error) {
	f, err := findFolders(source, catalog)
	if err != nil {
		return f, nil, err
	}
	cfg, err := loadConfig(configFile, f.catalog)
	return f, cfg, err
}

// aboutSource names the folder in Items.
func aboutSource(path string) item.Source {
	return item.Source{URL: fileURL(path), Name: filepath.Base(path)}
}

// loadConfig reads and checks the config that a Run would use: the given file, else cairn.yaml in the Catalog folder, else the
// defaults. catalog "" stands for none. An error of the config names the file and the line.
func loadConfig(file, catalog string) (*config.Config, error) {
	if file == "" && catalog == "" {
		return config.Default(), nil
	}
	path := file
	if file == "" {
		path = filepath.Join(catalog, configName)
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && file == "" {
		return config.Default(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("config %s: %w", path, plain(err))
	}
	cfg, err := config.Parse(raw)
	var bad *config.Error
	switch {
	case errors.As(err, &bad):
		return nil, errors.New(path + strings.TrimPrefix(bad.Error(), configName))
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return cfg, nil
}
