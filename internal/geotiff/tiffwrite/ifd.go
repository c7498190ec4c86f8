package tiffwrite

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

const (
	tagStripOffsets = 273
	tagStripSizes   = 279
	tagTileOffsets  = 324
	tagTileSizes    = 325
	tagSubIFDs      = 330
)

// describe makes the entries of an image's IFD.
func (w *writer) describe(im *image, all []*image) error {
	r := w.raster
	bands, bits, format, photometric := r.Bands, w.sample.bits, w.sample.format, uint16(1)
	if bands >= 3 && r.DataType == "uint8" {
		photometric = 2
	}
	subfile := uint32(0)
	if im.level > 0 {
		subfile |= 1
	}
	if im.mask {
		subfile |= 4
		bands, bits, format, photometric = 1, 1, 1, 4
	}
	compression := uint16(1)
	if r.Deflate {
		compression = 8
	}
	tags := []Tag{
		{256, []uint32{uint32(im.width)}}, {257, []uint32{uint32(im.height)}},
		{258, slices.Repeat([]uint16{bits}, bands)}, {259, []uint16{compression}}, {262, []uint16{photometric}},
		{277, []uint16{uint16(bands)}}, {284, []uint16{1}}, {339, slices.Repeat([]uint16{format}, bands)},
	}
	if subfile != 0 {
		tags = append(tags, Tag{254, []uint32{subfile}})
	}
	if colours := map[uint16]int{1: 1, 2: 3, 4: 1}[photometric]; bands > colours {
		tags = append(tags, Tag{338, make([]uint16, bands-colours)}) // ExtraSamples, unspecified
	}
	bw, bh := w.blockSize(im)
	offsets, sizes := w.offsets(len(im.blocks)), make([]uint32, len(im.blocks))
	for i, b := range im.blocks {
		sizes[i] = uint32(len(b))
	}
	if r.Tile > 0 {
		tags = append(tags, Tag{322, []uint16{uint16(bw)}}, Tag{323, []uint16{uint16(bh)}},
			Tag{tagTileOffsets, offsets}, Tag{tagTileSizes, sizes})
	} else {
		tags = append(tags, Tag{278, []uint32{uint32(bh)}}, Tag{tagStripOffsets, offsets}, Tag{tagStripSizes, sizes})
	}
	if im == all[0] {
		first, err := r.firstTags()
		if err != nil {
			return err
		}
		tags = append(tags, first...)
		if n := len(all) - 1; n > 0 && r.SubIFDs {
			tags = append(tags, Tag{tagSubIFDs, w.offsets(n)})
		}
		for _, t := range r.Tags {
			tags = slices.DeleteFunc(tags, func(o Tag) bool { return o.ID == t.ID })
			if t.Value != nil {
				tags = append(tags, t)
			}
		}
	}
	slices.SortStableFunc(tags, func(a, b Tag) int { return cmp.Compare(a.ID, b.ID) })
	for _, t := range tags {
		e, err := w.entry(t)
		if err != nil {
			return err
		}
		im.entries = append(im.entries, e)
	}
	return nil
}

// offsets is an array of n offsets as wide as the file has them.
func (w *writer) offsets(n int) any {
	if w.raster.BigTIFF {
		return make([]uint64, n)
	}
	return make([]uint32, n)
}

// firstTags are the tags that only the first image has.
func (r *Raster) firstTags() ([]Tag, error) {
	var tags []Tag
	for _, t := range []struct {
		id   uint16
		text string
	}{{270, r.Description}, {305, r.Software}, {306, r.DateTime}, {42112, r.Metadata}, {42113, r.Nodata}} {
		if t.text != "" {
			tags = append(tags, Tag{t.id, t.text})
		}
	}
	for _, t := range []struct {
		id     uint16
		values []float64
	}{{33550, r.PixelScale}, {33922, r.Tiepoints}, {34264, r.Matrix}} {
		if t.values != nil {
			tags = append(tags, Tag{t.id, t.values})
		}
	}
	if r.Keys != nil {
		geo, err := geoTags(r.Keys)
		if err != nil {
			return nil, err
		}
		tags = append(tags, geo...)
	}
	return tags, nil
}

