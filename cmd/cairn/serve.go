package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/httpapi"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

const (
	defaultAddr = "127.0.0.1:8000"
	reapEvery   = 3 * time.Second
)

func (a *app) serveCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve SOURCE",
		Short: "Serve a catalog as a STAC API that can be refreshed while it is read",
		Long: `Serves the catalog of the folder SOURCE as a STAC API, with a page for browsers, and refreshes it once at the start.

POST /refresh starts a further refresh and answers at once; GET /refresh/status tells how far it is. Meanwhile readers see
the catalog as it was before. Ctrl-C stops in order.`,
		Example: `  cairn serve ~/imagery
  cairn serve ~/imagery --catalog ~/stac --addr 127.0.0.1:8001
  curl -X POST http://127.0.0.1:8000/refresh
  curl http://127.0.0.1:8000/refresh/status`,
		Args: args(0, 1, "one SOURCE folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("give the SOURCE folder, as in: cairn serve ~/imagery; this version cannot serve a catalog without its source yet")
			}
			o.source = args[0]
			return a.serve(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	catalogFlag(f, &o.catalog)
	configFlag(f, &o.config)
	f.StringVar(&o.addr, "addr", defaultAddr, "the `ADDRESS` to serve at, on this machine only; port 0 takes a free one")
	return cmd
}

type serveOptions struct{ source, catalog, config, addr string }

func (a *app) serve(ctx context.Context, o serveOptions) (err error) {
	if err := checkLoopback(o.addr); err != nil {
		return err
	}
	f, cfg, err := prepare(o.source, o.catalog, o.config)
	if err != nil {
		return err
	}
	l, err := listen(o.addr)
	if err != nil {
		return err
	}
	defer l.Close()
	log := a.log(slog.LevelInfo)
	e, err := a.openEngine(f, o.config, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	base := "http://" + l.Addr().String()
	fmt.Fprintf(a.stdout, `serving %s
  catalog    %s
  page       %s/
  refresh    curl -X POST %s/refresh
  progress   curl %s/refresh/status
  stop       Ctrl-C
`, f.source, f.catalog, base, base, base)
	return e.serve(ctx, l, cfg, log, true)
}

// serve answers requests on the listener until ctx is done, and looks after the Catalog meanwhile.
func (e *engine) serve(ctx context.Context, l net.Listener, cfg *config.Config, log *slog.Logger, start bool) error {
	rules, err := item.New(cfg, e.about)
	if err != nil {
		return err
	}
	own := objstore.Prefixed(e.folders.own)
	h := httpapi.New(httpapi.Options{
		Desk: e.desk, Snapshots: httpapi.NewSnapshots(e.catalog, 0, log),
		Source: e.source, SourceURL: e.about.URL,
		Served: func(key string) bool {
			return rules.Kind(key) != item.Other && (e.folders.own == "" || !own.Contains(key))
		},
		Version: version(), Log: log,
	})
	ctx, stop := context.WithCancel(ctx)
	var tending sync.WaitGroup
	tending.Go(func() { e.tend(ctx, log, start) })
	defer tending.Wait()
	defer stop()
	return httpapi.Serve(ctx, l, h)
}

// tend starts a Run, if asked to, and reaps every few seconds until ctx is done.
func (e *engine) tend(ctx context.Context, log *slog.Logger, start bool) {
	whole := context.WithoutCancel(ctx)
	tick := time.NewTicker(reapEvery)
	defer tick.Stop()
	for {
		if _, err := e.desk.Reap(whole); err != nil {
			log.Warn("look after refreshes", "error", err)
		}
		if start {
			start = false
			switch ans, err := e.desk.Start(whole, refresh.Request{Queue: true}); {
			case err != nil:
				log.Error("start the first refresh", "error", err)
			case ans.Kind == refresh.Queued:
				log.Info("another refresh is running; the first one of this server comes after it", "run", ans.Run)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// checkLoopback refuses addresses that other machines could reach: there is no access control yet.
func checkLoopback(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return usagef("--addr %s: give a host and a port, as in %s", addr, defaultAddr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return usagef("--addr %s: %q is no port number", addr, port)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return usagef("--addr %s: this version serves this machine only, on 127.0.0.1, [::1] or localhost; put a proxy with access control in front for others", addr)
	}
	return nil
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if inUse(err) {
		_, port, _ := net.SplitHostPort(addr)
		return nil, fmt.Errorf("address %s is in use; stop what serves there (port %s), or give another one with --addr", addr, port)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

func inUse(err error) bool {
	const windows = syscall.Errno(10048) // WSAEADDRINUSE, which package syscall does not map
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, windows)
}
