package refresh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
	"github.com/cairn-stac/cairn/internal/stac"
)

// An outcome is a work file: what a Run found, for settle. It is written before Head is swapped.
type outcome struct {
	Counts Counts `json:"counts"`
	// RejectCodes counts the Rejects of the whole Snapshot by code.
	RejectCodes map[string]int `json:"reject_codes,omitempty"`
	// Unchanged: nothing differs from what is published, so that Head stays.
	Unchanged bool     `json:"unchanged,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
}

func outcomeKey(run string, fence uint64) string { return workKey(run, fence, "outcome.json") }

// Publish makes a Snapshot of the Run's Parts and swaps Head to it; where nothing changed Head stays. Then the static tree
// follows and what nobody needs any more is removed; what goes wrong there is a warning, and the next Run's to finish.
func (w *Worker) Publish(ctx context.Context, run string) error {
	l, err := w.lease(ctx, run)
	if err != nil {
		return err
	}
	var p plan
	if err := getJSON(ctx, w.Catalog, workKey(run, l.Fence, "plan.json"), &p); err != nil {
		return fmt.Errorf("read plan: %w", err)
	}
	w.progress(ctx, w.State.Begin(ctx, run, Publishing, Totals{}))
	cfg, rules, err := w.rules(p.Config)
	if err != nil {
		return err
	}
	base, err := baseManifest(ctx, w.Catalog, p.Base)
	if err != nil {
		return err
	}
	results, err := w.results(ctx, p)
	if err != nil {
		return err
	}
	if err := refuseMassDelete(p, base.Rows, results); err != nil {
		return err
	}
	m := &snapshot.Manifest{
		Format: snapshot.Format, Fence: p.Fence, Run: run, Source: p.Source, Created: w.Now().UTC(),
		Title: title(cfg, w.About), Description: description(cfg, w.About),
		Rows: rowsOf(p, base.Rows, results),
	}
	m.Collections = collections(m.Rows, rules)
	if err := m.Validate(); err != nil {
		return fmt.Errorf("snapshot %d: %w", p.Fence, err)
	}
	out := outcome{Counts: count(p, base.Rows, results, m), RejectCodes: m.RejectCodes(), Unchanged: p.Base != 0 && m.SameContent(base)}
	if err := w.putWork(ctx, outcomeKey(run, p.Fence), out, objstore.PutOptions{}); err != nil {
		return err
	}
	if !out.Unchanged {
		if _, err := snapshot.Publish(ctx, w.Catalog, *m); err != nil {
			return err
		}
	} else {
		m = base
	}
	inTime, end := w.early(ctx)
	defer end()
	for _, follow := range []func() error{
		func() error { return w.writeTree(inTime, cfg, m, p.Fence) },
		func() error { return w.clean(inTime, cfg, p, base) },
	} {
		if err := follow(); err != nil {
			if errors.Is(context.Cause(inTime), errLate) {
				err = fmt.Errorf("stopped before this step's deadline, for the next run to go on with: %w", err)
			}
			if ctx.Err() != nil {
				return err
			}
			w.Log.InfoContext(ctx, "tidy up after publishing", "run", run, "error", err) // a warning of the Run
			out.Warnings = append(out.Warnings, err.Error())
		}
	}
	if len(out.Warnings) == 0 {
		return nil
	}
	if err := w.putWork(ctx, outcomeKey(run, p.Fence), out, objstore.PutOptions{}); err != nil {
		return err
	}
	return w.Catalog.Sync(ctx) // it took the place of one that was lasting
}

// resultReads is how many results are read at once.
const resultReads = 16

// results reads what the Scans of the plan's Shards came to, by Shard.
func (w *Worker) results(ctx context.Context, p plan) (map[string]result, error) {
	refs := p.refs()
	read := make([]result, len(refs))
	reads, ctx := errgroup.WithContext(ctx)
	reads.SetLimit(resultReads)
	for i, ref := range refs {
		reads.Go(func() error {
			if err := getJSON(ctx, w.Catalog, resultKey(p.Run, p.Fence, ref), &read[i]); err != nil {
				return fmt.Errorf("read result of shard %s: %w", ref, err)
			}
			return nil
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	out := make(map[string]result, len(refs))
	for i, ref := range refs {
		out[ref] = read[i]
	}
	return out, nil
}

// rowsOf puts the new manifest's rows together. A Part with the same content as the published one in its place is that one.
func rowsOf(p plan, base []snapshot.Row, results map[string]result) []snapshot.Row {
	type place struct{ collection, start, hash string }
	published := make(map[place]snapshot.Row, len(base))
	for _, row := range base {
		published[place{row.Collection, row.Start, row.Hash}] = row
	}
	var rows []snapshot.Row
	for _, e := range p.Entries {
		var row snapshot.Row
		if e.Row >= 0 {
			row = base[e.Row]
		} else if r := results[e.Ref].Row; r != nil {
			row = *r
			if same, ok := published[place{row.Collection, row.Start, row.Hash}]; ok && !results[e.Ref].Heals {
				row.Part, row.Size, row.Index = same.Part, same.Size, same.Index
			}
		} else {
			continue
		}
		row.Start, row.End = e.Keys.Start, e.Keys.End
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b snapshot.Row) int {
		return cmp.Or(cmp.Compare(a.Collection, b.Collection), cmp.Compare(a.Start, b.Start))
	})
	return rows
}

// collections merges the rows' summaries into Collections. One without an Item is not published: it would have no extent.
func collections(rows []snapshot.Row, rules *item.Rules) []stac.Collection {
	var out []stac.Collection
	for group := range chunkBy(rows, func(r snapshot.Row) string { return r.Collection }) {
		var sum stac.Summary
		items := 0
		for _, row := range group {
			sum.Merge(row.Summary)
			items += row.Counts.Items
		}
		if items == 0 {
			continue
		}
		c := rules.Info(item.Collection{ID: group[0].Collection, Prefix: group[0].Prefix})
		sum.Apply(&c)
		out = append(out, c)
	}
	return out
}

// count adds up what the Run saw. Objects of rows outside a partial Run's scope are not its Objects.
func count(p plan, base []snapshot.Row, results map[string]result, m *snapshot.Manifest) Counts {
	c := Counts{Objects: p.Listed, Ignored: p.Ignored, Collections: len(m.Collections)}
	add := func(row snapshot.Row) {
		c.Assets += row.Counts.Assets
		c.Sidecars += row.Counts.Sidecars
		c.Rejects += row.Counts.Rejects
	}
	for _, e := range p.Entries {
		switch {
		case e.Row >= 0 && e.Outside:
		case e.Row >= 0:
			add(base[e.Row])
			c.Unchanged += objects(base[e.Row])
		default:
			r := results[e.Ref]
			if r.Row != nil {
				add(*r.Row)
			}
			c.Ignored += r.Change.Ignored
			c.Vanished += r.Change.Vanished
			c.Unchanged += r.Change.Kept
			c.Scanned += r.Change.Scanned
			c.Added += r.Change.Added
			c.Updated += r.Change.Updated
			c.Removed += r.Change.Removed
		}
	}
	for _, row := range m.Rows {
		c.Items += row.Counts.Items
	}
	return c
}

func title(cfg *config.Config, about item.Source) string { return cmp.Or(cfg.Title, about.Name) }

func description(cfg *config.Config, about item.Source) string {
	return cmp.Or(cfg.Description, fmt.Sprintf("GeoTIFFs of %s", about.Name))
}
