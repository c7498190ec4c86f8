// Package objstate keeps the state of refreshes as objects in the Catalog itself, for a Catalog that has no table: the
// control record is swapped like Head, so that two processes, or two laptops, on one Catalog cannot both refresh it.
package objstate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

const (
	controlKey     = "state/control.json"
	runPrefix      = "state/runs/"
	progressPrefix = "state/progress/"
	requestPrefix  = "state/requests/"
)

// Format of the control record. A record of a newer one is refused.
const format = 1

// A State is a refresh.State over an objstore.Store.
type State struct {
	store objstore.Store
	now   func() time.Time

	mu   sync.Mutex
	runs map[string]*entry // Runs that this process works on

	flushing sync.Mutex // held while progress is written
}

var _ refresh.State = (*State)(nil)

// New keeps state in the store. now is the clock for progress.
func New(store objstore.Store, now func() time.Time) *State {
	return &State{store: store, now: now, runs: map[string]*entry{}}
}

type controlRecord struct {
	Format int `json:"format"`
	refresh.Control
}

// Load reads the control record.
func (s *State) Load(ctx context.Context) (refresh.Control, refresh.Token, error) {
	body, obj, err := s.store.Get(ctx, controlKey, 0, -1, "")
	if errors.Is(err, fs.ErrNotExist) {
		return refresh.Control{}, "", nil
	}
	if err != nil {
		return refresh.Control{}, "", fmt.Errorf("read %s: %w", controlKey, err)
	}
	var rec controlRecord
	var head struct { // on its own: the rest of a newer format may not even parse
		Format int `json:"format"`
	}
	err = json.Unmarshal(body, &head)
	if err == nil && head.Format > format {
		return refresh.Control{}, "", fmt.Errorf("%s has format %d, this cairn understands %d: %w", controlKey, head.Format, format,
			refresh.ErrNewerFormat)
	}
	if err = errors.Join(err, json.Unmarshal(body, &rec)); err != nil {
		return refresh.Control{}, "", fmt.Errorf("decode %s: %w", controlKey, err)
	}
	return rec.Control, refresh.Token(obj.ETag), nil
}

// Swap writes the control record if it is still the loaded one.
func (s *State) Swap(ctx context.Context, loaded refresh.Token, next refresh.Control) error {
	body, err := json.Marshal(controlRecord{Format: format, Control: next})
	if err != nil {
		return fmt.Errorf("encode %s: %w", controlKey, err)
	}
	_, err = s.store.Put(ctx, controlKey, body, objstore.PutOptions{IfMatch: string(loaded), IfAbsent: loaded == ""})
	if errors.Is(err, objstore.ErrPrecondition) {
		return refresh.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", controlKey, err)
	}
	return nil
}

// PutRun records an ended Run, unless it is recorded already.
func (s *State) PutRun(ctx context.Context, r refresh.Run) (refresh.Run, error) {
	key, err := runKey(r.ID)
	if err != nil {
		return r, err
	}
	body, err := json.Marshal(r)
	if err != nil {
		return r, fmt.Errorf("encode %s: %w", key, err)
	}
	_, err = s.store.Put(ctx, key, body, objstore.PutOptions{IfAbsent: true})
	if err == nil {
		return r, nil
	}
	// There already, or unknown whether it was written: what is there counts.
	if kept, gerr := s.Run(ctx, r.ID); gerr == nil {
		return kept, nil
	}
	return r, fmt.Errorf("write %s: %w", key, err)
}

// Run reads the record of an ended Run.
func (s *State) Run(ctx context.Context, id string) (refresh.Run, error) {
	key, err := runKey(id)
	if err != nil {
		return refresh.Run{}, err
	}
	var r refresh.Run
	body, _, err := s.store.Get(ctx, key, 0, -1, "")
	if errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("run %s: %w", id, refresh.ErrNotFound)
	}
	if err != nil {
		return r, fmt.Errorf("read %s: %w", key, err)
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return r, fmt.Errorf("decode %s: %w", key, err)
	}
	return r, nil
}

// runKey refuses what is no id of a Run, so that no request can name another object.
func runKey(id string) (string, error) {
	if len(id) != 26 || strings.Trim(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") != "" {
		return "", fmt.Errorf("run %q: %w", id, refresh.ErrNotFound)
	}
	return runPrefix + id + ".json", nil
}

// runIDs lists the ids below a prefix, oldest first.
func (s *State) runIDs(ctx context.Context, prefix string) ([]string, error) {
	var ids []string
	for o, err := range s.store.List(ctx, objstore.Prefixed(prefix)) {
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", prefix, err)
		}
		ids = append(ids, strings.TrimSuffix(strings.TrimPrefix(o.Key, prefix), ".json"))
	}
	return ids, nil
}

// Runs yields the records of ended Runs, newest first.
func (s *State) Runs(ctx context.Context, before string) iter.Seq2[refresh.Run, error] {
	return func(yield func(refresh.Run, error) bool) {
		ids, err := s.runIDs(ctx, runPrefix)
		if err != nil {
			yield(refresh.Run{}, err)
			return
		}
		for _, id := range slices.Backward(ids) {
			if before != "" && id >= before {
				continue
			}
			r, err := s.Run(ctx, id)
			if errors.Is(err, refresh.ErrNotFound) {
				continue // pruned meanwhile, or no record of ours
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// PruneRuns removes the oldest records, and progress of Runs that have ended.
func (s *State) PruneRuns(ctx context.Context, keep int) error {
	ids, err := s.runIDs(ctx, runPrefix)
	if err != nil {
		return err
	}
	ended := map[string]bool{}
	for i, id := range ids {
		ended[id] = true
		s.forget(id)
		if i < len(ids)-keep {
			if err := s.store.Delete(ctx, runPrefix+id+".json"); err != nil {
				return fmt.Errorf("prune run %s: %w", id, err)
			}
		}
	}
	live, err := s.runIDs(ctx, progressPrefix)
	if err != nil {
		return err
	}
	for _, id := range live {
		if ended[id] {
			if err := s.store.Delete(ctx, progressPrefix+id+".json"); err != nil {
				return fmt.Errorf("prune progress of run %s: %w", id, err)
			}
		}
	}
	return s.pruneRequests(ctx)
}
