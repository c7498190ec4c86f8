package dirstore

import (
	"context"
	"fmt"
	"time"
)

// retry is how soon a lock that another process holds is asked for again. It is held for a rename, not for a write.
const retry = time.Millisecond

// lock takes the Store's lock, among goroutines first and then among processes. The system releases the latter when a
// process ends, however it ends.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if _, err := s.file.TryLockContext(ctx, retry); err != nil {
		<-s.turn
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("lock %s: %v", lockName, cause(err)) // says nothing about the Object
	}
	return func() {
		_ = s.file.Close() // closing the file unlocks it in any case
		<-s.turn
	}, nil
}
