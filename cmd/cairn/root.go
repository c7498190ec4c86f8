package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// Exit codes.
const (
	exitFailed  = 1
	exitUsage   = 2
	exitBusy    = 3 // another Run holds the Lease
	exitRejects = 4 // done, with Rejects and --strict
)

// An exitError ends the command with a code of its own. Without err nothing is printed: it was said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// run runs one command line and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	return a.run(ctx, args)
}

// An app is what all commands share.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	verbose        bool
	// wrap, where set, stands between a command and its Catalog. Tests put faults there.
	wrap func(objstore.Store) objstore.Store
}

func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	code := exitFailed
	var exit *exitError
	if errors.As(err, &exit) {
		code = exit.code
	}
	if exit == nil || exit.err != nil {
		a.complain(err)
	}
	return code
}

// complain tells of an error, on one line.
func (a *app) complain(err error) {
	fmt.Fprintf(a.stderr, "cairn: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:     "cairn",
		Version: version(),
		Short:   "Turns GeoTIFFs in a folder or a bucket into an always-fresh STAC catalog",
		Long: `Cairn turns GeoTIFFs in a folder or a bucket into an always-fresh STAC catalog.

It reads the header of each raster, never its pixels, and keeps the result in a folder or a bucket of its own.
The next refresh opens only what changed. While it runs, readers see the catalog as it was before.`,
		Example: `  cairn demo                                               see it work, on sample rasters
  cairn inspect ~/imagery                                  what would be catalogued, and why; writes nothing
  cairn refresh ~/imagery --catalog ~/stac                 make the catalog, or bring it up to date
  cairn refresh s3://imagery --catalog s3://my-catalogs    the same between buckets
  cairn serve ~/imagery --catalog ~/stac --watch           serve it as a STAC API that follows the files`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			hint := ""
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				hint = fmt.Sprintf("; did you mean %q?", near[0])
			}
			return usagef("unknown command %q%s (cairn --help lists the commands)", args[0], hint)
		},
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w (%s --help lists the flags)", err, cmd.CommandPath())
	})
	root.PersistentFlags().BoolVarP(&a.verbose, "verbose", "v", false, "log what is done, to stderr")
	root.AddCommand(a.demoCommand(), a.refreshCommand(), a.serveCommand(), a.inspectCommand(), a.statusCommand(), a.versionCommand())
	return root
}

// args wants between least and most arguments, which are what it says.
func args(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, got []string) error {
		if len(got) < least || len(got) > most {
			return usagef("%s takes %s, not %d arguments (%s --help shows examples)", cmd.CommandPath(), what, len(got), cmd.CommandPath())
		}
		return nil
	}
}

// log writes to stderr from a level on, and everything with --verbose.
func (a *app) log(level slog.Leveler) *slog.Logger {
	if a.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: level}))
}
