package dirstore

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
)

// What the system says of a key that it cannot hold, of one below or above another Object, and of one that leads to no file.
var (
	badKey = []syscall.Errno{
		syscall.ENAMETOOLONG, windows.ERROR_INVALID_NAME, windows.ERROR_FILENAME_EXCED_RANGE, windows.ERROR_INVALID_PARAMETER,
	}
	blocked      = []syscall.Errno{syscall.ENOTDIR, syscall.EISDIR, syscall.ELOOP, windows.ERROR_DIRECTORY, windows.ERROR_ALREADY_EXISTS}
	leadsNowhere = []syscall.Errno{syscall.ENOTDIR, syscall.ELOOP, windows.ERROR_DIRECTORY, windows.ERROR_CANT_RESOLVE_FILENAME}
)

// holds tells whether this system has files of that name.
func holds(name string) bool { return portable(name) }

// rename tries again while a virus scanner or an indexer has the file open.
func rename(root *os.Root, from, to string) error {
	for wait := time.Duration(0); ; wait += 5 * time.Millisecond {
		err := root.Rename(from, to)
		if wait > 100*time.Millisecond ||
			!errors.Is(err, windows.ERROR_SHARING_VIOLATION) && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			return err
		}
		time.Sleep(wait)
	}
}

// flushDir has nothing to do: NTFS keeps directories in its journal, and Windows refuses to flush them.
func flushDir(*os.File, func(*os.File) error) error { return nil }

// openDir opens a directory to read its names.
func openDir(root *os.Root, dir string) (*os.File, error) { return openFile(root, dir) }
