package refresh

import (
	"context"
	"time"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/snapshot"
	"github.com/cairn-stac/cairn/internal/statictree"
)

// runsRetention is how long a Run's work files stay, for whoever wants to know what it did.
const runsRetention = 3 * 24 * time.Hour

// holdsClaim fails once another Run has claimed Head, or this Run's claim was closed.
func (w *Worker) holdsClaim(fence uint64) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		h, _, err := snapshot.LoadHead(ctx, w.Catalog)
		if err != nil {
			return err
		}
		if h.Claim != fence || h.Closed {
			return &snapshot.FencedError{Fence: fence, Head: h}
		}
		return nil
	}
}

// A Run of a part of the Source cleans up only where nothing was published for so long, or under one in so many fences. Cleaning
// costs listings of the Catalog and a look at each Snapshot that is kept, which is much beside a Run of one file, and many such
// Runs come where events start them.
const (
	cleanAfter = 6 * time.Hour
	cleanEvery = 64
)

// clean removes what nobody can need any more.
func (w *Worker) clean(ctx context.Context, cfg *config.Config, p plan, base *snapshot.Manifest) error {
	fence := p.Fence
	if !p.Scope.whole() && p.At.Sub(base.Created) < cleanAfter && fence%cleanEvery != 0 {
		return nil
	}
	stats, err := snapshot.Clean(ctx, w.Catalog, snapshot.CleanOptions{
		Fence: fence, Now: w.Now(), Retention: cfg.Retention, RunsRetention: runsRetention, Check: w.holdsClaim(fence),
	})
	if stats != (snapshot.CleanStats{}) {
		w.Log.InfoContext(ctx, "cleaned up", "manifests", stats.Manifests, "parts", stats.Parts, "scans", stats.Scans,
			"work_files", stats.WorkFiles)
	}
	return err
}

// writeTree makes the static tree follow the published Snapshot.
func (w *Worker) writeTree(ctx context.Context, cfg *config.Config, m *snapshot.Manifest, fence uint64) error {
	if m.Fence == 0 {
		return nil // nothing was ever published
	}
	open := func(ctx context.Context, fence uint64) (statictree.View, error) {
		return snapshot.OpenAt(ctx, w.Catalog, fence, nil)
	}
	v, err := open(ctx, m.Fence)
	if err != nil {
		return err
	}
	items := 0
	for _, row := range m.Rows {
		items += row.Counts.Items
	}
	stats, err := statictree.Write(ctx, w.Catalog, v, statictree.Options{
		Mode: treeMode(cfg.Static, items), Previous: open, Check: w.holdsClaim(fence),
	})
	if stats != (statictree.Stats{}) {
		w.Log.InfoContext(ctx, "static tree written", "written", stats.Written, "deleted", stats.Deleted, "whole", stats.Whole)
	}
	return err
}

func treeMode(s config.Static, items int) statictree.Mode {
	switch {
	case s == config.StaticNone:
		return statictree.None
	case s == config.StaticCollections, s == config.StaticAuto && items > statictree.MaxItems:
		return statictree.Collections
	}
	return statictree.Items
}
