package geotiff

import (
	"bytes"
	"math"
	"strings"
	"unicode/utf8"
)

// Field types (TIFF 6.0 section 2, BigTIFF).
const (
	typeByte      = 1
	typeASCII     = 2
	typeShort     = 3
	typeLong      = 4
	typeRational  = 5
	typeSByte     = 6
	typeUndefined = 7
	typeSShort    = 8
	typeSLong     = 9
	typeSRational = 10
	typeFloat     = 11
	typeDouble    = 12
	typeIFD       = 13
	typeLong8     = 16
	typeSLong8    = 17
	typeIFD8      = 18
)

// typeSize is the size of one value in bytes, 0 for an unknown type.
func typeSize(typ uint16) uint64 {
	switch typ {
	case typeByte, typeASCII, typeSByte, typeUndefined:
		return 1
	case typeShort, typeSShort:
		return 2
	case typeLong, typeSLong, typeFloat, typeIFD:
		return 4
	case typeRational, typeSRational, typeDouble, typeLong8, typeSLong8, typeIFD8:
		return 8
	}
	return 0
}

// isInteger tells whether values of a type are whole numbers.
func isInteger(typ uint16) bool {
	switch typ {
	case typeByte, typeShort, typeLong, typeSByte, typeSShort, typeSLong, typeIFD, typeLong8, typeSLong8, typeIFD8:
		return true
	}
	return false
}

// A field is one entry of an IFD and, once fetched, the bytes of its value.
type field struct {
	set   bool
	typ   uint16
	count uint64  // of values, as the file says
	raw   [8]byte // the value or its offset, as in the file
	data  []byte  // the value, maybe cut; nil until fetched
}

// len is the number of whole values in data.
func (f *field) len() int {
	if size := typeSize(f.typ); size > 0 {
		return len(f.data) / int(size)
	}
	return 0
}

// bytes is the value of a field of characters or bytes, nil for other types.
func (f *field) bytes() []byte {
	if typeSize(f.typ) != 1 {
		return nil
	}
	return f.data
}

// uint returns value i of an integer field; false for other types, negative values and ones that are not there.
func (rd *reader) uint(f *field, i int) (uint64, bool) {
	if i >= f.len() {
		return 0, false
	}
	switch f.typ {
	case typeByte, typeUndefined:
		return uint64(f.data[i]), true
	case typeShort:
		return uint64(rd.order.Uint16(f.data[2*i:])), true
	case typeLong, typeIFD:
		return uint64(rd.order.Uint32(f.data[4*i:])), true
	case typeLong8, typeIFD8:
		return rd.order.Uint64(f.data[8*i:]), true
	case typeSByte, typeSShort, typeSLong, typeSLong8:
		v, _ := rd.float(f, i)
		return uint64(max(v, 0)), v >= 0
	}
	return 0, false
}

// uintOr returns the first value of an integer field, or other where there is none.
func (rd *reader) uintOr(f *field, other uint64) uint64 {
	if v, ok := rd.uint(f, 0); ok {
		return v
	}
	return other
}

// float returns value i of a numeric field; false for other types and values that are not there.
func (rd *reader) float(f *field, i int) (float64, bool) {
	if i >= f.len() {
		return 0, false
	}
	switch b := f.data; f.typ {
	case typeDouble:
		return math.Float64frombits(rd.order.Uint64(b[8*i:])), true
	case typeFloat:
		return float64(math.Float32frombits(rd.order.Uint32(b[4*i:]))), true
	case typeRational:
		return float64(rd.order.Uint32(b[8*i:])) / float64(rd.order.Uint32(b[8*i+4:])), true
	case typeSRational:
		return float64(int32(rd.order.Uint32(b[8*i:]))) / float64(int32(rd.order.Uint32(b[8*i+4:]))), true
	case typeSByte:
		return float64(int8(b[i])), true
	case typeSShort:
		return float64(int16(rd.order.Uint16(b[2*i:]))), true
	case typeSLong:
		return float64(int32(rd.order.Uint32(b[4*i:]))), true
	case typeSLong8:
		return float64(int64(rd.order.Uint64(b[8*i:]))), true
	}
	v, ok := rd.uint(f, i)
	return float64(v), ok
}

// text returns a text as C would see it, without the white space around it.
func (f *field) text() string {
	b := f.bytes()
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	b = bytes.TrimSpace(b)
	if f.count > maxText && len(b) > 0 {
		b = trimRune(b) // a cut may go through a character
	}
	return strings.TrimSpace(toUTF8(b))
}

// trimRune takes an incomplete character off the end of b.
func trimRune(b []byte) []byte {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return b[:i]
			}
			break
		}
	}
	return b
}

// toUTF8 copies b into a string. TIFF texts are ASCII by the book and UTF-8 or Latin-1 in fact.
func toUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	out.Grow(2 * len(b))
	for _, c := range b {
		out.WriteRune(rune(c))
	}
	return out.String()
}
