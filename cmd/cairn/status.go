package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

func (a *app) statusCommand() *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell what is in a catalog and how its refresh is",
		Long: `Tells what is in a catalog, whether it is being refreshed and what waits, how the last refreshes went, and which files were
rejected.

It only reads, and may be used at any time, beside a running cairn serve or refresh too. Of a catalog that is deployed on AWS it
tells how the cloud's refreshes are.`,
		Example: `  cairn status
  cairn status --catalog s3://my-catalogs/2024 --runs 20
  cairn status --catalog ~/stac --rejects                  every rejected file, with its reason
  cairn status --catalog ~/stac --rejects --code no_crs    only those without a reference system
  cairn status --catalog ~/stac --json | jq .progress.percent`,
		Args:              args(0, 0, "no argument (the catalog is given with --catalog)"),
		ValidArgsFunction: nothingMore,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.code != "" && !o.rejects {
				return usagef("--code chooses among the rejects; give --rejects too")
			}
			if codes, _ := rejectCodes(nil, nil, ""); o.code != "" && !slices.Contains(codes, o.code) {
				return usagef("--code %s: there is no such code; the codes are %s", o.code, strings.Join(codes, ", "))
			}
			if o.runs < 0 {
				return usagef("--runs %d: give a number from 0", o.runs)
			}
			return a.status(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	catalogFlag(cmd, &o.catalog)
	bucketFlags(f, &o.bucket, "the catalog")
	f.BoolVar(&o.json, "json", false, "print what GET /refresh/status answers")
	f.BoolVar(&o.rejects, "rejects", false, "list every rejected file")
	f.StringVar(&o.code, "code", "", "of the rejects, only those with this `CODE`")
	f.IntVar(&o.runs, "runs", 5, "show the last `N` refreshes")
	cmd.MarkFlagsMutuallyExclusive("json", "rejects")
	cmd.MarkFlagsMutuallyExclusive("runs", "rejects")
	complete(cmd.RegisterFlagCompletionFunc("code", rejectCodes))
	return cmd
}

type statusOptions struct {
	catalog       string
	bucket        bucketOptions
	json, rejects bool
	code          string
	runs          int
}

// lookTime is how long a catalog may take to tell how it is.
const lookTime = 30 * time.Second

var errNoAnswer = fmt.Errorf("the catalog has not answered for %v; try again, or look whether its server is well", lookTime)

func (a *app) status(ctx context.Context, o statusOptions) error {
	log := a.log(slog.LevelWarn)
	soon, cancel := context.WithTimeoutCause(ctx, lookTime, errNoAnswer)
	defer cancel()
	at, catalog, err := openToLook(soon, o.catalog, o.bucket, log)
	if err != nil {
		return cmp.Or(context.Cause(soon), err)
	}
	if o.rejects {
		return a.listRejects(ctx, catalog, o.code)
	}
	home, err := findHome(soon, at, catalog)
	if err != nil {
		return cmp.Or(context.Cause(soon), err)
	}
	desk, err := home.onlooker(soon, log)
	if err != nil {
		return err
	}
	s, err := desk.Status(soon)
	switch {
	case err != nil:
		return cmp.Or(context.Cause(soon), err)
	case o.json:
		return json.NewEncoder(a.stdout).Encode(s)
	}
	fmt.Fprintf(a.stdout, "catalog:   %s\n", at)
	if home.deployed() {
		fmt.Fprintf(a.stdout, "deployed:  on AWS, with its state in table %s of %s\n", home.table.Table, home.table.Region)
	}
	r, err := snapshot.Open(soon, catalog, nil)
	switch {
	case errors.Is(err, snapshot.ErrNoSnapshot) && s.RunID == nil && s.QueueLength == 0:
		_, err := fmt.Fprintf(a.stdout, "nothing yet: no refresh was run here; start one with: cairn refresh SOURCE --catalog %s\n", quote(at.String()))
		return err
	case errors.Is(err, snapshot.ErrNoSnapshot):
		fmt.Fprintln(a.stdout, "published: nothing yet")
	case err != nil:
		return cmp.Or(context.Cause(soon), err)
	default:
		a.writePublished(r.Manifest())
	}
	switch {
	case s.IsRunning:
		fmt.Fprintf(a.stdout, "refresh:   %s\n", runningText(s))
	case s.Error != nil:
		fmt.Fprintf(a.stdout, "refresh:   not running; the last one %s: %s\n", *s.State, *s.Error)
	default:
		fmt.Fprintln(a.stdout, "refresh:   not running")
	}
	return a.writeRuns(soon, desk, o.runs)
}

