package dirstore

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
)

func TestOpenReader(t *testing.T) {
	dir := fill(t, map[string]string{"a.tif": "x"})
	if r := reader(t, dir); r.Dir() != dir {
		t.Errorf("Dir: got %q, want %q", r.Dir(), dir)
	}
	if _, err := OpenReader(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: got %v", err)
	}
	if _, err := OpenReader(filepath.Join(dir, "a.tif")); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("a file: got %v", err)
	}
}

// TestReaderWritesNothing compares all that can be seen of a folder before and after.
func TestReaderWritesNothing(t *testing.T) {
	dir := fill(t, map[string]string{"a/b.tif": "0123456789", "c.tif": "x"})
	look := func() map[string]string {
		seen := map[string]string{}
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err == nil {
				seen[path] = fmt.Sprint(info.Mode(), info.Size(), info.ModTime().UnixNano())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return seen
	}
	before := look()
	r := reader(t, dir)
	keys(t, r)
	for _, key := range []string{"a/b.tif", "a", "missing", ".cairn-store/lock"} {
		_, _, _ = r.Get(t.Context(), key, 0, -1, "")
	}
	if after := look(); !maps.Equal(before, after) {
		t.Errorf("before %v, after %v", before, after)
	}
}

// TestFolderGone tells a folder that is not there any more, as an unmounted one, from one that is empty.
func TestFolderGone(t *testing.T) {
	dir := fill(t, map[string]string{"a.tif": "x"})
	r := reader(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	n := 0
	for o, err := range r.List(t.Context(), objstore.Range{}) {
		if n++; err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("List: got %+v, %v, want an error that is not of an Object", o, err)
		}
	}
	if n != 1 {
		t.Errorf("List yields %d times, want once", n)
	}
	if _, _, err := r.Get(t.Context(), "a.tif", 0, -1, ""); !errors.Is(err, objstore.ErrNoStore) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get: got %v, want an error that is not of the Object", err)
	}
}

// TestCopiedFolder: a copy with the same times has the same ETags, on other inodes.
func TestCopiedFolder(t *testing.T) {
	files := map[string]string{"a.tif": "x", "b/c.tif": "yy"}
	etags := func(dir string) (etags []string) {
		at := time.Unix(1_600_000_000, 123_456_700)
		for key := range files {
			if err := os.Chtimes(filepath.Join(dir, filepath.FromSlash(key)), at, at); err != nil {
				t.Fatal(err)
			}
		}
		for o, err := range reader(t, dir).List(t.Context(), objstore.Range{}) {
			if err != nil {
				t.Fatal(err)
			}
			etags = append(etags, o.ETag)
		}
		return etags
	}
	if one, two := etags(fill(t, files)), etags(fill(t, files)); len(one) != 2 || one[0] == one[1] || !slices.Equal(one, two) {
		t.Errorf("ETags %q and, of the copy, %q", one, two)
	}
}

// TestEndlessDepth lists a tree deeper than any key: what can be read is listed, the rest is not gone into.
func TestEndlessDepth(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := root.Name()
	name := strings.Repeat("d", 200)
	for range 25 { // 5,025 bytes
		if err := root.WriteFile("x.tif", nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := root.Mkdir(name, 0o755); err != nil {
			t.Skipf("this system holds no such paths: %v", err)
		}
		sub, err := root.OpenRoot(name)
		root.Close()
		if err != nil {
			t.Fatal(err)
		}
		root = sub
	}
	root.Close()
	r := reader(t, dir)
	got := keys(t, r)
	if want := maxKey/(len(name)+1) + 1; len(got) != want {
		t.Fatalf("%d Objects, want %d", len(got), want)
	}
	for _, key := range got {
		if _, _, err := r.Get(t.Context(), key, 0, -1, ""); err != nil {
			t.Errorf("Get of a listed key of %d bytes: %v", len(key), err)
		}
	}
}

// A changing file is another one at each look.
type changing struct {
	stats, reads int
	rest         int // it stays the same after so many looks
	body         string
}

func (c *changing) Stat() (fs.FileInfo, error) {
	c.stats++
	at := time.Unix(int64(min(c.stats, c.rest)), 0)
	return fs.Stat(fstest.MapFS{"a": {Data: []byte(c.body), ModTime: at}}, "a")
}

func (c *changing) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	return strings.NewReader(c.body).ReadAt(p, off)
}

