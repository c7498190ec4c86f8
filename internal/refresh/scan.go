package refresh

import (
	"context"
	"errors"
	"fmt"
	"io"
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
// same again finds it: a later Run, after this one failed.
type scanRecord struct {
	At      time.Time     `json:"at"`
	Listing string        `json:"listing"`       // fingerprint
	Row     *snapshot.Row `json:"row,omitempty"` // nil: the Shard holds nothing
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
}

// Scan turns a Shard of the Run's plan, named by ref, into a Part. Scenes whose Objects are as they were keep their rows; only the others'
// rasters are opened. What an earlier scan of the same fingerprint made is adopted.
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
	t := Tally{Done: listed, Unchanged: r.Change.Kept, Removed: r.Change.Removed}
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

// adopt takes over the scenes that an earlier Run's scan of the same Shard made, if their Part is still there and whole. The
// Part itself is written anew as this Run's own, so that it is as lasting, and as far from clean-up, as any other.
func (s *scan) adopt(ctx context.Context) (scenes []snapshot.Scene, ok bool, err error) {
	var rec scanRecord
	err = getJSON(ctx, s.worker.Catalog, snapshot.ScanKey(s.shard.Scan), &rec)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNotWhole):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case rec.Row == nil, rec.Listing != s.shard.Fingerprint, rec.Row.Fingerprint != s.shard.Fingerprint:
		return nil, false, nil // something was replaced, or vanished, while that scan read it
	case !snapshot.AdoptableScan(s.worker.Now().Sub(rec.At)):
		return nil, false, nil // clean-up may be about to remove its Part
	}
	scenes, err = snapshot.ReadPart(ctx, s.worker.Catalog, *rec.Row)
	if err != nil {
		if ctx.Err() != nil {
			return nil, false, err
		}
		// Gone, or not whole after a power cut: then it is read anew.
		s.worker.Log.InfoContext(ctx, "an earlier scan is not adopted", "part", rec.Row.Part, "error", err)
		return nil, false, nil
	}
	return scenes, true, nil
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
	scenes, ok, err := s.adopt(ctx)
	if err != nil {
		return nil, err
	}
	res := &result{Heals: s.heals}
	if ok {
		res.Change = compare(s.old, scenes)
		res.Change.Kept = len(s.shard.Objects)
	} else if scenes, res.Change, err = s.work(ctx); err != nil {
		return nil, err
	}
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

