package main

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
)

// found are the files that an inspection with --json tells of, with slashes.
func found(t *testing.T, args ...string) []string {
	t.Helper()
	var out []string
	for file := range inspectLines(t, must(t, append([]string{"inspect", "--json"}, args...)...)) {
		out = append(out, filepath.ToSlash(file))
	}
	slices.Sort(out)
	return out
}

func TestInspectGlobs(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for i, key := range []string{"a/x_B01.tif", "a/x_B02.tif", "a/y.TIF", "a/b/x_B02.tif", "c/z{1}.tif", "c/z1.tif", "c/[d]/w.tif", "c/d/w.tif"} {
		put(t, dir, "in/"+key, raster(t, i))
	}
	put(t, dir, "in/a/notes.txt", []byte("hello"))
	for glob, want := range map[string]string{
		"in/a/*.tif":             "in/a/x_B01.tif in/a/x_B02.tif",
		"./in/a/*.{tif,TIF}":     "in/a/x_B01.tif in/a/x_B02.tif in/a/y.TIF",
		"in/**/*_B02.tif":        "in/a/b/x_B02.tif in/a/x_B02.tif",
		"in/*/x_B0[!1].tif":      "in/a/x_B02.tif",
		"in/a/?_B01.tif":         "in/a/x_B01.tif",
		"in/c/../a/*_B01.tif":    "in/a/x_B01.tif",
		"in/c/z{1}.tif":          "in/c/z{1}.tif", // there is one of that name
		"in/c/z{1,2}.tif":        "in/c/z1.tif",
		"in/c/[d]":               "in/c/[d]/w.tif", // so is there a folder
		"in/c/[d]/*.tif":         "in/c/d/w.tif",
		"in/a/*":                 "in/a/x_B01.tif in/a/x_B02.tif in/a/y.TIF",
		dir + "/in/c/z[0-9].tif": filepath.ToSlash(dir) + "/in/c/z1.tif",
	} {
		if got := strings.Join(found(t, glob), " "); got != want {
			t.Errorf("%s: %s; want %s", glob, got, want)
		}
	}
	if runtime.GOOS != "windows" {
		if got, want := strings.Join(found(t, `in/c/z\{1\}*.tif`), " "), "in/c/z{1}.tif"; got != want {
			t.Errorf("with backslashes: %s; want %s", got, want)
		}
		t.Setenv("HOME", dir)
		if got := found(t, "~/in/c/*1.tif"); len(got) != 1 || got[0] != dir+"/in/c/z1.tif" {
			t.Errorf("below the home: %s", got)
		}
	}
}

// An Item is the same whichever of its files are asked for, and is told once.
func TestInspectScenes(t *testing.T) {
	imagery(t)
	whole := inspectLines(t, must(t, "inspect", "--json", "imagery/s2"))
	if len(whole) != 3 {
		t.Errorf("%d lines; want one for each of 3 rasters", len(whole))
	}
	b02, b8a := filepath.FromSlash("imagery/s2/T33KWP_20240105T101301_B02.tif"), filepath.FromSlash("imagery/s2/T33KWP_20240105T101301_B8A.tif")
	if a, b := string(whole[b02].Item), string(whole[b8a].Item); a != b || !contains(a, "/T33KWP_20240105T101301_B02.tif", "/T33KWP_20240105T101301_B8A.tif") {
		t.Errorf("items of one scene are\n%s\nand\n%s", a, b)
	}
	for _, args := range [][]string{{b8a}, {"imagery/s2/*_B8A.tif"}} {
		files := inspectLines(t, must(t, append([]string{"inspect", "--json"}, args...)...))
		if len(files) != 1 || string(files[b8a].Item) != string(whole[b8a].Item) {
			t.Errorf("%q: %v; want the item of the scene, once", args, files)
		}
	}
	for _, args := range [][]string{{b02, b8a}, {"imagery/s2/*"}} {
		if out := must(t, append([]string{"inspect"}, args...)...); strings.Count(out, "  item ") != 1 || !strings.Contains(out, "\n1 item of 2 rasters, ") {
			t.Errorf("%q: it says\n%s", args, out)
		}
	}
}

// With --source ids and dates are those of the source, whatever is asked for.
func TestInspectWithSource(t *testing.T) {
	p := newPlace(t)
	put(t, p.source, "flights/2024/01/31/x.tif", raster(t, 7))
	file := filepath.Join(p.source, "flights", "2024", "01", "31", "x.tif")
	want := inspectLines(t, must(t, "inspect", "--json", p.source))[file]
	for _, arg := range []string{file, filepath.Dir(file), filepath.Dir(file) + "/*.tif", p.source + "/flights/**/x.tif", p.source} {
		got := inspectLines(t, must(t, "inspect", "--json", "--source", p.source, arg))[file]
		if string(got.Item) != string(want.Item) || !contains(string(got.Item), `"collection":"flights"`, `"datetime":"2024-01-31T00:00:00Z"`) {
			t.Errorf("%s: %s; want %s", arg, got.Item, want.Item)
		}
	}
}

