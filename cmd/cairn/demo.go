package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/cairn-stac/cairn/internal/demo"
	"github.com/cairn-stac/cairn/internal/refresh"
)

func (a *app) demoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Make sample rasters and a catalog of them, and serve it",
		Long: `Writes some thirty small GeoTIFFs of invented terrain, makes a catalog of them, serves it, and prints what to try.

Without --dir all of it lies in a temporary folder that is removed at the end.`,
		Example: `  cairn demo
  cairn demo --dir ~/cairn-demo               keep the files; may be repeated
  cairn demo --dir ~/cairn-demo --no-serve    only make them`,
		Args:              args(0, 0, "no argument"),
		ValidArgsFunction: nothingMore,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.anyPort = !cmd.Flags().Changed("addr")
			return a.demo(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.addr, "addr", defaultAddr, "the `ADDRESS` to serve at, on this machine only (default port: or the next free one)")
	f.StringVar(&o.dir, "dir", "", "the `FOLDER` for the files, instead of a temporary one")
	complete(cmd.MarkFlagDirname("dir"))
	f.BoolVar(&o.noServe, "no-serve", false, "stop when the catalog is made")
	return cmd
}

type demoOptions struct {
	addr    string
	anyPort bool // take another one if it is in use
	dir     string
	noServe bool
}

func (a *app) demo(ctx context.Context, o demoOptions) (err error) {
	reach := access{addr: o.addr}
	if err := reach.check(); err != nil {
		return err
	}
	if !reach.local() {
		return usagef("--addr %s: the demo serves this machine only, on 127.0.0.1, [::1] or localhost", o.addr)
	}
	var l net.Listener
	if !o.noServe {
		if l, err = listenNear(o.addr, o.anyPort); err != nil {
			return err
		}
		defer l.Close()
	}
	dir := o.dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "cairn-demo-"); err != nil {
			return fmt.Errorf("make a temporary folder: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	imagery, catalog := filepath.Join(dir, "imagery"), filepath.Join(dir, "catalog")
	n, err := demo.Write(ctx, imagery)
	if err != nil {
		return err
	}
	if err := demo.WriteConfig(catalog); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "sample rasters: %d in %s\n", n, imagery)

	level := new(slog.LevelVar)
	level.Set(slog.LevelWarn)
	log := a.log(level)
	s, err := prepare(ctx, setupOptions{source: imagery, catalog: catalog, bucket: bucketOptions{parallel: sourceParallel}}, log)
	if err != nil {
		return err
	}
	e, err := a.openEngine(ctx, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	r, err := a.runToEnd(ctx, e, refresh.Scope{}, a.display(false))
	if err != nil {
		return err
	}
	if err := a.report(e, r, false); err != nil {
		return err
	}
	if err := ended(r); err != nil {
		return err
	}
	if o.noServe {
		if o.dir == "" {
			fmt.Fprintln(a.stdout, "the files were temporary and are removed again; --dir keeps them")
		}
		return nil
	}
	a.writeTour("http://"+l.Addr().String(), e.places)
	level.Set(slog.LevelInfo)
	return e.serve(ctx, l, reach, freshness{})
}

// writeTour says what to try.
func (a *app) writeTour(base string, p places) {
	cp := "cp"
	if runtime.GOOS == "windows" {
		cp = "copy"
	}
	sample := filepath.Join(p.source.folder, filepath.FromSlash(demo.Sample))
	fmt.Fprintf(a.stdout, `
The catalog is served at %[1]s/ (a page for browsers, a STAC API for programs). In another terminal
(the last one shows outlines across the antimeridian):

  curl %[1]s/collections
  curl "%[1]s/collections/alps/items?bbox=9.8,46.3,9.9,46.5"
  curl "%[1]s/collections/fiji/items?limit=1"

Add a file, and refresh; only that file is opened:

  %[2]s %[3]s %[4]s
  curl -X POST %[1]s/refresh
  curl %[1]s/refresh/status

One file is broken on purpose. Which, and why:

  cairn status --rejects --catalog %[5]s

Ctrl-C stops.
`, base, cp, quote(sample), quote(filepath.Join(p.source.folder, filepath.FromSlash(demo.Added))), quote(p.catalog.String()))
}

// nearPorts is how many ports are tried.
const nearPorts = 20

// listenNear listens at the address or, if asked to and it is in use, at one of the next ports.
func listenNear(addr string, near bool) (net.Listener, error) {
	l, err := listen(addr)
	if err == nil || !near {
		return l, err
	}
	host, port, serr := net.SplitHostPort(addr)
	first, perr := strconv.Atoi(port)
	if serr != nil || perr != nil {
		return nil, err
	}
	for n := 1; n <= nearPorts && first+n <= 65535; n++ {
		if l, nerr := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(first+n))); nerr == nil {
			return l, nil
		}
	}
	return nil, err
}
