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

const defaultCatalog = "cairn-catalog"

// folders are where a Catalog and its Source lie.
type folders struct {
	source  string // absolute, without symbolic links; a folder that can be listed
	catalog string // the same, but perhaps not there yet
	// own is the key prefix of the Catalog within its Source, with a closing slash; "" where it lies outside.
	own string
}

// findFolders checks the two folders and how they lie to each other. It makes none.
func findFolders(source, catalog string) (folders, error) {
	src, err := sourceFolder(source)
	if err != nil {
		return folders{}, err
	}
	cat, err := catalogFolder(catalog)
	if err != nil {
		return folders{}, err
	}
	if rel, ok := below(src, cat); ok {
		if rel == "." {
			return folders{}, usagef("the catalog cannot be the source folder itself, %s; give another folder with --catalog", src)
		}
		return folders{}, usagef("the source %s lies in the catalog %s; give a catalog folder elsewhere with --catalog", src, cat)
	}
	f := folders{source: src, catalog: cat}
	if rel, ok := below(cat, src); ok {
		f.own = filepath.ToSlash(rel) + "/"
	}
	return f, nil
}

// sourceFolder resolves a SOURCE argument to a folder that can be listed.
func sourceFolder(arg string) (string, error) {
	if err := noURL("source", arg); err != nil {
		return "", err
	}
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
	if err := noURL("catalog", arg); err != nil {
		return "", err
	}
	path, err := resolveExisting(arg)
	if err != nil {
		return "", fmt.Errorf("catalog folder %s: %w", arg, plain(err))
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return "", fmt.Errorf("catalog %s is a file; give a folder with --catalog", arg)
	}
	return path, nil
}

// noURL refuses URLs.
func noURL(what, arg string) error {
	if arg == "" {
		return usagef("the %s is empty; give a folder", what)
	}
	if scheme, _, ok := strings.Cut(arg, "://"); ok {
		return usagef("the %s %s is a URL; this version of cairn works on folders and does not read %s:// yet", what, arg, scheme)
	}
	return nil
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
