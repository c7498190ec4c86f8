package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairn-stac/cairn/internal/httpapi"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
)

func (a *app) serveCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve [SOURCE]",
		Short: "Serve a catalog as a STAC API that can be refreshed while it is read",
		Long: `Serves the catalog of SOURCE, a folder or s3://bucket/prefix, as a STAC API, with a page for browsers, and refreshes it once
at the start. POST /refresh starts a further refresh and answers at once; GET /refresh/status tells how far it is. Meanwhile
readers see the catalog as it was before. Ctrl-C stops in order.

--every refreshes by itself from time to time. --watch does so seconds after a file changes; what its events may miss is found
by a refresh of everything every 15 minutes, or as often as --every says.

Without SOURCE the catalog is only read: nothing is written to it, and what others publish in it is served from then on.

By default only this machine reaches the server. With a token it may serve others: it is sent as a bearer token, or as the
password of any user name. It is readable on its way, so put a proxy with TLS in front where the network is not yours.`,
		Example: `  cairn serve ~/imagery
  cairn serve ~/imagery --catalog ~/stac --watch
  cairn serve s3://imagery/2024 --catalog s3://my-catalogs/2024 --every 15m
  cairn serve --catalog s3://my-catalogs/2024                        only read it
  CAIRN_TOKEN=… cairn serve ~/imagery --addr :8000 --open-reads      for others too; refreshing needs the token
  curl -X POST http://127.0.0.1:8000/refresh
  curl http://127.0.0.1:8000/refresh/status`,
		Args:              args(0, 1, "at most one SOURCE, a folder or s3://bucket/prefix"),
		ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("token") {
				o.token = os.Getenv(tokenName)
			}
			if err := o.access.check(); err != nil {
				return err
			}
			if len(args) > 0 {
				o.source = args[0]
				o.timed = cmd.Flags().Changed("every")
				return a.serve(cmd.Context(), o)
			}
			for _, name := range []string{"watch", "every", "config"} {
				if cmd.Flags().Changed(name) {
					return usagef("--%s is about refreshing, and without a SOURCE the catalog is only read; give the SOURCE too", name)
				}
			}
			return a.serveCatalog(cmd.Context(), o)
		},
	}
	setupFlags(cmd, &o.setupOptions)
	accessFlags(cmd, &o.access)
	f := cmd.Flags()
	f.BoolVar(&o.watch, "watch", false, "refresh what changes in the folder SOURCE, at once")
	f.DurationVar(&o.every, "every", 0, "refresh everything each `TIME`, as in 15m or 1h30m")
	complete(cmd.RegisterFlagCompletionFunc("every", nothingMore))
	return cmd
}

type serveOptions struct {
	setupOptions
	access
	watch bool
	every time.Duration
	timed bool // every was given
}

// check refuses what does not fit together.
func (o serveOptions) check(source location) error {
	switch {
	case o.timed && o.every < time.Second:
		return usagef("--every %s: give at least 1s", o.every)
	case o.watch && source.isBucket():
		return usagef("--watch is about a folder, and %s is a bucket: refresh it by time, as in --every 15m, or let the bucket's events call POST /refresh", source)
	}
	return nil
}

