package dirstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// tries is how often Get reads anew while somebody writes into the file.
const tries = 3

// Get implements objstore.Reader. A file that is written into during the read is read again, and is ErrPrecondition if it
// does not come to rest.
func (r *Reader) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	body, o, err := r.get(ctx, key, off, n, ifMatch)
	if err != nil {
		return nil, objstore.Object{}, fail("get", key, reading, err)
	}
	return body, o, nil
}

func (r *Reader) get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	var none objstore.Object
	if err := ctx.Err(); err != nil {
		return nil, none, err
	}
	if err := check(key, holds); err != nil {
		return nil, none, err
	}
	if off < 0 {
		return nil, none, fmt.Errorf("negative offset %d", off)
	}
	root, err := r.root()
	if err != nil {
		return nil, none, err
	}
	defer root.Close()
	f, err := openFile(root, key)
	if err != nil {
		return nil, none, err
	}
	defer f.Close()
	return settled(f, key, off, n, ifMatch)
}

// A file is what settled needs of *os.File.
type file interface {
	io.ReaderAt
	Stat() (fs.FileInfo, error)
}

// settled reads from a file that is the same after the read as before.
func settled(f file, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	var none objstore.Object
	info, err := f.Stat()
	for range tries {
		if err != nil {
			return nil, none, err
		}
		if !info.Mode().IsRegular() {
			return nil, none, fmt.Errorf("%w: not a regular file", fs.ErrNotExist)
		}
		o := object(key, info)
		if ifMatch != "" && ifMatch != o.ETag {
			return nil, none, objstore.ErrPrecondition
		}
		body, err := readAt(f, off, n, o.Size)
		if err != nil {
			return nil, none, err
		}
		if info, err = f.Stat(); err == nil && object(key, info).ETag == o.ETag {
			return body, o, nil
		}
	}
	return nil, none, fmt.Errorf("%w: it keeps changing while it is read", objstore.ErrPrecondition)
}

// readAt reads up to n bytes (all if n < 0) from off of a file of the given size.
func readAt(f file, off, n, size int64) ([]byte, error) {
	if left := max(0, size-off); n < 0 || n > left {
		n = left
	}
	if n == 0 {
		return nil, nil
	}
	body := make([]byte, n)
	got, err := f.ReadAt(body, off)
	if errors.Is(err, io.EOF) {
		err = nil // cut short meanwhile, as the caller sees
	}
	return body[:got], err
}

// openFile opens a file or a directory to read; it does not wait for the other end of a named pipe.
func openFile(root *os.Root, key string) (*os.File, error) {
	return root.OpenFile(key, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}
