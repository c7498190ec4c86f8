package dirstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync/atomic"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// Put implements objstore.Store. The bytes go into a file of their own, which then takes the place of the old one by a
// rename; only the rename is done under the lock. In a folder, no Object can lie below another: such a key is ErrKey.
func (s *Store) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	if err := s.refuse(ctx, key); err != nil {
		return "", fail("put", key, neither, err)
	}
	root, err := s.root()
	if err != nil {
		return "", fail("put", key, neither, err)
	}
	defer root.Close()
	temp, err := s.stage(root, body, !opt.Relaxed)
	if err != nil {
		return "", fail("put", key, neither, err)
	}
	etag, err := s.place(ctx, root, temp, key, opt)
	if err != nil {
		_ = root.Remove(temp)
		return "", fail("put", key, writing, err)
	}
	if opt.Relaxed {
		s.mu.Lock()
		s.relaxed.add(key)
		s.mu.Unlock()
		return etag, nil
	}
	if err := s.flushEntries(root, key); err != nil {
		// No sentinel must show here: some of them say that nothing was done.
		return "", fail("put", key, neither, fmt.Errorf("it is there, but may not be lasting: %v", err))
	}
	return etag, nil
}

// refuse is what every call that writes begins with.
func (s *Store) refuse(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.folds != nil {
		return check(key, portable)
	}
	return check(key, holds)
}

// stage writes body into a new file and returns its path.
func (s *Store) stage(root *os.Root, body []byte, lasting bool) (temp string, err error) {
	temp = tempDir + "/" + rand.Text()
	const flag = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	f, err := root.OpenFile(temp, flag, 0o666)
	if errors.Is(err, fs.ErrNotExist) { // somebody cleaned up
		if err := root.MkdirAll(tempDir, 0o777); err != nil {
			return "", fmt.Errorf("make %s: %w", tempDir, cause(err))
		}
		f, err = root.OpenFile(temp, flag, 0o666)
	}
	if err != nil {
		return "", fmt.Errorf("create a file in %s: %w", tempDir, cause(err))
	}
	_, err = f.Write(body)
	if err != nil {
		err = fmt.Errorf("write %d bytes: %w", len(body), cause(err))
	} else if lasting {
		if err = s.flush(f); err != nil {
			err = fmt.Errorf("flush: %w", cause(err))
		}
	}
	if closed := f.Close(); err == nil && closed != nil {
		err = fmt.Errorf("close: %w", cause(closed))
	}
	if err != nil {
		_ = root.Remove(temp)
		return "", err
	}
	return temp, nil
}

// place renames temp to key, if opt allows it.
func (s *Store) place(ctx context.Context, root *os.Root, temp, key string, opt objstore.PutOptions) (etag string, err error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	old, err := root.Stat(key)
	switch {
	case err == nil && old.IsDir():
		return "", fmt.Errorf("%w: there are Objects below it", objstore.ErrKey)
	case err == nil && !old.Mode().IsRegular(), errors.Is(err, fs.ErrNotExist), isOf(err, leadsNowhere):
		old = nil // a rename that cannot be says so itself
	case err != nil:
		return "", err
	}
	if s.folds != nil {
		if err := s.folds.check(root, key); err != nil {
			return "", err
		}
	}
	if opt.IfAbsent && old != nil || opt.IfMatch != "" && (old == nil || object(key, old).ETag != opt.IfMatch) {
		return "", objstore.ErrPrecondition
	}
	info, err := stamp(old, func(t time.Time) (fs.FileInfo, error) {
		if err := root.Chtimes(temp, time.Time{}, t); err != nil {
			return nil, err
		}
		return root.Lstat(temp)
	})
	if err != nil {
		return "", err
	}
	err = rename(root, temp, key)
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.makeParents(root, key); err == nil {
			err = rename(root, temp, key)
		}
	}
	return object(key, info).ETag, err
}

// makeParents makes the directories of key.
func (s *Store) makeParents(root *os.Root, key string) error {
	for i := range len(key) {
		if key[i] != '/' {
			continue
		}
		dir := key[:i]
		if err := root.Mkdir(dir, 0o777); err == nil {
			s.mu.Lock()
			s.loose[dir] = now()
			s.mu.Unlock()
		} else if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// tick is the step of time that NTFS keeps, the coarsest of the file systems that are worth it.
const tick = 100

var lastTime atomic.Int64

// now is the time in nanoseconds, later than any that this process was told before. (The clock of the kernel, which stamps
// files by itself, stands still for milliseconds.)
func now() int64 {
	for {
		last := lastTime.Load()
		if t := max(time.Now().UnixNano()/tick*tick, last+tick); lastTime.CompareAndSwap(last, t) {
			return t
		}
	}
}

// stamp gives a file a modification time that no file had before, after that of old. On file systems that keep coarser
// times it takes the next one that they tell apart. set sets a time and looks at what became of it.
func stamp(old fs.FileInfo, set func(time.Time) (fs.FileInfo, error)) (fs.FileInfo, error) {
	t := time.Unix(0, now())
	if old != nil && !t.After(old.ModTime()) { // the clock was set back, or another machine's is ahead
		t = old.ModTime().Add(tick)
	}
	for _, step := range []time.Duration{0, time.Microsecond, time.Millisecond, time.Second, 2 * time.Second} {
		info, err := set(t.Add(step))
		if err != nil {
			return nil, fmt.Errorf("set its time: %v", cause(err)) // says nothing about the Object
		}
		if old == nil || info.ModTime().After(old.ModTime()) {
			return info, nil
		}
	}
	return nil, errors.New("the file system does not keep the times of files")
}

// Delete implements objstore.Store. Directories that become empty go too. Like a relaxed Put it is lasting after Sync.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.refuse(ctx, key); err != nil {
		return fail("delete", key, neither, err)
	}
	err := s.remove(ctx, key)
	if errors.Is(err, fs.ErrNotExist) || isOf(err, leadsNowhere) {
		return nil
	}
	if err != nil {
		return fail("delete", key, reading, err)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, key string) error {
	root, err := s.root()
	if err != nil {
		return err
	}
	defer root.Close()
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	info, err := root.Lstat(key)
	if err != nil || info.IsDir() {
		return err
	}
	if s.folds != nil {
		if err := s.folds.check(root, key); err != nil {
			return err
		}
	}
	if err := root.Remove(key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	dir := path.Dir(key)
	for ; dir != "."; dir = path.Dir(dir) {
		if info, err := root.Lstat(dir); err != nil || !info.IsDir() || root.Remove(dir) != nil {
			break
		}
		delete(s.loose, dir)
	}
	s.relaxed.add(key)
	return nil
}
