package refresh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// A scanRecord remembers what scanning a Shard gave, under a name made of its fingerprint, so that whoever is to scan the
// same again finds it: a retry of an interrupted scan, or a later Run, after this one failed.
type scanRecord struct {
	At      time.Time     `json:"at"`
	Listing string        `json:"listing"`       // fingerprint
	Row     *snapshot.Row `json:"row,omitempty"` // nil: the Shard holds nothing
	// Saved is the Run whose scan was interrupted: the Part holds the scenes that it had finished, and is a work file of that Run.
	Saved string `json:"saved_by,omitempty"`
}

// A result is a work file: what a Run's Scan of a Shard came to.
type result struct {
	Row    *snapshot.Row `json:"row,omitempty"`   // nil: the Shard holds nothing any more
	Heals  bool          `json:"heals,omitempty"` // the published Part is damaged and must not be kept
	Change change        `json:"change"`
}

// A change is what a Shard's scan found against the published rows.
type change struct {
	Scanned  int `json:"scanned"` // Objects of scenes that were read
	Kept     int `json:"kept"`    // Objects of scenes that were not
	Ignored  int `json:"ignored"` // sidecars whose raster vanished
	Vanished int `json:"vanished"`

	Added   int `json:"added"` // Items
	Updated int `json:"updated"`
	Removed int `json:"removed"`

	Held    int `json:"held"`    // Objects that were published
	Dropped int `json:"dropped"` // of them, those that are not listed any more
	Denied  int `json:"denied"`  // of them, those of scenes with an asset that may not be read any more
}

// Scan turns a Shard of the Run's plan, named by ref, into a Part. Scenes whose Objects are as they were keep their results;
// only the others' rasters are opened. What an earlier scan of the same fingerprint made is adopted.
func (w *Worker) Scan(ctx context.Context, run, ref string) error {
	l, err := w.lease(ctx, run)
	if err != nil {
		return err
	}
	var s shard
	if err := getJSON(ctx, w.Catalog, shardKey(run, l.Fence, ref), &s); err != nil {
		return fmt.Errorf("read shard %s: %w", ref, err)
	}
	var res *result
	switch err := getJSON(ctx, w.Catalog, resultKey(run, l.Fence, ref), &res); {
	case err == nil:
		w.progress(ctx, w.State.Shard(ctx, run, ref, res.tally(len(s.Objects)))) // done before
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	_, rules, err := w.rules(s.Config)
	if err != nil {
		return err
	}
	sc := &scan{worker: w, rules: rules, run: run, fence: l.Fence, ref: ref, shard: s}
	if sc.old, err = sc.published(ctx); err != nil {
		return err
	}
	if res, err = sc.scan(ctx); err != nil {
		return err
	}
	if err := w.putWork(ctx, resultKey(run, l.Fence, ref), res, objstore.PutOptions{}); err != nil {
		return err
	}
	w.progress(ctx, w.State.Shard(ctx, run, ref, res.tally(len(s.Objects))))
	return nil
}

func resultKey(run string, fence uint64, ref string) string {
	return workKey(run, fence, "results/"+ref+".json")
}

// tally is the final progress of a Shard of so many listed Objects.
func (r *result) tally(listed int) Tally {
	t := Tally{Done: listed, Unchanged: r.Change.Kept, Removed: r.Change.Removed, Final: true}
	if r.Row != nil {
		t.Items, t.Rejects = r.Row.Counts.Items, r.Row.Counts.Rejects
	}
	return t
}

// A scan of one Shard.
type scan struct {
	worker *Worker
	rules  *item.Rules
	run    string
	fence  uint64
	ref    string
	shard  shard
	old    []snapshot.Scene // published, within the Shard's keys
	heals  bool             // a published Part cannot be read
}

// An earlier scan of the same Shard, as far as it came.
type earlier struct {
	scenes []snapshot.Scene
	own    bool // it was one of this Run
}

// adopt returns the scenes that an earlier scan of the same Shard made, by this Run or another, if their Part is still there and whole;
// those with a Reject that may be gone by now are left out. The Part itself is written anew as this Run's own, so that it is as
// lasting, and as far from clean-up, as any other.
func (s *scan) adopt(ctx context.Context) (earlier, error) {
	var rec scanRecord
	err := getJSON(ctx, s.worker.Catalog, snapshot.ScanKey(s.shard.Scan), &rec)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNotWhole):
		return earlier{}, nil
	case err != nil:
		return earlier{}, err
	case rec.Row == nil, rec.Listing != s.shard.Fingerprint, rec.Saved == "" && rec.Row.Fingerprint != s.shard.Fingerprint:
		return earlier{}, nil // something was replaced, or vanished, while that scan read it
	case !snapshot.AdoptableScan(s.worker.Now().Sub(rec.At)):
		return earlier{}, nil // clean-up may be about to remove its Part
	}
	scenes, err := snapshot.ReadPart(ctx, s.worker.Catalog, *rec.Row)
	if err != nil {
		if ctx.Err() != nil {
			return earlier{}, err
		}
		// Gone, or not whole after a power cut: then it is read anew.
		s.worker.Log.InfoContext(ctx, "an earlier scan is not adopted", "part", rec.Row.Part, "error", err)
		return earlier{}, nil
	}
	return earlier{slices.DeleteFunc(scenes, retried), rec.Saved == s.run}, nil
}

