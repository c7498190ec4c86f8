package geotiff

import (
	"bytes"
	"fmt"
	"strconv"
)

// How GDAL's COG driver begins the area between the file header and the first IFD: a size of six digits follows, then
// " bytes\n" and that many bytes of KEY=VALUE lines (GDAL's COG driver, "Header ghost area").
const (
	ghostStart = "GDAL_STRUCTURAL_METADATA_SIZE="
	ghostHead  = len(ghostStart) + len("000000 bytes\n")

	cogSmall      = 512  // pixels of an edge up to which GDAL's validator asks for neither tiles nor overviews
	cogStripWidth = 1024 // pixels of a row up to which it takes strips for as good as tiles
)

// ghostArea returns the lines of GDAL's structural metadata, nil where there are none, and where the first IFD of a COG must
// lie: behind them, or behind the file's header.
func (rd *reader) ghostArea() (lines []byte, ifdAt uint64) {
	at := int64(8)
	if rd.big {
		at = 16
	}
	head := rd.view(at, int64(ghostHead))
	if !bytes.HasPrefix(head, []byte(ghostStart)) {
		return nil, uint64(at)
	}
	size, err := strconv.ParseUint(string(head[len(ghostStart):len(ghostStart)+6]), 10, 32)
	if err != nil {
		return nil, uint64(at)
	}
	end := at + int64(ghostHead) + int64(size)
	return rd.view(at+int64(ghostHead), int64(size)), uint64(end + end%2)
}

// cogVerdict judges the layout as GDAL's validator does (validate_cloud_optimized_geotiff.py), from what the header shows: the
// first IFD where it must be, every IFD before any pixel, IFDs from the largest image to the smallest, their pixels the
// other way round. It must be tiled, which the validator does not ask of small files: what vouches for strips is a ghost
// area. One that a later edit has voided rules a COG out.
func (rd *reader) cogVerdict() COG {
	ghost, ifdAt := rd.ghostArea()
	promised := bytes.Contains(ghost, []byte("LAYOUT=IFDS_BEFORE_DATA"))
	small := max(rd.h.Width, rd.h.Height) <= cogSmall
	images := rd.images[:rd.nImage]
	switch first := images[0].at; {
	case bytes.Contains(ghost, []byte("KNOWN_INCOMPATIBLE_EDITION=YES")):
		return COG{Reason: "the file was changed after it had been laid out as a COG"}
	case !rd.h.Tiled && !(promised && (small || rd.h.Width <= cogStripWidth)):
		return COG{Reason: "not tiled"}
	case rd.broken:
		return COG{Reason: "not every IFD can be read"}
	case first != ifdAt && first != 16:
		return COG{Reason: fmt.Sprintf("the first IFD lies at offset %d, not at %d", first, ifdAt)}
	}
	if reason := rd.orderOf(images); reason != "" {
		return COG{Reason: reason}
	}
	if !small && len(rd.h.Overviews) == 0 {
		return COG{Valid: true, Remark: fmt.Sprintf("no overviews, though larger than %d pixels", cogSmall)}
	}
	return COG{Valid: true}
}

// orderOf says what is wrong with the order of IFDs and pixels; "" where nothing is.
func (rd *reader) orderOf(images []image) string {
	var data uint64 // the first pixel of any image, as far as known
	for _, im := range images {
		if im.data > 0 && (data == 0 || im.data < data) {
			data = im.data
		}
	}
	last := images[0]
	for i, im := range images {
		switch {
		case data > 0 && im.at > data:
			return fmt.Sprintf("IFD at offset %d lies behind pixels at %d", im.at, data)
		case data == 0 && im.at >= firstRead:
			return fmt.Sprintf("IFD at offset %d is not at the start of the file", im.at)
		case i == 0 || im.mask:
			continue
		case im.subIFD:
			return "overviews are in SubIFDs"
		case im.size.Width > last.size.Width || im.size.Height > last.size.Height:
			return "overviews are not sorted from the largest to the smallest"
		case !im.tiled && im.size.Width > cogStripWidth:
			return fmt.Sprintf("overview of %d × %d pixels is not tiled", im.size.Width, im.size.Height)
		case im.at < last.at:
			return "IFDs are not in the order of their images"
		case im.data > 0 && last.data > 0 && im.data > last.data:
			return "pixels of an overview lie behind those of a larger image"
		}
		last = im
	}
	return ""
}
