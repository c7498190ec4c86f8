// Package dirstore keeps Objects as the files of a folder: a key is a file's path below it.
//
// The ETag is made of a file's modification time and size and not of its inode, so a folder that was copied with its times
// is still the same. Directories are no Objects; empty ones are not seen. Symbolic links to files within the folder are
// followed, those to directories are not descended into, and nothing is read or written outside of the folder: an Object
// behind a link that leads out is listed, and refused with fs.ErrPermission when it is read.
//
// A Store keeps a lock and files being written in a folder named ".cairn-store", whose keys are refused and never listed.
package dirstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// Names of what a Store keeps for itself.
const (
	reserved = ".cairn-store"
	lockName = reserved + "/lock"
	tempDir  = reserved + "/tmp"
)

// A Reader reads the files of a folder as Objects. It never writes, so the folder may be read-only. It holds nothing open
// between calls.
type Reader struct{ dir string }

var _ objstore.Reader = (*Reader)(nil)

// OpenReader returns a Reader of dir, which must be a folder.
func OpenReader(dir string) (*Reader, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", dir, err)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", dir, cause(err))
	}
	return &Reader{abs}, root.Close()
}

// Dir is the absolute path of the folder.
func (r *Reader) Dir() string { return r.dir }

// root opens the folder. It is opened anew for each call, so that a folder which was unmounted or replaced meanwhile is
// noticed. That it is gone says nothing about one Object, so the error is not fs.ErrNotExist.
func (r *Reader) root() (*os.Root, error) {
	root, err := os.OpenRoot(r.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open folder %s: %w (%v)", r.dir, objstore.ErrNoStore, cause(err))
	}
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %v", r.dir, cause(err))
	}
	return root, nil
}

// object describes a file.
func object(key string, info fs.FileInfo) objstore.Object {
	etag := make([]byte, 0, 32)
	etag = strconv.AppendInt(etag, info.ModTime().UnixNano(), 16)
	etag = append(etag, '-')
	etag = strconv.AppendInt(etag, info.Size(), 16)
	return objstore.Object{Key: key, Size: info.Size(), ETag: string(etag), Modified: info.ModTime().UTC()}
}

// A Store is a Reader that also writes. Several processes may have one on the same folder.
type Store struct {
	Reader

	turn  chan struct{} // holds a token while a goroutine of this process has the lock
	file  *flock.Flock  // the lock among processes
	folds *spellings    // nil where the file system tells names apart by their bytes

	// flush makes a file or a directory lasting; tests count and fail it.
	flush func(f *os.File) error

	syncing sync.Mutex // held by Sync, so that one does not return before what another has taken on is done
	mu      sync.Mutex
	relaxed pending          // what Sync is to make lasting
	loose   map[string]int64 // directories whose own entry may not be lasting yet, and when they were made
}

var _ objstore.Store = (*Store)(nil)

// stale is the age at which a file left in tempDir is taken for that of a dead process.
const stale = 24 * time.Hour

// Open returns a Store on dir, which is created if it is not there, with its parents.
func Open(dir string) (*Store, error) {
	abs, err := filepath.Abs(dir)
	if err == nil {
		err = makeLasting(abs)
	}
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", dir, err)
	}
	s := &Store{
		Reader: Reader{abs},
		turn:   make(chan struct{}, 1),
		file:   flock.New(filepath.Join(abs, filepath.FromSlash(lockName)), flock.SetPermissions(0o666)),
		flush:  (*os.File).Sync,
		loose:  map[string]int64{},
	}
	root, err := s.root()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := root.MkdirAll(tempDir, 0o777); err != nil {
		return nil, fmt.Errorf("open folder %s: make %s: %w", dir, tempDir, cause(err))
	}
	if err := sweep(root); err != nil {
		return nil, fmt.Errorf("open folder %s: clean %s: %w", dir, tempDir, cause(err))
	}
	if folds(root) {
		s.folds = newSpellings()
	}
	return s, nil
}

// makeLasting makes a directory and its parents, and their entries lasting.
func makeLasting(dir string) error {
	var made []string
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil || d == filepath.Dir(d) {
			break
		}
		made = append(made, d)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, d := range made {
		f, err := os.Open(filepath.Dir(d))
		if err == nil {
			err = flushDir(f, (*os.File).Sync)
			f.Close()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sweep removes what dead processes were writing.
func sweep(root *os.Root) error {
	names, err := readNames(root, tempDir)
	if err != nil {
		return err
	}
	for _, name := range names {
		path := tempDir + "/" + name
		if info, err := root.Lstat(path); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > stale {
			_ = root.Remove(path) // another process may have been quicker
		}
	}
	return nil
}
