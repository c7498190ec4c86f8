package statictree

import (
	"bytes"
	"hash/maphash"
	"slices"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
	"github.com/cairn-stac/cairn/internal/stac"
)

// A previousError is about the Snapshot that the tree shows, not about the one that it is to show.
type previousError struct{ error }

func (e *previousError) Unwrap() error { return e.error }

var seed = maphash.MakeSeed()

// sum stands for the content of a file; it is never unknown.
func sum(b []byte) uint64 { return max(maphash.Bytes(seed, b), 1) }

// unknown is the sum of a file of which only the key is known.
const unknown = 0

// update makes the tree show v. Where previous, which it shows, is known, what the two have in common is not touched.
//
// First w.stale gets the files that may have to change or go, each with a sum of what is in it; where previous is nil these
// are all files there are. Then those that v wants are taken out of it again, and written unless they are the same. What
// is left is deleted.
func (w *writer) update(v, previous View) error {
	if previous == nil {
		if err := w.list(); err != nil {
			return err
		}
	}
	if w.opt.Mode == None {
		return w.finish()
	}
	m := v.Manifest()
	root, err := rootFile(m)
	if err != nil {
		return err
	}
	w.roots = []file{root}
	was := map[string]shelf{}
	if previous != nil {
		for _, s := range shelves(previous.Manifest()) {
			was[s.ID] = s
		}
		old, err := rootFile(previous.Manifest())
		if err != nil {
			return &previousError{err}
		}
		w.stale[rootKey] = sum(old.body)
	}
	for _, now := range shelves(m) {
		if err := checkID(now.ID); err != nil {
			return err
		}
		before := was[now.ID]
		delete(was, now.ID)
		if now.same(before) {
			continue
		}
		if err := w.clear(previous, before, now); err != nil {
			return &previousError{err}
		}
		if err := w.fill(v, now, before); err != nil {
			return err
		}
	}
	for _, gone := range was {
		if err := w.clear(previous, gone, shelf{}); err != nil {
			return &previousError{err}
		}
	}
	return w.finish()
}

// list notes every file that is there.
func (w *writer) list() error {
	for _, r := range []objstore.Range{{Start: rootKey, End: rootKey + "\x00"}, objstore.Prefixed(prefix)} {
		for o, err := range w.store.List(w.ctx, r) {
			if err != nil {
				return err
			}
			w.stale[o.Key] = unknown
		}
	}
	return nil
}

// A shelf is a Collection of a manifest with its rows.
type shelf struct {
	stac.Collection
	manifest *snapshot.Manifest
	rows     []snapshot.Row      // those that have Items
	ids      map[string][]string // of the Items, by the hash of a row, where they are known
}

func shelves(m *snapshot.Manifest) []shelf {
	rows := map[string][]snapshot.Row{}
	for _, row := range m.Rows {
		if row.Counts.Items > 0 {
			rows[row.Collection] = append(rows[row.Collection], row)
		}
	}
	all := make([]shelf, len(m.Collections))
	for i, c := range m.Collections {
		all[i] = shelf{Collection: c, manifest: m, rows: rows[c.ID], ids: map[string][]string{}}
	}
	return all
}

func (s shelf) has(hash string) bool {
	return slices.ContainsFunc(s.rows, func(r snapshot.Row) bool { return r.Hash == hash })
}

// same tells whether the files of both are the same, without looking at Items.
func (s shelf) same(o shelf) bool {
	if o.manifest == nil || !slices.EqualFunc(s.rows, o.rows, func(a, b snapshot.Row) bool { return a.Hash == b.Hash }) {
		return false
	}
	_, a, err1 := collectionFiles(s.manifest, s.Collection, nil)
	_, b, err2 := collectionFiles(o.manifest, o.Collection, nil)
	return err1 == nil && err2 == nil && bytes.Equal(a.body, b.body)
}

// clear notes the files of a Collection as it was, but for the Items of Parts that stay, and learns the ids of those.
func (w *writer) clear(previous View, was, now shelf) error {
	if was.manifest == nil {
		return nil
	}
	var ids []string
	if w.opt.Mode == Items {
		for _, row := range was.rows {
			from := len(ids)
			for it, err := range previous.Items(w.ctx, row) {
				if err != nil {
					return err
				}
				ids = append(ids, it.ID)
				if !now.has(row.Hash) {
					w.stale[itemKey(was.ID, it.ID)] = sum(it.JSON)
				}
			}
			was.ids[row.Hash] = ids[from:]
		}
	}
	pages, node, err := collectionFiles(was.manifest, was.Collection, ids)
	if err != nil {
		return err
	}
	for _, f := range append(pages, node) {
		w.stale[f.key] = sum(f.body)
	}
	return nil
}

// fill writes the Items of a Collection whose Parts are new, and plans the files that link to them.
func (w *writer) fill(v View, now, was shelf) error {
	var ids []string
	if w.opt.Mode == Items {
		for _, row := range now.rows {
			if known, ok := was.ids[row.Hash]; ok {
				ids = append(ids, known...)
				continue
			}
			for it, err := range v.Items(w.ctx, row) {
				if err == nil {
					err = checkID(it.ID)
				}
				if err != nil {
					return err
				}
				ids = append(ids, it.ID)
				if key := itemKey(now.ID, it.ID); w.wants(key, sum(it.JSON)) {
					w.put(file{key, stac.WithLinks(it.JSON, itemLinks)})
				}
			}
		}
	}
	pages, node, err := collectionFiles(now.manifest, now.Collection, ids)
	w.pages, w.nodes = append(w.pages, pages...), append(w.nodes, node)
	return err
}

// wants takes a file out of what is stale, and tells whether it must be written.
func (w *writer) wants(key string, sum uint64) bool {
	was, there := w.stale[key]
	delete(w.stale, key)
	return !there || was != sum
}

// finish writes what links to what has been written, from the bottom up, and deletes the rest.
func (w *writer) finish() error {
	for _, level := range [][]file{nil, w.pages, w.nodes, w.roots} {
		for _, f := range level {
			if w.wants(f.key, sum(f.body)) {
				w.put(f)
			}
		}
		if err := w.wait(); err != nil {
			return err
		}
	}
	for key := range w.stale {
		w.remove(key)
	}
	return w.wait()
}
