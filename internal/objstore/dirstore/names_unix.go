//go:build unix

package dirstore

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// What the system says of a key that it cannot hold, of one below or above another Object, and of one that leads to no file.
var (
	badKey       = []syscall.Errno{syscall.ENAMETOOLONG, syscall.EILSEQ, syscall.EINVAL}
	blocked      = []syscall.Errno{syscall.ENOTDIR, syscall.EISDIR, syscall.EEXIST, syscall.ENOTEMPTY, syscall.ELOOP}
	leadsNowhere = []syscall.Errno{syscall.ENOTDIR, syscall.ELOOP, syscall.ENXIO, syscall.ENODEV}
)

// holds tells whether this system has files of that name.
func holds(string) bool { return true }

func rename(root *os.Root, from, to string) error { return root.Rename(from, to) }

// flushDir makes the entries of an open directory lasting.
func flushDir(f *os.File, flush func(*os.File) error) error { return flush(f) }

// openDir opens a directory to read its names. os.File.ReadDir looks at each file of a directory that an os.Root opened, as
// it cannot know where its path leads later; a descriptor alone does not bring that on, and few of the files may be wanted.
func openDir(root *os.Root, dir string) (*os.File, error) {
	f, err := openFile(root, dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}
