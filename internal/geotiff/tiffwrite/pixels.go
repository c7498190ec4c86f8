package tiffwrite

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math"
)

// A sampleType says how samples of one DataType are stored.
type sampleType struct {
	format uint16 // SampleFormat
	bits   uint16
	put    func(b []byte, order binary.ByteOrder, v float64)
}

var sampleTypes = map[string]sampleType{
	"uint8":  {1, 8, func(b []byte, _ binary.ByteOrder, v float64) { b[0] = uint8(v) }},
	"int8":   {2, 8, func(b []byte, _ binary.ByteOrder, v float64) { b[0] = uint8(int8(v)) }},
	"uint16": {1, 16, func(b []byte, o binary.ByteOrder, v float64) { o.PutUint16(b, uint16(v)) }},
	"int16":  {2, 16, func(b []byte, o binary.ByteOrder, v float64) { o.PutUint16(b, uint16(int16(v))) }},
	"uint32": {1, 32, func(b []byte, o binary.ByteOrder, v float64) { o.PutUint32(b, uint32(v)) }},
	"int32":  {2, 32, func(b []byte, o binary.ByteOrder, v float64) { o.PutUint32(b, uint32(int32(v))) }},
	"uint64": {1, 64, func(b []byte, o binary.ByteOrder, v float64) { o.PutUint64(b, uint64(v)) }},
	"int64":  {2, 64, func(b []byte, o binary.ByteOrder, v float64) { o.PutUint64(b, uint64(int64(v))) }},
	"float32": {3, 32, func(b []byte, o binary.ByteOrder, v float64) {
		o.PutUint32(b, math.Float32bits(float32(v)))
	}},
	"float64": {3, 64, func(b []byte, o binary.ByteOrder, v float64) { o.PutUint64(b, math.Float64bits(v)) }},
	"cint16":  {5, 32, func(b []byte, o binary.ByteOrder, v float64) { o.PutUint16(b, uint16(int16(v))) }},
	"cint32":  {5, 64, func(b []byte, o binary.ByteOrder, v float64) { o.PutUint32(b, uint32(int32(v))) }},
	"cfloat32": {6, 64, func(b []byte, o binary.ByteOrder, v float64) {
		o.PutUint32(b, math.Float32bits(float32(v)))
	}},
	"cfloat64": {6, 128, func(b []byte, o binary.ByteOrder, v float64) { o.PutUint64(b, math.Float64bits(v)) }},
}

// block encodes the block whose first pixel is x0, y0: bw × bh pixels of an image that is 1<<level times smaller than the
// raster. What lies outside the image repeats its edge, which compresses well.
func (w *writer) block(im *image, x0, y0, bw, bh int) ([]byte, error) {
	size := int(w.sample.bits) / 8
	out := make([]byte, bw*bh*w.raster.Bands*size)
	if im.mask {
		out = make([]byte, (bw+7)/8*bh)
		for i := range out {
			out[i] = 0xff
		}
	}
	for i := 0; i < bw*bh && !im.mask; i++ {
		x := min((x0+i%bw)<<im.level, w.raster.Width-1)
		y := min((y0+i/bw)<<im.level, w.raster.Height-1)
		for b := range w.raster.Bands {
			w.sample.put(out[(i*w.raster.Bands+b)*size:], w.order, w.raster.Value(b, x, y))
		}
	}
	if !w.raster.Deflate {
		return out, nil
	}
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	if _, err := zw.Write(out); err != nil {
		return nil, fmt.Errorf("compress a block: %w", err)
	}
	if err := zw.Close(); err != nil {
		return nil, fmt.Errorf("compress a block: %w", err)
	}
	return z.Bytes(), nil
}
