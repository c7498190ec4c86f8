package geotiff

import "strings"

// Values of PhotometricInterpretation (TIFF 6.0 sections 4 to 6, 16, 21 and 23).
const (
	photoMinIsWhite = 0
	photoMinIsBlack = 1
	photoRGB        = 2
	photoPalette    = 3
	photoSeparated  = 5
	photoYCbCr      = 6
	photoCIELab     = 8
)

const (
	compressionJPEG = 7
	inkSetCMYK      = 1 // InkSet (TIFF 6.0 section 16)
)

// Values of ExtraSamples (TIFF 6.0 section 18) that mean transparency. 999 is what Corel Draw 10 writes, and libtiff reads.
const (
	extraAssociated   = 1
	extraUnassociated = 2
	extraCorel        = 999
)

var rgba = []string{"red", "green", "blue", "alpha"}

// primaries are what the first bands of an image are.
var primaries = map[uint16][]string{
	photoMinIsWhite: {"undefined"},
	photoMinIsBlack: {"gray"},
	photoRGB:        rgba[:3],
	photoPalette:    {"palette"},
	photoSeparated:  {"cyan", "magenta", "yellow", "black"},
	photoYCbCr:      {"ycbcr_y", "ycbcr_cb", "ycbcr_cr"},
	photoCIELab:     {"undefined", "undefined", "undefined"},
}

// convertedTo lists the bands of 8 bits that GDAL makes of an image in another colour space; nil where it shows the
// samples as they are.
func (rd *reader) convertedTo(s sample) []string {
	if s.format == formatFloat || s.bits > 8 || s.bits&(s.bits-1) != 0 || s.bits == 1 && rd.samples == 1 {
		return nil
	}
	switch photo := rd.h.Photometric; {
	case photo == photoCIELab && s.bits == 8 && rd.samples == 3,
		photo == photoSeparated && rd.samples >= 4 &&
			rd.uintOr(&rd.main.fields[slotInkSet], inkSetCMYK) == inkSetCMYK:
		return rgba
	case photo == photoYCbCr && rd.h.Compression != compressionJPEG:
		return rgba[:3]
	}
	return nil
}

// colour fills in what each band is, from PhotometricInterpretation, ColorMap and ExtraSamples as GDAL takes them.
func (rd *reader) colour(bands []Band) {
	colourMap, extra := &rd.main.fields[slotColorMap], &rd.main.fields[slotExtraSamples]
	bits, photo := bands[0].Bits, rd.h.Photometric
	hasMap := bits <= 16 && colourMap.set && colourMap.count >= 3<<bits
	switch {
	case photo == photoYCbCr && rd.h.Compression == compressionJPEG: // the codec converts it
		photo = photoRGB
	case photo == photoPalette && !hasMap && bits >= 8 && len(bands) == 3:
		photo = photoRGB
	case photo == photoPalette && !hasMap:
		photo = photoMinIsBlack
	}
	first, known := primaries[photo]
	from := len(bands) - extra.len() // the first band that ExtraSamples speaks of
	if known {
		from = min(from, len(first)) // where there are too few of them, the last are missing
	}
	for i := range bands {
		b := &bands[i]
		b.ColorInterp = "undefined"
		if i < len(first) {
			b.ColorInterp = first[i]
		}
		if b.ColorInterp != "undefined" || i < from {
			continue
		}
		switch v, _ := rd.uint(extra, i-from); v {
		case extraAssociated, extraUnassociated, extraCorel:
			b.ColorInterp = "alpha"
		}
	}
	// What is drawn white for 0 gets an inverted palette, what has two values one of black and white.
	if hasMap || rd.h.Photometric == photoMinIsWhite && bits <= 16 || bits == 1 && len(bands) == 1 {
		bands[0].ColorInterp = "palette"
	}
}

// colourInterps are GDAL's names of what a band is (GDALColorInterp, GDAL 3.10), in lower case.
var colourInterps = strings.Fields(`undefined gray palette red green blue alpha hue saturation lightness cyan magenta
	yellow black ycbcr_y ycbcr_cb ycbcr_cr pan coastal rededge nir swir mwir lwir tir otherir
	sar_ka sar_k sar_ku sar_x sar_c sar_s sar_l sar_p`)

// colourInterp is a name as Band.ColorInterp has it; "undefined" where GDAL does not know it.
func colourInterp(name string) string {
	for _, known := range colourInterps {
		if strings.EqualFold(known, name) {
			return known
		}
	}
	return "undefined"
}
