package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"
)

func (a *app) inspectCommand() *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use:   "inspect FILE|FOLDER|GLOB|s3://...",
		Short: "Show what would be catalogued, and why; writes nothing",
		Long: `Shows for a GeoTIFF what its header says and what it would become in a catalog: the Item, and where its time, its coordinate
reference system and its place were found; or why it would be rejected. For several files, or those of a folder or a bucket, it
shows the same in a few lines each, and a summary at the end. It writes nothing, and a bad file is no error.

A glob may be quoted, so that no shell expands it: "*" and "?" stand for characters of a name, "**/" for any number of folders,
"[abc]" for one of these characters, "{a,b}" for alternatives. A file whose name is just that of the glob is taken for itself.

With --json each raster is a line: {"file", "item": {…}} or {"file", "reject": {"code", "message"}}; the files of a scene become
one Item, which each of their lines shows.`,
		Example: `  cairn inspect ~/imagery/scene.tif
  cairn inspect ~/imagery
  cairn inspect '~/imagery/**/*_B04.tif'
  cairn inspect ~/imagery/2024/01/31/scene.tif --source ~/imagery    with the id and the time that it has there
  cairn inspect s3://imagery/2024/scene.tif
  cairn inspect s3://public-cogs/dem/ --no-sign-request --json | jq -c 'select(.reject)'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("%s takes at least one FILE or FOLDER, or the s3:// URL of one (%[1]s --help shows examples)", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.inspect(cmd.Context(), args, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "the config `FILE` that a refresh would use")
	complete(cmd.MarkFlagFilename("config", "yaml", "yml"))
	f.StringVar(&o.source, "source", "", "the `SOURCE` that a refresh would be given: ids, collections and dates in paths depend on it "+
		"(default: the folder, or the one that the file lies in)")
	complete(cmd.MarkFlagDirname("source"))
	bucketFlags(f, &o.bucket, "the files")
	f.BoolVar(&o.json, "json", false, "one line of JSON a file")
	return cmd
}

type inspectOptions struct {
	config, source string
	bucket         bucketOptions
	json           bool
}

// inspect looks at what the arguments stand for.
func (a *app) inspect(ctx context.Context, args []string, o inspectOptions) error {
	report := newReporter(a.stdout, o.json)
	err := a.inspectTo(ctx, report, args, o)
	if _, werr := report.out.Write(nil); isClosedPipe(werr) {
		return &exitError{code: exitFailed} // whoever read has read enough
	}
	return err
}

// isClosedPipe tells whether nobody reads what was written. Where there are signals, one mostly ended the program before.
func isClosedPipe(err error) bool {
	const noData, brokenPipe = syscall.Errno(232), syscall.Errno(109) // of Windows, which package syscall does not map
	return errors.Is(err, syscall.EPIPE) || runtime.GOOS == "windows" && (errors.Is(err, noData) || errors.Is(err, brokenPipe))
}

// inspectTo reports on what the arguments stand for. What is wrong with one of them keeps it from none of the others.
func (a *app) inspectTo(ctx context.Context, report *reporter, args []string, o inspectOptions) (err error) {
	find, err := newFinder(ctx, o, a.log(slog.LevelWarn))
	if err != nil {
		return err
	}
	defer func() {
		if ferr := report.out.Flush(); err == nil {
			err = ferr
		}
	}()
	failed := false
	fail := func(err error) error {
		var usage *exitError
		if len(args) == 1 && report.sum.none() || ctx.Err() != nil || errors.As(err, &usage) {
			return err
		}
		failed = true
		if err := report.out.Flush(); err != nil {
			return err
		}
		a.complain(err)
		return nil
	}
	for _, arg := range args {
		if err := find.add(ctx, arg); err != nil {
			if err := fail(err); err != nil {
				return err
			}
		}
	}
	report.alone = len(args) == 1 && find.targets[0].named != nil
	for _, t := range find.targets {
		for l, err := range t.looks(ctx) {
			if err != nil {
				err = fail(err)
			} else {
				err = report.look(l)
			}
			if err != nil {
				return err
			}
		}
	}
	if !failed {
		return report.end()
	}
	if !report.sum.none() {
		err = report.end()
	}
	return cmp.Or(err, error(&exitError{code: exitFailed}))
}
