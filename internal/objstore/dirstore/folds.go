package dirstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
	"strings"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// folds tells whether the folder's file system takes some names for one that are not: a.tif for A.tif, or two spellings
// of é. On one that does, two keys could fall on one file.
func folds(root *os.Root) bool {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		return true
	}
	_, err := root.Lstat(strings.ToUpper(reserved))
	return err == nil
}

// maxSpelled bounds how many names spellings keeps.
const maxSpelled = 100_000

// spellings tells whether a key is spelled as the file system has it. It keeps names that it has read, since a directory
// must be read to see how one is spelled. It is used under the Store's lock.
type spellings struct {
	readdir func(root *os.Root, dir string) ([]string, error)
	names   map[string]map[string]bool // by directory: the names as they are spelled there
	count   int
}

func newSpellings() *spellings {
	return &spellings{readdir: readNames, names: map[string]map[string]bool{}}
}

// check returns an ErrKey if what is there under key, or under one of its directories, is spelled otherwise.
func (s *spellings) check(root *os.Root, key string) error {
	for end := range len(key) + 1 {
		if end < len(key) && key[end] != '/' {
			continue
		}
		dir, base := path.Split(key[:end])
		if s.names[dir][base] {
			continue
		}
		if _, err := root.Lstat(key[:end]); errors.Is(err, fs.ErrNotExist) {
			return nil // and nothing below it
		} else if err != nil {
			return err
		}
		if err := s.read(root, dir); err != nil {
			return err
		}
		if !s.names[dir][base] {
			return fmt.Errorf("%w: %s is there in another spelling, which this file system takes for the same",
				objstore.ErrKey, printable(key[:end]))
		}
	}
	return nil
}

func (s *spellings) read(root *os.Root, dir string) error {
	names, err := s.readdir(root, dirOf(dir))
	if err != nil {
		return err
	}
	if s.count += len(names); s.count > maxSpelled {
		clear(s.names)
		s.count = len(names)
	}
	s.names[dir] = make(map[string]bool, len(names))
	for _, n := range names {
		s.names[dir][n] = true
	}
	return nil
}

func readNames(root *os.Root, dir string) ([]string, error) {
	f, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}
