package snapshot

import (
	"context"
	"errors"
	"io/fs"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
)

// A testStore keeps Objects in memory under a clock that tests set, and counts and fails calls as they say.
type testStore struct {
	*faultstore.Store
	kept  *memstore.Store // beneath the faults
	now   time.Time
	asked atomic.Int64 // bytes that Gets asked for
}

func newStore() *testStore {
	s := &testStore{kept: memstore.New(), now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	s.kept.Now = func() time.Time { return s.now }
	s.Store = faultstore.New(s.kept)
	return s
}

func (s *testStore) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	s.asked.Add(n)
	return s.Store.Get(ctx, key, off, n, ifMatch)
}

// restart makes a process that was ended by a fault, and its faults, a thing of the past.
func (s *testStore) restart() { s.Store = faultstore.New(s.kept) }

func (s *testStore) forget() {
	s.Forget()
	s.asked.Store(0)
}

func (s *testStore) put(t testing.TB, key, body string) string {
	t.Helper()
	if _, err := s.kept.Put(t.Context(), key, []byte(body), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	return key
}

func (s *testStore) body(t testing.TB, key string) []byte {
	t.Helper()
	body, _, err := s.kept.Get(t.Context(), key, 0, -1, "")
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func (s *testStore) has(key string) bool {
	_, _, err := s.kept.Get(context.Background(), key, 0, 0, "")
	return !errors.Is(err, fs.ErrNotExist)
}

func (s *testStore) keys(prefix string) []string {
	var out []string
	for o := range s.kept.List(context.Background(), objstore.Prefixed(prefix)) {
		out = append(out, o.Key)
	}
	return out
}

// changes are the calls after which the store may be another.
var changes = faultstore.Match{Op: faultstore.Writes | faultstore.Sync}

// A hookStore lets things happen before each Put and Delete.
type hookStore struct {
	objstore.Store
	before func(delete bool)
}

func (s *hookStore) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	s.before(false)
	return s.Store.Put(ctx, key, body, opt)
}

func (s *hookStore) Delete(ctx context.Context, key string) error {
	s.before(true)
	return s.Store.Delete(ctx, key)
}
