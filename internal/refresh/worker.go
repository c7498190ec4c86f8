package refresh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// A Worker does the work of a Run: its Plan, Scan and Publish. Each may be called again after any error, by any process.
type Worker struct {
	State   State
	Catalog objstore.Store
	Source  objstore.Reader
	// About names the Source in Items and manifests.
	About item.Source
	// Own is the key prefix under which the Catalog lies in its Source, or "": it is left out of the listing.
	Own string
	// Config reads cairn.yaml; nil bytes where there is none. Plan freezes what it says for the Run.
	Config func(ctx context.Context) ([]byte, error)
	// Parallel is how many scenes a Scan reads at once; at least 1.
	Parallel int
	// Margin is how long before its context's deadline a Scan takes up no more scenes. At half of it those that are being read are given
	// up, so that what was scanned can be saved, and so is what a Publish does after it has published.
	Margin time.Duration
	Now    func() time.Time
	Log    *slog.Logger
}

// ReadConfig is a Worker's Config for a cairn.yaml in the Catalog.
func ReadConfig(catalog objstore.Reader) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		body, _, err := catalog.Get(ctx, "cairn.yaml", 0, -1, "")
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return body, err
	}
}

// lease returns the Lease that run holds, unless it is to be cancelled.
func (w *Worker) lease(ctx context.Context, run string) (Lease, error) {
	c, _, err := w.State.Load(ctx)
	if err != nil {
		return Lease{}, err
	}
	l, err := c.Holds(run, 0)
	if err != nil {
		return Lease{}, err
	}
	if l.Cancel {
		return Lease{}, fmt.Errorf("run %s: %w", run, ErrCancelled)
	}
	return l, nil
}

func (w *Worker) rules(raw []byte) (*config.Config, *item.Rules, error) {
	cfg, err := config.Parse(raw)
	if err != nil {
		return nil, nil, &ConfigError{Err: err}
	}
	rules, err := item.New(cfg, w.About)
	if err != nil {
		return nil, nil, &ConfigError{Err: err}
	}
	return cfg, rules, nil
}

// errLate is why a context ends that early made.
var errLate = errors.New("the deadline is near")

// early is a context that ends half of Margin before ctx would.
func (w *Worker) early(ctx context.Context) (context.Context, context.CancelFunc) {
	at, ok := ctx.Deadline()
	if !ok || w.Margin <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, at.Add(-w.Margin/2), errLate)
}

// progress takes the outcome of telling progress: no step fails because it cannot be told.
func (w *Worker) progress(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		w.Log.WarnContext(ctx, "progress is not recorded", "error", err)
	}
}

// workKey is the key of a work file of a Run. The fence is in it, so that a Run whose Lease was taken over starts afresh.
func workKey(run string, fence uint64, name string) string {
	return snapshot.RunKey(run, fmt.Sprintf("%d/%s", fence, name))
}

// putWork writes a work file. It need not outlive a power cut: the Run would not either.
func (w *Worker) putWork(ctx context.Context, key string, v any, opt objstore.PutOptions) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", key, err)
	}
	opt.Relaxed = true
	_, err = w.Catalog.Put(ctx, key, body, opt)
	return err
}

// errNotWhole: what was written without being synced does not parse, as after a power cut.
var errNotWhole = errors.New("file is not whole")

// getJSON reads a JSON object of the Catalog; a missing one is fs.ErrNotExist.
func getJSON(ctx context.Context, r objstore.Reader, key string, v any) error {
	body, _, err := r.Get(ctx, key, 0, -1, "")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("decode %s: %w", key, errors.Join(errNotWhole, err))
	}
	return nil
}
