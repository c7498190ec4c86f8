package refresh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// A task is one scene of the Shard.
type task struct {
	key      string
	objects  []objstore.Object // as listed
	scene    snapshot.Scene    // the result, once done
	done     bool
	kept     bool // the result was known before
	vanished int
	ignored  int
}

// tasks makes one task a scene and gives those whose Objects are unchanged the result that is known: the published one, or one of
// an earlier scan under the same rules.
func (s *scan) tasks(known earlier) []*task {
	sameRules := !s.shard.Full && !slices.ContainsFunc(s.shard.Base, func(r snapshot.Row) bool { return r.Shaping != s.shard.Shaping })
	var published map[string]snapshot.Scene
	if sameRules {
		published = byKey(s.old)
	}
	scanned := byKey(known.scenes)
	var out []*task
	for objs := range chunkBy(s.shard.Objects, func(o objstore.Object) string { return s.rules.SceneKey(o.Key) }) {
		t := &task{key: s.rules.SceneKey(objs[0].Key), objects: objs}
		if sc, ok := published[t.key]; ok && sameObjects(sc, objs) && !retried(sc) {
			t.scene, t.done, t.kept = sc, true, true
		} else if sc, ok := scanned[t.key]; ok && sameObjects(sc, objs) {
			t.scene, t.done, t.kept = sc, true, !known.own
		}
		out = append(out, t)
	}
	return out
}

func byKey(scenes []snapshot.Scene) map[string]snapshot.Scene {
	out := make(map[string]snapshot.Scene, len(scenes))
	for _, sc := range scenes {
		out[sc.Key] = sc
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
		var assets []int
		for i, o := range sc.Objects {
			if o.Role == snapshot.Asset {
				assets = append(assets, i)
			}
		}
		for n, i := range assets {
			o := sc.Objects[i]
			it := items[slices.IndexFunc(items, func(it snapshot.Item) bool { return ids[it.ID] })]
			if len(assets) == len(items) {
				it = items[n] // one for each asset, in their order; else all go with the first that is one too many
			}
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
