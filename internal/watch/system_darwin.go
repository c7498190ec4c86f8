package watch

import (
	"io/fs"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// remote names the file system of a folder if it may change without an event: one that is not on this machine, and FUSE,
// behind which may be anything.
func remote(path string) string {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return ""
	}
	if name := unix.ByteSliceToString(st.Fstypename[:]); st.Flags&unix.MNT_LOCAL == 0 || strings.Contains(name, "fuse") {
		return name
	}
	return ""
}

// identify returns what a folder keeps when it is moved.
func identify(info fs.FileInfo) identity {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return identity{uint64(st.Dev), st.Ino}
	}
	return identity{}
}

// kqueue holds a descriptor open for each folder and each file.
const (
	weighsFiles = true
	losesMoves  = false
)

// capacity is half of the descriptors that the process may have, and no more than a fair share of the system's.
func capacity() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 1 << 10
	}
	return int(min(limit.Cur/2, 1<<15))
}
