package geotiff

import (
	"math"
	"strconv"
	"strings"
)

// NodataValue is what GDAL takes the text of a nodata value for (GDAL_NODATA, or NoDataValue of an .aux.xml) in a band of
// this type: an int64 or uint64 in bands of these types, else a float64, which may be infinite or no number; nil for an
// empty text. It may be a number that no pixel can have, such as -9999 among bytes. A text that begins with no number
// counts as 0, as it does in GDAL, which then masks what is 0; only that a NaN in any spelling is a NaN here.
func (b Band) NodataValue(text string) any {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	switch b.DataType {
	case "int64":
		v, _ := strconv.ParseInt(leadingDigits(text), 10, 64) // out of range it is the nearest
		return v
	case "uint64":
		digits := strings.TrimPrefix(leadingDigits(text), "+")
		magnitude, negative := strings.CutPrefix(digits, "-")
		v, _ := strconv.ParseUint(magnitude, 10, 64)
		if negative {
			v = -v // as C's strtoull has it
		}
		return v
	}
	v, _ := Number(text)
	if b.DataType == "float32" {
		return float32Nodata(v)
	}
	return v
}

// float32Nodata rounds a nodata value as pixels are. A number that is close to the largest one is the largest one: it was
// written with too few digits.
func float32Nodata(v float64) float64 {
	const largest = math.MaxFloat32
	for _, limit := range [...]float64{largest, -largest} {
		if math.Abs(v-limit) < 1e-10*largest {
			return limit
		}
	}
	return float64(float32(v))
}

// Number reads the number at the start of a text, as GDAL reads numbers in metadata (CPLAtofM): what follows it does not
// matter, the decimal mark may be a comma, and there may be names of infinity and of what is no number, those of Microsoft's C library
// too. ok is false where the text begins with none.
func Number(text string) (v float64, ok bool) {
	text = strings.TrimLeft(text, " \t\r\n\v\f")
	unsigned := strings.TrimLeft(text[:min(len(text), 12)], "+-")
	if len(text) > 0 && (unsigned == "" || unsigned[0] > '9' || strings.HasPrefix(unsigned, "1.#")) {
		return namedNumber(text[0] == '-', strings.ToLower(unsigned))
	}
	mark := byte('.')
	if i := strings.IndexAny(text, ".,"); i >= 0 {
		mark = text[i]
	}
	mantissa := leadingDigits(text)
	rest := text[len(mantissa):]
	if len(rest) > 0 && rest[0] == mark {
		fraction := leadingDigits(rest[1:])
		if strings.HasPrefix(fraction, "+") || strings.HasPrefix(fraction, "-") {
			fraction = ""
		}
		mantissa += "." + fraction
		rest = rest[1+len(fraction):]
	}
	if len(rest) > 1 && (rest[0] == 'e' || rest[0] == 'E') {
		if exponent := leadingDigits(rest[1:]); strings.TrimLeft(exponent, "+-") != "" {
			mantissa += "e" + exponent
		}
	}
	v, err := strconv.ParseFloat(mantissa, 64)
	if ne, is := err.(*strconv.NumError); is && ne.Err == strconv.ErrRange {
		return v, true // an infinity
	}
	return v, err == nil
}

// namedNumber knows the numbers that have no digits, by a name in lower case without its sign.
func namedNumber(negative bool, name string) (float64, bool) {
	switch {
	case strings.HasPrefix(name, "inf"), strings.HasPrefix(name, "1.#inf"):
		if negative {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	case strings.HasPrefix(name, "nan"), strings.HasPrefix(name, "1.#"):
		return math.NaN(), true
	}
	return 0, false
}

// leadingDigits is the integer at the start of a text, with its sign.
func leadingDigits(text string) string {
	n := 0
	if n < len(text) && (text[n] == '+' || text[n] == '-') {
		n++
	}
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return text[:n]
}
