package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	buffer = 8 << 10 // bytes of events that Windows keeps for each folder; elsewhere the system decides
	batch  = 1024    // entries of a folder that are read at once
	// maxKey is dirstore's: nothing below a longer path is listed.
	maxKey = 4096
)

// A tree is the watched folder with all the folders in it. Its methods note in out what changed. They go by what is
// there when they look, and by events only for where to look: when one is read, the next may have made it untrue already.
type tree struct {
	root string      // as given, absolute
	real string      // without symbolic links
	info fs.FileInfo // of root
	opt  Options
	beat time.Duration // between looks at what may go away without an event
	in   *inbox
	out  pending

	folders map[string]*folder   // by key: "" or "a/b/"
	ids     map[identity]*folder // to see that one was moved before its event came
	mounts  map[*folder]bool     // those on another file system than the one above
	links   map[string]sight     // by key: symbolic links, whose file may change elsewhere in the tree
	weight  int                  // the folders watched, and the files where the system counts these
	most    int                  // that weight may become; 0: the system says
	stale   bool                 // events were lost, so that folders may have no watch or a wrong path
}

type folder struct {
	key     string
	id      identity
	watched bool // false where that is not permitted
	sub     map[*folder]bool
}

// An identity is what a folder keeps when it is moved: device and inode. It is zero where the system has none.
type identity struct{ device, inode uint64 }

// A sight is what a listing says of a file; zero if it cannot be seen.
type sight struct {
	mode           fs.FileMode
	size, modified int64
}

func newTree(root string, opt Options) (*tree, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(abs)
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, errors.New("it is no folder")
	}
	os.SameFile(info, info) // on Windows an identity is read when it is first compared, and must be read now
	return &tree{root: abs, info: info, opt: opt, beat: 2 * time.Second, most: capacity()}, nil
}

// establish watches all folders anew.
func (t *tree) establish(ctx context.Context) error {
	t.close()
	if err := t.check(); err != nil {
		return err
	}
	var err error
	if t.real, err = filepath.EvalSymlinks(t.root); err != nil {
		return err
	}
	if t.in, err = openInbox(t.opt.Log); err != nil {
		return exhausted(err)
	}
	t.folders, t.ids = map[string]*folder{}, map[identity]*folder{}
	t.mounts, t.links = map[*folder]bool{}, map[string]sight{}
	t.weight, t.stale = 0, false
	if err := t.grow(ctx, nil, ""); err != nil {
		return err
	}
	if t.stale {
		return fmt.Errorf("%w: more than %d files or folders to watch", ErrUnsupported, t.most)
	}
	return nil
}

func (t *tree) close() {
	if t.in != nil {
		t.in.close()
		t.in = nil
	}
}

// check returns an error if the root is no longer there. Its path may lead elsewhere without an event: when a folder above
// is renamed, or a file system unmounted.
func (t *tree) check() error {
	info, err := os.Stat(t.root)
	switch {
	case err != nil:
		return fmt.Errorf("the folder is gone: %w", err)
	case !os.SameFile(info, t.info):
		return errors.New("the folder is gone: another is in its place; was it unmounted?")
	}
	return nil
}

// patrol looks at what may go away without an event.
func (t *tree) patrol(ctx context.Context) error {
	if err := t.check(); err != nil {
		return err
	}
	for f := range t.mounts {
		if info, err := os.Lstat(t.path(f.key)); err != nil || identify(info) != f.id {
			if err := t.look(ctx, strings.TrimSuffix(f.key, "/"), fsnotify.Rename); err != nil {
				return err
			}
		}
	}
	return nil
}

// collect notes what the events in the inbox hint at.
func (t *tree) collect(ctx context.Context) error {
	events, lost := t.in.take()
	if lost {
		t.lose()
	}
	for path, op := range events {
		if key, ok := t.key(path); ok {
			if err := t.look(ctx, key, op); err != nil {
				return err
			}
		}
	}
	return nil
}