func TestInspectGlobsInBuckets(t *testing.T) {
	b := newBuckets(t)
	for i, key := range []string{"a/x_B03.tif", "a/x_B04.tif", "b/x_B04.tif", "b/c/x_B04.tif", "b c/[1].tif", "b c/1.tif"} {
		b.put(key, raster(t, i))
	}
	for glob, want := range map[string]string{
		"/a/*_B04.tif":           "/a/x_B04.tif",
		"/**/*_B04.tif":          "/a/x_B04.tif /b/c/x_B04.tif /b/x_B04.tif",
		"/?/x_B0[34].tif":        "/a/x_B03.tif /a/x_B04.tif /b/x_B04.tif",
		"/b%20c/[1].tif":         "/b%20c/%5B1%5D.tif", // there is one of that name
		"/b%20c/[12].tif":        "/b%20c/1.tif",
		"/b%20c/%5B1%5D.tif":     "/b%20c/%5B1%5D.tif",
		"/{b,b%20c}/%5B1]*.{tif": "",
		"/b*/%5B*.tif":           "/b%20c/%5B1%5D.tif",
		"/none/*.tif":            "",
	} {
		if want == "" {
			if code, stdout, stderr := cairn(t, "inspect", bucketSource+glob); code != exitFailed || stdout != "" || !strings.Contains(stderr, glob) {
				t.Errorf("%s: exit code %d, stdout %q, stderr %q", glob, code, stdout, stderr)
			}
			continue
		}
		if got := strings.ReplaceAll(strings.Join(found(t, bucketSource+glob), " "), bucketSource, ""); got != want {
			t.Errorf("%s: %s; want %s", glob, got, want)
		}
	}
	// Where the first folder is known in part, only what begins like it is listed.
	for i := range 3000 {
		b.source.Set(s3test.Object{Key: fmt.Sprintf("all/z%04d/x.txt", i), Body: []byte("x")})
	}
	b.Reset()
	if got := found(t, bucketSource+"/a*/x_B04.tif"); len(got) != 1 {
		t.Errorf("found %q", got)
	}
	if n := b.Stats(s3test.List).Requests; n > 3 {
		t.Errorf("%d requests to list what begins with a; want one, and two to see whether the bucket and a folder of just that name are there", n)
	}
}

// Files that are named need no walk through the folders beside them, and each folder is read a bounded number of times.
func TestInspectListsOneFolder(t *testing.T) {
	keys := []string{"a.tif", "m.tif", "z.tif"}
	for i := range 3 * mostSkips {
		keys = append(keys, fmt.Sprintf("n%03d/x.tif", i))
	}
	store := memstore.New()
	for _, k := range keys {
		if _, err := store.Put(t.Context(), k, []byte("x"), objstore.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for named, want := range map[string]struct{ lists, objects int }{
		"a.tif":             {1, 1},
		"a.tif m.tif":       {1, 2},
		"a.tif m.tif z.tif": {mostSkips + 1, 2 + mostSkips + 2*mostSkips + 1},
	} {
		counted := &countedLists{Reader: store}
		at := location{folder: "/in"}
		rules, err := item.New(config.Default(), aboutSource(at, counted))
		if err != nil {
			t.Fatal(err)
		}
		target := &target{openedSource: &openedSource{at, counted, rules}, parallel: 1, named: map[string]bool{}}
		for key := range strings.FieldsSeq(named) {
			target.named[key] = true
		}
		got := map[string]bool{}
		for l, err := range target.looks(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range l.files {
				got[f.key] = true
			}
		}
		if !maps.Equal(got, target.named) || counted.lists != want.lists || counted.objects != want.objects {
			t.Errorf("%s: %v with %d lists of %d objects; want %d of %d", named, got, counted.lists, counted.objects, want.lists, want.objects)
		}
	}
}

// countedLists counts listings, and the Objects that come out of them.
type countedLists struct {
	objstore.Reader
	lists, objects int
}

func (c *countedLists) List(ctx context.Context, r objstore.Range) iter.Seq2[objstore.Object, error] {
	c.lists++
	return func(yield func(objstore.Object, error) bool) {
		for o, err := range c.Reader.List(ctx, r) {
			c.objects++
			if !yield(o, err) {
				return
			}
		}
	}
}

// What is there but no regular file is told of.
func TestInspectOddFiles(t *testing.T) {
	if _, err := os.Stat(os.DevNull); err != nil || runtime.GOOS == "windows" {
		t.Skip("there is no device in the file system")
	}
	if code, stdout, stderr := cairn(t, "inspect", "/dev/null"); code != exitFailed || stdout != "" || !strings.Contains(stderr, "/dev/null: no regular file") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func FuzzGlobArguments(f *testing.F) {
	f.Add("a/b*/c")
	f.Add(`s3://b/%5B1%5d/[x]%2a\%`)
	f.Add("~/{a,b}/**")
	f.Fuzz(func(t *testing.T, arg string) {
		if !isGlob(arg) {
			return
		}
		dir, pattern := splitGlob(arg)
		if dir+pattern != arg || isGlob(dir) || pattern == "" || dir != "" && !strings.HasSuffix(dir, "/") {
			t.Errorf("%q is parted into %q and %q", arg, dir, pattern)
		}
		// A name that is percent-encoded whole is matched by itself, and by nothing else.
		escaped := ""
		for _, c := range []byte(pattern) {
			escaped += fmt.Sprintf("%%%02X", c)
		}
		if glob, err := config.NewGlob(literalEscapes(escaped)); err == nil && !glob.Match(pattern) && utf8.ValidString(pattern) {
			t.Errorf("%q as %q does not match itself", pattern, literalEscapes(escaped))
		}
	})
}
