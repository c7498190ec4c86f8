package main

import (
	"context"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// list yields the Objects of the scenes that the target is about, and perhaps others. Those of one folder are in byte order.
func (t *target) list(ctx context.Context) iter.Seq2[objstore.Object, error] {
	switch {
	case t.named != nil:
		return t.listNamed(ctx)
	case t.glob == nil:
		return t.reader.List(ctx, objstore.Prefixed(t.prefix))
	}
	first, _, deep := strings.Cut(t.glob.String(), "/")
	if !deep && !t.at.isBucket() {
		return t.flat(ctx, objstore.Prefixed(t.prefix))
	}
	if !deep {
		first = "" // the rest of the scene may be called otherwise
	} else if n := strings.IndexAny(first, `*?[{\`); n >= 0 {
		first = first[:n]
	}
	return t.reader.List(ctx, objstore.Prefixed(t.prefix+first))
}

// holds tells whether any key begins with a prefix of its own, or that cannot be found out.
func (t *target) holds(ctx context.Context, prefix string) bool {
	for range t.reader.List(ctx, objstore.Prefixed(t.prefix+prefix)) {
		return true
	}
	return false
}

// listNamed yields the Objects of the scenes that files are named of.
func (t *target) listNamed(ctx context.Context) iter.Seq2[objstore.Object, error] {
	var scenes []string
	for key := range t.named {
		scenes = append(scenes, t.rules.SceneKey(key))
	}
	slices.Sort(scenes)
	scenes = slices.Compact(scenes)
	if !t.at.isBucket() && len(scenes) > 1 { // a folder is read as a whole, whatever of it is asked for
		last := objstore.Prefixed(scenes[len(scenes)-1])
		return t.flat(ctx, objstore.Range{Start: scenes[0], End: last.End})
	}
	return func(yield func(objstore.Object, error) bool) {
		for _, scene := range scenes {
			for o, err := range t.reader.List(ctx, objstore.Prefixed(scene)) {
				if err == nil && t.rules.SceneKey(o.Key) != scene {
					continue
				}
				if !yield(o, err) || err != nil {
					return
				}
			}
		}
	}
}

// mostSkips is how many folders flat goes around. Each takes reading the one above it once more, so that a great many are better
// walked through.
const mostSkips = 100

// flat lists the files of a folder without those of the folders in it. All keys of rng begin with the target's prefix.
func (t *target) flat(ctx context.Context, rng objstore.Range) iter.Seq2[objstore.Object, error] {
	return func(yield func(objstore.Object, error) bool) {
		for skips := 0; ; skips++ {
			again := false
			for o, err := range t.reader.List(ctx, rng) {
				inner := -1
				if err == nil {
					inner = strings.IndexByte(o.Key[len(t.prefix):], '/')
				}
				switch {
				case inner < 0 && !yield(o, err):
					return
				case inner >= 0 && skips < mostSkips:
					again = true
					rng.Start = objstore.Prefixed(o.Key[:len(t.prefix)+inner+1]).End
				}
				if again {
					break
				}
			}
			if !again {
				return
			}
		}
	}
}

// byScene groups a listing by scene, in the order in which the scenes are complete: a scene key is the beginning of the keys of
// its Objects, which are sorted. It holds no more than the scenes that the next Object may belong to.
func byScene(list iter.Seq2[objstore.Object, error], sceneKey func(string) string) iter.Seq2[[]objstore.Object, error] {
	type scene struct {
		key     string
		objects []objstore.Object
	}
	return func(yield func([]objstore.Object, error) bool) {
		var open []*scene
		for o, err := range list {
			if err != nil {
				yield(nil, err)
				return
			}
			still := open[:0]
			for _, s := range open {
				if strings.HasPrefix(o.Key, s.key) {
					still = append(still, s)
				} else if !yield(s.objects, nil) {
					return
				}
			}
			open = still
			key := sceneKey(o.Key)
			i := slices.IndexFunc(open, func(s *scene) bool { return s.key == key })
			if i < 0 {
				i = len(open)
				open = append(open, &scene{key: key})
			}
			open[i].objects = append(open[i].objects, o)
		}
		for _, s := range open {
			if !yield(s.objects, nil) {
				return
			}
		}
	}
}

// An objectReader reads an Object, as long as it stays the listed one. It remembers what it read, for whoever reads it again.
// It is for one goroutine.
type objectReader struct {
	ctx    context.Context
	source objstore.Reader
	object objstore.Object
	known  []stretch
}

type stretch struct {
	off  int64
	body []byte
}

func (r *objectReader) ReadAt(p []byte, off int64) (int, error) {
	for _, s := range r.known {
		if off >= s.off && off+int64(len(p)) <= s.off+int64(len(s.body)) {
			return copy(p, s.body[off-s.off:]), nil
		}
	}
	body, _, err := r.source.Get(r.ctx, r.object.Key, off, int64(len(p)), r.object.ETag)
	n := copy(p, body)
	if err == nil {
		r.known = append(r.known, stretch{off, body})
		if n < len(p) {
			err = io.EOF
		}
	}
	return n, err
}
