package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Bounds on what one zstd frame may become, so that a corrupt or hostile Part cannot take the memory of a process. They
// are far above what scans write: frames are about 40 KB and scene blocks about 300 KB.
const (
	maxFrame   = 64 << 20
	maxScenes  = 256 << 20
	zstdWindow = 1 << 20
)

// The encoder and the decoder keep pools of their own and are safe for concurrent use.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithWindowSize(zstdWindow), zstd.WithEncoderCRC(true))
	if err != nil {
		panic(err) // only for options that are out of range
	}
	return e
})

var decoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic(err)
	}
	return d
})

// inflate decodes one zstd frame to at most limit bytes, appended to dst.
func inflate(dst, src []byte, limit int) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(src); err != nil {
		return nil, err
	}
	// What the frame says it will become is only allocated where the input is large enough to make it likely. Anything else
	// is streamed, and takes memory as bytes really come out.
	if !h.HasFCS || h.FrameContentSize > 1<<20+64*uint64(len(src)) {
		return inflateStream(dst, src, limit)
	}
	if h.FrameContentSize > uint64(limit) {
		return nil, fmt.Errorf("%d bytes uncompressed, more than %d", h.FrameContentSize, limit)
	}
	n := len(dst) + int(h.FrameContentSize)
	out, err := decoder().DecodeAll(src, slices.Grow(dst, int(h.FrameContentSize)))
	if err == nil && len(out) != n {
		err = errors.New("more than one frame")
	}
	return out, err
}

func inflateStream(dst, src []byte, limit int) ([]byte, error) {
	d, err := zstd.NewReader(bytes.NewReader(src), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(zstdWindow))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	buf := bytes.NewBuffer(dst)
	n, err := io.Copy(buf, io.LimitReader(d, int64(limit)+1))
	if err == nil && n > int64(limit) {
		err = fmt.Errorf("more than %d bytes uncompressed", limit)
	}
	return buf.Bytes(), err
}

// skippableMagic begins a frame that decoders pass over (RFC 8878 section 3.1.2): magic, length, content.
const (
	skippableMagic  = 0x184D2A5C
	skippableHeader = 8
)

// appendSkippable appends content, compressed, in a skippable frame.
func appendSkippable(dst, content []byte) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, skippableHeader)...)
	dst = encoder().EncodeAll(content, dst)
	binary.LittleEndian.PutUint32(dst[at:], skippableMagic)
	binary.LittleEndian.PutUint32(dst[at+4:], uint32(len(dst)-at-skippableHeader))
	return dst
}

// cutSkippable decodes the content of the skippable frame at the start of src, at most limit bytes, and returns what
// follows it.
func cutSkippable(src []byte, limit int) (content, rest []byte, err error) {
	if len(src) < skippableHeader {
		return nil, nil, fmt.Errorf("%d bytes are no frame", len(src))
	}
	if magic := binary.LittleEndian.Uint32(src); magic != skippableMagic {
		return nil, nil, fmt.Errorf("frame begins with %#x, not %#x", magic, uint32(skippableMagic))
	}
	n := uint64(binary.LittleEndian.Uint32(src[4:]))
	src = src[skippableHeader:]
	if n > uint64(len(src)) {
		return nil, nil, fmt.Errorf("frame of %d bytes, %d are left", n, len(src))
	}
	content, err = inflate(nil, src[:n], limit)
	return content, src[n:], err
}
