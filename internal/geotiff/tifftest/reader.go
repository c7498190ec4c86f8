// Package tifftest breaks TIFFs and counts what is read of them, for tests. Whole ones come from tiffwrite.
package tifftest

import (
	"bytes"
	"fmt"
	"io"
)

// A Reader is an io.ReaderAt over a file in memory that keeps count. It is for one goroutine.
type Reader struct {
	Data  []byte
	Err   error // what every ReadAt from the one after Good on returns
	Good  int   // ReadAts that succeed before Err, if there is one
	Reads int
	Bytes int64 // asked for
	Log   []string
}

func (r *Reader) ReadAt(p []byte, off int64) (int, error) {
	r.Reads++
	r.Bytes += int64(len(p))
	r.Log = append(r.Log, fmt.Sprintf("[%d,%d)", off, off+int64(len(p))))
	if r.Err != nil && r.Reads > r.Good {
		return 0, r.Err
	}
	return bytes.NewReader(r.Data).ReadAt(p, off)
}

var _ io.ReaderAt = (*Reader)(nil)
