package geotiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Read reads the header of the TIFF in r, which is size bytes long: the listing's size, so that none has to be asked for.
// A file whose IFDs lie in its first 32 KiB costs one ReadAt, a plain GeoTIFF with its IFD at the end two or three, and
// none more than 6 reads and 4 MiB. Pixels and the arrays of tile offsets are never read.
//
// A *FormatError says that the file is no raster that can be described. Any other error is ReadAt's, wrapped: nothing is
// known of the file then. What is odd but does no harm to the rest is in the Header's Warnings. Read may be called at once
// from many goroutines; it keeps neither r nor anything of the bytes.
func Read(r io.ReaderAt, size int64) (*Header, error) {
	rd := readers.Get().(*reader)
	defer func() {
		*rd = reader{source: source{first: rd.first}} // 32 KiB that need no clearing for the next file
		readers.Put(rd)
	}()
	all := new(struct { // one allocation for what nearly every GeoTIFF has
		Header
		Affine
		GeoKeys
	})
	rd.r, rd.size = r, max(size, 0)
	rd.h, rd.transform, rd.keys = &all.Header, &all.Affine, &all.GeoKeys
	if err := rd.read(); err != nil {
		return nil, err
	}
	return rd.h, nil
}

// reader is the state of one Read.
type reader struct {
	source
	h         *Header
	transform *Affine  // where h.Transform goes
	keys      *GeoKeys // where h.Geo goes
	order     binary.ByteOrder
	big       bool
	entry     entryReader
	parsed    [slotCount]struct {
		entry [20]byte
		field field
	}
	main      directory // the first image
	other     directory // the one of the chain that is being looked at
	seen      [maxIFDs]uint64
	nSeen     int
	samples   int  // SamplesPerPixel of the first image, however many bands it is shown with
	converted bool // its colours are, so that its bands are not its samples
	images    [maxIFDs]image
	nImage    int
	broken    bool // some IFD could not be read, so there may be more images
}

var readers = sync.Pool{New: func() any { return &reader{source: source{first: new([firstRead]byte)}} }}

func (rd *reader) read() error {
	first, err := rd.readFileHeader()
	if err != nil {
		return err
	}
	rd.visit(first)
	if err := rd.readIFD(&rd.main, 1, first, allSlots); err != nil {
		return err
	}
	if err := rd.fetch(&rd.main); err != nil {
		return err
	}
	if err := rd.describe(); err != nil {
		return err
	}
	if err := rd.readImages(); err != nil {
		return err
	}
	rd.h.COG = rd.cogVerdict()
	rd.readGeo()
	rd.readTexts()
	return nil
}

// readFileHeader reads the first window and returns the offset of the first IFD (TIFF 6.0 section 2; BigTIFF design).
func (rd *reader) readFileHeader() (uint64, error) {
	if err := rd.load(0, firstRead); err != nil {
		return 0, err
	}
	b := rd.view(0, min(rd.size, firstRead))
	if len(b) < 4 {
		return 0, notTIFF("%d bytes are too few for a TIFF", len(b))
	}
	switch string(b[:2]) {
	case "II":
		rd.order = binary.LittleEndian
	case "MM":
		rd.order, rd.h.BigEndian = binary.BigEndian, true
	default:
		return 0, notTIFF("begins with %q, not as a TIFF", b[:4])
	}
	version, length := rd.order.Uint16(b[2:]), 8
	switch version {
	case 42:
	case 43:
		rd.big, rd.h.BigTIFF, length = true, true, 16
	default:
		return 0, notTIFF("begins as a TIFF of version %d, not 42 or 43", version)
	}
	if len(b) < length {
		return 0, truncated("%d bytes end within the file header", len(b))
	}
	var at uint64
	if rd.big {
		if size := rd.order.Uint16(b[4:]); size != 8 {
			return 0, malformed("BigTIFF with offsets of %d bytes, not 8", size)
		}
		at = rd.order.Uint64(b[8:])
	} else {
		at = uint64(rd.order.Uint32(b[4:]))
	}
	if at < uint64(length) {
		return 0, malformed("IFD 1: offset %d lies within the file header", at)
	}
	return at, nil
}

// visit notes an IFD's offset; false where it was seen before or the limit is reached.
func (rd *reader) visit(at uint64) bool {
	for _, s := range rd.seen[:rd.nSeen] {
		if s == at {
			return false
		}
	}
	if rd.nSeen == maxIFDs {
		return false
	}
	rd.seen[rd.nSeen] = at
	rd.nSeen++
	return true
}