// geoTags lays out GeoKeys (GeoTIFF 1.1 section 7.1): sorted, numbers in the directory or the doubles, texts in one string.
func geoTags(keys []Key) ([]Tag, error) {
	keys = slices.Clone(keys)
	slices.SortStableFunc(keys, func(a, b Key) int { return cmp.Compare(a.ID, b.ID) })
	dir := []uint16{1, 1, 0, uint16(len(keys))}
	var doubles []float64
	var text strings.Builder
	for _, k := range keys {
		switch v := k.Value.(type) {
		case uint16:
			dir = append(dir, k.ID, 0, 1, v)
		case float64:
			dir = append(dir, k.ID, 34736, 1, uint16(len(doubles)))
			doubles = append(doubles, v)
		case []float64:
			dir = append(dir, k.ID, 34736, uint16(len(v)), uint16(len(doubles)))
			doubles = append(doubles, v...)
		case string:
			dir = append(dir, k.ID, 34737, uint16(len(v)+1), uint16(text.Len()))
			text.WriteString(v + "|")
		default:
			return nil, fmt.Errorf("write TIFF: GeoKey %d has a value of type %T", k.ID, v)
		}
	}
	tags := []Tag{{34735, dir}}
	if doubles != nil {
		tags = append(tags, Tag{34736, doubles})
	}
	if text.Len() > 0 {
		tags = append(tags, Tag{34737, text.String()})
	}
	return tags, nil
}

// entry encodes a tag's value.
func (w *writer) entry(t Tag) (entry, error) {
	e := entry{id: t.ID}
	switch v := t.Value.(type) {
	case string:
		e.typ, e.count, e.value = 2, len(v)+1, append([]byte(v), 0)
		return e, nil
	case []byte:
		e.typ, e.count, e.value = 7, len(v), slices.Clone(v)
		return e, nil
	case []uint16:
		e.typ, e.count = 3, len(v)
	case []uint32:
		e.typ, e.count = 4, len(v)
	case []uint64:
		e.typ, e.count = 16, len(v)
	case []int16:
		e.typ, e.count = 8, len(v)
	case []float32:
		e.typ, e.count = 11, len(v)
	case []float64:
		e.typ, e.count = 12, len(v)
	default:
		return e, fmt.Errorf("write TIFF: tag %d has a value of type %T", t.ID, t.Value)
	}
	var err error
	e.value, err = binary.Append(nil, w.order, t.Value)
	return e, err
}

// directories appends every IFD with its values.
func (w *writer) directories(images []*image) {
	for _, im := range images {
		w.directory(im)
		for i := range im.entries {
			if e := &im.entries[i]; w.raster.Layout != COG || !isBlockArray(e.id) {
				w.value(e)
			}
		}
	}
	if w.raster.Layout == COG {
		for _, im := range images {
			for i := range im.entries {
				if e := &im.entries[i]; isBlockArray(e.id) {
					w.value(e)
				}
			}
		}
	}
}

func isBlockArray(id uint16) bool {
	return id == tagStripOffsets || id == tagStripSizes || id == tagTileOffsets || id == tagTileSizes
}

// directory appends one IFD, with room for the offsets of values and of the next IFD.
func (w *writer) directory(im *image) {
	w.align()
	im.at = len(w.out)
	if w.raster.BigTIFF {
		w.out = w.order.AppendUint64(w.out, uint64(len(im.entries)))
	} else {
		w.out = w.order.AppendUint16(w.out, uint16(len(im.entries)))
	}
	for i := range im.entries {
		e := &im.entries[i]
		w.out = w.order.AppendUint16(w.out, e.id)
		w.out = w.order.AppendUint16(w.out, e.typ)
		w.offset(e.count)
		e.slot = len(w.out)
		w.offset(0)
		if len(e.value) <= w.offsetSize() {
			copy(w.out[e.slot:], e.value)
		}
	}
	w.offset(0)
}

// value appends the value of an entry that does not hold it itself.
func (w *writer) value(e *entry) {
	if len(e.value) <= w.offsetSize() {
		return
	}
	w.align()
	e.at = len(w.out)
	w.patch(e.slot, e.at)
	w.out = append(w.out, e.value...)
}

// link chains the IFDs, or hangs all but the first into its SubIFDs.
func (w *writer) link(images []*image) {
	for i, im := range images {
		switch {
		case i == 0:
		case w.raster.SubIFDs:
			w.put(images[0].entry(tagSubIFDs), i-1, im.at)
		default:
			last := images[i-1].entries
			w.patch(last[len(last)-1].slot+w.offsetSize(), im.at)
		}
	}
}

// ghost appends the area by which GDAL's COG driver vouches for the layout. The space at its end is room for a later
// edit to turn NO into YES.
func (w *writer) ghost() {
	const lines = "LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n" +
		"BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "
	w.out = append(w.out, fmt.Sprintf("GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n%s", len(lines), lines)...)
}
