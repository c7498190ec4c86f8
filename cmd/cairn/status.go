package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/dirstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

func (a *app) statusCommand() *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell what is in a catalog and how its refresh is",
		Long: `Tells what is in a catalog, whether it is being refreshed, how the last refreshes went, and which files were rejected.

It only looks, and may be used at any time, beside a running cairn serve or refresh too.`,
		Example: `  cairn status
  cairn status --catalog ~/stac
  cairn status --catalog ~/stac --rejects        every rejected file, with its reason
  cairn status --catalog ~/stac --json | jq .progress.percent`,
		Args: args(0, 0, "no argument (the catalog is given with --catalog)"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.catalog, "catalog", defaultCatalog, "the `FOLDER` of the catalog")
	f.BoolVar(&o.json, "json", false, "print what GET /refresh/status answers")
	f.BoolVar(&o.rejects, "rejects", false, "list every rejected file")
	cmd.MarkFlagsMutuallyExclusive("json", "rejects")
	return cmd
}

type statusOptions struct {
	catalog       string
	json, rejects bool
}

func (a *app) status(ctx context.Context, o statusOptions) (err error) {
	path, err := catalogFolder(o.catalog)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("catalog folder %s: %w; cairn refresh makes one, --catalog gives another", o.catalog, plain(err))
	}
	catalog, err := dirstore.OpenReader(path)
	if err != nil {
		return err
	}
	e, err := a.overCatalog(readOnly{catalog}, a.log(slog.LevelWarn))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	s, err := e.desk.Status(ctx)
	switch {
	case err != nil:
		return err
	case o.json:
		return json.NewEncoder(a.stdout).Encode(s)
	case o.rejects:
		return a.listRejects(ctx, e.catalog)
	}
	if s.RunID == nil && s.Snapshot == nil {
		_, err := fmt.Fprintf(a.stdout, "catalog: %s\nnothing yet: no refresh was run here; start one with: cairn refresh SOURCE --catalog %s\n", path, quote(path))
		return err
	}
	fmt.Fprintf(a.stdout, "catalog:   %s\n", path)
	return a.writeStatus(ctx, e, s)
}

// readOnly is a Store that nothing can be written to, so that whoever only looks may look at any folder.
type readOnly struct{ objstore.Reader }

func (readOnly) Put(_ context.Context, key string, _ []byte, _ objstore.PutOptions) (string, error) {
	return "", fmt.Errorf("put %s: %w", key, fs.ErrPermission)
}

func (readOnly) Delete(_ context.Context, key string) error {
	return fmt.Errorf("delete %s: %w", key, fs.ErrPermission)
}

func (readOnly) Sync(context.Context) error { return nil }

// writeStatus tells people of a Catalog.
func (a *app) writeStatus(ctx context.Context, e *engine, s refresh.Status) error {
	if r, err := snapshot.Open(ctx, e.catalog, nil); err == nil {
		m := r.Manifest()
		items := 0
		for _, row := range m.Rows {
			items += row.Counts.Items
		}
		fmt.Fprintf(a.stdout, "source:    %s\n", m.Source)
		fmt.Fprintf(a.stdout, "published: %s in %s (snapshot %d of %s)\n", count(items, "item"), count(len(m.Collections), "collection"), m.Fence, local(m.Created))
	} else if errors.Is(err, snapshot.ErrNoSnapshot) {
		fmt.Fprintln(a.stdout, "published: nothing yet")
	} else {
		return err
	}
	codes, err := rejectCodes(ctx, e.catalog)
	if err != nil {
		return err
	}
	if codes != "" {
		fmt.Fprintf(a.stdout, "rejects:   %s (list them with --rejects)\n", codes)
	}
	if s.IsRunning {
		fmt.Fprintf(a.stdout, "refresh:   %s\n", runningText(s))
	} else if s.Error != nil {
		fmt.Fprintf(a.stdout, "refresh:   not running; the last one %s: %s\n", *s.State, *s.Error)
	} else {
		fmt.Fprintln(a.stdout, "refresh:   not running")
	}
	if s.QueueLength > 0 {
		fmt.Fprintf(a.stdout, "waiting:   %s\n", count(s.QueueLength, "refresh request"))
	}
	return a.writeRuns(ctx, e.desk)
}

func runningText(s refresh.Status) string {
	text := phaseText[*s.Phase]
	if p := s.Progress; p != nil && *s.Phase == refresh.Scanning {
		text += fmt.Sprintf(", %s of %s (%d%%)", number(p.ObjectsDone), count(p.ObjectsTotal, "file"), p.Percent)
		if p.ETASeconds != nil {
			text += fmt.Sprintf(", %s left", duration(time.Duration(*p.ETASeconds*float64(time.Second))))
		}
	}
	return text + " (run " + *s.RunID + ")"
}

// shownRuns is how many of the last Runs are shown.
const shownRuns = 5

func (a *app) writeRuns(ctx context.Context, desk *refresh.Desk) error {
	fmt.Fprintln(a.stdout, "\nlast runs:")
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  STARTED\tSTATE\tTOOK\tFILES\tITEMS\tADDED\tUPDATED\tREMOVED\tREJECTS\tRUN")
	n := 0
	for r, err := range desk.Runs(ctx, "") {
		if err != nil {
			return err
		}
		c := r.Counts
		if r.State == refresh.Successful {
			fmt.Fprintf(w, "  %s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", local(r.Accepted), r.State, duration(r.Duration()), c.Objects, c.Items,
				c.Added, c.Updated, c.Removed, c.Rejects, r.ID)
		} else {
			took := r.Duration()
			if r.State == refresh.Running {
				took = time.Since(*r.Started)
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t\t\t\t\t\t\t%s\n", local(r.Accepted), r.State, duration(took), r.ID)
		}
		if n++; n == shownRuns {
			break
		}
	}
	return w.Flush()
}

func local(t time.Time) string { return t.Local().Format(time.DateTime) }

// listRejects writes every Reject of the published Snapshot.
func (a *app) listRejects(ctx context.Context, catalog objstore.Reader) error {
	r, err := snapshot.Open(ctx, catalog, nil)
	if errors.Is(err, snapshot.ErrNoSnapshot) {
		return nil
	}
	if err != nil {
		return err
	}
	for rej, err := range r.Rejects(ctx) {
		if err != nil {
			return err
		}
		if err := writeReject(a.stdout, rej); err != nil {
			return err
		}
	}
	return nil
}

func writeReject(w io.Writer, r snapshot.Reject) error {
	_, err := fmt.Fprintf(w, "%s: %s: %s\n", printable(r.Key), r.Code, printable(r.Message))
	return err
}

// rejectCodes counts the Rejects of the published Snapshot by code; "" if there is none.
func rejectCodes(ctx context.Context, catalog objstore.Reader) (string, error) {
	r, err := snapshot.Open(ctx, catalog, nil)
	if errors.Is(err, snapshot.ErrNoSnapshot) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	codes := map[string]int{}
	for rej, err := range r.Rejects(ctx) {
		if err != nil {
			return "", err
		}
		codes[rej.Code]++
	}
	return tally(codes), nil
}
