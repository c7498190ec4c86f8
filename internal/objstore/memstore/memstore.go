// Package memstore is an objstore.Store in memory, for tests. Like a bucket it holds any key that is not empty, has no
// leading slash and is at most 1,024 bytes long.
package memstore

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// maxKey is the longest key that S3 holds, in bytes.
const maxKey = 1024

// A Store keeps Objects in memory. Make one with New.
type Store struct {
	// Now gives the modification time of what is put. Set it before the Store is used.
	Now func() time.Time

	mu      sync.Mutex
	objects map[string]stored
	sorted  []string // keys in byte order, never changed in place; nil when the set of keys has changed since
	puts    uint64   // counted, for ETags
}

type stored struct {
	objstore.Object
	body []byte
}

var _ objstore.Store = (*Store)(nil)

// New returns an empty Store.
func New() *Store { return &Store{Now: time.Now, objects: map[string]stored{}} }

// List implements objstore.Reader.
func (s *Store) List(ctx context.Context, r objstore.Range) iter.Seq2[objstore.Object, error] {
	return func(yield func(objstore.Object, error) bool) {
		keys := s.keys()
		for _, key := range keys[sort.SearchStrings(keys, r.Start):] {
			if ctx.Err() != nil || !r.Contains(key) {
				break
			}
			s.mu.Lock()
			o, ok := s.objects[key]
			s.mu.Unlock()
			if ok && !yield(o.Object, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(objstore.Object{}, fmt.Errorf("list: %w", err))
		}
	}
}

func (s *Store) keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sorted == nil {
		s.sorted = slices.Sorted(maps.Keys(s.objects))
	}
	return s.sorted
}

// Get implements objstore.Reader.
func (s *Store) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	if err := refuse(ctx, key); err != nil {
		return nil, objstore.Object{}, fmt.Errorf("get %q: %w", key, err)
	}
	if off < 0 {
		return nil, objstore.Object{}, fmt.Errorf("get %q: negative offset %d", key, off)
	}
	s.mu.Lock()
	o, ok := s.objects[key]
	s.mu.Unlock()
	switch {
	case !ok:
		return nil, objstore.Object{}, fmt.Errorf("get %q: %w", key, fs.ErrNotExist)
	case ifMatch != "" && ifMatch != o.ETag:
		return nil, objstore.Object{}, fmt.Errorf("get %q: %w", key, objstore.ErrPrecondition)
	}
	body := o.body[min(off, o.Size):]
	if n >= 0 && n < int64(len(body)) {
		body = body[:n]
	}
	return bytes.Clone(body), o.Object, nil
}

// Put implements objstore.Store.
func (s *Store) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	if err := refuse(ctx, key); err != nil {
		return "", fmt.Errorf("put %q: %w", key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.objects[key]
	if opt.IfAbsent && ok || opt.IfMatch != "" && opt.IfMatch != old.ETag {
		return "", fmt.Errorf("put %q: %w", key, objstore.ErrPrecondition)
	}
	s.puts++
	o := objstore.Object{
		Key: key, Size: int64(len(body)), ETag: "v" + strconv.FormatUint(s.puts, 10), Modified: s.Now().UTC(),
	}
	s.objects[key] = stored{o, bytes.Clone(body)}
	if !ok {
		s.sorted = nil
	}
	return o.ETag, nil
}

// Delete implements objstore.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := refuse(ctx, key); err != nil {
		return fmt.Errorf("delete %q: %w", key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.objects[key]; ok {
		delete(s.objects, key)
		s.sorted = nil
	}
	return nil
}

// Sync implements objstore.Store. Nothing here survives a power cut.
func (s *Store) Sync(ctx context.Context) error { return ctx.Err() }

func refuse(ctx context.Context, key string) error {
	if key == "" || strings.HasPrefix(key, "/") || len(key) > maxKey {
		return objstore.ErrKey
	}
	return ctx.Err()
}
