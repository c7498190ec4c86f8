package snapshot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/stac"
)

// A Part is one file:
//
//	frame of 16 lines │ … │ index │ scenes
//
// The lines are the Items' JSON in scene order, each ended by a newline; the other two lie in skippable frames, so that
// `zstd -dc part | jq` shows the Items and nothing else. Row.Index is the offset of the index. One ranged read from there
// takes the index, whose greatest length follows from the number of Items, and one to the end takes index and scenes.

// MaxLine bounds the JSON of an Item, in bytes.
const MaxLine = maxFrame/frameItems - 1

// maxPart bounds what a row may ask to read.
const maxPart = 1 << 36

// EncodePart makes the Part of scenes, which are in ascending order of their keys. Same scenes, same bytes on one build of
// Cairn. The row has what follows from them: Hash, Size, Index, Counts, IDs and Summary.
//
// Row.Hash is over the uncompressed content, so that neither the codec nor the architecture renames a Part: the first half
// of the SHA-256 of the scene block, which has the SHA-256 of the lines in it.
func EncodePart(scenes []Scene) (body []byte, row Row, err error) {
	var items []Item
	for i, sc := range scenes {
		if i > 0 && sc.Key <= scenes[i-1].Key {
			return nil, Row{}, fmt.Errorf("scene %s comes after scene %s", sc.Key, scenes[i-1].Key)
		}
		items = append(items, sc.Items...)
		row.Counts.add(sc)
	}
	frames, err := encodeFrames(items)
	if err != nil {
		return nil, Row{}, err
	}
	lines := sha256.New()
	x := &index{offsets: []int64{0}}
	ids := make(map[string]bool, len(items))
	for i, it := range items {
		if ids[it.ID] {
			return nil, Row{}, fmt.Errorf("two items have the id %s", it.ID)
		}
		ids[it.ID] = true
		if i == 0 || it.ID < row.IDs[0] {
			row.IDs[0] = it.ID
		}
		row.IDs[1] = max(row.IDs[1], it.ID)
		x.add(it.ID, frames[i/frameItems].extents[i%frameItems])
	}
	for _, f := range frames {
		lines.Write(f.lines)
		body = append(body, f.body...)
		x.offsets = append(x.offsets, int64(len(body)))
		row.Summary.Merge(f.summary)
	}
	block, err := encodeScenes(scenes, [sha256.Size]byte(lines.Sum(nil)))
	if err != nil {
		return nil, Row{}, err
	}
	row.Hash = hashOf(block)
	row.Index = int64(len(body))
	body = appendSkippable(body, x.encode())
	body = appendSkippable(body, block)
	row.Size = int64(len(body))
	return body, row, nil
}

// A frame of at most frameItems Items on its way into a Part.
type frame struct {
	lines   []byte // uncompressed
	body    []byte
	extents []extent
	summary stac.Summary
}

// encodeFrames works on all processors; the result does not depend on how many there are.
func encodeFrames(items []Item) ([]frame, error) {
	frames := make([]frame, (len(items)+frameItems-1)/frameItems)
	errs := make([]error, len(frames))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(frames)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(frames) {
					return
				}
				frames[i], errs[i] = encodeFrame(items[i*frameItems : min((i+1)*frameItems, len(items))])
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return frames, nil
}

func encodeFrame(items []Item) (frame, error) {
	var f frame
	for _, it := range items {
		if len(it.JSON) > MaxLine {
			return f, fmt.Errorf("item %s: %d bytes, more than %d", it.ID, len(it.JSON), MaxLine)
		}
		if bytes.IndexByte(it.JSON, '\n') >= 0 {
			return f, fmt.Errorf("item %s: its JSON is not one line", it.ID)
		}
		decoded, err := stac.DecodeItem(it.JSON)
		if err != nil {
			return f, fmt.Errorf("item %s: %w", it.ID, err)
		}
		if decoded.ID != it.ID {
			return f, fmt.Errorf("item %s: its JSON has the id %s", it.ID, decoded.ID)
		}
		e, err := extentOf(it.JSON)
		if err != nil {
			return f, fmt.Errorf("item %s: %w", it.ID, err)
		}
		f.summary.Add(decoded)
		f.extents = append(f.extents, e)
		f.lines = append(append(f.lines, it.JSON...), '\n')
	}
	f.body = encoder().EncodeAll(f.lines, nil)
	return f, nil
}

func (c *Counts) add(sc Scene) {
	c.Items += len(sc.Items)
	for _, o := range sc.Objects {
		switch o.Role {
		case Asset:
			c.Assets++
		case Sidecar:
			c.Sidecars++
		case Rejected:
			c.Rejects++
		}
	}
	for _, r := range sc.Rejects {
		if r.Retry {
			c.Retry++
		}
		if c.RejectCodes == nil {
			c.RejectCodes = map[string]int{}
		}
		c.RejectCodes[r.Code]++
	}
}

// ReadPart reads a whole Part, checks it against row.Hash and gives the scenes that were encoded. One read. A Part that
// is not there is fs.ErrNotExist; one that is not what was written is an error that names it.
func ReadPart(ctx context.Context, r objstore.Reader, row Row) ([]Scene, error) {
	body, err := row.read(ctx, r, 0, row.Size)
	if err != nil {
		return nil, err
	}
	scenes, err := row.decode(body)
	if err != nil {
		return nil, fmt.Errorf("read part %s: %w", row.Part, err)
	}
	return scenes, nil
}

