package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// configName is the config in a Catalog.
const configName = "cairn.yaml"

// setupOptions are what a command that refreshes is given.
type setupOptions struct {
	source, catalog, config string
	bucket                  bucketOptions
}

// A setup is all of that, checked. Nothing has been made or written.
type setup struct {
	places
	options setupOptions
	cfg     *config.Config
	rules   *item.Rules
	about   item.Source
	from    objstore.Reader // the Source
	into    objstore.Reader // the Catalog, as long as it is only looked at
}

// prepare checks all that the user gave: that both places can be listed, and that the config holds.
func prepare(ctx context.Context, o setupOptions, log *slog.Logger) (*setup, error) {
	p, err := findPlaces(o.source, o.catalog)
	if err != nil {
		return nil, err
	}
	if err := o.bucket.check(p.source); err != nil {
		return nil, err
	}
	s := &setup{places: p, options: o}
	if s.from, err = openReader(ctx, p.source, o.bucket.s3(log)); err != nil {
		return nil, fmt.Errorf("source %s: %w", p.source, err)
	}
	if s.into, err = lookAtCatalog(ctx, p.catalog, log); err != nil {
		return nil, fmt.Errorf("catalog %s: %w", p.catalog, err)
	}
	s.about = aboutSource(p.source, s.from)
	if s.cfg, err = loadConfig(ctx, o.config, p.catalog, s.into); err != nil {
		return nil, err
	}
	s.rules, err = item.New(s.cfg, s.about)
	return s, err
}

// aboutSource names a Source in Items.
func aboutSource(l location, r objstore.Reader) item.Source {
	about := item.Source{URL: l.url(), Name: l.name()}
	if b, ok := r.(*s3store.Store); ok {
		about.HTTPS = b.HTTPS()
	}
	return about
}

// worker is a Worker on a Catalog, without what only a Run needs.
func (s *setup) worker(catalog objstore.Store, log *slog.Logger) *refresh.Worker {
	w := &refresh.Worker{
		Catalog: catalog, Source: s.from, About: s.about, Own: s.own, Config: refresh.ReadConfig(catalog),
		Parallel: s.reads(), Now: time.Now, Log: log,
	}
	if file := s.options.config; file != "" {
		w.Config = func(context.Context) ([]byte, error) { return os.ReadFile(file) }
	}
	return w
}

// loadConfig reads and checks the config that a Run would use: the given file, else cairn.yaml in the Catalog, else the
// defaults. An error of the config names the file and the line.
func loadConfig(ctx context.Context, file string, at location, catalog objstore.Reader) (*config.Config, error) {
	name := file
	read := func() ([]byte, error) { return os.ReadFile(file) }
	if file == "" {
		name = at.file(configName)
		read = func() ([]byte, error) {
			raw, _, err := catalog.Get(ctx, configName, 0, -1, "")
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
			return raw, err
		}
	}
	raw, err := read()
	if err != nil {
		return nil, fmt.Errorf("config %s: %w", name, plain(err))
	}
	cfg, err := config.Parse(raw)
	var bad *config.Error
	switch {
	case errors.As(err, &bad):
		return nil, errors.New(name + strings.TrimPrefix(bad.Error(), configName))
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return cfg, nil
}