// work reads what changed and returns all scenes of the Shard.
func (s *scan) work(ctx context.Context) ([]snapshot.Scene, change, error) {
	work := s.tasks()
	if err := s.resume(ctx, work); err != nil {
		return nil, change{}, err
	}
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

// A task is one scene of the Shard.
type task struct {
	key      string
	objects  []objstore.Object // as listed
	scene    snapshot.Scene    // the result, once done
	done     bool
	kept     bool // the result is the published one
	vanished int
	ignored  int
}

// tasks makes one task a scene and gives those whose Objects are unchanged their published result.
func (s *scan) tasks() []*task {
	published := make(map[string]snapshot.Scene, len(s.old))
	sameRules := !s.shard.Full && !slices.ContainsFunc(s.shard.Base, func(r snapshot.Row) bool { return r.Shaping != s.shard.Shaping })
	if sameRules {
		for _, sc := range s.old {
			published[sc.Key] = sc
		}
	}
	var out []*task
	for objs := range chunkBy(s.shard.Objects, func(o objstore.Object) string { return s.rules.SceneKey(o.Key) }) {
		t := &task{key: s.rules.SceneKey(objs[0].Key), objects: objs}
		if sc, ok := published[t.key]; ok && sameObjects(sc, objs) && !retried(sc) {
			t.scene, t.done, t.kept = sc, true, true
		}
		out = append(out, t)
	}
	return out
}

func sameObjects(sc snapshot.Scene, objs []objstore.Object) bool {
	return slices.EqualFunc(sc.Objects, objs, func(a snapshot.Object, b objstore.Object) bool {
		return a.Key == b.Key && a.ETag == b.ETag && a.Size == b.Size && a.Class == b.Class && a.Modified.Equal(b.Modified)
	})
}

// retried tells whether a scene has a Reject that may be gone by now.
func retried(sc snapshot.Scene) bool {
	return slices.ContainsFunc(sc.Rejects, func(r snapshot.Reject) bool { return r.Retry })
}

// read works off the tasks that are not done, many at once. Near the deadline it saves what is done: a *DeadlineError.
func (s *scan) read(ctx context.Context, work []*task) error {
	var todo []*task
	for _, t := range work {
		if !t.done {
			todo = append(todo, t)
		}
	}
	stop, cancel := context.WithCancelCause(ctx)
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
	if err := context.Cause(stop); err != nil {
		return err
	}
	done := 0
	for _, t := range work {
		if t.done {
			done++
		}
	}
	if done < len(work) {
		if err := s.save(ctx, work); err != nil {
			return err
		}
		return &DeadlineError{Shard: s.ref, Done: done, Total: len(work)}
	}
	return nil
}

// late tells whether the deadline is near.
func (s *scan) late(ctx context.Context) bool {
	at, ok := ctx.Deadline()
	return ok && time.Until(at) < s.worker.Margin
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

// maxReplaced is how often a scene is read again because an Object was replaced while it was read.
const maxReplaced = 4

// build reads one scene.
func (s *scan) build(ctx context.Context, t *task) error {
	objs := slices.Clone(t.objects)
	for try := 0; ; try++ {
		res, err := s.rules.Build(s.shard.Collection, objs, func(o objstore.Object) io.ReaderAt {
			return &objectReader{ctx: ctx, store: s.worker.Source, object: o}
		})
		var ch *changedError
		switch {
		case err == nil:
			return t.finish(res, objs)
		case !errors.As(err, &ch):
			return &SourceError{Err: fmt.Errorf("read %s: %w", t.key, err)}
		case try >= maxReplaced:
			return t.finishUnstable(s.rules, objs)
		}
		if objs, err = s.restat(ctx, objs); err != nil {
			return err
		}
		if !slices.ContainsFunc(objs, func(o objstore.Object) bool { return s.rules.Kind(o.Key) == item.Raster }) {
			t.done, t.vanished, t.ignored = true, len(t.objects)-len(objs), len(objs)
			return nil
		}
	}
}

// restat looks at the Objects again: replaced ones are taken as they are now, vanished ones are left out.
func (s *scan) restat(ctx context.Context, objs []objstore.Object) ([]objstore.Object, error) {
	var out []objstore.Object
	for _, o := range objs {
		_, now, err := s.worker.Source.Get(ctx, o.Key, 0, 0, "")
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case errors.Is(err, fs.ErrPermission), errors.Is(err, objstore.ErrArchived):
			now = o
		case err != nil:
			return nil, &SourceError{Err: fmt.Errorf("look at %s again: %w", o.Key, err)}
		}
		out = append(out, now)
	}
	return out, nil
}

// finish takes over what item made of the scene.
func (t *task) finish(res item.Result, objs []objstore.Object) error {
	t.scene = snapshot.Scene{Key: t.key}
	for i, o := range objs {
		if res.Roles[i] == item.RoleOther {
			t.ignored++
			continue
		}
		t.scene.Objects = append(t.scene.Objects, snapshot.Object{Object: o, Role: snapshot.Role(res.Roles[i])})
	}
	for _, it := range res.Items {
		line, err := it.Line()
		if err != nil {
			return fmt.Errorf("encode item %s: %w", it.ID, err)
		}
		t.scene.Items = append(t.scene.Items, snapshot.Item{ID: it.ID, JSON: line})
	}
	for _, r := range res.Rejects {
		t.scene.Rejects = append(t.scene.Rejects, snapshot.Reject(r))
	}
	t.vanished = len(t.objects) - len(objs)
	t.done = true
	return nil
}

// finishUnstable gives up on a scene whose Objects keep changing; the next Run tries again.
func (t *task) finishUnstable(rules *item.Rules, objs []objstore.Object) error {
	var res item.Result
	for _, o := range objs {
		if rules.Kind(o.Key) != item.Raster {
			res.Roles = append(res.Roles, item.RoleSidecar)
			continue
		}
		res.Roles = append(res.Roles, item.RoleReject)
		res.Rejects = append(res.Rejects, item.NewReject(o.Key, item.CodeUnstable, "The file was replaced each time that it was read"))
	}
	return t.finish(res, objs)
}

// rejectDuplicates makes Rejects of Items whose id another Item of the Shard has: keys can be made up whose hashes are equal.
func rejectDuplicates(work []*task) {
	ids := map[string]bool{}
	for _, t := range work {
		sc := &t.scene
		if !slices.ContainsFunc(sc.Items, func(it snapshot.Item) bool { return ids[it.ID] }) {
			for _, it := range sc.Items {
				ids[it.ID] = true
			}
			continue
		}
		items := sc.Items
		sc.Items, sc.Objects, sc.Rejects = nil, slices.Clone(sc.Objects), slices.Clone(sc.Rejects)
		for i, o := range sc.Objects {
			if o.Role != snapshot.Asset {
				continue
			}
			it := items[0] // an Item for each asset, in their order
			items = items[1:]
			if ids[it.ID] {
				sc.Objects[i].Role = snapshot.Rejected
				sc.Rejects = append(sc.Rejects, snapshot.Reject(item.NewReject(o.Key, item.CodeDuplicateID,
					fmt.Sprintf("There is another item with the id %s", it.ID))))
				continue
			}
			ids[it.ID] = true
			sc.Items = append(sc.Items, it)
		}
	}
}

// An objectReader reads one Object as it was listed.
type objectReader struct {
	ctx    context.Context
	store  objstore.Reader
	object objstore.Object
}

// changedError: the Object was replaced or deleted since it was listed.
type changedError struct{ err error }

func (e *changedError) Error() string { return e.err.Error() }
func (e *changedError) Unwrap() error { return e.err }

func (r *objectReader) ReadAt(p []byte, off int64) (int, error) {
	body, _, err := r.store.Get(r.ctx, r.object.Key, off, int64(len(p)), r.object.ETag)
	if errors.Is(err, objstore.ErrPrecondition) || errors.Is(err, fs.ErrNotExist) {
		return 0, &changedError{err}
	}
	if err != nil {
		return 0, err
	}
	n := copy(p, body)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