// published reads the scenes of the published rows within the Shard's keys.
func (s *scan) published(ctx context.Context) ([]snapshot.Scene, error) {
	var out []snapshot.Scene
	for _, row := range s.shard.Base {
		scenes, err := snapshot.ReadPart(ctx, s.worker.Catalog, row)
		if err != nil {
			if !s.damaged(ctx, row) {
				return nil, err
			}
			// Reading the Shard again heals the Catalog. Its Items then count as added.
			s.worker.Log.WarnContext(ctx, "a published part is damaged and is made again", "part", row.Part, "error", err)
			s.heals, s.shard.Full = true, true
			continue
		}
		for _, sc := range scenes {
			// All Objects of a scene lie in one Shard, so that one of them tells.
			if len(sc.Objects) > 0 && s.shard.Keys.Contains(sc.Objects[0].Key) {
				out = append(out, sc)
			}
		}
	}
	return out, nil
}

// damaged tells, of a Part that cannot be decoded, whether the fault is in the Part and not in reaching it.
func (s *scan) damaged(ctx context.Context, row snapshot.Row) bool {
	_, _, err := s.worker.Catalog.Get(ctx, row.Part, 0, -1, "")
	return err == nil || errors.Is(err, fs.ErrNotExist)
}

// scan adopts an earlier scan or reads what changed, and writes the Part and the record.
func (s *scan) scan(ctx context.Context) (*result, error) {
	known, err := s.adopt(ctx)
	if err != nil {
		return nil, err
	}
	res := &result{Heals: s.heals}
	scenes, change, err := s.work(ctx, known)
	if err != nil {
		return nil, err
	}
	res.Change = change
	if len(scenes) > 0 {
		body, row, err := snapshot.EncodePart(scenes)
		if err != nil {
			return nil, fmt.Errorf("encode part of shard %s: %w", s.ref, err)
		}
		row.Collection, row.Prefix = s.shard.Collection.ID, s.shard.Collection.Prefix
		row.Start, row.End = s.shard.Keys.Start, s.shard.Keys.End
		row.Shaping = s.shard.Shaping
		// Of what the Part holds, which is not what was listed if something was replaced meanwhile.
		row.Fingerprint = fingerprint(s.shard.Shaping, row.Collection, objectsOf(scenes))
		row.Part = snapshot.PartKey(row.Collection, s.fence, row.Hash)
		// Publish syncs before it makes anything depend on it.
		if _, err := s.worker.Catalog.Put(ctx, row.Part, body, objstore.PutOptions{Relaxed: true}); err != nil {
			return nil, fmt.Errorf("write part: %w", err)
		}
		res.Row = &row
	}
	// After the Part, so that who finds the record finds the Part.
	rec := scanRecord{At: s.worker.Now(), Listing: s.shard.Fingerprint, Row: res.Row}
	return res, s.worker.putWork(ctx, snapshot.ScanKey(s.shard.Scan), rec, objstore.PutOptions{})
}

