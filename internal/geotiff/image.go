package geotiff

import (
	"cmp"
	"errors"
	"slices"
)

// Compression 6 is the JPEG of TIFF 6.0, whose files often lack tags that others must have.
const oldJPEG = 6

// Bits of NewSubfileType (TIFF 6.0 section 8).
const (
	subfileReduced = 1 << 0
	subfileMask    = 1 << 2
)

// An image is what the verdict on the layout wants to know of each image in the file.
type image struct {
	at     uint64 // of its IFD
	data   uint64 // offset of its first block; 0 where the header does not show it at no cost
	size   Size
	mask   bool
	subIFD bool
}

// describe fills in the shape, blocks and bands of the first image.
func (rd *reader) describe() error {
	d, h := &rd.main, rd.h
	size, err := rd.imageSize(d)
	if err != nil {
		return malformed("IFD 1: %v", err)
	}
	h.Width, h.Height = size.Width, size.Height
	h.Compression = uint16(rd.uintOr(&d.fields[slotCompression], 1))
	h.Photometric = uint16(rd.uintOr(&d.fields[slotPhotometric], 0))
	h.HasRPC = d.fields[slotRPC].set

	switch {
	case d.fields[slotTileWidth].set || d.fields[slotTileHeight].set:
		w, h2 := rd.uintOr(&d.fields[slotTileWidth], 0), rd.uintOr(&d.fields[slotTileHeight], 0)
		if w == 0 || h2 == 0 || w > maxPixels || h2 > maxPixels {
			return malformed("IFD 1: tiles of %d × %d pixels", w, h2)
		}
		h.Tiled, h.BlockWidth, h.BlockHeight = true, int64(w), int64(h2)
	default:
		rows := rd.uintOr(&d.fields[slotRowsPerStrip], 0)
		if rows == 0 || rows > uint64(h.Height) {
			rows = uint64(h.Height)
		}
		h.BlockWidth, h.BlockHeight = h.Width, int64(rows)
	}
	// libtiff asks for either, whichever way the image is organised.
	if !d.fields[slotTileOffsets].set && !d.fields[slotStripOffsets].set && h.Compression != oldJPEG {
		return malformed("IFD 1: neither StripOffsets nor TileOffsets")
	}
	if h.Bands, err = rd.bands(d); err != nil {
		return err
	}
	rd.addImage(image{at: d.at, data: rd.firstBlock(d), size: size})
	return nil
}

// imageSize is the size in pixels, within what GDAL can hold.
func (rd *reader) imageSize(d *directory) (Size, error) {
	w, wok := rd.uint(&d.fields[slotWidth], 0)
	h, hok := rd.uint(&d.fields[slotHeight], 0)
	switch {
	case !wok:
		return Size{}, errors.New("no ImageWidth that is a number")
	case !hok:
		return Size{}, errors.New("no ImageLength that is a number")
	case w == 0 || h == 0 || w > maxPixels || h > maxPixels:
		return Size{}, malformed("image of %d × %d pixels", w, h)
	}
	return Size{int64(w), int64(h)}, nil
}

// firstBlock is the offset of the first strip or tile, as far as it was read by chance: the array is never fetched.
func (rd *reader) firstBlock(d *directory) uint64 {
	for _, s := range [...]slot{slotTileOffsets, slotStripOffsets} {
		f := &d.fields[s]
		size := typeSize(f.typ)
		if !f.set || f.count == 0 || size == 0 {
			continue
		}
		if off, in := rd.place(f); in {
			f.data = f.raw[:size]
		} else {
			f.data = rd.view(off, int64(size))
		}
		return rd.uintOr(f, 0)
	}
	return 0
}

func (rd *reader) addImage(im image) {
	rd.images[rd.nImage] = im // visit lets in no more than there is room for
	rd.nImage++
}

// readImages looks at the other IFDs for overviews and masks: the chain behind the first, then the first one's SubIFDs.
// What is wrong with one of them is a warning.
func (rd *reader) readImages() error {
	next := rd.main.next
	for n := 2; next != 0; n++ {
		err := rd.readImage(ifdName(n), next)
		if _, bad := errors.AsType[*FormatError](err); bad || errors.Is(err, errBudget) {
			rd.broken = true
			rd.warn("%v; what follows is left out", err)
			break
		} else if err != nil {
			return err
		}
		next = rd.other.next
	}
	sub := &rd.main.fields[slotSubIFDs]
	for i := range sub.len() {
		at, _ := rd.uint(sub, i)
		err := rd.readImage(ifdName(-1-i), at)
		if _, bad := errors.AsType[*FormatError](err); bad || errors.Is(err, errBudget) {
			rd.warn("%v; left out", err)
		} else if err != nil {
			return err
		}
	}
	rd.sortOverviews()
	return nil
}

// readImage looks at one more IFD. It need not be an image: then it does not count.
func (rd *reader) readImage(name ifdName, at uint64) error {
	if rd.nSeen == maxIFDs {
		return malformed("%v: more than %d IFDs", name, maxIFDs)
	}
	if !rd.visit(at) {
		return malformed("%v: offset %d was read before, the IFDs form a loop", name, at)
	}
	d := &rd.other
	if err := rd.readIFD(d, name, at, chainSlots); err != nil {
		return err
	}
	for s := range slotCount {
		if f := &d.fields[s]; f.set && !unreadSlots.has(s) {
			if size := typeSize(f.typ); size > 0 && f.count > 0 {
				if _, in := rd.place(f); in {
					f.data = f.raw[:f.count*size]
				}
			}
		}
	}
	kind := rd.uintOr(&d.fields[slotSubfile], 0)
	if kind&(subfileReduced|subfileMask) == 0 {
		return nil
	}
	size, err := rd.imageSize(d)
	if err != nil {
		rd.warn("%v: %v; left out", name, err)
		return nil
	}
	mask := kind&subfileMask != 0
	if samples := rd.uintOr(&d.fields[slotSamples], 1); !mask && samples != uint64(len(rd.h.Bands)) {
		rd.warn("%v: reduced image of %d bands instead of %d; left out", name, samples, len(rd.h.Bands))
		return nil
	}
	rd.h.HasMask = rd.h.HasMask || mask
	rd.addImage(image{at: at, data: rd.firstBlock(d), size: size, mask: mask, subIFD: name < 0})
	return nil
}

// sortOverviews puts the reduced images into the header, largest first.
func (rd *reader) sortOverviews() {
	if rd.nImage < 2 {
		return
	}
	sizes := make([]Size, 0, rd.nImage-1)
	for _, im := range rd.images[1:rd.nImage] {
		if !im.mask {
			sizes = append(sizes, im.size)
		}
	}
	if len(sizes) == 0 {
		return
	}
	slices.SortStableFunc(sizes, func(a, b Size) int { return cmp.Compare(b.Width*b.Height, a.Width*a.Height) })
	rd.h.Overviews = sizes
}
