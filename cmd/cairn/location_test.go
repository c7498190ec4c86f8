package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestPlacesInFolders(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(rel string) string { return filepath.Join(root, filepath.FromSlash(rel)) }
	for _, dir := range []string{"src/sub", "out"} {
		if err := os.MkdirAll(at(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	links := os.Symlink(at("src"), at("link")) == nil && os.Symlink(at("nowhere"), at("dangling")) == nil
	for _, c := range []struct {
		source, catalog string
		own             string // of the catalog in the source
		ok              bool
	}{
		{"src", "out", "", true},
		{"src", "out/deep/er", "", true},
		{"src", "src2", "", true}, // not in src, whose name it begins with
		{"src", "src/sub", "sub/", true},
		{"src", "src/not/there", "not/there/", true},
		{"src/", "src/./sub/../cat", "cat/", true},
		{"src", "src", "", false},
		{"src", ".", "", false},
		{"src/sub", "src", "", false},
		{"link", "src/sub", "sub/", true},
		{"src", "link/cat", "cat/", true},
		{"link", "src", "", false},
		{"src", "dangling", "", false},
		{"src", "dangling/cat", "", false},
		{"dangling", "out", "", false},
	} {
		if !links && (c.source == "link" || c.catalog == "link/cat" || c.source == "dangling" || filepath.Dir(c.catalog) == "dangling" || c.catalog == "dangling") {
			continue
		}
		f, err := findPlaces(at(c.source), at(c.catalog))
		if (err == nil) != c.ok || f.own != c.own {
			t.Errorf("source %s, catalog %s: %+v, %v; want own %q, ok %v", c.source, c.catalog, f, err, c.own, c.ok)
		}
		if err == nil && f.source.folder != at("src") {
			t.Errorf("source %s is %s; want %s", c.source, f.source.folder, at("src"))
		}
	}
}

func TestFileURL(t *testing.T) {
	for path, want := range map[string]string{
		"/a/b":         "file:///a/b",
		"/":            "file://",
		"/a b/ü/50%?#": "file:///a%20b/%C3%BC/50%25%3F%23",
	} {
		if got := fileURL(path); got != want {
			t.Errorf("%s: %s; want %s", path, got, want)
		}
	}
	if runtime.GOOS == "windows" {
		if got := fileURL(`C:\a b`); got != "file:///C:/a%20b" {
			t.Errorf(`C:\a b: %s`, got)
		}
	}
}

func TestPlacesInBuckets(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		source, catalog string
		own             string
		ok              bool
	}{
		{"s3://buck-b/imagery", "s3://buck-c/stac", "", true},
		{"s3://buck-b/imagery", "s3://buck-c/imagery", "", true},
		{"s3://buck-b/imagery", "s3://buck-b/stac", "", true},
		{"s3://buck-b/imagery", "s3://buck-b/imagery2", "", true},
		{"s3://buck-b/imagery/", "s3://buck-b/imagery/out/stac", "out/stac/", true},
		{"s3://buck-b", "s3://buck-b/stac/", "stac/", true},
		{"S3://buck-b/a%20b", "s3://buck-b/a b/c", "c/", true},
		{"s3://buck-b/imagery", "s3://buck-b/imagery/", "", false},
		{"s3://buck-b", "s3://buck-b/", "", false},
		{"s3://buck-b/imagery", "s3://buck-b", "", false},
		{"s3://buck-b/imagery", dir, "", true},
		{dir, "s3://buck-b/imagery", "", true},
		{"gs://b/imagery", dir, "", false},
		{"s3://buck-b/imagery", "https://b/c", "", false},
		{"s3://", dir, "", false},
	} {
		p, err := findPlaces(c.source, c.catalog)
		if (err == nil) != c.ok || p.own != c.own {
			t.Errorf("source %s, catalog %s: %+v, %v; want own %q, ok %v", c.source, c.catalog, p, err, c.own, c.ok)
		}
		var exit *exitError
		if err != nil && (!errors.As(err, &exit) || exit.code != exitUsage) {
			t.Errorf("source %s, catalog %s: %v is no usage error", c.source, c.catalog, err)
		}
	}
}

// What is shown of a place can be given to a command again.
func TestLocationsAsText(t *testing.T) {
	for _, c := range []struct{ arg, text, name, file string }{
		{"s3://buck-b/x y/50%25/", "s3://buck-b/x%20y/50%25", "50%", "s3://buck-b/x%20y/50%25/a%2Bb.tif"},
		{"s3://bucket", "s3://bucket", "bucket", "s3://bucket/a%2Bb.tif"},
	} {
		l, err := catalogLocation(c.arg)
		if err != nil || l.String() != c.text || l.url() != c.text || l.name() != c.name || l.file("a+b.tif") != c.file {
			t.Errorf("%s: %v %v, %q, %q, %q", c.arg, err, l, l.url(), l.name(), l.file("a+b.tif"))
		}
		again, err := catalogLocation(l.String())
		if err != nil || again != l {
			t.Errorf("%s becomes %+v, %v; want %+v", l, again, err, l)
		}
	}
}
