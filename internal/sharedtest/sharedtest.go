// Package sharedtest finds what tests may measure against where it lies beside the repository: real files and schemas that are
// not part of it, and without which it builds and tests.
package sharedtest

import (
	"os"
	"path/filepath"
	"testing"
)

// Open opens a file, which the caller closes, and tells its size.
func Open(t testing.TB, path string) (f *os.File, size int64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return f, info.Size()
}

// Dir is the folder ../shared/name beside the repository in which the test runs. ok is false where it is not there.
func Dir(name string) (dir string, ok bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", false
		}
		dir = up
	}
	dir = filepath.Join(filepath.Dir(dir), "shared", filepath.FromSlash(name))
	_, err = os.Stat(dir)
	return dir, err == nil
}
