package buckets

import (
	"context"
	"sync"
	"time"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/lambdafn"
	"github.com/cairn-stac/cairn/internal/objstore/s3store"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// A Worker does the steps of a Run. Before it reads the Source for the first time it asks whether that can be listed, which puts the
// region in the hrefs of Items right; an error is then one of the step, and the Run's record tells it.
type Worker struct {
	*refresh.Worker
	source *s3store.Store
	lock   sync.Mutex
	ready  bool
}

// NewWorker opens both buckets for the steps of a Run.
func NewWorker(ctx context.Context, e *cloud.Env) (*Worker, error) {
	catalog, err := Catalog(ctx, e)
	if err != nil {
		return nil, err
	}
	source, about, err := Source(ctx, e)
	if err != nil {
		return nil, err
	}
	return &Worker{source: source, Worker: &refresh.Worker{
		State: e.State(), Catalog: catalog, Source: source, About: about, Config: refresh.ReadConfig(catalog),
		Parallel: e.Reads, Margin: lambdafn.ScanMargin, Now: time.Now, Log: e.Log,
	}}, nil
}

// Plan implements lambdafn.Planner.
func (w *Worker) Plan(ctx context.Context, run string) (refs []string, err error) {
	if err := w.check(ctx); err != nil {
		return nil, err
	}
	return w.Worker.Plan(ctx, run)
}

// Scan implements lambdafn.Scanner.
func (w *Worker) Scan(ctx context.Context, run, ref string) error {
	if err := w.check(ctx); err != nil {
		return err
	}
	return w.Worker.Scan(ctx, run, ref)
}

func (w *Worker) check(ctx context.Context) error {
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.ready {
		return nil
	}
	if err := w.source.Check(ctx); err != nil {
		return &refresh.SourceError{Err: err}
	}
	w.About.HTTPS, w.ready = w.source.HTTPS(), true
	return nil
}
