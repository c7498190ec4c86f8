package crs

import (
	_ "embed"
	"strconv"
	"strings"
)

// The tables are lines of tab-separated fields, sorted by the number in the first. They are searched and decoded where they
// lie in the binary, so that a program that needs no CRS pays nothing. gen/table.py writes them and byRow reads them; both
// name the fields.
var (
	//go:embed epsg.tsv
	epsgTable string
	//go:embed replaced.tsv
	replacedTable string // deprecated code, the one that stands in for it
	//go:embed shifts.tsv
	shiftTable string
)

// A row is the fields of a line; those that are not there read as empty or zero.
type row []string

// find returns the row whose first field is code, or nil.
func find(table string, code int) row {
	lo, hi := 0, len(table) // starts of lines
	for lo < hi {
		start := lo + strings.LastIndexByte(table[lo:(lo+hi)/2], '\n') + 1
		length := strings.IndexByte(table[start:], '\n')
		line := table[start : start+length]
		number, _, _ := strings.Cut(line, "\t")
		switch n, _ := strconv.Atoi(number); {
		case n < code:
			lo = start + length + 1
		case n > code:
			hi = start
		default:
			return strings.Split(line, "\t")
		}
	}
	return nil
}

func (r row) text(i int) string {
	if i < len(r) {
		return r[i]
	}
	return ""
}

func (r row) num(i int) float64 {
	v, _ := strconv.ParseFloat(r.text(i), 64) // a test reads every field of the tables
	return v
}

func (r row) int(i int) int {
	v, _ := strconv.Atoi(r.text(i))
	return v
}
