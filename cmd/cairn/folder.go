package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// sourceFolder resolves a SOURCE argument to a folder that can be listed.
func sourceFolder(arg string) (string, error) {
	path, err := resolve(arg)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("source folder %s: there is no such folder", arg)
	}
	if err != nil {
		return "", fmt.Errorf("source folder %s: %w", arg, plain(err))
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("source folder %s: %w", arg, plain(err))
	}
	if !info.IsDir() {
		return "", fmt.Errorf("source %s is a file; give the folder that it lies in (cairn inspect takes single files)", arg)
	}
	dir, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("source folder %s: %w", arg, plain(err))
	}
	defer dir.Close()
	if _, err := dir.Readdirnames(1); err != nil && err != io.EOF {
		return "", fmt.Errorf("source folder %s: %w", arg, plain(err))
	}
	return path, nil
}

// catalogFolder resolves a --catalog argument. The folder need not be there.
func catalogFolder(arg string) (string, error) {
	path, err := resolveExisting(arg)
	if err != nil {
		return "", fmt.Errorf("catalog folder %s: %w", arg, plain(err))
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return "", fmt.Errorf("catalog %s is a file; give a folder with --catalog", arg)
	}
	return path, nil
}

// resolve makes a path absolute and follows its symbolic links.
func resolve(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// resolveExisting is resolve for a path whose last elements need not be there.
func resolveExisting(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for rest, at := "", abs; ; rest, at = filepath.Join(filepath.Base(at), rest), filepath.Dir(at) {
		real, err := filepath.EvalSymlinks(at)
		if err == nil {
			return filepath.Join(real, rest), nil
		}
		if _, lerr := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) || lerr == nil || filepath.Dir(at) == at {
			return "", err // a dangling link must not be taken for a folder that can be made
		}
	}
}

// below tells whether inner lies in outer or is it, and how it is reached from there. Both are resolved. Folders are compared
// as the system does, which may not care for the case of names.
func below(inner, outer string) (rel string, ok bool) {
	want, err := os.Stat(outer)
	if err != nil {
		return "", false // what is not there holds nothing
	}
	for at := inner; ; at = filepath.Dir(at) {
		if got, err := os.Stat(at); err == nil && os.SameFile(got, want) {
			rel, err := filepath.Rel(at, inner)
			return rel, err == nil
		}
		if filepath.Dir(at) == at {
			return "", false
		}
	}
}

// plain takes the operation and path off a file error whose path the message names already.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// fileURL is the file URL of an absolute path, without a closing slash (RFC 8089).
func fileURL(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	return strings.TrimSuffix((&url.URL{Scheme: "file", Path: path}).String(), "/")
}
