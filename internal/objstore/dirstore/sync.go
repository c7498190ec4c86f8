package dirstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
)

// Sync implements objstore.Store.
func (s *Store) Sync(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sync %s: %w", s.dir, err)
	}
	s.syncing.Lock()
	defer s.syncing.Unlock()
	s.mu.Lock()
	todo, loose := s.relaxed, maps.Clone(s.loose)
	s.relaxed = pending{}
	s.mu.Unlock()
	if todo.empty() {
		return nil
	}
	root, err := s.root()
	if err == nil {
		err = todo.flush(s, root)
		root.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.relaxed.join(todo)
		return fmt.Errorf("sync %s: %w", s.dir, err)
	}
	for dir, made := range loose {
		s.lasting(dir, made)
	}
	return nil
}

// lasting takes a directory from the loose ones, unless it was made again meanwhile.
func (s *Store) lasting(dir string, made int64) {
	if s.loose[dir] == made {
		delete(s.loose, dir)
	}
}

// flushEntries makes lasting that key leads to its file: its own entry, and those of directories made for it or for
// relaxed Objects before.
func (s *Store) flushEntries(root *os.Root, key string) error {
	for entry := key; entry != "."; entry = path.Dir(entry) {
		s.mu.Lock()
		made, loose := s.loose[entry]
		s.mu.Unlock()
		if entry != key && !loose {
			continue
		}
		if err := s.flushPath(root, path.Dir(entry)); err != nil {
			return err
		}
		s.mu.Lock()
		s.lasting(entry, made)
		s.mu.Unlock()
	}
	return nil
}

// flushPath makes the entries of a directory lasting; one that is gone, with all that was in it, needs nothing.
func (s *Store) flushPath(root *os.Root, dir string) error {
	f, err := root.Open(dir)
	if err == nil {
		err = flushDir(f, s.flush)
		f.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("flush directory %s: %w", printable(dir), cause(err))
	}
	return nil
}
