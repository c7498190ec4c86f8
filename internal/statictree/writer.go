package statictree

import (
	"context"
	"sync"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// A writer writes and deletes files, many at once. Its methods are called by one goroutine.
type writer struct {
	ctx    context.Context // ends with the first error, which is its cause
	cancel context.CancelCauseFunc
	store  objstore.Store
	opt    Options

	stale               map[string]uint64 // what may have to go, with its sum
	pages, nodes, roots []file            // to be written, in this order

	begun int
	slots chan struct{}
	ops   sync.WaitGroup
	mu    sync.Mutex
	stats Stats
}

// run makes the tree show v and returns when nothing is under way any more.
func run(ctx context.Context, store objstore.Store, v, previous View, opt Options) (Stats, error) {
	parallel := opt.Parallel
	if parallel <= 0 {
		parallel = defaultParallel
	}
	w := &writer{store: store, opt: opt, stale: map[string]uint64{}, slots: make(chan struct{}, parallel)}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	err := w.update(v, previous)
	if w.ctx.Err() != nil {
		err = context.Cause(w.ctx) // what went wrong first
	}
	w.cancel(err)
	w.ops.Wait()
	return w.stats, err
}

func (w *writer) put(f file) {
	w.do(func() (Stats, error) {
		_, err := w.store.Put(w.ctx, f.key, f.body, objstore.PutOptions{Relaxed: true})
		return Stats{Written: 1, Bytes: int64(len(f.body))}, err
	})
}

func (w *writer) remove(key string) {
	w.do(func() (Stats, error) { return Stats{Deleted: 1}, w.store.Delete(w.ctx, key) })
}

// do begins op as soon as there is room. Checks come before it, not beside it: an overtaken writer must stop.
func (w *writer) do(op func() (Stats, error)) {
	if w.begun++; w.begun%checkEvery == 0 {
		if err := w.opt.Check(w.ctx); err != nil {
			w.cancel(err)
		}
	}
	select {
	case w.slots <- struct{}{}:
	case <-w.ctx.Done():
		return
	}
	w.ops.Go(func() {
		defer func() { <-w.slots }()
		if w.ctx.Err() != nil {
			return
		}
		done, err := op()
		if err != nil {
			w.cancel(err)
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.stats.add(done)
	})
}

// wait returns when everything that was begun has ended.
func (w *writer) wait() error {
	w.ops.Wait()
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	return nil
}

func (s *Stats) add(o Stats) {
	s.Written += o.Written
	s.Deleted += o.Deleted
	s.Bytes += o.Bytes
}
