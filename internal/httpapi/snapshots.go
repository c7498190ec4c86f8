package httpapi

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// keptReaders is how many superseded Snapshots stay open for page tokens. Any other one is opened again by two reads.
const keptReaders = 4

// Snapshots opens the Snapshots of a Catalog for readers: the published one, and superseded ones for page tokens. It is
// safe for concurrent use.
type Snapshots struct {
	catalog objstore.Reader
	maxAge  time.Duration
	cache   *snapshot.Cache

	mu    sync.Mutex
	fence uint64    // of the published Snapshot, as Head said
	seen  time.Time // when it said so
	open  []*opened // last used first
}

// opened is a Snapshot that is open, or being opened by whoever holds the lock.
type opened struct {
	fence  uint64
	lock   chan struct{} // of one place; a mutex that can be given up
	reader *snapshot.Reader
}

// NewSnapshots reads the Catalog. What Head said is believed for maxAge: with 0 each request reads it, which makes what a Run
// published seen at once and costs a small read.
func NewSnapshots(catalog objstore.Reader, maxAge time.Duration) *Snapshots {
	return &Snapshots{catalog: catalog, maxAge: maxAge, cache: snapshot.NewCache(snapshot.DefaultCache)}
}

// Current opens the published Snapshot; snapshot.ErrNoSnapshot before the first.
func (s *Snapshots) Current(ctx context.Context) (*snapshot.Reader, error) {
	s.mu.Lock()
	fence, fresh := s.fence, s.maxAge > 0 && time.Since(s.seen) < s.maxAge
	s.mu.Unlock()
	if !fresh {
		now := time.Now()
		h, _, err := snapshot.LoadHead(ctx, s.catalog)
		if err != nil {
			return nil, err
		}
		fence = h.Snapshot
		s.mu.Lock()
		if now.After(s.seen) { // else a later read has come back already
			s.fence, s.seen = fence, now
		}
		s.mu.Unlock()
	}
	if fence == 0 {
		return nil, snapshot.ErrNoSnapshot
	}
	return s.At(ctx, fence)
}

// At opens the Snapshot with this fence; snapshot.ErrExpired if it is not kept any more, or never was published.
func (s *Snapshots) At(ctx context.Context, fence uint64) (*snapshot.Reader, error) {
	o := s.entry(fence)
	select {
	case o.lock <- struct{}{}:
		defer func() { <-o.lock }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if o.reader != nil {
		return o.reader, nil
	}
	r, err := snapshot.OpenAt(ctx, s.catalog, fence, s.cache)
	if err != nil {
		s.drop(o)
		return nil, err
	}
	o.reader = r
	return r, nil
}

// entry finds a Snapshot's place, or makes one, and makes it the last used.
func (s *Snapshots) entry(fence uint64) *opened {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.open, func(o *opened) bool { return o.fence == fence })
	if i < 0 {
		i = 0
		s.open = slices.Insert(s.open, 0, &opened{fence: fence, lock: make(chan struct{}, 1)})
	}
	o := s.open[i]
	s.open = slices.Insert(slices.Delete(s.open, i, i+1), 0, o)
	if len(s.open) > keptReaders+1 {
		s.open = s.open[:keptReaders+1]
	}
	return o
}

// drop forgets a Snapshot that could not be opened.
func (s *Snapshots) drop(o *opened) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = slices.DeleteFunc(s.open, func(other *opened) bool { return other == o })
}