// look sees what there is of a file or a folder that something happened to.
func (t *tree) look(ctx context.Context, key string, op fsnotify.Op) error {
	if key == "" {
		return t.lookAtRoot(ctx, op)
	}
	if t.stale {
		t.out.happened()
		return nil
	}
	f := t.folders[key+"/"]
	if op&(fsnotify.Create|fsnotify.Remove|fsnotify.Rename) == 0 {
		switch {
		case f == nil && !t.ignored(key) && !t.ignored(key+"/"):
			t.out.key(key)
		case f != nil && op.Has(fsnotify.Chmod):
			t.out.prefix(f.key)
			return t.mend(ctx, f)
		}
		return nil
	}
	info, err := os.Lstat(t.path(key))
	dir, went := err == nil && info.IsDir(), op.Has(fsnotify.Remove) || op.Has(fsnotify.Rename)
	if (dir || err != nil) && t.ignored(key+"/") || err != nil && t.ignored(key) {
		return nil
	}
	if (!dir || went) && !t.ignored(key) {
		t.out.key(key) // also where a folder went: before it, there may have been a file
	}
	if f != nil {
		t.out.prefix(f.key)
		if dir && !went && f.watched && f.id == identify(info) {
			return nil // seen, and watched, before its event came
		}
		t.drop(f)
		if losesMoves {
			t.lose()
			return nil
		}
	}
	switch {
	case dir:
		t.out.prefix(key + "/")
		if up := t.folders[parent(key)]; up != nil {
			return t.grow(ctx, up, key+"/")
		}
	case err != nil && op.Has(fsnotify.Create):
		t.out.prefix(key + "/") // it came and went: if it was a folder, somebody may have listed files in it
	case err == nil:
		if t.weigh(weighsFiles); info.Mode().Type() == fs.ModeSymlink && !t.ignored(key) {
			t.links[key], _ = t.see(key)
		}
	}
	return nil
}

func (t *tree) lookAtRoot(ctx context.Context, op fsnotify.Op) error {
	switch {
	case op.Has(fsnotify.Remove) || op.Has(fsnotify.Rename):
		if err := t.check(); err != nil {
			return err
		}
		t.lose() // it went and came back
	case op.Has(fsnotify.Chmod) && !t.stale:
		t.out.lose()
		return t.mend(ctx, t.folders[""])
	}
	return nil
}

// lose gives up what events said until now. Folders may be without a watch, or have one with a wrong path.
func (t *tree) lose() {
	t.out.lose()
	t.stale = true
}

// grow watches the folder at key and all those in it. What is in them by then gets no event any more; it is the caller who
// notes the prefix.
func (t *tree) grow(ctx context.Context, up *folder, key string) error {
	if err := ctx.Err(); err != nil || t.stale || len(key) > maxKey {
		return err
	}
	path := t.path(key)
	info, err := os.Lstat(path)
	f := &folder{key: key, sub: map[*folder]bool{}}
	switch {
	case err != nil:
	case !info.IsDir():
		return nil
	default:
		f.id = identify(info)
		if old := t.ids[f.id]; old != nil && f.id != (identity{}) {
			if old.key != key && (strings.HasPrefix(key, old.key) || t.inPlace(old)) {
				return nil // mounted twice, or a folder above has just become a link to another, and an event says so
			}
			// It was moved, and its event comes yet. With its old watch, it would tell its old path.
			t.out.prefix(old.key)
			t.drop(old)
		}
		if up == nil || up.id.device != f.id.device {
			if name := remote(path); name != "" {
				return fmt.Errorf("%w: %s is on %s, where others change files unseen", ErrUnsupported, path, name)
			}
			if up != nil {
				t.mounts[f] = true
			}
		}
	}
	if t.folders[key], t.ids[f.id] = f, f; up != nil {
		up.sub[f] = true
	}
	t.weigh(true)
	var subs []string
	if err == nil {
		subs, err = t.enter(f, path)
	}
	switch {
	case err == nil:
	case up == nil || errors.Is(err, ErrUnsupported):
		return err
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		t.drop(f) // gone again; an event says so
		return nil
	default:
		t.opt.Log.WarnContext(ctx, "folder not watched", "folder", path, "error", err)
		f.watched = false
		return nil
	}
	for _, sub := range subs {
		if err := t.grow(ctx, f, sub); err != nil {
			return err
		}
	}
	return nil
}

