package dirstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// TestSweep: a file that a dead process left is removed when it is a day old, and only then; no listing shows it.
func TestSweep(t *testing.T) {
	s := open(t)
	put(t, s, "a", "x", objstore.PutOptions{})
	old, young := filepath.Join(s.Dir(), tempDir, "OLD"), filepath.Join(s.Dir(), tempDir, "YOUNG")
	for path, age := range map[string]time.Duration{old: 25 * time.Hour, young: 23 * time.Hour} {
		if err := os.WriteFile(path, []byte("half of a bo"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if got := keys(t, again); !slices.Equal(got, []string{"a"}) {
		t.Errorf("List: got %q", got)
	}
	left, err := filepath.Glob(filepath.Join(s.Dir(), tempDir, "*"))
	if err != nil || !slices.Equal(left, []string{young}) {
		t.Errorf("left %q, %v, want %q", left, err, young)
	}
	if err := os.Remove(young); err != nil {
		t.Fatal(err)
	}
}

// TestTimesGrow puts over files whose times are ahead of the clock: the ETag changes, forward, for bodies of one length.
func TestTimesGrow(t *testing.T) {
	s := open(t)
	put(t, s, "head", "0", objstore.PutOptions{})
	ahead := time.Now().Add(time.Hour).Truncate(time.Second)
	if err := os.Chtimes(filepath.Join(s.Dir(), "head"), time.Time{}, ahead); err != nil {
		t.Fatal(err)
	}
	last := ahead
	for i := range 5 {
		_, o, err := s.Get(t.Context(), "head", 0, -1, "")
		if err != nil {
			t.Fatal(err)
		}
		etag := put(t, s, "head", fmt.Sprint(i), objstore.PutOptions{IfMatch: o.ETag})
		_, now, err := s.Get(t.Context(), "head", 0, -1, etag)
		if err != nil {
			t.Fatal(err)
		}
		if !now.Modified.After(last) || now.Modified.After(ahead.Add(time.Minute)) {
			t.Errorf("Put %d: time %v after %v", i, now.Modified, last)
		}
		last = now.Modified
	}
}

// TestCoarseTimes writes one file again and again where times are kept in units of a file system: FAT, HFS+, NTFS, ext4.
func TestCoarseTimes(t *testing.T) {
	for _, unit := range []time.Duration{2 * time.Second, time.Second, time.Millisecond, 100, 1} {
		var old fs.FileInfo
		sets := 0
		for n := range 20 {
			info, err := stamp(old, func(at time.Time) (fs.FileInfo, error) {
				sets++
				return fs.Stat(fstest.MapFS{"a": {ModTime: at.Truncate(unit)}}, "a")
			})
			if err != nil || old != nil && !info.ModTime().After(old.ModTime()) {
				t.Fatalf("unit %v, Put %d: %v after %v, %v", unit, n, info, old, err)
			}
			old = info
		}
		if unit <= tick && sets != 20 {
			t.Errorf("unit %v: the time was set %d times, want 20", unit, sets)
		}
	}
	stuck, _ := fs.Stat(fstest.MapFS{"a": {ModTime: time.Unix(1, 0)}}, "a")
	if _, err := stamp(stuck, func(time.Time) (fs.FileInfo, error) { return stuck, nil }); err == nil {
		t.Error("a file system without times is taken for one with")
	}
}

// TestEmptyFoldersGo: a Catalog whose Objects are deleted is an empty folder.
func TestEmptyFoldersGo(t *testing.T) {
	s := open(t)
	for _, key := range []string{"a/b/c", "a/b/d", "a/e"} {
		put(t, s, key, "x", objstore.PutOptions{Relaxed: true})
	}
	for _, c := range []struct{ key, gone, stays string }{{"a/b/c", "a/b/c", "a/b"}, {"a/b/d", "a/b", "a"}, {"a/e", "a", "."}} {
		if err := s.Delete(t.Context(), c.key); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(filepath.Join(s.Dir(), c.gone)); !os.IsNotExist(err) {
			t.Errorf("after Delete %s: %s is there (%v)", c.key, c.gone, err)
		}
		if _, err := os.Lstat(filepath.Join(s.Dir(), c.stays)); err != nil {
			t.Errorf("after Delete %s: %v", c.key, err)
		}
	}
}

// TestCleanedUp: a Store goes on after somebody removed everything in its folder.
func TestCleanedUp(t *testing.T) {
	s := open(t)
	put(t, s, "a/b", "x", objstore.PutOptions{})
	for _, name := range []string{"a", reserved} {
		if err := os.RemoveAll(filepath.Join(s.Dir(), name)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, "a/b", "y", objstore.PutOptions{IfAbsent: true})
	if got := keys(t, s); !slices.Equal(got, []string{"a/b"}) {
		t.Errorf("List: got %q", got)
	}
}

// TestFoldedNames makes the disk look like one that folds case: "images" and "Images/a.tif" are found, but a listing shows
// "Images" and "Images/A.tif" only.
func TestFoldedNames(t *testing.T) {
	s := open(t)
	for _, key := range []string{"Images/A.tif", "Images/a.tif", "images/A.tif"} {
		put(t, s, key, "first", objstore.PutOptions{})
	}
	s.folds = newSpellings()
	s.folds.readdir = func(root *os.Root, dir string) ([]string, error) {
		names, err := readNames(root, dir)
		return slices.DeleteFunc(names, func(n string) bool { return n == "images" || n == "a.tif" }), err
	}
	for _, c := range []struct {
		key string
		err error
	}{
		{"Images/A.tif", nil}, {"Images/B.tif", nil}, {"Images/A.tif", nil}, {"other/A.tif", nil}, {"Images/sub/a.tif", nil},
		{"Images/a.tif", objstore.ErrKey}, {"images/A.tif", objstore.ErrKey}, {"images/new.tif", objstore.ErrKey},
		{"Images/A.tif.", objstore.ErrKey}, {"Images/A.tif ", objstore.ErrKey}, {"nul", nil},
	} {
		if _, err := s.Put(t.Context(), c.key, []byte("second"), objstore.PutOptions{}); !errors.Is(err, c.err) {
			t.Errorf("Put %q: got %v, want %v", c.key, err, c.err)
		}
		want := "second"
		if c.err != nil {
			want = "first"
			if err := s.Delete(t.Context(), c.key); err != nil && !errors.Is(err, objstore.ErrKey) {
				t.Errorf("Delete %q: got %v", c.key, err)
			}
		}
		if body, err := os.ReadFile(filepath.Join(s.Dir(), c.key)); err == nil && string(body) != want {
			t.Errorf("after Put %q there is %q, want %q", c.key, body, want)
		} else if err != nil && c.err == nil {
			t.Error(err)
		}
	}
}

// TestWriteErrors fails every flush in turn: the error says so, and no file is left in tempDir (as open looks after).
func TestWriteErrors(t *testing.T) {
	disk := errors.New("input/output error")
	for n := 1; ; n++ {
		s := open(t)
		calls := 0
		s.flush = func(f *os.File) error {
			if calls++; calls == n {
				return disk
			}
			return f.Sync()
		}
		_, err := s.Put(t.Context(), "a/b/c", []byte("x"), objstore.PutOptions{})
		if calls < n {
			if err != nil {
				t.Fatal(err)
			}
			if n == 1 {
				t.Fatal("nothing was flushed")
			}
			return
		}
		if err == nil || !strings.Contains(err.Error(), "put a/b/c") || !strings.Contains(err.Error(), disk.Error()) {
			t.Errorf("flush %d fails: got %v", n, err)
		}
		if there := len(keys(t, s)) == 1; there != (n > 1) {
			t.Errorf("flush %d fails: the Object is there: %v", n, there)
		}
	}
}

// TestErrorsNameTheThing looks at what people read.
func TestErrorsNameTheThing(t *testing.T) {
	s := open(t)
	put(t, s, "a/b.tif", "x", objstore.PutOptions{})
	for _, c := range []struct {
		key  string
		want string
	}{
		{"a/missing.tif", "get a/missing.tif: no such file"},
		{"a", "get a: file does not exist: not a regular file"},
		{"a/b.tif/c", "get a/b.tif/c: file does not exist"},
		{"../x", `get ../x: invalid key: ".." is no file name`},
		{"a\n\x1b[31m\x00", `get "a\n\x1b[31m\x00": invalid key: it holds a NUL`},
		{"", `get "": invalid key: its length is 0`},
	} {
		_, _, err := s.Get(t.Context(), c.key, 0, -1, "")
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("Get %q: got %v, want %s …", c.key, err, c.want)
		}
	}
}

func BenchmarkPutRelaxed(b *testing.B) { benchPut(b, objstore.PutOptions{Relaxed: true}) }
func BenchmarkPutDurable(b *testing.B) { benchPut(b, objstore.PutOptions{}) }

func benchPut(b *testing.B, opt objstore.PutOptions) {
	s := open(b)
	body := []byte(strings.Repeat("x", 2000))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := s.Put(b.Context(), fmt.Sprintf("items/%04d.json", i%5000), body, opt); err != nil {
			b.Fatal(err)
		}
	}
}
