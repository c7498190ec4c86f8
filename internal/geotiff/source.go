package geotiff

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A span is a stretch of the file: n bytes from off.
type span struct{ off, n int64 }

// A window is a stretch of the file that was read.
type window struct {
	off int64
	buf []byte
}

// source reads stretches of the file and keeps them. It refuses to go over the limits on reads and bytes.
type source struct {
	r       io.ReaderAt
	size    int64 // shrinks where the file turns out to be shorter than its listing said
	windows [maxReads]window
	reads   int
	bytes   int64
	first   *[firstRead]byte // backs the first window
}

// errBudget: the file asks for more reads or bytes than a header may cost.
var errBudget = errors.New("read limit reached")

// view returns n bytes from off where a window holds them all, else nil. The caller must not change or keep them.
func (s *source) view(off, n int64) []byte {
	for i := range s.windows[:s.reads] {
		w := &s.windows[i]
		if at := off - w.off; at >= 0 && n >= 0 && at <= int64(len(w.buf))-n {
			return w.buf[at : at+n : at+n]
		}
	}
	return nil
}

// inside tells whether n bytes from off lie within the file.
func (s *source) inside(off uint64, n int64) bool {
	return off <= uint64(s.size) && n >= 0 && n <= s.size-int64(off)
}

// load reads n bytes from off, or fewer at the end of the file, into a new window.
func (s *source) load(off, n int64) error {
	n = min(n, s.size-off)
	if n <= 0 {
		return nil
	}
	if s.reads == maxReads || s.bytes+n > maxBytes {
		return fmt.Errorf("%w (%d reads, %d bytes)", errBudget, s.reads, s.bytes)
	}
	buf := s.first[:]
	if s.reads > 0 {
		buf = make([]byte, n)
	}
	got, err := s.r.ReadAt(buf[:n], off)
	if int64(got) < n {
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("read %d bytes at offset %d: %w", n, off, err)
		}
		s.size = off + int64(got)
	}
	s.windows[s.reads] = window{off, buf[:got]}
	s.reads++
	s.bytes += n
	return nil
}

// loadAround reads the neighbourhood of an IFD of at least n bytes at off: the larger, the fewer reads are left. Arrays of tile
// offsets lie between the IFDs of overviews, each a quarter of the one before, so that the last reads find all the rest.
func (s *source) loadAround(off, n int64) error {
	around := min(int64(aroundRead)<<(3*max(0, s.reads-maxReads/2)), maxRun)
	from := max(0, min(off-aroundLead, s.size-around))
	return s.load(from, max(around, off+n-from))
}

// loadAll reads the spans that no window holds yet, near ones together. They must lie within the file. Where the limits
// leave some unread, errBudget comes back and the others are there.
func (s *source) loadAll(spans []span) error {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.off, b.off) })
	var over error
	for i := 0; i < len(spans); {
		run := spans[i]
		for i++; i < len(spans); i++ {
			end := max(run.off+run.n, spans[i].off+spans[i].n)
			if spans[i].off-(run.off+run.n) > maxRunGap || end-run.off > maxRun {
				break
			}
			run.n = end - run.off
		}
		if err := s.load(run.off, run.n); errors.Is(err, errBudget) {
			over = err
		} else if err != nil {
			return err
		}
	}
	return over
}
