package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/cairn-stac/cairn/internal/refresh"
)

func (a *app) refreshCommand() *cobra.Command {
	var o refreshOptions
	var full bool
	cmd := &cobra.Command{
		Use:   "refresh SOURCE",
		Short: "Make a catalog of GeoTIFFs in a folder or a bucket, or bring it up to date",
		Long: `Makes a catalog of the GeoTIFFs in SOURCE, or brings it up to date. SOURCE and the catalog are each a folder or
s3://bucket/prefix, reached with the standard AWS configuration (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and the like).

Only files that are new or changed since the last refresh are opened. Readers of the catalog see the old one, whole, until
the new one is published; after an error or Ctrl-C they still do, and what was read is kept for the next refresh.
A file that cannot be catalogued is a reject: it is counted and listed with its reason, and stops nothing.

A catalog that is deployed on AWS is refreshed on this machine under the same lock as in the cloud.

With --dry-run nothing is written anywhere: it tells what a refresh would open, and what that would cost.

Exit codes: 0 done, 1 failed or cancelled, 2 wrong usage, 3 another refresh of this catalog is running,
4 done, but with rejects and --strict was given.`,
		Example: `  cairn refresh ~/imagery
  cairn refresh ~/imagery --catalog ~/stac
  cairn refresh s3://imagery/2024 --catalog s3://my-catalogs/2024
  cairn refresh s3://public-cogs/dem --no-sign-request --catalog ~/stac     a bucket that anybody may read
  cairn refresh s3://imagery --catalog s3://my-catalogs/all --dry-run       what would it read, and cost?
  cairn refresh ~/imagery --catalog ~/stac --prefix 2024/ --prefix dem/     only look at these keys
  cairn refresh ~/imagery --catalog ~/stac --json | tail -n 1 | jq .items`,
		Args:              args(1, 1, "one SOURCE, a folder or s3://bucket/prefix"),
		ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.source = args[0]
			if full {
				o.scope.Mode = refresh.Full
			}
			if o.dryRun {
				return a.dryRun(cmd.Context(), o)
			}
			return a.refresh(cmd.Context(), o)
		},
	}
	setupFlags(cmd, &o.setupOptions)
	f := cmd.Flags()
	f.StringArrayVar(&o.scope.Prefixes, "prefix", nil, "only files whose path below SOURCE begins with `P`; may be repeated")
	f.BoolVar(&full, "full", false, "open every file again, not only those that changed")
	f.BoolVar(&o.scope.AllowMassDelete, "allow-mass-delete", false, "go on even if most files are gone")
	f.BoolVar(&o.dryRun, "dry-run", false, "only tell what would be done and what it would cost; write nothing")
	f.BoolVar(&o.strict, "strict", false, "exit with code 4 if there are rejects")
	f.BoolVar(&o.json, "json", false, "end with one line of JSON instead of the summary")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "show no progress")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "strict")
	return cmd
}

type refreshOptions struct {
	setupOptions
	scope                       refresh.Scope
	dryRun, strict, json, quiet bool
}

func (a *app) refresh(ctx context.Context, o refreshOptions) (err error) {
	log := a.log(slog.LevelWarn)
	s, err := prepare(ctx, o.setupOptions, log)
	if err != nil {
		return err
	}
	e, err := a.openEngine(ctx, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()

	r, err := a.runToEnd(ctx, e, o.scope, a.display(o.quiet))
	if err != nil {
		return err
	}
	if err := a.report(e, r, o.json); err != nil {
		return err
	}
	if err := ended(r); err != nil {
		return err
	}
	if o.strict && r.Counts.Rejects > 0 {
		return &exitError{code: exitRejects}
	}
	return nil
}

// ended is the error of a Run that was not successful.
func ended(r refresh.Run) error {
	switch {
	case r.State == refresh.Successful:
		return nil
	case r.State == refresh.Dismissed:
		return errors.New("refresh cancelled; the catalog stays as it was, and what was read is kept for the next refresh")
	case r.Error == nil:
		return fmt.Errorf("refresh %s", r.State)
	case r.Error.Code == "mass_delete": // whose message has the API's word for it
		return fmt.Errorf("refresh failed: %s (--allow-mass-delete)", r.Error.Message)
	}
	return fmt.Errorf("refresh failed: %s", r.Error.Message)
}

// A summaryLine is the last line of refresh --json.
type summaryLine struct {
	RunID    string           `json:"run_id"`
	State    refresh.RunState `json:"state"`
	Snapshot uint64           `json:"snapshot"`
	refresh.Counts
	DurationSeconds float64 `json:"duration_seconds"`
}

// report writes what a Run came to.
func (a *app) report(e *engine, r refresh.Run, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(a.stdout).Encode(summaryLine{r.ID, r.State, r.Snapshot, r.Counts, r.Seconds()})
	}
	if r.State != refresh.Successful {
		return nil
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(a.stderr, "cairn: warning: %s\n", w)
	}
	c := r.Counts
	fmt.Fprintf(a.stdout, "%s in %s (%d added, %d updated, %d removed) from %s in %s\n",
		count(c.Items, "item"), count(c.Collections, "collection"), c.Added, c.Updated, c.Removed, count(c.Objects, "file"), duration(r.Duration()))
	if c.Rejects > 0 {
		fmt.Fprintf(a.stdout, "%s: %s\n  list them: cairn status --rejects --catalog %s\n", count(c.Rejects, "reject"), tally(r.RejectCodes), quote(e.places.catalog.String()))
	}
	_, err := fmt.Fprintf(a.stdout, "catalog: %s\n", e.places.catalog)
	return err
}