// fetch gives every wanted field of d its data: those kept in the entry at once, the others with as few reads as their
// places allow. One that cannot be had is a warning and stays without, unless the image cannot be described without it.
func (rd *reader) fetch(d *directory) error {
	var lens [slotCount]int64
	var spans [slotCount]span
	missing := spans[:0]
	for s := range slotCount {
		if !d.fields[s].set || unreadSlots.has(s) {
			continue
		}
		n, err := rd.valueLength(d, s)
		if err != nil {
			if err = rd.without(s, err); err != nil {
				return err
			}
			continue
		}
		lens[s] = n
		if off, in := rd.place(&d.fields[s]); !in && rd.view(off, n) == nil {
			missing = append(missing, span{off, n})
		}
	}
	over := rd.loadAll(missing)
	if over != nil && !errors.Is(over, errBudget) {
		return fmt.Errorf("values of IFD 1: %w", over)
	}
	for s := range slotCount {
		f, n := &d.fields[s], lens[s]
		if n == 0 {
			continue
		}
		if off, in := rd.place(f); in {
			f.data = f.raw[:n]
		} else if f.data = rd.view(off, n); f.data == nil {
			err := over
			if err == nil {
				err = truncated("value %s", rd.past(uint64(off), n))
			}
			if err = rd.without(s, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// valueLength is how many bytes of a field's value are wanted: not 0, within the limits and within the file.
func (rd *reader) valueLength(d *directory, s slot) (int64, error) {
	f := &d.fields[s]
	size := typeSize(f.typ)
	if size == 0 {
		return 0, malformed("unknown field type %d", f.typ)
	}
	if f.count == 0 {
		return 0, malformed("no value")
	}
	if singleSlots.has(s) && (f.count != 1 || !isInteger(f.typ)) {
		return 0, malformed("%d values of type %d instead of one integer", f.count, f.typ)
	}
	limit, cut := byteLimit(s)
	if s == slotTiepoints && f.count > limit/size && d.fields[slotPixelScale].set {
		limit, cut = 6*8, true // with a scale only the first one counts
	}
	n := int64(limit - limit%size)
	if f.count <= limit/size {
		n = int64(f.count * size)
	} else if !cut {
		return 0, malformed("%d values of %d bytes are more than the %d bytes allowed", f.count, size, limit)
	} else if textSlots.has(s) {
		rd.warn("IFD 1: %v: only %d of %d values are read", s, n/int64(size), f.count)
	}
	if off, in := rd.place(f); !in && !rd.inside(uint64(off), n) {
		return 0, truncated("value: %s", rd.past(uint64(off), n))
	}
	return n, nil
}

// place tells where a field's value lies: in its entry, or at an offset of the file.
func (rd *reader) place(f *field) (off int64, inEntry bool) {
	room, size := uint64(4), typeSize(f.typ)
	if rd.big {
		room = 8
	}
	if f.count <= room/size {
		return 0, true
	}
	if rd.big {
		return int64(rd.order.Uint64(f.raw[:])), false
	}
	return int64(rd.order.Uint32(f.raw[:])), false
}

// without deals with a field that cannot be read.
func (rd *reader) without(s slot, cause error) error {
	if !neededSlots.has(s) {
		rd.warn("IFD 1: %v: %v; ignored", s, cause)
		if fe, ok := errors.AsType[*FormatError](cause); placeSlots.has(s) && rd.h.Lost == "" && !(ok && fe.Code != CodeTruncated) {
			rd.h.Lost = fmt.Sprintf("IFD 1: %v: %v", s, cause)
		}
		return nil
	}
	fe, ok := errors.AsType[*FormatError](cause)
	if !ok {
		fe = &FormatError{Code: CodeMalformed, Msg: cause.Error()}
	}
	return &FormatError{fe.Code, fmt.Sprintf("IFD 1: %v: %s", s, fe.Msg)}
}

// warn adds a warning; only so many, since a hostile file has no end of them.
func (rd *reader) warn(format string, args ...any) {
	switch n := len(rd.h.Warnings); {
	case n < maxWarnings-1:
		rd.h.Warnings = append(rd.h.Warnings, fmt.Sprintf(format, args...))
	case n == maxWarnings-1:
		rd.h.Warnings = append(rd.h.Warnings, "more warnings are left out")
	}
}