func TestFileChangesDuringRead(t *testing.T) {
	for _, c := range []struct{ rest, reads int }{{1, 1}, {2, 2}, {3, 3}} {
		f := &changing{rest: c.rest, body: "0123456789"}
		body, o, err := settled(f, "a", 2, 3, "")
		if err != nil || string(body) != "234" || f.reads != c.reads || o.Modified.Unix() != int64(c.rest) {
			t.Errorf("at rest at look %d: got %q, %+v, %v after %d reads, want %d reads", c.rest, body, o, err, f.reads, c.reads)
		}
	}
	f := &changing{rest: 1000, body: "0123456789"}
	if _, _, err := settled(f, "a", 0, -1, ""); !errors.Is(err, objstore.ErrPrecondition) || f.reads != tries {
		t.Errorf("never at rest: got %v after %d reads, want ErrPrecondition after %d", err, f.reads, tries)
	}
	f = &changing{rest: 2, body: "0123456789"}
	first, _ := f.Stat()
	f.stats = 0
	if _, _, err := settled(f, "a", 0, -1, object("a", first).ETag); !errors.Is(err, objstore.ErrPrecondition) || f.reads != 1 {
		t.Errorf("changed under its ETag: got %v after %d reads, want ErrPrecondition after 1", err, f.reads)
	}
}

// FuzzRange holds the pruning of directories against Range.Contains.
func FuzzRange(f *testing.F) {
	f.Add("a/b", "a/c", "a", "b/x")
	f.Add("", "a/", "a", "x")
	f.Add("a/b/c", "", "a/b", "c")
	f.Add("a0", "a", "a", "0")
	f.Add("a", "a/b", "a", "b")
	f.Fuzz(func(t *testing.T, start, end, dir, name string) {
		r := objstore.Range{Start: start, End: end}
		dir += "/"
		got := overlaps(dir, r) && within(dir, r).Contains(name)
		if want := r.Contains(dir + name); got != want {
			t.Errorf("%q in %q: got %v, want %v", dir+name, r, got, want)
		}
	})
}

// FuzzKey gives a Store any key: it comes back as it is, or is refused as ErrKey.
func FuzzKey(f *testing.F) {
	for _, key := range []string{"a.tif", "a/b", "../x", "a//b", "/a", "a\x00", ".cairn-store/lock", "é", "\xff", "a/../b", "a\\b"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		s := open(t)
		etag, err := s.Put(t.Context(), key, []byte("x"), objstore.PutOptions{Relaxed: true})
		got := keys(t, s)
		if errors.Is(err, objstore.ErrKey) && len(got) == 0 {
			return
		}
		if err != nil || len(got) != 1 || got[0] != key {
			t.Fatalf("Put %q: %v, then List: %q", key, err, got)
		}
		if body, o, err := s.Get(t.Context(), key, 0, -1, etag); err != nil || string(body) != "x" || o.Key != key {
			t.Fatalf("Get %q: %q, %+v, %v", key, body, o, err)
		}
		if err := s.Delete(t.Context(), key); err != nil || len(keys(t, s)) != 0 {
			t.Fatalf("Delete %q: %v", key, err)
		}
	})
}

func thousand(b *testing.B) (*Reader, []string) {
	files := map[string]string{}
	for i := range 1000 {
		files[fmt.Sprintf("images/scene-%04d.tif", i)] = strings.Repeat("x", 40<<10)
	}
	return reader(b, fill(b, files)), slices.Sorted(maps.Keys(files))
}

func BenchmarkList1000(b *testing.B) {
	r, want := thousand(b)
	b.ReportAllocs()
	for b.Loop() {
		if n := len(keys(b, r)); n != len(want) {
			b.Fatal(n)
		}
	}
}

func BenchmarkGet32KiB(b *testing.B) {
	r, all := thousand(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if body, _, err := r.Get(b.Context(), all[i%len(all)], 0, 32<<10, ""); err != nil || len(body) != 32<<10 {
			b.Fatal(err)
		}
	}
}
