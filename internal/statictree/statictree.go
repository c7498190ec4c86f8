// Package statictree keeps the static STAC tree of a Catalog, files that any web server can serve, in step with a published
// Snapshot:
//
//	catalog.json                              the Catalog
//	collections/<id>/collection.json          a Collection
//	collections/<id>/items-<n>.json           a page of its Items, where they are more than 1,000
//	collections/<id>/items/<item id>.json     an Item
//	state/tree.json                           the marker: what the tree shows
//
// All links are relative and there is no self link, so that the tree may be moved or mirrored (a "self-contained catalog",
// STAC 1.1.0, best practices). Nobody reads the tree to decide anything: it may lag behind, and is then caught up with.
package statictree

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// A Mode says how much of the tree there is.
type Mode string

// The modes.
const (
	Items       Mode = "items"       // everything
	Collections Mode = "collections" // no Items, and no links to them
	None        Mode = "none"        // nothing
)

// MaxItems is up to how many Items a Catalog has Items in its tree, unless its owner says otherwise.
const MaxItems = 10_000

// A View is a Snapshot that the tree is to show, or that it shows. *snapshot.Reader is one.
type View interface {
	Manifest() *snapshot.Manifest
	// Items yields the Items of a row of the manifest. An error is yielded once and ends it.
	Items(ctx context.Context, row snapshot.Row) iter.Seq2[snapshot.Item, error]
}

// Options of Write.
type Options struct {
	Mode Mode
	// Previous opens the Snapshot with this fence, which the tree shows, to see what has changed. Where it is nil or fails,
	// the whole tree is written.
	Previous func(ctx context.Context, fence uint64) (View, error)
	// Check, if set, fails once this writer has been overtaken by another Run. It is called before every 256 files and
	// before the end.
	Check func(ctx context.Context) error
	// Parallel is how many files are written at once; 0 stands for 32.
	Parallel int
}

const (
	defaultParallel = 32
	checkEvery      = 256 // files
)

// Stats tell what Write did. Their zero value means that the tree was right already.
type Stats struct {
	Written int   // files
	Deleted int   // files
	Bytes   int64 // of those written
	Whole   bool  // nothing was known of the tree, so everything was written
}

// Write makes the tree in store show the Snapshot. If it shows that already this costs one read; if it shows an earlier one
// that can still be opened, only what differs is written or deleted; otherwise all of it is. Each file is written whole,
// and after those it links to; what is not wanted any more is deleted last.
//
// A writer that stops half-way leaves a marker which makes the next one write everything. Of two writers at once, the one
// with the older Snapshot stops at its next Check, having put at most 256 files and those in flight in the wrong; it says so
// in the marker, so that the next Write puts them right.
func Write(ctx context.Context, store objstore.Store, v View, opt Options) (Stats, error) {
	fence := v.Manifest().Fence
	stats, err := write(ctx, store, v, opt)
	if err != nil {
		err = fmt.Errorf("write static tree of snapshot %d: %w", fence, err)
	}
	return stats, err
}

func write(ctx context.Context, store objstore.Store, v View, opt Options) (Stats, error) {
	fence := v.Manifest().Fence
	held, err := load(ctx, store)
	if err != nil {
		return Stats{}, err
	}
	if held.shows(fence, opt.Mode) {
		return Stats{}, nil
	}
	if newest := max(held.Fence, held.Writing); newest > fence {
		return Stats{}, fmt.Errorf("it is being written for snapshot %d already", newest)
	}
	if opt.Check == nil {
		opt.Check = func(context.Context) error { return nil }
	}
	if err := opt.Check(ctx); err != nil {
		return Stats{}, err
	}
	mine, err := held.next(marker{Fence: held.Fence, Mode: held.Mode, Writing: fence}).put(ctx, store)
	if err != nil {
		return Stats{}, err
	}
	stats, err := follow(ctx, store, v, opt, held)
	if err == nil {
		err = store.Sync(ctx)
	}
	if err == nil {
		err = opt.Check(ctx)
	}
	if err == nil {
		_, err = mine.next(marker{Fence: fence, Mode: opt.Mode}).put(ctx, store)
	}
	if err != nil && !mine.ended(ctx, store, fence, opt.Mode) {
		return stats, err
	}
	return stats, nil
}

// follow writes and deletes files until the tree shows v.
func follow(ctx context.Context, store objstore.Store, v View, opt Options, held marker) (Stats, error) {
	var first Stats
	if opt.Previous != nil && held.complete() && held.Mode == opt.Mode {
		previous, err := opt.Previous(ctx, held.Fence)
		if err == nil {
			first, err = run(ctx, store, v, previous, opt)
			if e := (*previousError)(nil); !errors.As(err, &e) {
				return first, err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return first, err
	}
	stats, err := run(ctx, store, v, nil, opt)
	stats.add(first)
	stats.Whole = true
	return stats, err
}
