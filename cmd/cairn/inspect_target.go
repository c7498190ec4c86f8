package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/stac"
)

// parallelFiles is how many scenes of a folder are looked at at once.
var parallelFiles = max(8, 2*runtime.NumCPU())

// A target is what an argument stands for: all files below a prefix, those that match a glob, or those that are named.
type target struct {
	*openedSource
	arg      string          // of the command
	prefix   string          // of the keys: "" or "a/b/"
	shown    string          // the folder of that prefix as the user writes it; "" for a bucket
	named    map[string]bool // the keys of files that are named; nil for other targets
	glob     *config.Glob    // what keys match without the prefix; nil for other targets
	assumed  bool            // nobody said what the Source is
	parallel int             // scenes at once
}

// A look is what one scene would become.
type look struct {
	source string      // where keys begin, in words
	files  []inspected // all of the scene, by key
	err    error       // of the store, not of a file: there are no files
}

// inspected is what one file would become.
type inspected struct {
	File   string          `json:"file"`
	Item   json.RawMessage `json:"item,omitempty"`
	Reject *rejected       `json:"reject,omitempty"`

	key     string
	role    item.Role
	wanted  bool // it is one of those that the target is about
	named   bool // it is wanted by its name
	size    int64
	outcome *outcome        // of an asset
	header  *geotiff.Header // of a Reject whose header is good
}

// report tells whether the file gets a line of its own: a raster, or what is named.
func (f inspected) reported() bool {
	return f.wanted && (f.named || f.role == item.RoleAsset || f.role == item.RoleReject)
}

type rejected struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// codeUnreadable is for a file that could not be read, so that nothing can be said of it.
const codeUnreadable = "unreadable"

// An outcome is an Item, shared by the files that it is made of.
type outcome struct {
	*stac.Item
	why item.Explanation
}

// name is how the user writes a file.
func (t *target) name(key string) string {
	if t.at.isBucket() {
		return t.at.file(key)
	}
	return filepath.Join(t.shown, filepath.FromSlash(strings.TrimPrefix(key, t.prefix)))
}

// wants tells whether the target is about a key.
func (t *target) wants(key string) bool {
	switch {
	case t.named != nil:
		return t.named[key]
	case t.glob != nil:
		return t.glob.Match(strings.TrimPrefix(key, t.prefix))
	}
	return true
}

// looks yields what the scenes of the target would become, in the order of their keys. Errors come last.
func (t *target) looks(ctx context.Context) iter.Seq2[look, error] {
	return func(yield func(look, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		var listed error
		scenes := func(yield func([]objstore.Object) bool) {
			for scene, err := range byScene(t.list(ctx), t.rules.SceneKey) {
				if err != nil {
					listed = err
					return
				}
				if slices.ContainsFunc(scene, func(o objstore.Object) bool { return t.wants(o.Key) }) && !yield(scene) {
					return
				}
			}
		}
		found, seen := false, map[string]bool{} // of those that are named
		for l := range inOrder(ctx, scenes, t.parallel, t.scene) {
			if l.err != nil {
				yield(look{}, l.err)
				return
			}
			found = true
			for _, f := range l.files {
				if f.named {
					seen[f.key] = true
				}
			}
			if !yield(l, nil) {
				return
			}
		}
		switch err := ctx.Err(); {
		case err != nil:
			yield(look{}, err)
			return
		case listed != nil:
			if !yield(look{}, listed) {
				return
			}
		case t.glob != nil && !found:
			yield(look{}, fmt.Errorf("%s: no file matches (**/ stands for any number of folders)", printable(t.arg)))
		case t.named == nil && t.at.isBucket() && !found:
			yield(look{}, fmt.Errorf("%s: there is no such object, and none below it", t.arg))
		}
		for _, key := range slices.Sorted(maps.Keys(t.named)) {
			if !seen[key] && !yield(look{}, fmt.Errorf("%s: no regular file has exactly this name", printable(t.name(key)))) {
				return
			}
		}
	}
}

// scene tells what the Objects of one scene would become.
func (t *target) scene(ctx context.Context, objs []objstore.Object) look {
	readers := map[string]*objectReader{}
	open := func(o objstore.Object) io.ReaderAt {
		if readers[o.Key] == nil {
			readers[o.Key] = &objectReader{ctx: ctx, source: t.reader, object: o}
		}
		return readers[o.Key]
	}
	res, err := t.rules.Build(t.rules.Collection(objs[0].Key), objs, open)
	switch {
	case ctx.Err() != nil:
		return look{err: ctx.Err()}
	case errors.Is(err, objstore.ErrNoStore) || errors.Is(err, objstore.ErrCredentials):
		return look{err: err}
	}
	outcomes, lines := make([]*outcome, len(res.Items)), make([][]byte, len(res.Items))
	for i, it := range res.Items {
		outcomes[i] = &outcome{it, res.Explanations[i]}
		if lines[i], err = it.Line(); err != nil {
			break
		}
	}
	l := look{source: printable(t.at.String()), files: make([]inspected, len(objs))}
	if t.assumed {
		l.source += " (--source gives another)"
	}
	rejects := res.Rejects // in the order of the Objects
	for i, o := range objs {
		f := inspected{File: t.name(o.Key), key: o.Key, size: o.Size, wanted: t.wants(o.Key), named: t.named[o.Key]}
		if err != nil { // one of the Objects could not be read, and there is no Result
			f.role = item.RoleSidecar
			if t.rules.Kind(o.Key) == item.Raster {
				f.role, f.Reject = item.RoleReject, &rejected{codeUnreadable, err.Error()}
			}
		} else if f.role = res.Roles[i]; f.role == item.RoleAsset {
			f.outcome, f.Item = outcomes[res.Of[i]], lines[res.Of[i]]
		}
		switch {
		case f.Item != nil || f.Reject != nil:
		case f.role == item.RoleReject:
			f.Reject = &rejected{rejects[0].Code, rejects[0].Message}
			rejects = rejects[1:]
			if f.named {
				f.header, _ = geotiff.Read(open(o), o.Size) // of what was read a moment ago; nil where that is the matter
			}
		case f.role == item.RoleSidecar:
			f.Reject = &rejected{"sidecar", "the file belongs to the raster beside it and is no raster of its own"}
		default:
			f.Reject = &rejected{"ignored", "the file is no *.tif or *.tiff, or the config leaves it out"}
		}
		l.files[i] = f
	}
	return l
}
