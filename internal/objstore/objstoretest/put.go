package objstoretest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
)

var putTests = []storeTest{
	{"put/plain", putPlain},
	{"put/ifabsent", putIfAbsent},
	{"put/ifmatch", putIfMatch},
	{"put/etags", putETags},
	{"put/relaxed", putRelaxed},
	{"put/cancel", putCancel},
	{"put/under", putUnder},
}

func putPlain(t *testing.T, s objstore.Store) {
	for _, body := range []string{"first", "", "second, longer", "x", pattern(3 << 20)} {
		mine := []byte(body)
		etag, err := s.Put(t.Context(), "a/b/c.json", mine, objstore.PutOptions{})
		if err != nil {
			t.Fatalf("Put %d bytes: %v", len(body), err)
		}
		clear(mine) // the caller's own again
		o := wantBody(t, s, "a/b/c.json", body)
		if o.ETag != etag {
			t.Errorf("Put returned ETag %q, Get tells %q", etag, o.ETag)
		}
		listed := list(t, s, all)
		if len(listed) != 1 {
			t.Fatalf("List: got %+v, want the one Object", listed)
		}
		wantSame(t, o, listed[0])
	}
	if _, err := s.Put(t.Context(), "nil", nil, objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	wantBody(t, s, "nil", "")
}

func refused(t *testing.T, s objstore.Store, key, body string, opt objstore.PutOptions) {
	t.Helper()
	if etag, err := s.Put(t.Context(), key, []byte(body), opt); !errors.Is(err, objstore.ErrPrecondition) {
		t.Fatalf("Put %q with %+v: got ETag %q and %v, want ErrPrecondition", key, opt, etag, err)
	}
}

func putIfAbsent(t *testing.T, s objstore.Store) {
	absent := objstore.PutOptions{IfAbsent: true}
	etag := put(t, s, "d/a.json", "first", absent)
	refused(t, s, "d/a.json", "again", absent)
	refused(t, s, "d/a.json", "first", absent)
	if o := wantBody(t, s, "d/a.json", "first"); o.ETag != etag {
		t.Errorf("a refused Put changed the ETag from %q to %q", etag, o.ETag)
	}
	if err := s.Delete(t.Context(), "d/a.json"); err != nil {
		t.Fatal(err)
	}
	put(t, s, "d/a.json", "after Delete", absent)
	wantBody(t, s, "d/a.json", "after Delete")
}

func putIfMatch(t *testing.T, s objstore.Store) {
	refused(t, s, "d/head.json", "x", objstore.PutOptions{IfMatch: "no-such-etag"})
	wantKeys(t, s, all, nil)
	first := put(t, s, "d/head.json", "1", objstore.PutOptions{})
	refused(t, s, "d/head.json", "x", objstore.PutOptions{IfMatch: "no-such-etag"})
	second := put(t, s, "d/head.json", "2", objstore.PutOptions{IfMatch: first})
	refused(t, s, "d/head.json", "x", objstore.PutOptions{IfMatch: first})
	third := put(t, s, "d/head.json", "3", objstore.PutOptions{IfMatch: second})
	fourth := put(t, s, "d/head.json", "4", objstore.PutOptions{}) // behind the back of who holds third
	refused(t, s, "d/head.json", "x", objstore.PutOptions{IfMatch: third})
	wantBody(t, s, "d/head.json", "4")
	if err := s.Delete(t.Context(), "d/head.json"); err != nil {
		t.Fatal(err)
	}
	refused(t, s, "d/head.json", "x", objstore.PutOptions{IfMatch: fourth})
	put(t, s, "d/head.json", "5", objstore.PutOptions{})
	refused(t, s, "d/head.json", "x", objstore.PutOptions{IfMatch: fourth})
	wantBody(t, s, "d/head.json", "5")
}

// putETags writes bodies of one length as fast as it can: every one is told apart from all before it.
func putETags(t *testing.T, s objstore.Store) {
	seen := map[string]int{}
	for i := range 100 {
		body := fmt.Sprintf("%04d", i)
		etag := put(t, s, "head.json", body, objstore.PutOptions{})
		if before, ok := seen[etag]; ok {
			t.Fatalf("Put %d has the ETag of Put %d, %q", i, before, etag)
		}
		seen[etag] = i
		o := wantBody(t, s, "head.json", body)
		if listed := list(t, s, all); o.ETag != etag || len(listed) != 1 || listed[0].ETag != etag {
			t.Fatalf("Put %d returned ETag %q, Get tells %q, List %+v", i, etag, o.ETag, listed)
		}
		if i%10 == 9 {
			if err := s.Delete(t.Context(), "head.json"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func putRelaxed(t *testing.T, s objstore.Store) {
	relaxed := objstore.PutOptions{Relaxed: true}
	if err := s.Sync(t.Context()); err != nil {
		t.Fatalf("Sync of nothing: %v", err)
	}
	for i := range 20 {
		put(t, s, fmt.Sprintf("%d/a.json", i%5), fmt.Sprint(i), relaxed)
	}
	put(t, s, "5/new.json", "x", objstore.PutOptions{Relaxed: true, IfAbsent: true})
	refused(t, s, "0/a.json", "x", objstore.PutOptions{Relaxed: true, IfAbsent: true})
	refused(t, s, "0/a.json", "x", objstore.PutOptions{Relaxed: true, IfMatch: "no-such-etag"})
	if err := s.Delete(t.Context(), "4/a.json"); err != nil {
		t.Fatal(err)
	}
	put(t, s, "3/b.json", "durable among relaxed ones", objstore.PutOptions{})
	for range 2 {
		if err := s.Sync(t.Context()); err != nil {
			t.Fatalf("Sync: %v", err)
		}
	}
	wantKeys(t, s, all, []string{"0/a.json", "1/a.json", "2/a.json", "3/a.json", "3/b.json", "5/new.json"})
	wantBody(t, s, "2/a.json", "17")
}

func putCancel(t *testing.T, s objstore.Store) {
	put(t, s, "a", "x", objstore.PutOptions{Relaxed: true})
	ctx := canceled(t)
	if _, err := s.Put(ctx, "b", []byte("x"), objstore.PutOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: got %v, want context.Canceled", err)
	}
	if err := s.Delete(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("Delete: got %v, want context.Canceled", err)
	}
	if err := s.Sync(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Sync: got %v, want context.Canceled", err)
	}
}

// putUnder puts an Object where another's key is a folder. A bucket holds both, a folder refuses; neither harms the first.
func putUnder(t *testing.T, s objstore.Store) {
	for i, pair := range [][2]string{{"a", "a/b"}, {"c/d", "c"}, {"e", "e/f/g"}, {"h/i/j", "h"}} {
		first := fmt.Sprint("first ", i)
		put(t, s, pair[0], first, objstore.PutOptions{})
		for _, opt := range []objstore.PutOptions{{IfAbsent: true}, {}} {
			_, err := s.Put(t.Context(), pair[1], []byte("second"), opt)
			if err != nil && !errors.Is(err, objstore.ErrKey) {
				t.Errorf("Put %q beside %q with %+v: got %v, want none or ErrKey", pair[1], pair[0], opt, err)
			}
			wantBody(t, s, pair[0], first)
			want := []string{pair[0]}
			if err == nil {
				wantBody(t, s, pair[1], "second")
				want = append(want, pair[1])
				slices.Sort(want)
			}
			wantKeys(t, s, objstore.Prefixed(pair[0][:1]), want)
			if err := s.Delete(t.Context(), pair[1]); err != nil {
				t.Errorf("Delete %q: %v", pair[1], err)
			}
			wantBody(t, s, pair[0], first)
		}
	}
}
