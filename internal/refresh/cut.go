package refresh

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"hash/fnv"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
)

// shardScenes is the mean number of scenes in a Shard: one scene key in so many starts a new one.
const shardScenes = 2048

// startsShard tells whether a Shard may start at this scene key. It depends on nothing but the key, so that every listing
// of a Source is cut at the same places, whatever was added or removed elsewhere.
func startsShard(scene string) bool {
	h := fnv.New64a()
	h.Write([]byte(scene))
	// FNV's low bits are weak; this is MurmurHash3's 64-bit finalizer.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return x%shardScenes == 0
}

// A listed Object with what its key says.
type listed struct {
	objstore.Object
	scene string
	kind  item.Kind
}

// A cut is what a cutter makes: the Objects of one Collection in one key range, those of a scene side by side.
type cut struct {
	collection item.Collection
	keys       objstore.Range
	objects    []objstore.Object // rasters and their sidecars, by scene key and key
	listed     int               // all Objects of the range
}

// A cutter cuts the sorted Objects of one Collection in one key range into Shards.
type cutter struct {
	collection item.Collection
	section    objstore.Range
	emit       func(cut) error

	start string   // of the Shard at hand
	last  string   // key
	held  []listed // rasters and sidecars of the Shard at hand
	count int
}

func newCutter(c item.Collection, section objstore.Range, emit func(cut) error) *cutter {
	return &cutter{collection: c, section: section, emit: emit, start: section.Start}
}

// add takes the next Object in key order.
func (c *cutter) add(o listed) error {
	if startsShard(o.scene) && c.mayCutAt(o.scene) {
		if err := c.flush(o.scene); err != nil {
			return err
		}
		c.start = o.scene
	}
	c.last = o.Key
	c.count++
	if o.kind != item.Other {
		c.held = append(c.held, o)
	}
	return nil
}

// maxHeld is how many Objects a Shard may hold before it is cut even inside a scene: a sidecar "a.aux.xml" without a raster
// would else keep a million files "a.*.tif" in one.
const maxHeld = 16 * shardScenes

// mayCutAt refuses a cut that would part the Objects of a scene. Scenes can be interleaved: "a.aux.xml" and "a.tif" belong to
// "a.", and "a.b.tif" lies between them; the bands of "a_" can have "a_x.tif" between them, those of "a/" a folder.
func (c *cutter) mayCutAt(scene string) bool {
	if c.last >= scene || scene <= c.start {
		return false
	}
	if len(c.held) >= maxHeld {
		return true
	}
	for outer := scene; ; {
		i := strings.LastIndexAny(outer[:len(outer)-1], "._/") // what scene keys end in
		if i < 0 {
			return true
		}
		outer = outer[:i+1]
		if slices.ContainsFunc(c.held, func(o listed) bool { return o.scene == outer }) {
			return false
		}
	}
}

// close ends the last Shard at the end of the section.
func (c *cutter) close() error { return c.flush(c.section.End) }

func (c *cutter) flush(end string) error {
	slices.SortStableFunc(c.held, func(a, b listed) int { return cmp.Compare(a.scene, b.scene) })
	out := cut{collection: c.collection, keys: objstore.Range{Start: c.start, End: end}, listed: c.count}
	for scene := range chunkBy(c.held, func(o listed) string { return o.scene }) {
		if slices.ContainsFunc(scene, func(o listed) bool { return o.kind == item.Raster }) {
			for _, o := range scene {
				out.objects = append(out.objects, o.Object)
			}
		}
	}
	c.held, c.count = c.held[:0], 0
	return c.emit(out)
}

// cutters are those of a listing, by section.
type cutters struct {
	emit func(cut) error
	open map[section]*cutter
	done map[section]bool
	last section // that was added to
}

func newCutters(emit func(cut) error) *cutters {
	return &cutters{emit: emit, open: map[section]*cutter{}, done: map[section]bool{}}
}

// add gives the next Object in key order to the cutter of its section. Cutters of Collections whose keys are all past are
// closed, so that few are open however many Collections there are.
func (cs *cutters) add(sec section, c item.Collection, o listed) error {
	cur := cs.open[sec]
	if cur == nil {
		cur = newCutter(c, sec.keys, cs.emit)
		cs.open[sec] = cur
	}
	if sec != cs.last {
		cs.last = sec
		if err := cs.closeWhere(func(c *cutter) bool {
			end := objstore.Prefixed(c.collection.Prefix).End
			return end != "" && end <= o.Key
		}); err != nil {
			return err
		}
	}
	return cur.add(o)
}

// close closes all cutters, and makes and closes those of sections in which nothing was listed.
func (cs *cutters) close(known iter.Seq2[section, item.Collection]) error {
	for sec, c := range known {
		if cs.open[sec] == nil && !cs.done[sec] {
			cs.open[sec] = newCutter(c, sec.keys, cs.emit)
		}
	}
	return cs.closeWhere(func(*cutter) bool { return true })
}

// closeWhere closes open cutters in a fixed order.
func (cs *cutters) closeWhere(past func(*cutter) bool) error {
	var secs []section
	for sec, c := range cs.open {
		if past(c) {
			secs = append(secs, sec)
		}
	}
	slices.SortFunc(secs, section.compare)
	for _, sec := range secs {
		if err := cs.open[sec].close(); err != nil {
			return err
		}
		delete(cs.open, sec)
		cs.done[sec] = true
	}
	return nil
}

// chunkBy yields the runs of neighbours with an equal key.
func chunkBy[T any](s []T, key func(T) string) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for len(s) > 0 {
			k, n := key(s[0]), 1
			for n < len(s) && key(s[n]) == k {
				n++
			}
			if !yield(s[:n:n]) {
				return
			}
			s = s[n:]
		}
	}
}

// fingerprint of what a scan of these Objects gives: their listing and whatever shapes Items of them. Two Shards with equal
// fingerprints have equal Parts.
func fingerprint(shaping, collection string, objects []objstore.Object) string {
	h := sha256.New()
	hashString(h, shaping)
	hashString(h, collection)
	var buf []byte
	for _, o := range objects {
		buf = buf[:0]
		buf = appendString(buf, o.Key)
		buf = appendString(buf, o.ETag)
		buf = appendString(buf, o.Class)
		buf = binary.AppendVarint(buf, o.Size)
		buf = binary.AppendVarint(buf, unixNano(o.Modified))
		h.Write(buf)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func hashString(h hash.Hash, s string) { h.Write(appendString(nil, s)) }

func appendString(buf []byte, s string) []byte {
	return append(binary.AppendUvarint(buf, uint64(len(s))), s...)
}

func unixNano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
