package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/dirstore"
)

// inspectLines decodes the lines of inspect --json, by file.
func inspectLines(t *testing.T, out string) map[string]inspected {
	t.Helper()
	files := map[string]inspected{}
	for line := range strings.Lines(out) {
		dec := json.NewDecoder(strings.NewReader(line))
		dec.DisallowUnknownFields()
		var f inspected
		if err := dec.Decode(&f); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if (f.Item == nil) == (f.Reject == nil) {
			t.Errorf("not either an item or a reject: %s", line)
		}
		files[f.File] = f
	}
	return files
}

func TestInspectFolderAsJSON(t *testing.T) {
	p := newPlace(t)
	files := inspectLines(t, must(t, "inspect", "--json", p.source))
	if len(files) != 6 {
		t.Errorf("%d lines; want one for each of 6 rasters", len(files))
	}
	broken := files[filepath.Join(p.source, "dem", "broken.tif")]
	if broken.Reject == nil || broken.Reject.Code != "not_tiff" || broken.Reject.Message == "" {
		t.Errorf("the broken file: %+v", broken)
	}
	// What a refresh catalogues is what inspect shows.
	refreshed(t, p.source, "--catalog", p.catalog)
	s := startServer(t, p.args("serve", "--addr", "127.0.0.1:0")...)
	defer s.end()
	var shown, catalogued struct {
		ID         string         `json:"id"`
		BBox       []float64      `json:"bbox"`
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(files[filepath.Join(p.source, "ortho", "a1_20240102.tif")].Item, &shown); err != nil {
		t.Fatal(err)
	}
	s.call("GET", "/collections/ortho/items/"+shown.ID, &catalogued)
	a, _ := json.Marshal(shown)
	b, _ := json.Marshal(catalogued)
	if string(a) != string(b) {
		t.Errorf("inspect shows %s; the catalog has %s", a, b)
	}
}

// What is named is looked at, and nothing else, whatever else has a name like it.
func TestInspectSingleFiles(t *testing.T) {
	p := newPlace(t)
	put(t, p.source, "x.tif", raster(t, 1))
	put(t, p.source, "x.y.tif", raster(t, 2))
	for file, want := range map[string]string{
		"x.tif": "item", "x.y.tif": "item", "dem/broken.tif": "not_tiff", "README.txt": "ignored", "dem/b0_20240304.tfw": "sidecar",
	} {
		path := filepath.Join(p.source, filepath.FromSlash(file))
		files := inspectLines(t, must(t, "inspect", "--json", path))
		if f := files[path]; len(files) != 1 || f.what() != want {
			t.Errorf("%s: %+v; want only it, as %s", file, files, want)
		}
		if out := must(t, "inspect", path); !strings.HasPrefix(out, path+"\n") || strings.Contains(file, "x.y") != strings.Contains(out, "x.y") {
			t.Errorf("%s: it says\n%s", file, out)
		}
	}
}

// what is the code of a Reject, or "item".
func (f inspected) what() string {
	if f.Reject != nil {
		return f.Reject.Code
	}
	if f.Item != nil {
		return "item"
	}
	return "nothing"
}

func TestInspectTakesAConfig(t *testing.T) {
	p := newPlace(t)
	config := filepath.Join(t.TempDir(), "c.yaml")
	put(t, filepath.Dir(config), "c.yaml", []byte("exclude: ['dem/**']\n"))
	if files := inspectLines(t, must(t, "inspect", "--json", "--config", config, p.source)); len(files) != 3 {
		t.Errorf("%d files; want the 3 that are not excluded", len(files))
	}
}

func TestInspectRefuses(t *testing.T) {
	p := newPlace(t)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, exitUsage, "at least one FILE or FOLDER"},
		{[]string{""}, exitUsage, "is empty"},
		{[]string{"gs://bucket/x.tif"}, exitUsage, "does not read"},
		{[]string{p.source, "gs://bucket/x.tif"}, exitUsage, "does not read"},
		{[]string{p.source, "--no-sign-request"}, exitUsage, "is a folder"},
		{[]string{p.source + "x"}, exitFailed, "imageryx: no such file"},
		{[]string{p.source + "/*.jpg"}, exitFailed, "*.jpg: no file matches"},
		{[]string{p.source + "/ortho*"}, exitFailed, "no file matches"},
		{[]string{p.source + "/none/*.tif"}, exitFailed, "there is no such folder"},
		{[]string{p.source + "/a[.tif"}, exitFailed, `it is no glob: glob "a[.tif": a "[" without "]"`},
		{[]string{p.source + "/ortho", "--source", p.source + "/dem"}, exitUsage, "does not lie in the source"},
		{[]string{p.source, "--source", p.source + "x"}, exitFailed, "there is no such folder"},
		{[]string{p.source, "--config", p.source + "x"}, exitFailed, "config "},
	} {
		code, stdout, stderr := cairn(t, append([]string{"inspect"}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.want) || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q; want %d and %q", c.args, code, stdout, stderr, c.code, c.want)
		}
	}
}

