// Package objstoretest is the contract of objstore as a test suite. Every adapter runs it, the ones that lie on purpose
// too, so that what is built on the port holds on each of them.
package objstoretest

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// Run tests a Store against every sentence of the port. open gives an empty Store that this test has for itself; what it
// must give back it gives back in t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) objstore.Store) {
	RunReader(t, func(t *testing.T, objects map[string]string) objstore.Reader {
		s := open(t)
		for key, body := range objects {
			put(t, s, key, body, objstore.PutOptions{Relaxed: true})
		}
		return s
	})
	for _, tests := range [][]storeTest{putTests, raceTests, deleteTests, keyTests} {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
		}
	}
}

// RunReader tests a Reader alone. seed gives one over just the given Objects (key to body). The keys are such that every
// file system holds them.
func RunReader(t *testing.T, seed func(t *testing.T, objects map[string]string) objstore.Reader) {
	for _, tests := range [][]readerTest{listTests, getTests} {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) { test.run(t, seed) })
		}
	}
}

type seeder = func(t *testing.T, objects map[string]string) objstore.Reader

type readerTest struct {
	name string
	run  func(t *testing.T, seed seeder)
}

type storeTest struct {
	name string
	run  func(t *testing.T, s objstore.Store)
}

var all = objstore.Range{}

// list collects a listing, which must not fail.
func list(t *testing.T, r objstore.Reader, rng objstore.Range) []objstore.Object {
	t.Helper()
	var objects []objstore.Object
	for o, err := range r.List(t.Context(), rng) {
		if err != nil {
			t.Fatalf("List %q: %v", rng, err)
		}
		objects = append(objects, o)
	}
	return objects
}

func keysOf(objects []objstore.Object) []string {
	keys := make([]string, len(objects))
	for i, o := range objects {
		keys[i] = o.Key
	}
	return keys
}

func wantKeys(t *testing.T, r objstore.Reader, rng objstore.Range, want []string) {
	t.Helper()
	if got := keysOf(list(t, r, rng)); !slices.Equal(got, want) {
		t.Fatalf("List %q: got %.20q (%d), want %.20q (%d)", rng, got, len(got), want, len(want))
	}
}

// put writes and holds the answer against what Get and List then say.
func put(t *testing.T, s objstore.Store, key, body string, opt objstore.PutOptions) (etag string) {
	t.Helper()
	etag, err := s.Put(t.Context(), key, []byte(body), opt)
	if err != nil {
		t.Fatalf("Put %.100q: %v", key, err)
	}
	return etag
}

// wantBody reads the whole Object and holds it against body.
func wantBody(t *testing.T, r objstore.Reader, key, body string) objstore.Object {
	t.Helper()
	got, o, err := r.Get(t.Context(), key, 0, -1, "")
	if err != nil {
		t.Fatalf("Get %.100q: %v", key, err)
	}
	if string(got) != body {
		t.Fatalf("Get %.100q: got %.100q (%d bytes), want %.100q (%d bytes)", key, got, len(got), body, len(body))
	}
	if o.Key != key || o.Size != int64(len(body)) {
		t.Fatalf("Get %.100q: Object is %+v, want that key and size %d", key, o, len(body))
	}
	wantSound(t, o)
	return o
}

// wantSound checks what any Object must have.
func wantSound(t *testing.T, o objstore.Object) {
	t.Helper()
	if o.ETag == "" {
		t.Fatalf("%+v has no ETag", o)
	}
	if o.Modified.IsZero() || o.Modified.Location() != time.UTC {
		t.Fatalf("%+v: Modified is not a time in UTC", o)
	}
}

// wantSame holds the Object that Get told against the one that List told. An HTTP date has whole seconds only.
func wantSame(t *testing.T, got, listed objstore.Object) {
	t.Helper()
	apart := got.Modified.Sub(listed.Modified).Abs()
	got.Modified = listed.Modified
	if got != listed || apart >= time.Second {
		t.Fatalf("Get says %+v, List says %+v (times %v apart)", got, listed, apart)
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// pattern is n bytes that differ from their neighbours.
func pattern(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return string(b)
}

func whole(b []byte) bool { return len(b) > 0 && bytes.Count(b, b[:1]) == len(b) }
