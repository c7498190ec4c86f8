package main

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestFolders(t *testing.T) {
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
		f, err := findFolders(at(c.source), at(c.catalog))
		if (err == nil) != c.ok || f.own != c.own {
			t.Errorf("source %s, catalog %s: %+v, %v; want own %q, ok %v", c.source, c.catalog, f, err, c.own, c.ok)
		}
		if err == nil && f.source != at("src") {
			t.Errorf("source %s is %s; want %s", c.source, f.source, at("src"))
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