// serve refreshes and serves the Catalog of a Source.
func (a *app) serve(ctx context.Context, o serveOptions) (err error) {
	source, err := sourceLocation(o.source)
	if err != nil {
		return err
	}
	if err := o.check(source); err != nil {
		return err
	}
	log := a.log(slog.LevelInfo)
	s, err := prepare(ctx, o.setupOptions, log)
	if err != nil {
		return err
	}
	l, err := listen(o.addr)
	if err != nil {
		return err
	}
	defer l.Close()
	e, err := a.openEngine(ctx, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if _, _, err := e.state.Load(ctx); err != nil {
		return err
	}
	base, curl := baseURL(l), o.curl()
	fmt.Fprintf(a.stdout, "serving %s\n  catalog    %s\n  page       %s/\n  refresh    %s -X POST %s/refresh\n  progress   %s %s/refresh/status\n  stop       Ctrl-C\n",
		s.source, s.places.catalog, base, curl, base, curl, base)
	return e.serve(ctx, l, o.access, o.freshness())
}

// serve answers requests on the listener until ctx is done, and keeps the Catalog fresh meanwhile.
func (e *engine) serve(ctx context.Context, l net.Listener, o access, f freshness) error {
	opt := o.api(e.places.catalog, e.catalog, e.log)
	opt.Desk = e.desk
	if !e.source.isBucket() { // of a bucket clients read the files themselves
		opt.Source, opt.SourceURL = e.from, e.about.URL
		opt.Served = func(key string) bool { return e.serves(ctx, key) }
	}
	ctx, stop := context.WithCancel(ctx)
	var tending sync.WaitGroup
	tending.Go(func() { e.tend(ctx, f) })
	defer tending.Wait()
	defer stop()
	return httpapi.Serve(ctx, l, httpapi.New(opt))
}

// serves tells whether a file of the Source is given out: a raster or what belongs to one. Pictures and metadata belong to one
// only where there is a raster of their scene.
func (e *engine) serves(ctx context.Context, key string) bool {
	rules := e.current.Load()
	if rules.Kind(key) == item.Other || e.isOwn(key) {
		return false
	}
	if !rules.IsCompanion(key) {
		return true
	}
	scene, looked := rules.SceneKey(key), 0
	for o, err := range e.from.List(ctx, objstore.Prefixed(scene)) {
		if looked++; err != nil || looked > maxSceneListing {
			break
		}
		if rules.Kind(o.Key) == item.Raster && rules.SceneKey(o.Key) == scene {
			return true
		}
	}
	return false
}

// maxSceneListing is how many files are looked at for a raster of a scene: a folder that is one may hold a million others.
const maxSceneListing = 10_000

// isOwn tells whether a key of the Source, or a folder, is the Catalog's.
func (e *engine) isOwn(key string) bool {
	return e.own != "" && objstore.Prefixed(e.own).Contains(key)
}

// serveCatalog serves a Catalog that it only reads.
func (a *app) serveCatalog(ctx context.Context, o serveOptions) error {
	log := a.log(slog.LevelInfo)
	at, catalog, err := openToLook(ctx, o.catalog, o.bucket, log)
	if err != nil {
		return err
	}
	home, err := findHome(ctx, at, catalog)
	if err != nil {
		return err
	}
	desk, err := home.onlooker(ctx, log)
	if err != nil {
		return err
	}
	if _, _, err := desk.State.Load(ctx); err != nil {
		log.Warn("the catalog is served, but for its history and how its refresh is", "error", err)
	}
	l, err := listen(o.addr)
	if err != nil {
		return err
	}
	defer l.Close()
	opt := o.api(at, catalog, log)
	opt.Desk, opt.ReadOnly = desk, true
	base := baseURL(l)
	fmt.Fprintf(a.stdout, "serving the catalog %s, which is only read\n  page       %s/\n  status     %s %s/refresh/status\n  stop       Ctrl-C\n", at, base, o.curl(), base)
	return httpapi.Serve(ctx, l, httpapi.New(opt))
}

const (
	headAge     = time.Second // for which the Head of a bucket is believed, so that a request does not always cost another one
	refreshRate = 1           // requests a second to POST /refresh, where others than this machine may send them
)

// api is what every server has.
func (o access) api(at location, catalog objstore.Reader, log *slog.Logger) httpapi.Options {
	opt := httpapi.Options{Token: o.token, OpenReads: o.openReads, TrustProxy: o.trustProxy, Version: version(), Log: log}
	if !o.local() {
		opt.RefreshRate = refreshRate
	}
	age := time.Duration(0)
	if at.isBucket() {
		age = headAge
	}
	opt.Snapshots = httpapi.NewSnapshots(catalog, age, log)
	return opt
}
