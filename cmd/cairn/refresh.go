package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairn-stac/cairn/internal/refresh"
)

func (a *app) refreshCommand() *cobra.Command {
	var o refreshOptions
	var full bool
	cmd := &cobra.Command{
		Use:   "refresh SOURCE",
		Short: "Make a catalog of a folder of GeoTIFFs, or bring it up to date",
		Long: `Makes a catalog of the GeoTIFFs in the folder SOURCE, or brings it up to date.

Only files that are new or changed since the last refresh are opened. Readers of the catalog see the old one, whole, until
the new one is published; after an error or Ctrl-C they still do, and what was read is kept for the next refresh.
A file that cannot be catalogued is a reject: it is counted and listed with its reason, and stops nothing.

Exit codes: 0 done, 1 failed or cancelled, 2 wrong usage, 3 another refresh of this catalog is running,
4 done, but with rejects and --strict was given.`,
		Example: `  cairn refresh ~/imagery
  cairn refresh ~/imagery --catalog ~/stac
  cairn refresh ~/imagery --catalog ~/stac --prefix 2024/ --prefix dem/     only look at these keys
  cairn refresh ~/imagery --catalog ~/stac --json | tail -n 1 | jq .items`,
		Args: args(1, 1, "one SOURCE folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.source = args[0]
			if full {
				o.scope.Mode = refresh.Full
			}
			return a.refresh(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	catalogFlag(f, &o.catalog)
	configFlag(f, &o.config)
	f.StringArrayVar(&o.scope.Prefixes, "prefix", nil, "only files whose path below SOURCE begins with `P`; may be repeated")
	f.BoolVar(&full, "full", false, "open every file again, not only those that changed")
	f.BoolVar(&o.scope.AllowMassDelete, "allow-mass-delete", false, "go on even if most files are gone")
	f.BoolVar(&o.strict, "strict", false, "exit with code 4 if there are rejects")
	f.BoolVar(&o.json, "json", false, "end with one line of JSON instead of the summary")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "show no progress")
	return cmd
}

type refreshOptions struct {
	source, catalog, config string
	scope                   refresh.Scope
	strict, json, quiet     bool
}

func (a *app) refresh(ctx context.Context, o refreshOptions) (err error) {
	folders, _, err := prepare(o.source, o.catalog, o.config)
	if err != nil {
		return err
	}
	e, err := a.openEngine(folders, o.config, a.log(slog.LevelWarn))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()

	r, err := a.runToEnd(ctx, e, o.scope, a.display(o.quiet))
	if err != nil {
		return err
	}
	if err := a.report(ctx, e, r, o.json); err != nil {
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

// runToEnd starts a Run and waits until it has ended, showing how far it is. A Run that this process had to take over first
// is waited for, and so is one that it was handed when its own had ended. When ctx ends, the Runs of this process are
// cancelled; the returned one tells so.
func (a *app) runToEnd(ctx context.Context, e *engine, scope refresh.Scope, d display) (refresh.Run, error) {
	whole := context.WithoutCancel(ctx) // a start or a look that is cut short would leave things unsettled
	for {
		if err := ctx.Err(); err != nil {
			return refresh.Run{}, err
		}
		ans, err := e.desk.Start(whole, refresh.Request{Scope: scope})
		if err != nil {
			var wrong *refresh.ScopeError
			if errors.As(err, &wrong) {
				return refresh.Run{}, usagef("%w", err)
			}
			return refresh.Run{}, err
		}
		if ans.Kind == refresh.Busy {
			l, ours, err := e.ours(whole)
			if err != nil {
				return refresh.Run{}, err
			}
			if !ours {
				if l.Run == ans.Run {
					return refresh.Run{}, busy(e, l)
				}
				continue // it has ended meanwhile
			}
		}
		r, err := e.wait(ctx, ans.Run, d)
		if err != nil || ans.Kind == refresh.Started {
			if err == nil {
				err = e.finish(ctx, d)
			}
			return r, err
		}
	}
}

// busy says who holds the Lease.
func busy(e *engine, l refresh.Lease) error {
	who := "another process"
	if l.Holder.PID != 0 {
		who = fmt.Sprintf("process %d on %s", l.Holder.PID, l.Holder.Host)
	}
	return &exitError{exitBusy, fmt.Errorf("%s has been refreshing this catalog since %s (run %s); wait for it, or look with: cairn status --catalog %s",
		who, l.Granted.Local().Format("15:04:05"), l.Run, quote(e.folders.catalog))}
}

// wait returns the record of a Run of this process once it has ended. When ctx ends first, the Run is cancelled.
func (e *engine) wait(ctx context.Context, run string, d display) (refresh.Run, error) {
	defer d.end()
	whole := context.WithoutCancel(ctx)
	publishing := false
	for n := 1; ; n++ {
		r, err := e.look(whole, run)
		if err != nil || r.Ended != nil {
			return r, err
		}
		if n%showEvery == 0 {
			p, err := e.state.Progress(whole, run)
			if err != nil {
				return r, err
			}
			// While the Run is being settled its progress may be that of some moments ago.
			if publishing = publishing || p.Phase == refresh.Publishing; !publishing || p.Phase == refresh.Publishing {
				d.show(p)
			}
		}
		select {
		case <-ctx.Done():
			if err := e.flow.Close(); err != nil {
				return r, err
			}
			return e.desk.Run(whole, run)
		case <-time.After(pollEvery):
		}
	}
}

// look returns the record of a Run. One whose driver in this process has ended without being able to settle it is settled, or
// the error tells why that is still impossible.
func (e *engine) look(ctx context.Context, run string) (refresh.Run, error) {
	l, ours, err := e.ours(ctx)
	if err != nil {
		return refresh.Run{}, err
	}
	state := refresh.LaunchRunning
	if ours && l.Run == run {
		if state, err = e.flow.Describe(ctx, l); err != nil {
			return refresh.Run{}, err
		}
	}
	// The record is read after that: a driver settles first and then ends.
	r, err := e.desk.Run(ctx, run)
	if err != nil || r.Ended != nil || state == refresh.LaunchRunning {
		return r, err
	}
	return e.desk.Settle(ctx, run, l.Fence, &refresh.Problem{Code: "interrupted", Message: "the end of the run could not be recorded at first"})
}

// finish waits for the Runs that were waiting and that this process got to drive when its own had ended.
func (e *engine) finish(ctx context.Context, d display) error {
	for ctx.Err() == nil {
		l, ours, err := e.ours(ctx)
		if err != nil || !ours {
			return err
		}
		if _, err := e.wait(ctx, l.Run, d); err != nil {
			return err
		}
	}
	return nil
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
func (a *app) report(ctx context.Context, e *engine, r refresh.Run, asJSON bool) error {
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
		codes, err := rejectCodes(ctx, e.catalog)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "%s: %s\n  list them: cairn status --rejects --catalog %s\n", count(c.Rejects, "reject"), codes, quote(e.folders.catalog))
	}
	_, err := fmt.Fprintf(a.stdout, "catalog: %s\n", e.folders.catalog)
	return err
}
