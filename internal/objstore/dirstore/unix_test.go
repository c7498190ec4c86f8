//go:build unix

package dirstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cairn-stac/cairn/internal/objstore"
)

func init() { roles["limited"] = limited }

// TestLinks: links within the folder are the files they lead to; what leads out is listed and refused; links to
// directories, to nowhere and to themselves are left out.
func TestLinks(t *testing.T) {
	outside := fill(t, map[string]string{"secret.tif": "secret", "dir/x.tif": "secret"})
	dir := fill(t, map[string]string{"real/a.tif": "0123456789", "real/sub/b.tif": "b"})
	for name, to := range map[string]string{
		"in.tif": "real/a.tif", "real/up.tif": "../real/sub/b.tif", "chain.tif": "in.tif",
		"out.tif": filepath.Join(outside, "secret.tif"), "real/out.tif": "../../" + filepath.Base(outside) + "/secret.tif",
		"outmissing.tif": filepath.Join(outside, "missing.tif"), "absolute.tif": filepath.Join(dir, "real", "a.tif"),
		"indir": "real", "outdir": filepath.Join(outside, "dir"), "outdir.tif": filepath.Join(outside, "dir"),
		"nowhere.tif": "missing.tif", "self.tif": "self.tif", "here": ".", "parent": "..",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	r := reader(t, dir)
	want := []string{"absolute.tif", "chain.tif", "in.tif", "out.tif", "outmissing.tif", "real/a.tif", "real/out.tif",
		"real/sub/b.tif", "real/up.tif"}
	if got := keys(t, r); !slices.Equal(got, want) {
		t.Errorf("List: got %q, want %q", got, want)
	}
	for key, want := range map[string]any{
		"in.tif": "0123456789", "chain.tif": "0123456789", "real/up.tif": "b", "indir/a.tif": "0123456789",
		"out.tif": fs.ErrPermission, "real/out.tif": fs.ErrPermission, "outmissing.tif": fs.ErrPermission,
		"absolute.tif": fs.ErrPermission, "outdir/x.tif": fs.ErrPermission, "parent/x": fs.ErrPermission,
		"nowhere.tif": fs.ErrNotExist, "self.tif": fs.ErrNotExist, "self.tif/x": fs.ErrNotExist, "indir": fs.ErrNotExist,
		"here": fs.ErrNotExist,
	} {
		body, _, err := r.Get(t.Context(), key, 0, -1, "")
		if wantErr, ok := want.(error); ok && !errors.Is(err, wantErr) || !ok && (err != nil || string(body) != want) {
			t.Errorf("Get %s: got %q, %v, want %v", key, body, err, want)
		}
	}
	for o, err := range r.List(t.Context(), objstore.Range{}) {
		_, got, getErr := r.Get(t.Context(), o.Key, 0, 0, "")
		if err != nil || getErr == nil && got != o {
			t.Errorf("List says %+v (%v), Get says %+v", o, err, got)
		}
		if errors.Is(getErr, fs.ErrPermission) && o.Size == int64(len("secret")) {
			t.Errorf("List looked at a file outside: %+v", o)
		}
	}
}

// TestStoreLinks: no write goes through a link out of the folder.
func TestStoreLinks(t *testing.T) {
	outside := fill(t, map[string]string{"a.json": "outside"})
	s := open(t)
	for name, to := range map[string]string{"out": outside, "a.json": filepath.Join(outside, "a.json"), "loop": "loop", "gone": "nothing"} {
		if err := os.Symlink(to, filepath.Join(s.Dir(), name)); err != nil {
			t.Fatal(err)
		}
	}
	for key, want := range map[string]error{
		"out/a.json": fs.ErrPermission, "out/new.json": fs.ErrPermission, "a.json": fs.ErrPermission,
		"out": fs.ErrPermission, "loop/a": objstore.ErrKey, "loop": nil, "gone": nil,
	} {
		if _, err := s.Put(t.Context(), key, []byte("x"), objstore.PutOptions{}); !errors.Is(err, want) {
			t.Errorf("Put %s: got %v, want %v", key, err, want)
		}
		if err := s.Delete(t.Context(), "out/a.json"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Delete out/a.json: got %v, want fs.ErrPermission", err)
		}
	}
	if got := keys(t, reader(t, outside)); !slices.Equal(got, []string{"a.json"}) {
		t.Errorf("outside there is %q", got)
	}
	if body, err := os.ReadFile(filepath.Join(outside, "a.json")); err != nil || string(body) != "outside" {
		t.Errorf("outside: %q, %v", body, err)
	}
}

// TestNoFiles: pipes and sockets are no Objects, and reading one does not wait.
func TestNoFiles(t *testing.T) {
	dir := fill(t, map[string]string{"a.tif": "x"})
	if err := unix.Mkfifo(filepath.Join(dir, "pipe.tif"), 0o644); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink("pipe.tif", filepath.Join(dir, "link.tif")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir) // a socket's path must be short
	l, err := net.Listen("unix", "socket.tif")
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	r := reader(t, dir)
	if got := keys(t, r); !slices.Equal(got, []string{"a.tif"}) {
		t.Errorf("List: got %q", got)
	}
	for _, key := range []string{"pipe.tif", "link.tif", "socket.tif"} {
		if _, _, err := r.Get(t.Context(), key, 0, -1, ""); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Get %s: got %v, want fs.ErrNotExist", key, err)
		}
	}
}

