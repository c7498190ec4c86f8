package s3store

import (
	"container/list"
	"context"
	"sync"
)

// A limiter bounds the requests in flight. An answer that asks to slow down halves the bound, once for all requests that
// were in flight together; each success widens it a little, by one for as many successes as it allows at once.
type limiter struct {
	mu       sync.Mutex
	most     float64
	bound    float64
	inFlight int
	era      int       // counts the halvings
	waiting  list.List // of chan int, in the order of arrival
}

func newLimiter(most int) *limiter { return &limiter{most: float64(most), bound: float64(most)} }

// acquire waits for a turn, which must be released.
func (l *limiter) acquire(ctx context.Context) (turn int, err error) {
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	l.mu.Lock()
	ready := make(chan int, 1)
	place := l.waiting.PushBack(ready)
	l.admit()
	l.mu.Unlock()
	select {
	case turn = <-ready:
		return turn, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-ready:
		l.inFlight--
		l.admit()
	default:
		l.waiting.Remove(place)
	}
	return 0, ctx.Err()
}

// release ends a turn.
func (l *limiter) release(turn int, success, throttled bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	switch {
	case success:
		l.bound = min(l.most, l.bound+1/l.bound)
	case throttled && turn == l.era:
		l.era++
		l.bound = max(1, l.bound/2)
	}
	l.admit()
}

func (l *limiter) admit() {
	for l.waiting.Len() > 0 && l.inFlight < int(l.bound) {
		l.inFlight++
		l.waiting.Remove(l.waiting.Front()).(chan int) <- l.era
	}
}