// enter watches one folder, then reads which folders are in it, so that none is missed.
func (t *tree) enter(f *folder, path string) (subs []string, err error) {
	if err := t.in.fsw.AddWith(path, fsnotify.WithBufferSize(buffer)); err != nil {
		return nil, exhausted(err)
	}
	f.watched = true
	dir, err := os.Open(path)
	if err != nil {
		return nil, exhausted(err)
	}
	defer dir.Close()
	for {
		entries, err := dir.ReadDir(batch)
		for _, e := range entries {
			key := f.key + e.Name()
			switch {
			case e.IsDir():
				if !t.ignored(key + "/") {
					subs = append(subs, key+"/")
				}
				continue
			case e.Type() == fs.ModeSymlink && !t.ignored(key):
				t.links[key], _ = t.see(key)
			}
			t.weigh(weighsFiles)
		}
		switch {
		case err == io.EOF:
			return subs, nil
		case err != nil:
			return nil, err
		}
	}
}

// mend watches the folders below f that could not be watched.
func (t *tree) mend(ctx context.Context, f *folder) error {
	if f.watched {
		for _, sub := range slices.Collect(maps.Keys(f.sub)) {
			if err := t.mend(ctx, sub); err != nil {
				return err
			}
		}
		return nil
	}
	up := t.folders[parent(f.key)]
	if t.drop(f); up == nil {
		return nil
	}
	return t.grow(ctx, up, f.key)
}

// inPlace tells whether a folder is where it is thought to be, and no link leads there.
func (t *tree) inPlace(f *folder) bool {
	for ; f != nil; f = t.folders[parent(f.key)] {
		info, err := os.Lstat(t.path(f.key))
		if err != nil || !info.IsDir() || identify(info) != f.id {
			return false
		}
		if f.key == "" {
			return true
		}
	}
	return false
}

// drop forgets a folder and those below it.
func (t *tree) drop(f *folder) {
	for sub := range f.sub {
		t.drop(sub)
	}
	_ = t.in.fsw.Remove(t.path(f.key)) // there may be none, or the system ended it itself
	delete(t.folders, f.key)
	delete(t.mounts, f)
	if t.ids[f.id] == f {
		delete(t.ids, f.id)
	}
	if up := t.folders[parent(f.key)]; up != nil {
		delete(up.sub, f)
	}
}

// weigh counts a folder or a file as watched. Those that go are not counted off: what was counted is only a reason to count
// anew, which establish does.
func (t *tree) weigh(counts bool) {
	if !counts || t.most == 0 {
		return
	}
	if t.weight++; t.weight > t.most {
		t.lose()
	}
}

// follow notes the links whose file is not what it was. The files that they lead to may be anywhere in the tree, also through
// other links, so each is looked at.
func (t *tree) follow() {
	for key, was := range t.links {
		now, ok := t.see(key)
		if !ok {
			delete(t.links, key)
		} else {
			t.links[key] = now
		}
		if now != was {
			t.out.key(key)
		}
	}
}

// see looks at the file that a link leads to. ok is false if the link is gone.
func (t *tree) see(key string) (s sight, ok bool) {
	info, err := os.Stat(t.path(key))
	switch {
	case err != nil:
		_, err := os.Lstat(t.path(key))
		return sight{}, err == nil
	case info.IsDir():
		return sight{mode: fs.ModeDir}, true
	}
	return sight{info.Mode(), info.Size(), info.ModTime().UnixNano()}, true
}

func (t *tree) ignored(key string) bool { return t.opt.Ignore != nil && t.opt.Ignore(key) }

func (t *tree) path(key string) string { return filepath.Join(t.real, filepath.FromSlash(key)) }

// key is that of a path in an event, "" that of the root.
func (t *tree) key(path string) (key string, ok bool) {
	rest, ok := strings.CutPrefix(path, t.real)
	return strings.TrimLeft(filepath.ToSlash(rest), "/"), ok
}

// exhausted turns the error of a system that has no watches left into an ErrUnsupported that says what to do.
func exhausted(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: no watches left; raise the sysctl fs.inotify.max_user_watches", ErrUnsupported)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return fmt.Errorf("%w: %v; raise ulimit -n, or on Linux the sysctl fs.inotify.max_user_instances", ErrUnsupported, err)
	}
	return err
}