// work reads what changed and is not known from elsewhere, and returns all scenes of the Shard.
func (s *scan) work(ctx context.Context, known earlier) ([]snapshot.Scene, change, error) {
	work := s.tasks(known)
	if err := s.read(ctx, work); err != nil {
		return nil, change{}, err
	}
	rejectDuplicates(work)
	var scenes []snapshot.Scene
	for _, t := range work {
		if len(t.scene.Objects) > 0 {
			scenes = append(scenes, t.scene)
		}
	}
	c := compare(s.old, scenes)
	for _, t := range work {
		c.Vanished += t.vanished
		c.Ignored += t.ignored
		if t.kept {
			c.Kept += len(t.objects)
		} else {
			c.Scanned += len(t.objects)
		}
	}
	return scenes, c, nil
}

func objectsOf(scenes []snapshot.Scene) []objstore.Object {
	var out []objstore.Object
	for _, sc := range scenes {
		for _, o := range sc.Objects {
			out = append(out, o.Object)
		}
	}
	return out
}

// read works off the tasks that are not done, many at once. Where it cannot do all of them it saves those that it did, for whoever
// comes next: near its deadline, which is a *DeadlineError, and after any error but the end of ctx.
func (s *scan) read(ctx context.Context, work []*task) error {
	var todo []*task
	for _, t := range work {
		if !t.done {
			todo = append(todo, t)
		}
	}
	inTime, end := s.worker.early(ctx)
	defer end()
	stop, cancel := context.WithCancelCause(inTime)
	defer cancel(nil)
	var (
		next   atomic.Int64
		wg     sync.WaitGroup
		mu     sync.Mutex
		totals = s.progress(work)
	)
	for range min(max(1, s.worker.Parallel), len(todo)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(todo) || stop.Err() != nil || s.late(ctx) {
					return
				}
				t := todo[i]
				if err := s.build(stop, t); err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				totals.Done += len(t.objects)
				totals.Items += len(t.scene.Items)
				totals.Rejects += len(t.scene.Rejects)
				now := totals
				mu.Unlock()
				s.worker.progress(stop, s.worker.State.Shard(stop, s.run, s.ref, now))
			}
		})
	}
	wg.Wait()
	err := context.Cause(stop)
	left := 0
	for _, t := range todo {
		if !t.done {
			left++
		}
	}
	if left == 0 && err == nil || ctx.Err() != nil {
		return err
	}
	var failed error
	if left < len(todo) {
		failed = s.save(ctx, work)
	}
	if err == nil || errors.Is(err, errLate) {
		if failed != nil {
			return failed
		}
		return &DeadlineError{Shard: s.ref, Done: len(work) - left, Total: len(work)}
	}
	if failed != nil {
		s.worker.Log.WarnContext(ctx, "what was scanned is not saved", "shard", s.ref, "error", failed)
	}
	return err
}

// late tells whether the deadline is near.
func (s *scan) late(ctx context.Context) bool {
	at, ok := ctx.Deadline()
	return ok && at.Sub(s.worker.Now()) < s.worker.Margin
}

// progress is the tally of the tasks that are done.
func (s *scan) progress(work []*task) Tally {
	var t Tally
	for _, w := range work {
		if w.done {
			t.Done += len(w.objects)
			t.Items += len(w.scene.Items)
			t.Rejects += len(w.scene.Rejects)
			if w.kept {
				t.Unchanged += len(w.objects)
			}
		}
	}
	return t
}
