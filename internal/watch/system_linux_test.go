package watch

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRemote asks about everything that is mounted here.
func TestRemote(t *testing.T) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Skip(err)
	}
	local := []string{"ext4", "xfs", "btrfs", "zfs", "tmpfs", "proc", "sysfs", "overlay", "fuseblk", "vfat"}
	far := []string{"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "virtiofs", "vboxsf"}
	asked := 0
	for line := range strings.Lines(string(mounts)) {
		field := strings.Fields(line)
		if len(field) < 3 || strings.Contains(field[1], `\`) {
			continue
		}
		got := remote(field[1])
		switch kind := field[2]; {
		case slices.Contains(local, kind) && got != "":
			t.Errorf("%s, %s: got %q", field[1], kind, got)
		case (slices.Contains(far, kind) || strings.HasPrefix(kind, "fuse.")) && got == "":
			t.Errorf("%s, %s: taken for local", field[1], kind)
		}
		asked++
	}
	if asked == 0 {
		t.Skip("nothing mounted")
	}
}

// TestUnmounted: a file system that goes from within the folder is told, and that it is the root's is an error.
func TestUnmounted(t *testing.T) {
	w := &watcher{TB: t, dir: t.TempDir()}
	w.mkdir("a/m")
	mount := func(key string) {
		if err := unix.Mount("tmpfs", w.path(key), "tmpfs", 0, "size=1m"); err != nil {
			t.Skipf("may not mount: %v", err)
		}
		t.Cleanup(func() { _ = unix.Unmount(w.path(key), unix.MNT_DETACH) })
	}
	unmount := func(key string) { w.must(unix.Unmount(w.path(key), 0)) }
	mount("a/m")
	w.mkdir("a/m/b")
	v := start(t, w.dir, brisk, nil)
	v.write("a/m/b/x.tif", "")
	if got, _ := v.told(); !reflect.DeepEqual(got, Change{Keys: []string{"a/m/b/x.tif"}}) {
		t.Errorf("got %+v", got)
	}
	unmount("a/m")
	if got := v.next(); !slices.Contains(got.Prefixes, "a/m/") {
		t.Errorf("got %+v", got)
	}
	v.told()
	v.write("a/m/y.tif", "") // in what was hidden by it
	if got, _ := v.told(); !reflect.DeepEqual(got, Change{Keys: []string{"a/m/y.tif"}}) {
		t.Errorf("got %+v", got)
	}

	mount("a/m")
	v = start(t, w.path("a/m"), brisk, nil)
	unmount("a/m")
	if err := <-v.ended; err == nil || !strings.Contains(err.Error(), "unmounted") {
		t.Errorf("got %v", err)
	}
	v.ended <- nil
}