// What is wrong with one argument keeps the others from nothing.
func TestInspectGoesOn(t *testing.T) {
	p := newPlace(t)
	ortho := filepath.Join(p.source, "ortho")
	code, stdout, stderr := cairn(t, "inspect", p.source+"/a.tif", ortho, p.source+"/*.png", p.source+"/README.txt")
	if code != exitFailed || !contains(stderr, "a.tif: no such file", "*.png: no file matches") || strings.Count(stderr, "\n") != 2 {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if !contains(stdout, "a0_20240102", "a2_20240102", "  ignored ", "\n3 items, 0 rejects, 0 sidecars, 1 ignored\n") {
		t.Errorf("it says\n%s", stdout)
	}
}

// A folder that cannot be listed to its end is told of, after what was seen of it.
func TestUnreadableFolderInInspect(t *testing.T) {
	p := newPlace(t)
	closed := filepath.Join(p.source, "ortho")
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(closed, 0o755)
	if _, err := os.ReadDir(closed); err == nil {
		t.Skip("this user may read everything")
	}
	code, stdout, stderr := cairn(t, "inspect", p.source)
	if code != exitFailed || !contains(stderr, "directory ortho/: ", "permission denied") || strings.Count(stderr, "\n") != 1 ||
		!contains(stdout, "item       b0_20240304 ", "\n2 items, ") {
		t.Errorf("exit code %d, stderr %q, stdout\n%s", code, stderr, stdout)
	}
}

// Nobody who looks at the first lines only is told of an error.
func TestInspectWhereNobodyReads(t *testing.T) {
	p := newPlace(t)
	for _, err := range []error{syscall.EPIPE, &fs.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}} {
		var stderr bytes.Buffer
		if code := run(t.Context(), []string{"inspect", p.source}, nil, failingWriter{err}, &stderr); code != exitFailed || stderr.Len() > 0 {
			t.Errorf("%v: exit code %d, stderr %q", err, code, &stderr)
		}
	}
	var stderr bytes.Buffer
	if run(t.Context(), []string{"inspect", p.source}, nil, failingWriter{errors.New("disk full")}, &stderr); stderr.String() != "cairn: disk full\n" {
		t.Errorf("stderr %q", &stderr)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestInspectInterrupted(t *testing.T) {
	p := newPlace(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"inspect", p.source, p.source}, nil, &stdout, &stderr)
	if code != exitFailed || stderr.String() != "cairn: interrupted\n" || strings.Contains(stdout.String(), "reject") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, &stdout, &stderr)
	}
}

// A file that cannot be read is one of many.
func TestInspectUnreadable(t *testing.T) {
	p := newPlace(t)
	bad := p.source + "/ortho/a1_20240102.tif"
	source := brokenReader{must2(dirstore.OpenReader(p.source)), "ortho/a1_20240102.tif"}
	at := location{folder: p.source}
	rules, err := item.New(config.Default(), aboutSource(at, source))
	if err != nil {
		t.Fatal(err)
	}
	target := &target{openedSource: &openedSource{at, source, rules}, shown: p.source, parallel: 2}
	got := map[string]string{}
	for l, err := range target.looks(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range l.files {
			got[f.File] = f.what()
		}
	}
	if len(got) != 8 || got[bad] != codeUnreadable || got[p.source+"/ortho/a2_20240102.tif"] != "item" {
		t.Errorf("%v", got)
	}
}

// A brokenReader cannot read one Object.
type brokenReader struct {
	objstore.Reader
	key string
}

func (r brokenReader) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	if key == r.key {
		return nil, objstore.Object{}, errors.New("the disk is broken")
	}
	return r.Reader.Get(ctx, key, off, n, ifMatch)
}

func must2[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
