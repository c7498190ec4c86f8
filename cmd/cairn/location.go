package main

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/cairn-stac/cairn/internal/objstore/s3store"
)

const defaultCatalog = "cairn-catalog"

// A location is where a Source or a Catalog lies: a folder, or what is below a prefix of a bucket.
type location struct {
	folder string           // absolute, without symbolic links; "" for a bucket
	bucket s3store.Location // of a bucket
}

func (l location) isBucket() bool { return l.folder == "" }

// String is how people write the location: also as an argument of a command.
func (l location) String() string {
	if l.isBucket() {
		return l.bucket.URL()
	}
	return l.folder
}

// url names the location in Items and manifests, without a closing slash.
func (l location) url() string {
	if l.isBucket() {
		return l.bucket.URL()
	}
	return fileURL(l.folder)
}

// name is the last element: of the folder, the prefix or the bucket.
func (l location) name() string {
	switch {
	case !l.isBucket():
		return filepath.Base(l.folder)
	case l.bucket.Prefix == "":
		return l.bucket.Bucket
	}
	return path.Base(l.bucket.Prefix)
}

// file is how people write a key of the location, in the way of String.
func (l location) file(key string) string {
	if l.isBucket() {
		return s3store.Location{Bucket: l.bucket.Bucket, Prefix: l.bucket.Prefix + key}.URL()
	}
	return filepath.Join(l.folder, filepath.FromSlash(key))
}

// within tells whether l lies in outer or is it, and the key prefix by which it is reached from there: "" or "a/b/".
func (l location) within(outer location) (prefix string, ok bool) {
	if l.bucket.Bucket != outer.bucket.Bucket || !strings.HasPrefix(l.bucket.Prefix, outer.bucket.Prefix) {
		return "", false
	}
	if l.isBucket() {
		return strings.TrimPrefix(l.bucket.Prefix, outer.bucket.Prefix), true
	}
	rel, ok := below(l.folder, outer.folder)
	if !ok || rel == "." {
		return "", ok
	}
	return filepath.ToSlash(rel) + "/", true
}

// places are where a Catalog and its Source lie.
type places struct {
	source, catalog location
	// own is the key prefix of the Catalog within its Source, with a closing slash; "" where it lies outside.
	own string
}

// findPlaces checks what the user gave and how the two lie to each other. It makes nothing and asks no bucket.
func findPlaces(source, catalog string) (places, error) {
	src, err := sourceLocation(source)
	if err != nil {
		return places{}, err
	}
	cat, err := catalogLocation(catalog)
	if err != nil {
		return places{}, err
	}
	if prefix, ok := src.within(cat); ok {
		if prefix == "" {
			return places{}, usagef("the catalog cannot be the source itself, %s; give another place with --catalog", src)
		}
		return places{}, usagef("the source %s lies in the catalog %s; give a catalog elsewhere with --catalog", src, cat)
	}
	p := places{source: src, catalog: cat}
	p.own, _ = cat.within(src)
	return p, nil
}

// sourceLocation reads a SOURCE argument. A folder must be one that can be listed.
func sourceLocation(arg string) (location, error) {
	if l, ok, err := bucketLocation("source", arg); ok || err != nil {
		return l, err
	}
	path, err := sourceFolder(arg)
	return location{folder: path}, err
}

// catalogLocation reads a --catalog argument. A folder need not be there.
func catalogLocation(arg string) (location, error) {
	if l, ok, err := bucketLocation("catalog", arg); ok || err != nil {
		return l, err
	}
	path, err := catalogFolder(arg)
	return location{folder: path}, err
}

// misspelt is how an s3:// URL begins that lacks a slash or the colon.
var misspelt = regexp.MustCompile(`(?i)^s3(:/?[^/]|//)`)

// bucketLocation reads the URL of a bucket; ok is false for what is no URL. URLs of other kinds are refused.
func bucketLocation(what, arg string) (l location, ok bool, err error) {
	if arg == "" {
		return l, false, usagef("the %s is empty; give a folder or s3://bucket/prefix", what)
	}
	scheme, _, isURL := strings.Cut(arg, "://")
	if !isURL {
		if misspelt.MatchString(arg) {
			return l, false, usagef("the %s %s is neither a folder nor a URL; write s3://bucket/prefix, or ./%s for a folder of that name", what, arg, arg)
		}
		return l, false, nil
	}
	if !strings.EqualFold(scheme, "s3") {
		return l, false, usagef("the %s %s is a URL of a kind that cairn does not read; give a folder or s3://bucket/prefix", what, arg)
	}
	if l.bucket, err = s3store.ParseURL(arg); err != nil {
		return l, false, usagef("the %s %w", what, err)
	}
	return l, true, nil
}
