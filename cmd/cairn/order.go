package main

import (
	"context"
	"iter"
)

// inOrder does the work for each element, so many at once, and yields the results in the order of the elements. It ends early
// when ctx does.
func inOrder[E, R any](ctx context.Context, elements iter.Seq[E], parallel int, work func(context.Context, E) R) iter.Seq[R] {
	return func(yield func(R) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		results := make(chan chan R, parallel)
		go func() {
			defer close(results)
			for e := range elements {
				c := make(chan R, 1)
				select {
				case results <- c:
				case <-ctx.Done():
					return
				}
				go func() { c <- work(ctx, e) }()
			}
		}()
		for c := range results {
			if !yield(<-c) {
				return
			}
		}
	}
}
