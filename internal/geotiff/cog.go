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
	ghostMax   = 4096
	cogSmall   = 512 // pixels of an edge up to which GDAL's validator asks for neither tiles nor overviews
)

// ghostArea returns the lines of GDAL's structural metadata, nil where there are none.
func (rd *reader) ghostArea() []byte {
	at := int64(8)
	if rd.big {
		at = 16
	}
	head := rd.view(at, int64(ghostHead))
	if !bytes.HasPrefix(head, []byte(ghostStart)) {
		return nil
	}
	size, err := strconv.ParseUint(string(head[len(ghostStart):len(ghostStart)+6]), 10, 32)
	if err != nil || size > ghostMax {
		return nil
	}
	return rd.view(at+int64(ghostHead), int64(size))
}

// cogVerdict judges the layout as GDAL's validator does, from what the header shows: tiled, every IFD before any pixel,
// IFDs from the largest image to the smallest, their pixels the other way round, and overviews where the image is large.
// A ghost area that vouches for the layout makes up for missing overviews, and for strips in a small image, as its writer
// chose so; one that a later edit has voided rules a COG out.
func (rd *reader) cogVerdict() COG {
	ghost := rd.ghostArea()
	promised := bytes.Contains(ghost, []byte("LAYOUT=IFDS_BEFORE_DATA"))
	small := max(rd.h.Width, rd.h.Height) <= cogSmall
	switch {
	case bytes.Contains(ghost, []byte("KNOWN_INCOMPATIBLE_EDITION=YES")):
		return COG{Reason: "the file was changed after it had been laid out as a COG"}
	case !rd.h.Tiled && !(promised && small):
		return COG{Reason: "not tiled"}
	case rd.broken:
		return COG{Reason: "not every IFD can be read"}
	}
	images := rd.images[:rd.nImage]
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
			return COG{Reason: fmt.Sprintf("IFD at offset %d lies behind pixels at %d", im.at, data)}
		case data == 0 && im.at >= firstRead:
			return COG{Reason: fmt.Sprintf("IFD at offset %d is not at the start of the file", im.at)}
		case i == 0 || im.mask:
			continue
		case im.subIFD:
			return COG{Reason: "overviews are in SubIFDs"}
		case im.size.Width > last.size.Width || im.size.Height > last.size.Height || im.size == last.size:
			return COG{Reason: "overviews are not sorted from the largest to the smallest"}
		case im.at < last.at:
			return COG{Reason: "IFDs are not in the order of their images"}
		case im.data > 0 && last.data > 0 && im.data > last.data:
			return COG{Reason: "pixels of an overview lie behind those of a larger image"}
		}
		last = im
	}
	if !small && len(rd.h.Overviews) == 0 && !promised {
		return COG{Reason: fmt.Sprintf("no overviews, though larger than %d pixels", cogSmall)}
	}
	return COG{Valid: true}
}
