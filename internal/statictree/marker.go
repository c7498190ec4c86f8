package statictree

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// MarkerKey is where the marker is kept.
const MarkerKey = "state/tree.json"

// layout is a version: what this package makes of a Snapshot. A tree of another one is written anew.
const layout = 1

// maxMarker bounds what is read of a marker, in bytes.
const maxMarker = 4096

// A marker says what the tree shows. It is swapped, so of two writers at once only the later one can end its work well.
type marker struct {
	Layout  int    `json:"layout"`
	Fence   uint64 `json:"fence"` // of the Snapshot that the tree shows, or showed before
	Mode    Mode   `json:"mode"`
	Writing uint64 `json:"writing,omitempty"` // the tree is on the way to the Snapshot with this fence
	Spoiled int    `json:"spoiled,omitempty"` // so many overtaken writers may have put files in the wrong since

	etag string // "": there is none yet
}

// complete tells whether each file of the tree is what the Snapshot with the marker's fence wants.
func (m marker) complete() bool { return m.Layout == layout && m.Writing == 0 && m.Spoiled == 0 }

func (m marker) shows(fence uint64, mode Mode) bool {
	return m.etag != "" && m.complete() && m.Mode == mode && (m.Fence == fence || mode == None)
}

// next is a marker to be put in the place of m.
func (m marker) next(n marker) marker {
	n.Layout, n.etag = layout, m.etag
	return n
}

// load reads the marker. One that cannot be understood stands for a tree of which nothing is known.
func load(ctx context.Context, store objstore.Store) (marker, error) {
	data, o, err := store.Get(ctx, MarkerKey, 0, maxMarker, "")
	if errors.Is(err, fs.ErrNotExist) {
		return marker{}, nil
	} else if err != nil {
		return marker{}, err
	}
	var m marker
	if json.Unmarshal(data, &m) != nil {
		m = marker{}
	}
	m.etag = o.ETag
	return m, nil
}

// put writes the marker, durably, over the one that it was made from. The result has the new ETag.
func (m marker) put(ctx context.Context, store objstore.Store) (marker, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return m, err
	}
	m.etag, err = store.Put(ctx, MarkerKey, data, objstore.PutOptions{IfMatch: m.etag, IfAbsent: m.etag == ""})
	return m, err
}

// ended is called by the writer of m when something went wrong, and tells whether the tree is right all the same: a lost
// reply to its last put. Where another writer has taken over, this one may have put files in the wrong after that one, and
// says so in the marker. It does what it can, even after ctx has ended.
func (m marker) ended(ctx context.Context, store objstore.Store, fence uint64, mode Mode) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	for range 5 {
		now, err := load(ctx, store)
		if err != nil || now.etag == m.etag {
			return false
		}
		if now.shows(fence, mode) {
			return true
		}
		spoilt := now
		spoilt.Spoiled++
		if _, err := spoilt.put(ctx, store); !errors.Is(err, objstore.ErrPrecondition) {
			return false
		}
	}
	return false
}
