package dirstore

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cairn-stac/cairn/internal/objstore"
)

func init() { roles["full"] = full }

// unprivileged runs f as a user to whom the permissions in dir, a t.TempDir, apply.
func unprivileged(t *testing.T, dir string, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // as only its owner may enter
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		defer close(done)
		runtime.LockOSThread() // the thread, which alone becomes another user, ends with the goroutine
		const nobody = 65534
		if _, err := unix.SetfsuidRetUid(nobody); err != nil {
			done <- err
			return
		}
		if now, _ := unix.SetfsuidRetUid(-1); now != nobody {
			done <- fmt.Errorf("still user %d", now)
			return
		}
		f()
	}()
	if err := <-done; err != nil {
		t.Skipf("cannot be another user: %v", err)
	}
}

// TestFlushes counts what makes Objects lasting.
func TestFlushes(t *testing.T) {
	s := open(t)
	var flushed []string
	s.flush = func(f *os.File) error {
		name := strings.TrimPrefix(f.Name(), s.Dir())
		if strings.Contains(name, tempDir) {
			name = "file"
		}
		flushed = append(flushed, name)
		return f.Sync()
	}
	syncs, fault := 0, error(nil)
	real := syncfs
	t.Cleanup(func() { syncfs = real })
	syncfs = func(f *os.File) error {
		if syncs++; fault != nil {
			return fault
		}
		return real(f)
	}
	want := func(what string, files string, fs int) {
		t.Helper()
		if got := strings.Join(flushed, " "); got != files || syncs != fs {
			t.Errorf("%s: %q and %d syncfs, want %q and %d", what, got, syncs, files, fs)
		}
		flushed, syncs = nil, 0
	}
	relaxed := objstore.PutOptions{Relaxed: true}
	put(t, s, "a/b/c", "x", objstore.PutOptions{})
	want("Put into new directories", "file /a/b /a /.", 0)
	put(t, s, "a/b/d", "x", objstore.PutOptions{})
	want("Put into an old directory", "file /a/b", 0)
	put(t, s, "e/f/g", "x", relaxed)
	want("relaxed Put", "", 0)
	put(t, s, "e/f/h", "x", objstore.PutOptions{})
	want("Put into directories of a relaxed one", "file /e/f /e /.", 0)
	put(t, s, "e/f/i", "x", objstore.PutOptions{})
	want("Put after that", "file /e/f", 0)
	put(t, s, "j/k", "x", relaxed)
	fault = errors.New("input/output error")
	if err := s.Sync(t.Context()); !errors.Is(err, fault) {
		t.Errorf("Sync on a broken disk: got %v", err)
	}
	want("failed Sync", "", 1)
	fault = nil
	for range 2 {
		if err := s.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want("Sync again, and once more with nothing to do", "", 1)
	put(t, s, "j/l", "x", objstore.PutOptions{})
	want("Put into a directory that was synced", "file /j", 0)
	if err := s.Delete(t.Context(), "j/l"); err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	want("Sync after Delete", "", 1)
}

// full fills a disk of its own.
func full(s *Store) error {
	if err := unix.Mount("none", s.Dir(), "tmpfs", 0, "size=64k"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	s, err := Open(s.Dir())
	if err != nil {
		return err
	}
	return overfill(s, unix.ENOSPC)
}

// TestFullDisk needs a kernel that lets anybody mount a tmpfs in a namespace of their own.
func TestFullDisk(t *testing.T) {
	cmd := process(t, "full", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Skipf("no namespaces here: %v", err)
	}
	err := cmd.Wait()
	if strings.Contains(out.String(), "mount: ") {
		t.Skipf("no tmpfs here: %s", out.String())
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}
