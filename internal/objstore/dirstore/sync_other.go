//go:build !linux

package dirstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
)

// pending holds the keys of what was put and deleted.
type pending struct{ keys map[string]bool }

func (p *pending) empty() bool { return len(p.keys) == 0 }

func (p *pending) add(key string) {
	if p.keys == nil {
		p.keys = map[string]bool{}
	}
	p.keys[key] = true
}

func (p *pending) join(other pending) {
	for key := range other.keys {
		p.add(key)
	}
}

// flush hands every file and directory to the drive, and makes the drive keep them at the end.
func (p *pending) flush(s *Store, root *os.Root) error {
	dirs := map[string]bool{}
	for key := range p.keys {
		for dir := path.Dir(key); dir != "."; dir = path.Dir(dir) {
			dirs[dir] = true
		}
		f, err := root.OpenFile(key, os.O_RDWR, 0) // Windows flushes only what may be written
		if err == nil {
			err = toDrive(f)
			f.Close()
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !isOf(err, leadsNowhere) {
			return fmt.Errorf("flush %s: %w", printable(key), cause(err))
		}
	}
	for dir := range dirs {
		f, err := root.Open(dir)
		if err == nil {
			err = flushDir(f, toDrive)
			f.Close()
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !isOf(err, leadsNowhere) {
			return fmt.Errorf("flush directory %s: %w", printable(dir), cause(err))
		}
	}
	return s.flushPath(root, ".")
}
