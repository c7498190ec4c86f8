package refresh

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// A Preview is what a Run would do now.
type Preview struct {
	Objects   int `json:"objects"`   // listed
	Ignored   int `json:"ignored"`   // of them, those that are neither rasters nor their sidecars
	Unchanged int `json:"unchanged"` // of them, those that would not be opened
	Rasters   int `json:"rasters"`   // that would be opened
	Removed   int `json:"removed"`   // published Objects that are gone
	Shards    int `json:"shards"`    // that would be scanned, each to one Part
	// Refused is why the Run would fail all the same: it would drop too much. "": it would not.
	Refused string `json:"refused,omitempty"`
}

// previewReads is how many published Parts are compared at once.
const previewReads = 8

// Preview tells what a Run of the scope would do. It only reads, takes no Lease, and may be called while a Run runs.
func (w *Worker) Preview(ctx context.Context, scope Scope) (Preview, error) {
	if err := scope.validate(); err != nil {
		return Preview{}, err
	}
	raw, err := w.Config(ctx)
	if err != nil {
		return Preview{}, fmt.Errorf("read config: %w", err)
	}
	_, rules, err := w.rules(raw)
	if err != nil {
		return Preview{}, err
	}
	head, _, err := snapshot.LoadHead(ctx, w.Catalog)
	if err != nil {
		return Preview{}, err
	}
	base, err := baseManifest(ctx, w.Catalog, head.Snapshot)
	if err != nil {
		return Preview{}, err
	}
	if err := w.sameSource(base); err != nil {
		return Preview{}, err
	}
	p := &planner{worker: w, rules: rules, base: base, plan: plan{Scope: scope, Config: raw, Shaping: rules.Shaping(), Source: w.About.URL}}
	reads, rctx := errgroup.WithContext(ctx)
	reads.SetLimit(previewReads)
	compared := map[string]*Preview{}
	p.found = func(s shard) (string, error) {
		ref, of := fmt.Sprint(p.shards), &Preview{Shards: 1, Objects: len(s.Objects)}
		compared[ref] = of
		reads.Go(func() error { return w.previewShard(rctx, rules, s, of) })
		return ref, context.Cause(rctx)
	}
	err = p.list(ctx)
	if rerr := reads.Wait(); rerr != nil {
		err = rerr // which is why the listing ended
	}
	if err != nil {
		return Preview{}, err
	}
	out := Preview{Objects: p.plan.Listed, Ignored: p.plan.Ignored, Unchanged: p.plan.Totals.Unchanged}
	results := map[string]result{}
	for ref, of := range compared {
		out.Unchanged += of.Unchanged
		out.Rasters += of.Rasters
		out.Removed += of.Removed
		out.Shards += of.Shards
		results[ref] = result{Change: change{Dropped: of.Removed}, Row: &snapshot.Row{Counts: snapshot.Counts{Assets: of.Objects}}}
	}
	refused := p.refuseEmptied()
	if refused == nil {
		refused = refuseMassDelete(p.plan, base.Rows, results)
	}
	if refused != nil {
		out.Refused = refused.Error()
	}
	return out, nil
}

// previewShard adds what the scan of a Shard would do.
func (w *Worker) previewShard(ctx context.Context, rules *item.Rules, sh shard, out *Preview) error {
	s := &scan{worker: w, rules: rules, shard: sh}
	var err error
	if s.old, err = s.published(ctx); err != nil {
		return err
	}
	known, err := s.adopt(ctx)
	if err != nil {
		return err
	}
	for _, t := range s.tasks(known) {
		if t.done {
			out.Unchanged += len(t.objects)
			continue
		}
		for _, o := range t.objects {
			if rules.Kind(o.Key) == item.Raster {
				out.Rasters++
			}
		}
	}
	listed := make(map[string]bool, len(sh.Objects))
	for _, o := range sh.Objects {
		listed[o.Key] = true
	}
	for _, o := range objectsOf(s.old) {
		if !listed[o.Key] {
			out.Removed++
		}
	}
	return nil
}
