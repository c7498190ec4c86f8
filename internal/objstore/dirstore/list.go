package dirstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cairn-stac/cairn/internal/objstore"
)

const (
	// batch is how many entries of a directory are read at once, and between looks at the context.
	batch = 1024
	// ahead is how many files are looked at before the first of them is yielded; a caller that stops pays for no more.
	ahead = 256
)

// List implements objstore.Reader. It goes from directory to directory as the caller asks for more and leaves out those
// that hold no key of rng. A directory that cannot be read is an error, since its missing Objects would look like deleted
// ones. A file that vanishes meanwhile, and a link that leads nowhere, is left out.
func (r *Reader) List(ctx context.Context, rng objstore.Range) iter.Seq2[objstore.Object, error] {
	return func(yield func(objstore.Object, error) bool) {
		root, err := r.root()
		if err == nil {
			defer root.Close()
			err = (&lister{ctx, r.dir, root, yield}).walk("", rng)
		}
		if err != nil && err != errStopped {
			yield(objstore.Object{}, fmt.Errorf("list %s: %w", r.dir, err))
		}
	}
}

// errStopped: the caller wants no more.
var errStopped = errors.New("stopped")

type lister struct {
	ctx   context.Context
	dir   string
	root  *os.Root
	yield func(objstore.Object, error) bool
}

// walk yields what lies below the directory whose keys begin with prefix and, without it, lies in rng.
func (l *lister) walk(prefix string, rng objstore.Range) error {
	entries, err := l.entries(prefix, rng)
	if err != nil {
		return err
	}
	for len(entries) > 0 {
		if sub, ok := strings.CutSuffix(entries[0], "/"); ok {
			if len(prefix)+len(sub) < maxKey {
				if err := l.walk(prefix+entries[0], within(entries[0], rng)); err != nil {
					return err
				}
			}
			entries = entries[1:]
			continue
		}
		n := slices.IndexFunc(entries[:min(len(entries), ahead)], func(e string) bool { return strings.HasSuffix(e, "/") })
		if n < 0 {
			n = min(len(entries), ahead)
		}
		objects, err := l.files(prefix, entries[:n])
		if err != nil {
			return err
		}
		for _, o := range objects {
			if err := l.ctx.Err(); err != nil {
				return err
			}
			if !l.yield(o, nil) {
				return errStopped
			}
		}
		entries = entries[n:]
	}
	return nil
}

// entries reads the names in a directory that lie in rng, in byte order. Those of directories end in "/", which puts them
// where their keys belong.
func (l *lister) entries(prefix string, rng objstore.Range) ([]string, error) {
	if err := l.ctx.Err(); err != nil {
		return nil, err
	}
	f, err := openDir(l.root, dirOf(prefix))
	if err != nil {
		return nil, l.missing(prefix, err)
	}
	defer f.Close()
	var names []string
	for {
		found, err := f.ReadDir(batch)
		for _, e := range found {
			name := e.Name()
			switch e.Type() {
			case fs.ModeDir:
				if name += "/"; overlaps(name, rng) && (prefix != "" || !strings.EqualFold(name, reserved+"/")) {
					names = append(names, name)
				}
			case 0, fs.ModeSymlink:
				if rng.Contains(name) {
					names = append(names, name)
				}
			}
		}
		if err == nil {
			err = l.ctx.Err()
		}
		switch {
		case err == io.EOF:
			slices.Sort(names)
			return names, nil
		case err != nil:
			return nil, l.missing(prefix, err)
		}
	}
}

// missing returns nil where a directory has vanished or was replaced by a file, and an error that names it otherwise.
func (l *lister) missing(prefix string, err error) error {
	err = cause(err)
	if prefix != "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, errEscape) || isOf(err, leadsNowhere)) {
		return nil
	}
	if prefix == "" || l.ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("directory %s: %w", printable(prefix), err)
}

// files looks at files of one directory.
func (l *lister) files(prefix string, names []string) ([]objstore.Object, error) {
	dir, err := l.root.OpenRoot(dirOf(prefix))
	if err != nil {
		return nil, l.missing(prefix, err)
	}
	defer dir.Close()
	objects := make([]objstore.Object, 0, len(names))
	for _, n := range names {
		info, err := dir.Lstat(n)
		if err == nil && info.Mode().Type() == fs.ModeSymlink {
			info, err = l.follow(prefix+n, info)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("file %s: %w", printable(prefix+n), cause(err))
		case info.Mode().IsRegular():
			objects = append(objects, object(prefix+n, info))
		}
	}
	return objects, nil
}

// follow looks at what a symbolic link leads to. Where that may not be read, the link stands for it: it is an Object that
// Get refuses, rather than one that is silently left out. A link out of the folder to a directory is none, as within.
func (l *lister) follow(key string, link fs.FileInfo) (fs.FileInfo, error) {
	info, err := l.root.Stat(key)
	switch err = cause(err); {
	case isOf(err, leadsNowhere):
		return nil, fs.ErrNotExist
	case errors.Is(err, errEscape):
		if out, err := os.Stat(filepath.Join(l.dir, filepath.FromSlash(key))); err == nil && out.IsDir() {
			return nil, fs.ErrNotExist
		}
		return refusal{link}, nil
	case errors.Is(err, fs.ErrPermission):
		return refusal{link}, nil
	}
	return info, err
}

// A refusal is a link seen as the file that it may not lead to.
type refusal struct{ fs.FileInfo }

func (refusal) Mode() fs.FileMode { return 0 }

// overlaps tells whether any key that begins with dir, which ends in "/", can lie in r.
func overlaps(dir string, r objstore.Range) bool {
	return (r.End == "" || dir < r.End) && (dir >= r.Start || strings.HasPrefix(r.Start, dir))
}

// within is r as it is for keys without dir, where overlaps(dir, r).
func within(dir string, r objstore.Range) objstore.Range {
	var in objstore.Range
	if rest, ok := strings.CutPrefix(r.Start, dir); ok {
		in.Start = rest
	}
	if rest, ok := strings.CutPrefix(r.End, dir); ok {
		in.End = rest
	}
	return in
}

func dirOf(prefix string) string {
	if prefix == "" {
		return "."
	}
	return strings.TrimSuffix(prefix, "/")
}
