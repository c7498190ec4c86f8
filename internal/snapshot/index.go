package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"time"
)

// frameItems is how many Items share a zstd frame, so that one Item costs one small read.
const frameItems = 16

// An index tells where the frames of a Part lie and, roughly, what is in them. Lookups and filters that it rejects are
// rejected for sure; what it accepts has to be looked at.
//
// Its content, before compression: a version byte, the number of Items, the length of each frame (both uvarint; the frames
// follow each other from offset 0), then the columns, each as the differences of consecutive values, least significant
// bytes first: all the lowest bytes, then all the second ones, and so on, which compresses to less than half.
type index struct {
	offsets []int64 // of the frames, and the end of the last
	columns [indexColumns][]uint32
}

const (
	indexVersion = 1
	indexColumns = 7
)

// Columns of the index.
const (
	colID    = iota // 32-bit FNV-1a of the id
	colWest         // bits of float32 degrees, rounded outwards; NaN where there is no geometry
	colSouth        //
	colEast         // below west over the antimeridian
	colNorth        //
	colFrom         // int32 minutes since 1970, rounded outwards, saturated; from > to where there is no time
	colTo           //
)

// maxIndex bounds the size of the index of a Part with n Items: the raw columns, what zstd adds where nothing compresses,
// and the frame headers. One read of that many bytes holds all of it.
func maxIndex(n int) int64 {
	frames := int64(n+frameItems-1) / frameItems
	raw := 1 + binary.MaxVarintLen64*(frames+1) + 4*indexColumns*int64(n)
	return skippableHeader + raw + raw/1024 + 64
}

func (x *index) len() int { return len(x.columns[colID]) }

// bytes is about what the index takes in memory.
func (x *index) bytes() int64 { return int64(8*len(x.offsets) + 4*indexColumns*x.len() + 256) }

func idHash(id string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(id))
	return h.Sum32()
}

// add appends the entry of the next Item.
func (x *index) add(id string, e extent) {
	nan := math.Float32bits(float32(math.NaN()))
	row := [indexColumns]uint32{colID: idHash(id), colWest: nan, colSouth: nan, colEast: nan, colNorth: nan}
	if e.box != nil {
		for i, v := range roundOutwards(*e.box) {
			row[colWest+i] = math.Float32bits(v)
		}
	}
	from, to := int32(1), int32(0)
	if e.from != nil {
		from, to = minuteBelow(*e.from), minuteAbove(*e.to)
	}
	row[colFrom], row[colTo] = uint32(from), uint32(to)
	for i, v := range row {
		x.columns[i] = append(x.columns[i], v)
	}
}

// roundOutwards gives a float32 box that covers b.
func roundOutwards(b [4]float64) [4]float32 {
	out := [4]float32{floatBelow(b[0]), floatBelow(b[1]), floatAbove(b[2]), floatAbove(b[3])}
	if b[0] > b[2] && out[0] <= out[2] { // rounding closed the gap: all the way round
		out[0], out[2] = -180, 180
	}
	return out
}

func floatBelow(v float64) float32 {
	f := float32(v)
	if float64(f) > v {
		f = math.Nextafter32(f, float32(math.Inf(-1)))
	}
	return f
}

func floatAbove(v float64) float32 { return -floatBelow(-v) }

func minuteBelow(t time.Time) int32 {
	s := t.Unix()
	m := s / 60
	if s%60 < 0 {
		m--
	}
	return int32(min(max(m, math.MinInt32), math.MaxInt32))
}

func minuteAbove(t time.Time) int32 {
	m := int64(minuteBelow(t))
	if m == math.MinInt32 || t.After(time.Unix(m*60, 0)) {
		m++
	}
	return int32(min(m, math.MaxInt32))
}

// A filter is a query in the index's own units.
type filter struct {
	box      *[4]float64
	timed    bool
	from, to int32
}

func (q *Query) filter() filter {
	f := filter{box: q.BBox, timed: q.Start != nil || q.End != nil, from: math.MinInt32, to: math.MaxInt32}
	if q.Start != nil {
		f.from = minuteBelow(*q.Start)
	}
	if q.End != nil {
		f.to = minuteAbove(*q.End)
	}
	return f
}

// exact tells that every Item passes, so that nothing need be looked at.
func (f *filter) exact() bool { return f.box == nil && !f.timed }

// passes tells whether Item i may be within the query.
func (x *index) passes(i int, f *filter) bool {
	if f.timed {
		from, to := int32(x.columns[colFrom][i]), int32(x.columns[colTo][i])
		if from > to || from > f.to || to < f.from {
			return false
		}
	}
	if f.box == nil {
		return true
	}
	var b [4]float64
	for j := range b {
		b[j] = float64(math.Float32frombits(x.columns[colWest+j][i]))
	}
	return b[0] == b[0] && boxesMeet(b, *f.box)
}

// encode gives the content of the index frame.
func (x *index) encode() []byte {
	n := x.len()
	out := append(make([]byte, 0, maxIndex(n)), indexVersion)
	out = binary.AppendUvarint(out, uint64(n))
	for i := range len(x.offsets) - 1 {
		out = binary.AppendUvarint(out, uint64(x.offsets[i+1]-x.offsets[i]))
	}
	for _, col := range x.columns {
		at := len(out)
		out = append(out, make([]byte, 4*n)...)
		var last uint32
		for i, v := range col {
			d := v - last
			last = v
			for k := range 4 {
				out[at+k*n+i] = byte(d >> (8 * k))
			}
		}
	}
	return out
}

// decodeIndex parses the content of an index frame.
func decodeIndex(b []byte) (*index, error) {
	if len(b) == 0 || b[0] != indexVersion {
		return nil, fmt.Errorf("index is not of version %d", indexVersion)
	}
	b = b[1:]
	count, k := binary.Uvarint(b)
	if k <= 0 || count > uint64(len(b))/(4*indexColumns) {
		return nil, fmt.Errorf("index of %d bytes cannot hold %d items", len(b), count)
	}
	b = b[k:]
	n := int(count)
	x := &index{offsets: make([]int64, 1, n/frameItems+2)}
	for range (n + frameItems - 1) / frameItems {
		size, k := binary.Uvarint(b)
		if k <= 0 || size == 0 || size > 2*maxFrame {
			return nil, errors.New("index has an impossible frame length")
		}
		b = b[k:]
		x.offsets = append(x.offsets, x.offsets[len(x.offsets)-1]+int64(size))
	}
	if len(b) != 4*indexColumns*n {
		return nil, fmt.Errorf("index has %d bytes of columns, %d items need %d", len(b), n, 4*indexColumns*n)
	}
	all := make([]uint32, indexColumns*n)
	for c := range x.columns {
		col := all[c*n : (c+1)*n : (c+1)*n]
		p0, p1, p2, p3 := b[:n], b[n:2*n], b[2*n:3*n], b[3*n:4*n]
		b = b[4*n:]
		var v uint32
		for i := range col {
			v += uint32(p0[i]) | uint32(p1[i])<<8 | uint32(p2[i])<<16 | uint32(p3[i])<<24
			col[i] = v
		}
		x.columns[c] = col
	}
	return x, nil
}

// end is where the frames end.
func (x *index) end() int64 { return x.offsets[len(x.offsets)-1] }
