package faultstore

import (
	"context"
	"sync"
)

// A Gate holds calls in flight, so that a test can let others overtake them. A caller whose context ends meanwhile gets
// that error, but its call stays in flight and is carried out on release: a zombie's write. (A List is not: it needs its
// caller.)
type Gate struct {
	mu      sync.Mutex
	reached chan struct{} // closed by the first call
	open    chan struct{} // closed by Release
	once    sync.Once
	held    sync.WaitGroup
}

// NewGate returns a closed Gate.
func NewGate() *Gate { return &Gate{reached: make(chan struct{}), open: make(chan struct{})} }

// Reached waits until a call stands at the Gate, or ctx ends.
func (g *Gate) Reached(ctx context.Context) error {
	select {
	case <-g.reached:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release opens the Gate for good and returns when every call that it held has been carried out.
func (g *Gate) Release() {
	g.mu.Lock()
	select {
	case <-g.open:
	default:
		close(g.open)
	}
	g.mu.Unlock()
	g.held.Wait()
}

// enter counts a call as held unless the Gate is open.
func (g *Gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.once.Do(func() { close(g.reached) })
	select {
	case <-g.open:
		return false
	default:
		g.held.Add(1)
		return true
	}
}

func (g *Gate) pause(ctx context.Context) error {
	if !g.enter() {
		return nil
	}
	defer g.held.Done()
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func hold[T any](ctx context.Context, g *Gate, run func(ctx context.Context) (T, error)) (T, error) {
	if !g.enter() {
		return run(ctx)
	}
	type result struct {
		answer T
		err    error
	}
	done := make(chan result, 1)
	go func() {
		defer g.held.Done()
		<-g.open
		answer, err := run(context.WithoutCancel(ctx))
		done <- result{answer, err}
	}()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
