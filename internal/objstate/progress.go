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

// live is the progress of a Run that this process works on.
type live struct {
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
		l = &live{flushed: now} // a Run that is over within a second writes none
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
	if due {
		_, err = s.store.Put(ctx, progressPrefix+run+".json", body, objstore.PutOptions{Relaxed: true})
	}
	return err
}

// Progress reads what is known of a Run.
func (s *State) Progress(ctx context.Context, run string) (refresh.Progress, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.runs[run]; l != nil {
		p := l.progress
		p.Shards = maps.Clone(l.progress.Shards)
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
	if err := json.Unmarshal(body, &p); err != nil {
		return p, fmt.Errorf("decode progress of run %s: %w", run, err)
	}
	return p, nil
}

// forget drops the progress of a Run that has ended.
func (s *State) forget(run string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.runs, run)
}
