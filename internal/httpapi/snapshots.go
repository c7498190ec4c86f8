package httpapi

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// keptReaders is how many superseded Snapshots stay open for page tokens. Any other one is opened again by two reads.
const keptReaders = 4

// Of looks at Head that do not succeed.
const (
	lookTime  = 10 * time.Second // a look ends
	patience  = 2 * time.Second  // whoever could have the known Snapshot instead waits for one
	lookPause = time.Second      // until the next one, at least
	keepKnown = 30 * time.Second // the known Snapshot is taken for the published one
)

// Snapshots opens the Snapshots of a Catalog for readers: the published one, and superseded ones for page tokens. It is
// safe for concurrent use.
type Snapshots struct {
	catalog  objstore.Reader
	fresh    time.Duration
	log      *slog.Logger
	cache    *snapshot.Cache
	now      func() time.Time
	patience time.Duration

	mu        sync.Mutex
	published *snapshot.Reader // as the last look found it; nil: none
	seen      time.Time        // when that look began
	due       time.Time        // until then no look is needed
	failing   time.Time        // when the first look failed since one has succeeded; zero: the last one did
	told      time.Time        // when the log was last told of a look that failed
	under     *look            // under way, shared by all who ask
	open      []*opened        // last used first
}

// A look is one reading of Head, and the opening of the Snapshot that it names.
type look struct {
	done   chan struct{} // closed when the others are set
	reader *snapshot.Reader
	err    error
}

// opened is a Snapshot that is open, or being opened by whoever holds the lock.
type opened struct {
	fence  uint64
	lock   chan struct{} // of one place; a mutex that can be given up
	reader *snapshot.Reader
}

// NewSnapshots reads the Catalog. What Head said is taken for fresh that long: with 0 each request reads it, which makes what a
// Run published seen at once and costs a small read; otherwise all requests share a look when one is due. Where looking fails,
// the known Snapshot stands for the published one for half a minute, and the log, which may be nil, is told.
func NewSnapshots(catalog objstore.Reader, fresh time.Duration, log *slog.Logger) *Snapshots {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Snapshots{
		catalog: catalog, fresh: fresh, log: log, cache: snapshot.NewCache(snapshot.DefaultCache), now: time.Now, patience: patience,
	}
}

// Current opens the published Snapshot; snapshot.ErrNoSnapshot before the first.
func (s *Snapshots) Current(ctx context.Context) (*snapshot.Reader, error) {
	s.mu.Lock()
	if s.now().Before(s.due) {
		defer s.mu.Unlock()
		return some(s.published)
	}
	if s.fresh == 0 { // a shared look may have read Head before something that this request's client knows of
		s.mu.Unlock()
		began := s.now()
		r, err := s.look(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.note(r, err, began)
	}
	l := s.under
	if l == nil {
		l = &look{done: make(chan struct{})}
		s.under = l
		go s.share(context.WithoutCancel(ctx), l)
	}
	known, giveUp := s.published, (<-chan time.Time)(nil)
	if s.known() {
		giveUp = time.After(s.patience)
	}
	s.mu.Unlock()
	select {
	case <-l.done:
		return l.reader, l.err
	case <-giveUp:
		s.pause() // nobody else need find out
		return known, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func some(r *snapshot.Reader) (*snapshot.Reader, error) {
	if r == nil {
		return nil, snapshot.ErrNoSnapshot
	}
	return r, nil
}

// look reads Head and opens the Snapshot that it names; none is nil.
func (s *Snapshots) look(ctx context.Context) (*snapshot.Reader, error) {
	h, _, err := snapshot.LoadHead(ctx, s.catalog)
	if err != nil || h.Snapshot == 0 {
		return nil, err
	}
	return s.At(ctx, h.Snapshot)
}

// share makes a look for all who wait for it.
func (s *Snapshots) share(ctx context.Context, l *look) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	began := s.now()
	r, err := s.look(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.under == l {
		s.under = nil
		l.reader, l.err = s.note(r, err, began)
	} else if l.err = err; err == nil { // somebody knew better meanwhile, so that it tells only those who had asked before
		l.reader, l.err = some(r)
	}
	close(l.done)
}

// note takes up what a look came to, and returns what is to be shown. The lock is held.
func (s *Snapshots) note(r *snapshot.Reader, err error, began time.Time) (*snapshot.Reader, error) {
	if err == nil {
		if !began.Before(s.seen) { // else a later look has come back already
			s.published, s.seen, s.due, s.failing = r, began, began.Add(s.fresh), time.Time{}
		}
		return some(r)
	}
	if s.failing.IsZero() {
		s.failing = s.now()
	}
	if !s.known() {
		return nil, err
	}
	if now := s.now(); now.Sub(s.told) >= lookPause { // many may look at once, each for itself
		s.log.Warn("look for the published snapshot; showing the last known one", "snapshot", s.published.Manifest().Fence, "error", err)
		s.told = now
	}
	s.due = s.now().Add(max(s.fresh, lookPause))
	return s.published, nil
}

// pause puts the next look off while one is under way.
func (s *Snapshots) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.under != nil {
		s.due = s.now().Add(max(s.fresh, lookPause))
	}
}

// known tells whether there is a Snapshot to show where looking fails. The lock is held.
func (s *Snapshots) known() bool {
	return s.published != nil && (s.failing.IsZero() || s.now().Sub(s.failing) < keepKnown)
}

// Published tells that a Snapshot has been published: if Head did not say so yet, it is to be looked at again.
func (s *Snapshots) Published(fence uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.published == nil || s.published.Manifest().Fence < fence {
		s.due, s.under = time.Time{}, nil
	}
}

// Gone tells that a Snapshot was found to be cleaned up: it cannot be the published one, nor be shown.
func (s *Snapshots) Gone(fence uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = slices.DeleteFunc(s.open, func(o *opened) bool { return o.fence == fence })
	if s.published != nil && s.published.Manifest().Fence == fence {
		s.published, s.due, s.under = nil, time.Time{}, nil
	}
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

// entry finds a Snapshot's place, or makes one, and makes it the last used. The published Snapshot keeps its place whatever
// others are asked for.
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
	if last := len(s.open) - 1; last > keptReaders {
		if s.published != nil && s.published.Manifest().Fence == s.open[last].fence {
			last--
		}
		s.open = slices.Delete(s.open, last, last+1)
	}
	return o
}

// drop forgets a Snapshot that could not be opened.
func (s *Snapshots) drop(o *opened) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = slices.DeleteFunc(s.open, func(other *opened) bool { return other == o })
}
