package objstate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// flushEvery is how often progress is written for other processes to see. This process reads its own from memory.
const flushEvery = time.Second

// An entry is the progress of a Run that this process works on.
type entry struct {
	progress refresh.Progress
	flushed  time.Time
}

// Begin notes that a Run entered a phase.
func (s *State) Begin(ctx context.Context, run string, phase refresh.Phase, t refresh.Totals) error {
	return s.note(ctx, run, func(p *refresh.Progress, now time.Time) { p.Enter(phase, t, now) })
}

// Shard notes how far the scan of a Shard is.
func (s *State) Shard(ctx context.Context, run string, shard string, t refresh.Tally) error {
	return s.note(ctx, run, func(p *refresh.Progress, now time.Time) { p.Advance(shard, t, now) })
}

func (s *State) note(ctx context.Context, run string, change func(*refresh.Progress, time.Time)) error {
	if _, err := runKey(run); err != nil {
		return err
	}
	now := s.now()
	s.mu.Lock()
	l := s.runs[run]
	if l == nil {
		l = &entry{flushed: now} // a Run that is over within a second writes none
		s.runs[run] = l
	}
	change(&l.progress, now)
	due := now.Sub(l.flushed) >= flushEvery
	var body []byte
	var err error
	if due {
		l.flushed = now
		body, err = json.Marshal(l.progress)
	}
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("encode progress of run %s: %w", run, err)
	}
	if due && s.flushing.TryLock() { // one at a time, so that an older one does not come last
		defer s.flushing.Unlock()
		_, err = s.store.Put(ctx, progressPrefix+run+".json", body, objstore.PutOptions{Relaxed: true})
	}
	return err
}

// Progress reads what is known of a Run.
func (s *State) Progress(ctx context.Context, run string) (refresh.Progress, error) {
	if p, ok := s.Live(run); ok {
		return p, nil
	}
	var p refresh.Progress
	body, _, err := s.store.Get(ctx, progressPrefix+run+".json", 0, -1, "")
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("read progress of run %s: %w", run, err)
	}
	if json.Unmarshal(body, &p) != nil {
		return refresh.Progress{}, nil // not whole after a power cut
	}
	return p, nil
}

// Live returns the progress of a Run that this process works on, from memory.
func (s *State) Live(run string) (refresh.Progress, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.runs[run]
	if l == nil {
		return refresh.Progress{}, false
	}
	p := l.progress
	p.Shards = maps.Clone(p.Shards)
	return p, true
}

// forget drops the progress of a Run that has ended.
func (s *State) forget(run string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.runs, run)
}
