// Package sidecar reads the files that lie beside a raster and say more of it: GDAL's .aux.xml, world files, and metadata in
// JSON, XML or KEY = VALUE lines such as Landsat's MTL.
//
// Whatever a file holds, reading it takes time and memory in proportion to its length, of which MaxBytes is the most.
package sidecar

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxBytes is how much of a sidecar is worth reading; a longer one is an error to its parser. Histograms of four bands of 16 bits
// take 2 MB of an .aux.xml.
const MaxBytes = 4 << 20

// What one sidecar may hold at most. Real ones stay far below.
const (
	maxDepth = 32        // elements, objects or groups within each other
	maxNodes = 20_000    // of a tree; Landsat's MTL has 300, a Sentinel-2 tile's metadata some thousands
	maxPaths = 2 << 20   // bytes of all the paths of Fields together: each repeats the names above it
	maxBand  = 1<<16 - 1 // GDAL's own bound
)

// Text is a sidecar's text in UTF-8: it may be in UTF-16, as Windows writes it, or in Latin-1, with a byte order mark or without. It
// ends at the first NUL.
func Text(b []byte) (string, error) {
	if len(b) > MaxBytes {
		return "", fmt.Errorf("%d bytes, more than the %d that are read", len(b), MaxBytes)
	}
	order := binary.ByteOrder(binary.LittleEndian)
	switch {
	case bytes.HasPrefix(b, []byte{0xef, 0xbb, 0xbf}):
		b = b[3:]
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		return fromUTF16(b[2:], order), nil
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		return fromUTF16(b[2:], binary.BigEndian), nil
	case len(b) > 1 && b[0] != 0 && b[1] == 0:
		return fromUTF16(b, order), nil
	case len(b) > 1 && b[0] == 0 && b[1] != 0:
		return fromUTF16(b, binary.BigEndian), nil
	}
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	if utf8.Valid(b) {
		return string(b), nil
	}
	var out strings.Builder
	out.Grow(len(b) + len(b)/8)
	for _, c := range b {
		out.WriteRune(rune(c))
	}
	return out.String(), nil
}

func fromUTF16(b []byte, order binary.ByteOrder) string {
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) > 1; b = b[2:] {
		unit := order.Uint16(b)
		if unit == 0 {
			break
		}
		units = append(units, unit)
	}
	return strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff")
}
