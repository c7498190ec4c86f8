package geotiff

import "bytes"

// readTexts fills in what the file says in words.
func (rd *reader) readTexts() {
	h, f := rd.h, &rd.main.fields
	h.Description = f[slotDescription].text()
	h.Software = f[slotSoftware].text()
	h.DateTime = f[slotDateTime].text()
	h.Nodata = f[slotNodata].text()
	if _, number := Number(h.Nodata); h.Nodata != "" && !number {
		rd.warn("%v: %.100q is no number; GDAL takes it for 0", slotNodata, h.Nodata)
	}
	b := f[slotMetadata].bytes()
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	if b = bytes.TrimSpace(b); len(b) > 0 {
		rd.readMetadata(toUTF8(b))
	}
}

// readMetadata takes over the items that GDAL takes over, and what they say of colours.
func (rd *reader) readMetadata(text string) {
	items, err := parseMetadata(text)
	if err != nil {
		rd.warn("%v: %v", slotMetadata, err)
	}
	kept := items[:0]
	for _, m := range items {
		if m.Sample >= len(rd.h.Bands) {
			continue
		}
		if m.Role == "colorinterp" && !rd.converted {
			rd.h.Bands[m.Sample].ColorInterp = colourInterp(m.Value)
		}
		kept = append(kept, m)
	}
	if len(kept) > 0 {
		rd.h.Metadata = kept
	}
}
