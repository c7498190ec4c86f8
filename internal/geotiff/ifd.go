package geotiff

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/google/tiff"
	"github.com/google/tiff/bigtiff"
)

// A directory is an IFD: its wanted entries, and where the next one lies.
type directory struct {
	at     uint64
	next   uint64
	fields [slotCount]field
}

// readIFD reads the IFD at offset at into d. Of its entries only those in want are parsed: through ParseEntry of
// google/tiff, which takes just the entry's own 12 or 20 bytes, while its ParseIFD reads and allocates whatever the
// entries' counts say. Of a tag that is there twice the first counts, as in libtiff.
func (rd *reader) readIFD(d *directory, name ifdName, at uint64, want slotSet) error {
	*d = directory{at: at}
	countSize, entrySize, nextSize := int64(2), int64(12), int64(4)
	if rd.big {
		countSize, entrySize, nextSize = 8, 20, 8
	}
	b, err := rd.need(name, at, countSize, countSize)
	if err != nil {
		return err
	}
	var n uint64
	if rd.big {
		n = rd.order.Uint64(b)
	} else {
		n = uint64(rd.order.Uint16(b))
	}
	if n > maxEntries {
		return malformed("%v: %d entries, more than %d", name, n, maxEntries)
	}
	size := int64(n) * entrySize
	if b, err = rd.need(name, at+uint64(countSize), size, size+nextSize); err != nil {
		return err
	}
	if next := rd.view(int64(at)+countSize+size, nextSize); next == nil {
		rd.warn("%v: ends without the offset of the next one", name)
	} else if rd.big {
		d.next = rd.order.Uint64(next)
	} else {
		d.next = uint64(rd.order.Uint32(next))
	}
	for ; len(b) > 0; b = b[entrySize:] {
		s := slotOf(rd.order.Uint16(b))
		if s == slotNone || !want.has(s) || d.fields[s].set {
			continue
		}
		if d.fields[s], err = rd.parseEntry(s, b[:entrySize]); err != nil {
			return malformed("%v: %v", name, err)
		}
	}
	return nil
}

// need returns n bytes of an IFD from offset at, and reads around it if no window holds them; better of them are wanted
// but need not be there.
func (rd *reader) need(name ifdName, at uint64, n, better int64) ([]byte, error) {
	if !rd.inside(at, n) {
		return nil, truncated("%v: %s", name, rd.past(at, n))
	}
	b := rd.view(int64(at), min(better, rd.size-int64(at)))
	if b == nil {
		if err := rd.loadAround(int64(at), better); err != nil {
			return nil, fmt.Errorf("%v: %w", name, err)
		}
		if b = rd.view(int64(at), n); b == nil { // the file is shorter than it was said to be
			return nil, truncated("%v: %s", name, rd.past(at, n))
		}
	}
	return b[:n], nil
}

// past words that n bytes from at are not in the file.
func (rd *reader) past(at uint64, n int64) string {
	if at >= uint64(rd.size) {
		return fmt.Sprintf("offset %d past end of file (%d bytes)", at, rd.size)
	}
	return fmt.Sprintf("%d bytes at offset %d reach past end of file (%d bytes)", n, at, rd.size)
}

// parseEntry parses one entry. Images of one file have many entries in common, so that one equal to the last of its tag
// need not be parsed again.
func (rd *reader) parseEntry(s slot, b []byte) (field, error) {
	last := &rd.parsed[s]
	if last.field.set && bytes.Equal(last.entry[:len(b)], b) {
		return last.field, nil
	}
	rd.entry.reset(b, rd.order)
	f := field{set: true}
	if rd.big {
		e, err := bigtiff.ParseEntry(&rd.entry)
		if err != nil {
			return f, err
		}
		f.typ, f.count, f.raw = e.TypeID(), e.Count(), e.ValueOffset()
	} else {
		e, err := tiff.ParseEntry(&rd.entry)
		if err != nil {
			return f, err
		}
		raw := e.ValueOffset()
		f.typ, f.count = e.TypeID(), uint64(e.Count())
		copy(f.raw[:], raw[:])
	}
	last.field = f
	copy(last.entry[:], b)
	return f, nil
}

// An ifdName says which IFD is meant: 1 is the first image, negative ones are its SubIFDs.
type ifdName int

func (n ifdName) String() string {
	if n < 0 {
		return fmt.Sprintf("SubIFD %d", -int(n))
	}
	return fmt.Sprintf("IFD %d", int(n))
}

// entryReader is a tiff.BReader over the bytes of one entry. It cannot leave them and allocates nothing.
type entryReader struct {
	bytes.Reader
	order binary.ByteOrder
	tmp   [8]byte
}

var _ tiff.BReader = (*entryReader)(nil)

func (r *entryReader) reset(b []byte, order binary.ByteOrder) {
	r.Reader.Reset(b)
	r.order = order
}

// BRead reads what an entry is made of without the reflection and the buffers of encoding/binary.
func (r *entryReader) BRead(data any) (err error) {
	switch v := data.(type) {
	case *uint16:
		_, err = io.ReadFull(&r.Reader, r.tmp[:2])
		*v = r.order.Uint16(r.tmp[:])
	case *uint32:
		_, err = io.ReadFull(&r.Reader, r.tmp[:4])
		*v = r.order.Uint32(r.tmp[:])
	case *uint64:
		_, err = io.ReadFull(&r.Reader, r.tmp[:8])
		*v = r.order.Uint64(r.tmp[:])
	case *[4]byte:
		_, err = io.ReadFull(&r.Reader, v[:])
	case *[8]byte:
		_, err = io.ReadFull(&r.Reader, v[:])
	default:
		err = binary.Read(&r.Reader, r.order, data)
	}
	return err
}

func (r *entryReader) BReadSection(data any, offset, n int64) error {
	return binary.Read(io.NewSectionReader(&r.Reader, offset, n), r.order, data)
}

func (r *entryReader) ByteOrder() binary.ByteOrder { return r.order }
