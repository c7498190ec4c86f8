package snapshot

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// The scene block of a Part holds everything but the Items' lines, and the SHA-256 of those, so that its own hash stands
// for the whole Part and it can be verified without them. Its content, before compression: a version byte, the hash, the
// number of scenes, then each one. Numbers are varints, strings follow their length.
const scenesVersion = 1

var roleCodes = []Role{Asset, Sidecar, Rejected} // by their code in the scene block

// hashSize is how many bytes of a SHA-256 name a Part: 128 bits are beyond any accident.
const hashSize = 16

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return fmt.Sprintf("%x", sum[:hashSize])
}

func isHash(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == 2*hashSize
}

func encodeScenes(scenes []Scene, lines [sha256.Size]byte) ([]byte, error) {
	b := append([]byte{scenesVersion}, lines[:]...)
	number := func(n int64) { b = binary.AppendVarint(b, n) }
	text := func(s string) {
		number(int64(len(s)))
		b = append(b, s...)
	}
	number(int64(len(scenes)))
	for _, sc := range scenes {
		text(sc.Key)
		number(int64(len(sc.Objects)))
		for _, o := range sc.Objects {
			role := slices.Index(roleCodes, o.Role)
			if role < 0 {
				return nil, fmt.Errorf("object %s: unknown role %q", o.Key, o.Role)
			}
			b = append(b, byte(role))
			text(o.Key)
			number(o.Size)
			text(o.ETag)
			number(o.Modified.Unix())
			number(int64(o.Modified.Nanosecond()))
			text(o.Class)
		}
		number(int64(len(sc.Items)))
		for _, it := range sc.Items {
			text(it.ID)
		}
		number(int64(len(sc.Rejects)))
		for _, r := range sc.Rejects {
			text(r.Key)
			text(r.Code)
			text(r.Message)
			if r.Retry {
				b = append(b, 1)
			} else {
				b = append(b, 0)
			}
		}
	}
	if len(b) > maxScenes {
		return nil, fmt.Errorf("scenes take %d bytes, more than %d", len(b), maxScenes)
	}
	return b, nil
}

// decodeScenes is the inverse of encodeScenes. The Items have no JSON yet.
func decodeScenes(b []byte) (scenes []Scene, lines [sha256.Size]byte, err error) {
	if len(b) < 1+sha256.Size || b[0] != scenesVersion {
		return nil, lines, fmt.Errorf("scene block is not of version %d", scenesVersion)
	}
	copy(lines[:], b[1:])
	d := &sceneDecoder{b: string(b[1+sha256.Size:])}
	scenes = sliceOf[Scene](d, 4)
	for i := range scenes {
		sc := &scenes[i]
		sc.Key = d.text()
		sc.Objects = sliceOf[Object](d, 7)
		for j := range sc.Objects {
			role := d.byte()
			if int(role) >= len(roleCodes) {
				d.fail(fmt.Errorf("unknown role %d", role))
				role = 0
			}
			o := objstore.Object{Key: d.text(), Size: d.number(), ETag: d.text()}
			o.Modified = time.Unix(d.number(), d.number()).UTC()
			o.Class = d.text()
			sc.Objects[j] = Object{Object: o, Role: roleCodes[role]}
		}
		sc.Items = sliceOf[Item](d, 1)
		for j := range sc.Items {
			sc.Items[j].ID = d.text()
		}
		sc.Rejects = sliceOf[Reject](d, 4)
		for j := range sc.Rejects {
			sc.Rejects[j] = Reject{Key: d.text(), Code: d.text(), Message: d.text(), Retry: d.byte() != 0}
		}
	}
	if d.err == nil && d.b != "" {
		d.fail(fmt.Errorf("%d bytes after the last scene", len(d.b)))
	}
	if d.err != nil {
		return nil, lines, fmt.Errorf("scene block: %w", d.err)
	}
	return scenes, lines, nil
}

// A sceneDecoder reads from b and gives zero values after the first error.
type sceneDecoder struct {
	b   string // so that its strings share one allocation
	err error
}

func (d *sceneDecoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.b = ""
}

var errShort = errors.New("ends within a value")

func (d *sceneDecoder) byte() byte {
	if d.b == "" {
		d.fail(errShort)
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *sceneDecoder) number() int64 {
	var buf [binary.MaxVarintLen64]byte
	n, k := binary.Varint(buf[:copy(buf[:], d.b)])
	if k <= 0 {
		d.fail(errShort)
		return 0
	}
	d.b = d.b[k:]
	return n
}

func (d *sceneDecoder) text() string {
	n := d.number()
	if n < 0 || n > int64(len(d.b)) {
		d.fail(errShort)
		return ""
	}
	s := d.b[:n]
	d.b = d.b[n:]
	return s
}

// sliceOf reads a count and makes a slice for that many values of at least size bytes each; nil for none.
func sliceOf[T any](d *sceneDecoder, size int) []T {
	n := d.number()
	if n < 0 || n > int64(len(d.b)/size) {
		d.fail(errShort)
	}
	if n == 0 || d.err != nil {
		return nil
	}
	return make([]T, n)
}
