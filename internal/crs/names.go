package crs

import (
	_ "embed"
	"math"
	"strconv"
	"strings"
)

//go:generate python3 gen/names.py

// What definitions name, by EPSG code; the form is that of epsgTable. gen/names.py writes them and says what the fields are.
var (
	//go:embed names/datums.tsv
	datumTable string
	//go:embed names/geographic.tsv
	geographicTable string
	//go:embed names/ellipsoids.tsv
	ellipsoidTable string
	//go:embed names/meridians.tsv
	meridianTable string
	//go:embed names/conversions.tsv
	conversionTable string
	//go:embed names/units.tsv
	unitTable string
	//go:embed names/names.tsv
	nameTable string
)

// codesOf returns the codes of the datums, ellipsoids or CRSs ("datum", "ellipsoid", "crs") that have a name in the EPSG dataset,
// in former versions of it, or at Esri; those in force come first. The table knows names by their hashes only, so that a code
// may be wrong and must be checked against the rest of the definition.
func codesOf(kind, name string) (codes []int) {
	r := find(nameTable, fnv(kind+" "+normal(name)))
	for i := 1; i < len(r); i++ {
		codes = append(codes, r.int(i))
	}
	return codes
}

// normal is a name in lower case, with only its letters, digits, "+" and what is not ASCII. (CH1903+ is not CH1903.)
func normal(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case 'A' <= c && c <= 'Z':
			return c + 'a' - 'A'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c >= 0x80:
			return c
		}
		return -1
	}, name)
}

// fnv is the lower 31 bits of the FNV-1a hash.
func fnv(s string) int {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return int(h & (1<<31 - 1))
}

// unitByCode returns the name and the size, in metres or degrees, of a unit of length or angle.
func unitByCode(code int) (name string, size float64, ok bool) {
	r := find(unitTable, code)
	return r.text(1), r.num(2), r != nil
}

// meridianByName returns the longitude in degrees of a prime meridian.
func meridianByName(name string) (degrees float64, ok bool) {
	for line := range strings.Lines(meridianTable) {
		r := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if normal(r[1]) == normal(name) {
			degrees, err := strconv.ParseFloat(r[2], 64)
			return degrees, err == nil
		}
	}
	return 0, false
}

// unitName is the name of a unit of that many metres or degrees.
func unitName(k kind, size float64) string {
	first, last := 9001, 9100
	if k == angle {
		first, last = 9101, 9200
	}
	for line := range strings.Lines(unitTable) {
		r := row(strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		if code := r.int(0); (first <= code && code < last || k == length && code > 9200) && math.Abs(r.num(2)/size-1) < 1e-12 {
			return r.text(1)
		}
	}
	return "unknown"
}