// TestOddNames: what Unix holds and others do not is still an Object.
func TestOddNames(t *testing.T) {
	names := []string{"a\\b.tif", "a\nb.tif", "caf\xe9.tif", "...", "-rf", "a:b", "trailing. "}
	files := map[string]string{}
	for _, n := range names {
		files[n] = "body of " + n
	}
	dir := t.TempDir()
	for n, body := range files {
		if err := os.WriteFile(filepath.Join(dir, n), []byte(body), 0o644); err != nil {
			t.Skipf("this file system holds no %q: %v", n, err)
		}
	}
	r := reader(t, dir)
	slices.Sort(names)
	if got := keys(t, r); !slices.Equal(got, names) {
		t.Errorf("List: got %q, want %q", got, names)
	}
	for key, want := range files {
		if body, _, err := r.Get(t.Context(), key, 0, -1, ""); err != nil || string(body) != want {
			t.Errorf("Get %q: got %q, %v", key, body, err)
		}
	}
}

// TestUnreadable: a file that may not be read is listed and refused; a directory that may not be is an error of List that
// names it, after all that comes before.
func TestUnreadable(t *testing.T) {
	dir := fill(t, map[string]string{"a.tif": "x", "b/closed.tif": "x", "c/x.tif": "x", "d.tif": "x"})
	for name, mode := range map[string]os.FileMode{"b/closed.tif": 0, "c": 0o311} {
		path := filepath.Join(dir, name)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(path, 0o755) })
	}
	r := reader(t, dir)
	unprivileged(t, dir, func() {
		var got []string
		var last error
		for o, err := range r.List(t.Context(), objstore.Range{}) {
			if last = err; err == nil {
				got = append(got, o.Key)
			}
		}
		if !slices.Equal(got, []string{"a.tif", "b/closed.tif"}) || !errors.Is(last, fs.ErrPermission) ||
			!strings.Contains(last.Error(), "directory c/:") {
			t.Errorf("List: got %q, then %v", got, last)
		}
		for _, key := range []string{"b/closed.tif"} {
			if _, _, err := r.Get(t.Context(), key, 0, -1, ""); !errors.Is(err, fs.ErrPermission) {
				t.Errorf("Get %s: got %v, want fs.ErrPermission", key, err)
			}
		}
		for _, err := range r.List(t.Context(), objstore.Range{Start: "d"}) { // does not need the closed one
			if err != nil {
				t.Error(err)
			}
		}
	})
}

// TestReadOnlyFolder: a Catalog's folder that may not be written to is refused with fs.ErrPermission.
func TestReadOnlyFolder(t *testing.T) {
	dir := fill(t, map[string]string{"a.tif": "x"})
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	unprivileged(t, dir, func() {
		if _, err := Open(dir); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Open: got %v, want fs.ErrPermission", err)
		}
		if got := keys(t, reader(t, dir)); !slices.Equal(got, []string{"a.tif"}) {
			t.Errorf("List: got %q", got)
		}
	})
}

// limited writes more than its limit of a file's size, as on a disk that is full.
func limited(s *Store) error {
	limit := unix.Rlimit{Cur: 1000, Max: 1000}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	return overfill(s, unix.EFBIG)
}

// overfill puts a small Object, one that does not fit over it, which must fail with want, and another small one.
func overfill(s *Store, want error) error {
	ctx := context.Background()
	if _, err := s.Put(ctx, "a/b", []byte("small"), objstore.PutOptions{}); err != nil {
		return err
	}
	for _, opt := range []objstore.PutOptions{{}, {Relaxed: true}} {
		_, err := s.Put(ctx, "a/b", make([]byte, 1<<20), opt)
		if !errors.Is(err, want) || !strings.Contains(err.Error(), "put a/b: write 1048576 bytes: ") {
			return fmt.Errorf("a Put of 1 MiB gives %v, want %v", err, want)
		}
	}
	if body, _, err := s.Get(ctx, "a/b", 0, -1, ""); err != nil || string(body) != "small" {
		return fmt.Errorf("after it there is %q, %v", body, err)
	}
	if left, err := os.ReadDir(filepath.Join(s.Dir(), tempDir)); err != nil || len(left) != 0 {
		return fmt.Errorf("after it %v is left, %v", left, err)
	}
	_, err := s.Put(ctx, "a/c", []byte("small"), objstore.PutOptions{})
	return err
}

func TestWriteLimit(t *testing.T) {
	s := open(t)
	if out, err := process(t, "limited", s.Dir()).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := keys(t, s); !slices.Equal(got, []string{"a/b", "a/c"}) {
		t.Errorf("List: got %q", got)
	}
}
