package refresh

import (
	"context"
	"time"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/snapshot"
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

// clean removes what nobody can need any more.
func (w *Worker) clean(ctx context.Context, cfg *config.Config, fence uint64) error {
	stats, err := snapshot.Clean(ctx, w.Catalog, snapshot.CleanOptions{
		Fence: fence, Now: w.Now(), Retention: cfg.Retention, RunsRetention: runsRetention, Check: w.holdsClaim(fence),
	})
	if stats != (snapshot.CleanStats{}) {
		w.Log.InfoContext(ctx, "cleaned up", "manifests", stats.Manifests, "parts", stats.Parts, "scans", stats.Scans,
			"work_files", stats.WorkFiles)
	}
	return err
}

func (w *Worker) writeTree(ctx context.Context, cfg *config.Config, m *snapshot.Manifest, fence uint64) error {
	return nil
}
