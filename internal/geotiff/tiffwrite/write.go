package tiffwrite

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
)

// maxBlocks keeps the offsets of the blocks, which are in memory, to a few dozen megabytes.
const maxBlocks = 1 << 22

// Write writes r to out as a TIFF. The file is put together in memory.
func Write(out io.Writer, r Raster) error {
	b, err := r.Bytes()
	if err != nil {
		return err
	}
	if _, err = out.Write(b); err != nil {
		return fmt.Errorf("write TIFF: %w", err)
	}
	return nil
}

// Bytes returns r as a TIFF.
func (r Raster) Bytes() ([]byte, error) {
	r.Bands = max(r.Bands, 1)
	if r.DataType == "" {
		r.DataType = "uint8"
	}
	sample, ok := sampleTypes[r.DataType]
	switch {
	case !ok:
		return nil, fmt.Errorf("write TIFF: data type %q", r.DataType)
	case r.Width < 1 || r.Height < 1:
		return nil, fmt.Errorf("write TIFF: %d × %d pixels", r.Width, r.Height)
	case r.Tile%16 != 0 || r.Tile < 0 || r.Tile > math.MaxUint16:
		return nil, fmt.Errorf("write TIFF: tiles of %d pixels", r.Tile)
	case r.Tile > 0 && int64(r.Width/r.Tile)*int64(r.Height/r.Tile) > maxBlocks:
		return nil, fmt.Errorf("write TIFF: more than %d blocks", maxBlocks)
	}
	w := &writer{raster: r, sample: sample}
	return w.file()
}

// writer puts one file together.
type writer struct {
	raster Raster
	sample sampleType
	order  byteOrder
	out    []byte
}

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// An image is one IFD with its blocks.
type image struct {
	level         int // halvings
	width, height int
	mask          bool
	blocks        [][]byte // encoded; nil ones are sparse
	entries       []entry
	at            int // of its IFD
}

// An entry is a tag whose value is known but for the offsets in it.
type entry struct {
	id, typ uint16
	count   int
	value   []byte
	at      int // of its value in the file; 0 where it lies in the entry
	slot    int // of its value field in the file
}

// entry finds the first entry with one of the ids, nil where there is none.
func (im *image) entry(ids ...uint16) *entry {
	for i := range im.entries {
		if slices.Contains(ids, im.entries[i].id) {
			return &im.entries[i]
		}
	}
	return nil
}

func (w *writer) file() ([]byte, error) {
	r := w.raster
	w.order = binary.LittleEndian
	magic := "II"
	if r.BigEndian {
		w.order, magic = binary.BigEndian, "MM"
	}
	images := w.images()
	for _, im := range images {
		if err := w.encode(im); err != nil {
			return nil, err
		}
		if err := w.describe(im, images); err != nil {
			return nil, err
		}
	}
	w.out = append(w.out, magic...)
	if r.BigTIFF {
		w.out = w.order.AppendUint16(w.out, 43)
		w.out = append(w.order.AppendUint16(w.out, 8), 0, 0)
	} else {
		w.out = w.order.AppendUint16(w.out, 42)
	}
	first := len(w.out)
	w.offset(0)

	if r.Layout == COG && !r.NoGhost {
		w.ghost()
	}
	if r.Layout != IFDsLast {
		w.directories(images)
	}
	order := slices.Clone(images)
	if r.Layout == COG {
		slices.Reverse(order)
	}
	for _, im := range order {
		w.pixels(im)
	}
	if r.Layout == IFDsLast {
		w.directories(images)
	}
	w.patch(first, images[0].at)
	w.link(images)
	if !r.BigTIFF && uint64(len(w.out)) > math.MaxUint32 {
		return nil, fmt.Errorf("write TIFF: %d bytes need BigTIFF", len(w.out))
	}
	return w.out, nil
}

// images lists the full image, its mask, then each overview with its own.
func (w *writer) images() []*image {
	var out []*image
	width, height := w.raster.Width, w.raster.Height
	for level := range w.raster.Overviews + 1 {
		out = append(out, &image{level: level, width: width, height: height})
		if w.raster.Mask {
			out = append(out, &image{level: level, width: width, height: height, mask: true})
		}
		width, height = max(1, (width+1)/2), max(1, (height+1)/2)
	}
	return out
}

// blockSize is the size in pixels of an image's blocks.
func (w *writer) blockSize(im *image) (int, int) {
	if w.raster.Tile > 0 {
		return w.raster.Tile, w.raster.Tile
	}
	if rows := w.raster.RowsPerStrip; rows > 0 {
		return im.width, min(rows, im.height)
	}
	return im.width, im.height
}

func (w *writer) encode(im *image) error {
	bw, bh := w.blockSize(im)
	across, down := (im.width+bw-1)/bw, (im.height+bh-1)/bh
	im.blocks = make([][]byte, across*down)
	if w.raster.Value == nil {
		return nil
	}
	for i := range im.blocks {
		x, y := i%across*bw, i/across*bh
		rows := bh
		if w.raster.Tile == 0 {
			rows = min(bh, im.height-y) // the last strip ends with the image, a tile does not
		}
		b, err := w.block(im, x, y, bw, rows)
		if err != nil {
			return err
		}
		im.blocks[i] = b
	}
	return nil
}

// pixels appends the blocks of an image and fills in their offsets.
func (w *writer) pixels(im *image) {
	offsets := im.entry(tagTileOffsets, tagStripOffsets)
	for i, b := range im.blocks {
		if b == nil {
			continue
		}
		if w.raster.Layout == COG {
			w.out = binary.LittleEndian.AppendUint32(w.out, uint32(len(b)))
		}
		w.put(offsets, i, len(w.out))
		w.out = append(w.out, b...)
		if w.raster.Layout == COG {
			tail := append(bytes.Clone(b[max(0, len(b)-4):]), 0, 0, 0, 0)
			w.out = append(w.out, tail[:4]...)
		}
	}
	w.align()
}

// put sets value i of an entry of offsets, in the file if it is already there. An entry that Raster.Tags replaced or took
// away stays so.
func (w *writer) put(e *entry, i, offset int) {
	size := w.offsetSize()
	if e == nil || len(e.value) < (i+1)*size {
		return
	}
	w.patchIn(e.value[i*size:], offset)
	switch {
	case e.slot == 0:
	case e.at > 0:
		w.patch(e.at+i*size, offset)
	default:
		w.patch(e.slot+i*size, offset)
	}
}

func (w *writer) offsetSize() int {
	if w.raster.BigTIFF {
		return 8
	}
	return 4
}

func (w *writer) patchIn(b []byte, v int) {
	if w.raster.BigTIFF {
		w.order.PutUint64(b, uint64(v))
	} else {
		w.order.PutUint32(b, uint32(v))
	}
}

func (w *writer) patch(at, v int) { w.patchIn(w.out[at:], v) }

// offset appends a number as wide as the file's offsets.
func (w *writer) offset(v int) {
	w.out = append(w.out, make([]byte, w.offsetSize())...)
	w.patch(len(w.out)-w.offsetSize(), v)
}

// align makes the end of the file even, as values and IFDs must begin on a word boundary.
func (w *writer) align() {
	if len(w.out)%2 == 1 {
		w.out = append(w.out, 0)
	}
}
