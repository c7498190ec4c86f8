package dirstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// maxKey is the longest key in bytes: Linux's PATH_MAX. Nothing below a longer path is listed, so that a hostile tree of
// endless depth cannot hold up a listing.
const maxKey = 4096

// maxName is the longest file name in bytes that common file systems hold.
const maxName = 255

// check returns an ErrKey if no file can stand for key.
func check(key string, holds func(name string) bool) error {
	if key == "" || len(key) > maxKey {
		return fmt.Errorf("%w: its length is %d, not 1 to %d", objstore.ErrKey, len(key), maxKey)
	}
	if strings.IndexByte(key, 0) >= 0 {
		return fmt.Errorf("%w: it holds a NUL", objstore.ErrKey)
	}
	if first, _, _ := strings.Cut(key, "/"); strings.EqualFold(first, reserved) {
		return fmt.Errorf("%w: %s is reserved", objstore.ErrKey, reserved)
	}
	for name := range strings.SplitSeq(key, "/") {
		switch {
		case name == "" || name == "." || name == "..":
			return fmt.Errorf("%w: %q is no file name", objstore.ErrKey, name)
		case len(name) > maxName:
			return fmt.Errorf("%w: a name in it has %d bytes, more than %d", objstore.ErrKey, len(name), maxName)
		case !holds(name):
			return fmt.Errorf("%w: this file system holds no %q", objstore.ErrKey, name)
		}
	}
	return nil
}

// portable tells whether a name stands for itself on Windows and on its file systems: it is no device ("NUL"), has nothing
// that is stripped (a closing dot or space), and no character that means something else there.
func portable(name string) bool {
	return filepath.IsLocal(name) && !strings.ContainsAny(name, `<>:"\|?*`) && !strings.HasSuffix(name, ".") &&
		!strings.HasSuffix(name, " ") && strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == '\ufffd' }) < 0
}

// What an error may say of a key.
type blame int

const (
	reading blame = iota // it leads to no file
	writing              // another Object is in its way
	neither              // nothing
)

// fail names the call and the key, and turns what the system says into the errors of objstore.
func fail(call, key string, of blame, err error) error {
	err = cause(err)
	switch {
	case errors.Is(err, errEscape):
		err = fmt.Errorf("%w: a symbolic link leads out of the folder", fs.ErrPermission)
	case of != neither && isOf(err, badKey), of == writing && isOf(err, blocked):
		err = fmt.Errorf("%w: %w", objstore.ErrKey, err)
	case of == reading && isOf(err, leadsNowhere):
		err = fmt.Errorf("%w (%v)", fs.ErrNotExist, err)
	}
	return fmt.Errorf("%s %s: %w", call, printable(key), err)
}

// errEscape stands for os.Root's own error, which has no name.
var errEscape = errors.New("path escapes from the folder")

// cause strips from an error the paths, which name files of ours or say again what the message says.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	default:
		return err
	}
	if err.Error() == "path escapes from parent" {
		return errEscape
	}
	return err
}

func isOf(err error, set []syscall.Errno) bool {
	for _, no := range set {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// printable is a key as it can be put into a message.
func printable(key string) string {
	if len(key) > 200 {
		key = key[:200] + "…"
	}
	if quoted := strconv.Quote(key); quoted[1:len(quoted)-1] != key || key == "" {
		return quoted
	}
	return key
}