// writePublished tells people what is published.
func (a *app) writePublished(m *snapshot.Manifest) {
	items := 0
	for _, row := range m.Rows {
		items += row.Counts.Items
	}
	fmt.Fprintf(a.stdout, "source:    %s\n", m.Source)
	fmt.Fprintf(a.stdout, "published: %s in %s (snapshot %d of %s)\n", count(items, "item"), count(len(m.Collections), "collection"), m.Fence, local(m.Created))
	if codes := m.RejectCodes(); len(codes) > 0 {
		fmt.Fprintf(a.stdout, "rejects:   %s (list them with --rejects)\n", tally(codes))
	}
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

// writeRuns tells people which Runs wait, and how the last ones went.
func (a *app) writeRuns(ctx context.Context, desk *refresh.Desk, most int) error {
	var waiting, last []refresh.Run
	for r, err := range desk.Runs(ctx, "") {
		if err != nil {
			return err
		}
		if r.State == refresh.Accepted {
			waiting = append(waiting, r)
			continue
		}
		if len(last) == most { // those that wait come first
			break
		}
		last = append(last, r)
	}
	for _, r := range slices.Backward(waiting) { // first come, first served
		fmt.Fprintf(a.stdout, "waiting:   %s\n", waitingText(r, time.Now()))
	}
	if len(last) == 0 {
		return nil
	}
	fmt.Fprintln(a.stdout, "\nlast runs:")
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  STARTED\tSTATE\tTOOK\tFILES\tITEMS\tADDED\tUPDATED\tREMOVED\tREJECTS\tRUN")
	for _, r := range last {
		c := r.Counts
		switch r.State {
		case refresh.Successful:
			fmt.Fprintf(w, "  %s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", local(began(r)), r.State, duration(r.Duration()), c.Objects, c.Items,
				c.Added, c.Updated, c.Removed, c.Rejects, r.ID)
		case refresh.Running:
			fmt.Fprintf(w, "  %s\t%s\t%s\t\t\t\t\t\t\t%s\n", local(began(r)), r.State, duration(time.Since(began(r))), r.ID)
		default:
			fmt.Fprintf(w, "  %s\t%s\t%s\t\t\t\t\t\t\t%s\n", local(began(r)), r.State, duration(r.Duration()), r.ID)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, text := range last[0].Warnings {
		fmt.Fprintf(a.stdout, "warning of the last run: %s\n", text)
	}
	return nil
}

// began is when the Run got the Lease, or was asked for if it never did.
func began(r refresh.Run) time.Time {
	if r.Started != nil {
		return *r.Started
	}
	return r.Accepted
}

// waitingText tells what a waiting Run is about.
func waitingText(r refresh.Run, now time.Time) string {
	var parts []string
	if n := len(r.Scope.Prefixes); n > 0 {
		parts = append(parts, plural(n, "prefix", "prefixes"))
	}
	if n := len(r.Scope.Keys); n > 0 {
		parts = append(parts, count(n, "file"))
	}
	text := strings.Join(parts, " and ")
	if text == "" {
		text = "everything"
	}
	if r.Events && len(parts) > 0 {
		text += ", of which events told"
	}
	if r.Scope.Mode == refresh.Full {
		text += ", read again in full"
	}
	if at := r.NotBefore; at != nil && at.After(now) {
		text += fmt.Sprintf(", not before %s, because it failed", local(*at))
	}
	return fmt.Sprintf("%s, since %s (run %s)", text, local(r.Accepted), r.ID)
}

func local(t time.Time) string { return t.Local().Format(time.DateTime) }
