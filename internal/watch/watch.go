// Package watch tells which keys of a folder change, from the events of its file system.
//
// What the events leave out is for the periodic Run to find: a file system that is mounted within the folder later, a file
// written through another hard link, and on Windows a change of permissions.
package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// A Change is what happened in a folder since the last one was told.
type Change struct {
	// Keys are those of files that were created, written, renamed or removed, and of symbolic links that lead to such:
	// paths below the folder, slash-separated, sorted, each once, none of them below one of Prefixes. That of a folder that
	// went may be among them, as a file may have been there before.
	Keys []string
	// Prefixes are of folders that appeared, moved, vanished or have other permissions, or in which more happened than Keys
	// may hold: "a/b/". They are sorted, and none begins with another.
	Prefixes []string
	// Lost: events were lost, or too much happened. Anything may have changed, and Keys and Prefixes are empty.
	Lost bool
}

// Options are how a folder is watched. The zero value is ready for use.
type Options struct {
	Quiet   time.Duration         // a Change is told once nothing happened for so long (0: 500 ms),
	Longest time.Duration         // but not later than so long after its first event (0: 2 s), unless found still runs
	Ignore  func(key string) bool // keys, and folders with a closing "/", that are of no concern; called by one goroutine
	Ready   func()                // called once everything is watched: what happens from now on is told. It should return soon
	Log     *slog.Logger          // nil: no log
}

// ErrUnsupported: the file system tells nothing of what others change in it, as those on a network, or the system has not
// enough watches left. The error around it says which. Looking at the folder from time to time still works.
var ErrUnsupported = errors.New("no file system events")

// Folder watches a folder until ctx is done, which is no error, and calls found with what changed, never twice at once.
// Meanwhile events are collected. If found fails, its Change is told again, together with what came after it, after a pause.
// Folder returns only after found has. An error means that the folder is no longer watched: changes not told yet are not
// told any more. It wraps ErrUnsupported, or says that the folder is gone.
func Folder(ctx context.Context, root string, opt Options, found func(ctx context.Context, c Change) error) error {
	opt.Quiet = cmp.Or(opt.Quiet, 500*time.Millisecond)
	opt.Longest = cmp.Or(opt.Longest, 2*time.Second)
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	t, err := newTree(root, opt)
	if err == nil {
		defer t.close()
		err = t.watch(ctx, found)
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("watch %s: %w", root, err)
	}
	return nil
}

// maxPause is the longest before found is called again after it failed.
const maxPause = time.Minute

func (t *tree) watch(ctx context.Context, found func(context.Context, Change) error) error {
	if err := t.establish(ctx); err != nil {
		return err
	}
	t.opt.Log.InfoContext(ctx, "watching", "folder", t.root, "folders", len(t.folders))
	if t.opt.Ready != nil {
		t.opt.Ready()
	}
	beats, due, told := time.NewTicker(t.beat), time.NewTimer(0), make(chan error)
	defer beats.Stop()
	defer due.Stop()
	var (
		telling  bool
		change   Change
		pause    time.Duration
		earliest time.Time
	)
	defer func() {
		if telling {
			<-told
		}
	}()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-t.in.wake:
			err = t.collect(ctx)
		case <-beats.C:
			err = t.patrol(ctx)
		case <-due.C:
		case failed := <-told:
			telling = false
			if failed == nil {
				pause = 0
				break
			}
			pause = min(max(2*pause, t.opt.Longest), maxPause)
			earliest = time.Now().Add(pause)
			t.opt.Log.WarnContext(ctx, "changes not taken, told again later", "folder", t.root, "pause", pause, "error", failed)
			t.out.merge(change)
		}
		switch {
		case err != nil:
			return err
		case telling || t.out.first.IsZero():
			continue
		}
		at := t.out.last.Add(t.opt.Quiet)
		if latest := t.out.first.Add(t.opt.Longest); at.After(latest) {
			at = latest
		}
		if wait := max(time.Until(at), time.Until(earliest)); wait > 0 {
			due.Reset(wait)
			continue
		}
		if t.stale {
			if err := t.establish(ctx); err != nil {
				return err
			}
		}
		t.follow()
		change, telling = t.out.take(), true
		go func() { told <- found(ctx, change) }()
	}
}