// ReadObjects reads a Part without the lines: of its Items there are only the ids. One read, checked against row.Hash.
func ReadObjects(ctx context.Context, r objstore.Reader, row Row) ([]Scene, error) {
	tail, err := row.read(ctx, r, row.Index, row.Size-row.Index)
	if err != nil {
		return nil, err
	}
	_, scenes, _, err := row.decodeTail(tail)
	if err != nil {
		return nil, fmt.Errorf("read part %s: %w", row.Part, err)
	}
	return scenes, nil
}

// readIndex reads a Part's index. One read.
func readIndex(ctx context.Context, r objstore.Reader, row Row) (*index, error) {
	tail, err := row.read(ctx, r, row.Index, min(row.Size-row.Index, maxIndex(row.Counts.Items)))
	if err != nil {
		return nil, err
	}
	x, _, err := row.decodeIndex(tail)
	if err != nil {
		return nil, fmt.Errorf("read part %s: %w", row.Part, err)
	}
	return x, nil
}

// readFrames reads frames, which ascend, and what lies between them in one read and gives the lines of each.
func readFrames(ctx context.Context, r objstore.Reader, row Row, x *index, frames []int) ([][][]byte, error) {
	base, end := x.offsets[frames[0]], x.offsets[frames[len(frames)-1]+1]
	body, err := row.read(ctx, r, base, end-base)
	if err != nil {
		return nil, err
	}
	out := make([][][]byte, len(frames))
	for i, f := range frames {
		if out[i], err = x.lines(f, body[x.offsets[f]-base:x.offsets[f+1]-base]); err != nil {
			return nil, fmt.Errorf("read part %s: %w", row.Part, err)
		}
	}
	return out, nil
}

// read reads bytes [off, off+n) of the Part, which has to be of the row's size.
func (row *Row) read(ctx context.Context, r objstore.Reader, off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || row.Index < 0 || row.Index > row.Size || row.Size > maxPart ||
		row.Counts.Items < 0 || int64(row.Counts.Items) > row.Size {
		return nil, fmt.Errorf("read part %s: row has size %d, index %d, %d items", row.Part, row.Size, row.Index,
			row.Counts.Items)
	}
	body, obj, err := r.Get(ctx, row.Part, off, n, "")
	if err != nil {
		return nil, fmt.Errorf("read part %s: %w", row.Part, err)
	}
	if obj.Size != row.Size || int64(len(body)) != n {
		return nil, fmt.Errorf("read part %s: %d of %d bytes at offset %d, the whole is %d bytes and not %d", row.Part,
			len(body), n, off, obj.Size, row.Size)
	}
	return body, nil
}

func (row *Row) decodeIndex(tail []byte) (x *index, rest []byte, err error) {
	limit := maxIndex(row.Counts.Items)
	content, rest, err := cutSkippable(tail, int(limit))
	if err != nil {
		return nil, nil, fmt.Errorf("index: %w", err)
	}
	if x, err = decodeIndex(content); err != nil {
		return nil, nil, err
	}
	if x.len() != row.Counts.Items || x.end() != row.Index {
		return nil, nil, fmt.Errorf("index of %d items in %d bytes, the row says %d in %d", x.len(), x.end(),
			row.Counts.Items, row.Index)
	}
	return x, rest, nil
}

// decodeTail decodes index and scenes and checks the hash.
func (row *Row) decodeTail(tail []byte) (x *index, scenes []Scene, lines [sha256.Size]byte, err error) {
	x, rest, err := row.decodeIndex(tail)
	if err != nil {
		return nil, nil, lines, err
	}
	block, rest, err := cutSkippable(rest, maxScenes)
	if err != nil {
		return nil, nil, lines, fmt.Errorf("scene block: %w", err)
	}
	if len(rest) > 0 {
		return nil, nil, lines, fmt.Errorf("%d bytes after the scene block", len(rest))
	}
	if got := hashOf(block); got != row.Hash {
		return nil, nil, lines, fmt.Errorf("content has hash %s, not %s", got, row.Hash)
	}
	scenes, lines, err = decodeScenes(block)
	return x, scenes, lines, err
}

func (row *Row) decode(body []byte) ([]Scene, error) {
	x, scenes, want, err := row.decodeTail(body[row.Index:])
	if err != nil {
		return nil, err
	}
	var items []*Item
	for i := range scenes {
		for j := range scenes[i].Items {
			items = append(items, &scenes[i].Items[j])
		}
	}
	if len(items) != x.len() {
		return nil, fmt.Errorf("scenes have %d items, the index has %d", len(items), x.len())
	}
	sum := sha256.New()
	for f := range len(x.offsets) - 1 {
		lines, err := x.lines(f, body[x.offsets[f]:x.offsets[f+1]])
		if err != nil {
			return nil, err
		}
		for i, line := range lines {
			items[f*frameItems+i].JSON = line
			sum.Write(line)
			sum.Write([]byte{'\n'})
		}
	}
	if [sha256.Size]byte(sum.Sum(nil)) != want {
		return nil, errors.New("lines do not have the hash that the scene block names")
	}
	return scenes, nil
}

// lines decodes frame f.
func (x *index) lines(f int, body []byte) ([][]byte, error) {
	text, err := inflate(nil, body, maxFrame)
	if err != nil {
		return nil, fmt.Errorf("frame %d: %w", f, err)
	}
	want := min(frameItems, x.len()-f*frameItems)
	out := make([][]byte, 0, want)
	for line := range bytes.Lines(text) {
		if len(out) == want || line[len(line)-1] != '\n' {
			return nil, fmt.Errorf("frame %d: not %d whole lines", f, want)
		}
		line = line[:len(line)-1]
		out = append(out, line[:len(line):len(line)])
	}
	if len(out) != want {
		return nil, fmt.Errorf("frame %d: %d lines, not %d", f, len(out), want)
	}
	return out, nil
}
