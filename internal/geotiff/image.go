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
	subfilePage    = 1 << 1
	subfileMask    = 1 << 2
)

// An image is what the verdict on the layout wants to know of each image in the file.
type image struct {
	at     uint64 // of its IFD
	data   uint64 // offset of its first block; 0 where the header does not show it at no cost
	size   Size
	tiled  bool
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
	photo := uint64(photoMinIsBlack)
	if h.Compression == oldJPEG {
		photo = photoYCbCr
	}
	h.Photometric = uint16(rd.uintOr(&d.fields[slotPhotometric], photo))
	h.HasRPC = d.fields[slotRPC].count == rpcCoefficients
	switch planar := rd.uintOr(&d.fields[slotPlanar], 1); planar {
	case 1, 2:
		h.Planar = planar == 2
	default:
		return malformed("IFD 1: PlanarConfiguration of %d", planar)
	}

	switch {
	case d.fields[slotTileWidth].set || d.fields[slotTileHeight].set:
		// Where one of them is missing, a tile is as long as the image.
		across := rd.uintOr(&d.fields[slotTileWidth], uint64(h.Width))
		down := rd.uintOr(&d.fields[slotTileHeight], uint64(h.Height))
		if across == 0 || down == 0 || across > maxPixels || down > maxPixels {
			return malformed("IFD 1: tiles of %d × %d pixels", across, down)
		}
		h.Tiled, h.BlockWidth, h.BlockHeight = true, int64(across), int64(down)
	default:
		rows := rd.uintOr(&d.fields[slotRowsPerStrip], uint64(h.Height))
		if rows == 0 {
			return malformed("IFD 1: strips of 0 rows")
		}
		h.BlockWidth, h.BlockHeight = h.Width, int64(min(rows, uint64(h.Height)))
	}
	// libtiff asks for either, whichever way the image is organised.
	if !d.fields[slotTileOffsets].set && !d.fields[slotStripOffsets].set && h.Compression != oldJPEG {
		return malformed("IFD 1: neither StripOffsets nor TileOffsets")
	}
	if h.Bands, err = rd.bands(); err != nil {
		return err
	}
	if isPage(rd.uintOr(&d.fields[slotSubfile], 0)) {
		h.Pages++
	}
	rd.addImage(image{at: d.at, data: rd.firstBlock(d), size: size, tiled: h.Tiled})
	return nil
}

// rpcCoefficients is how many numbers tag 50844 holds ("RPCs in GeoTIFF", GDAL).
const rpcCoefficients = 92

// isPage tells whether GDAL takes an image of such a NewSubfileType for one that stands for itself.
func isPage(subfile uint64) bool { return subfile == 0 || subfile == subfilePage }

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

// readImages looks at the other IFDs for overviews and masks: the first one's SubIFDs, and the chain behind the first. Where
// there are SubIFDs, reduced images in the chain are not of the first image, as GDAL has it. What is wrong with one of them is
// a warning.
func (rd *reader) readImages() error {
	sub := &rd.main.fields[slotSubIFDs]
	for i := range sub.len() {
		at, _ := rd.uint(sub, i)
		if err := rd.readImage(ifdName(-1-i), at, true); ofFile(err) {
			rd.warn("%v; left out", err)
		} else if err != nil {
			return err
		}
	}
	next := rd.main.next
	for n := 2; next != 0; n++ {
		if err := rd.readImage(ifdName(n), next, sub.len() == 0); ofFile(err) {
			rd.broken = true
			rd.warn("%v; what follows is left out", err)
			break
		} else if err != nil {
			return err
		}
		next = rd.other.next
	}
	rd.sortOverviews()
	return nil
}

// ofFile tells whether an error says something of the file, not of the reading.
func ofFile(err error) bool {
	_, bad := errors.AsType[*FormatError](err)
	return bad || errors.Is(err, errBudget)
}

// readImage looks at one more IFD. Only one that belongs to the first image may be an overview or a mask of it.
func (rd *reader) readImage(name ifdName, at uint64, belongs bool) error {
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
	if isPage(kind) && name > 0 {
		rd.h.Pages++
	}
	if kind&(subfileReduced|subfileMask) == 0 || !belongs {
		return nil
	}
	size, err := rd.imageSize(d)
	if err != nil {
		rd.warn("%v: %v; left out", name, err)
		return nil
	}
	im := image{at: at, data: rd.firstBlock(d), size: size, tiled: d.fields[slotTileOffsets].set,
		mask: kind&subfileMask != 0, subIFD: name < 0}
	samples := rd.uintOr(&d.fields[slotSamples], 1)
	fits := samples == uint64(rd.samples) || im.mask && samples == 1
	whole := kind&subfileReduced == 0
	switch {
	case !im.mask && !fits:
		rd.warn("%v: reduced image of %d bands instead of %d; left out", name, samples, rd.samples)
		return nil
	case im.mask && whole && (!fits || size != rd.images[0].size):
		rd.warn("%v: mask of %d × %d pixels and %d bands does not fit the image; left out", name, size.Width, size.Height,
			samples)
		return nil
	}
	rd.h.HasMask = rd.h.HasMask || im.mask && whole
	rd.addImage(im)
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
