package faultstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/objstore/objstoretest"
)

func TestContract(t *testing.T) {
	objstoretest.Run(t, func(*testing.T) objstore.Store { return faultstore.New(memstore.New()) })
}

// state is what lies in a store, as text.
func state(t *testing.T, r objstore.Reader) string {
	t.Helper()
	var b bytes.Buffer
	for o, err := range r.List(t.Context(), objstore.Range{}) {
		if err != nil {
			t.Fatal(err)
		}
		body, _, err := r.Get(t.Context(), o.Key, 0, -1, "")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s=%s ", o.Key, body)
	}
	return b.String()
}

func TestFaults(t *testing.T) {
	errOwn := errors.New("own")
	for _, c := range []struct {
		name  string
		match faultstore.Match
		fault faultstore.Fault
		errs  [4]error // of Put a, Put b, Delete a, Put c
		state string
	}{
		{"fails", faultstore.Match{Op: faultstore.Put, Nth: 2}, faultstore.Fault{},
			[4]error{nil, faultstore.ErrInjected, nil, nil}, "c=3 "},
		{"fails with an error", faultstore.Match{Key: "b"}, faultstore.Fault{Err: errOwn},
			[4]error{nil, errOwn, nil, nil}, "c=3 "},
		{"reply lost", faultstore.Match{Op: faultstore.Writes, Nth: 2}, faultstore.Fault{Applied: true},
			[4]error{nil, faultstore.ErrInjected, nil, nil}, "b=2 c=3 "},
		{"reply of Delete lost", faultstore.Match{Op: faultstore.Delete}, faultstore.Fault{Applied: true, Err: errOwn},
			[4]error{nil, nil, errOwn, nil}, "b=2 c=3 "},
		{"gone before", faultstore.Match{Op: faultstore.Writes, Nth: 2}, faultstore.Fault{Gone: true},
			[4]error{nil, faultstore.ErrInjected, faultstore.ErrInjected, faultstore.ErrInjected}, "a=1 "},
		{"gone after", faultstore.Match{Op: faultstore.Writes, Nth: 2}, faultstore.Fault{Gone: true, Applied: true, Err: errOwn},
			[4]error{nil, errOwn, errOwn, errOwn}, "a=1 b=2 "},
		{"every one", faultstore.Match{}, faultstore.Fault{},
			[4]error{faultstore.ErrInjected, faultstore.ErrInjected, faultstore.ErrInjected, faultstore.ErrInjected}, ""},
		{"none", faultstore.Match{Prefix: "x"}, faultstore.Fault{}, [4]error{}, "b=2 c=3 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept := memstore.New()
			s := faultstore.New(kept)
			s.Set(c.match, c.fault)
			put := func(key, body string) error {
				_, err := s.Put(t.Context(), key, []byte(body), objstore.PutOptions{})
				return err
			}
			for i, err := range []error{put("a", "1"), put("b", "2"), s.Delete(t.Context(), "a"), put("c", "3")} {
				if !errors.Is(err, c.errs[i]) {
					t.Errorf("call %d: got %v, want %v", i, err, c.errs[i])
				}
			}
			if got := state(t, kept); got != c.state {
				t.Errorf("left %q, want %q", got, c.state)
			}
		})
	}
}

func TestGetFaults(t *testing.T) {
	s := faultstore.New(memstore.New())
	for _, key := range []string{"a.tif", "a.tif.aux.xml", "b.tif"} {
		if _, err := s.Put(t.Context(), key, []byte("0123456789"), objstore.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	s.Set(faultstore.Match{Op: faultstore.Get, Key: "a.tif"}, faultstore.Fault{Err: fs.ErrPermission})
	s.Set(faultstore.Match{Op: faultstore.Get, Prefix: "b"}, faultstore.Fault{Body: func(b []byte) []byte { return b[:3] }})
	if _, _, err := s.Get(t.Context(), "a.tif", 0, -1, ""); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, want fs.ErrPermission", err)
	}
	if body, o, err := s.Get(t.Context(), "b.tif", 0, -1, ""); err != nil || string(body) != "012" || o.Size != 10 {
		t.Errorf("got %q, %+v, %v, want it cut short", body, o, err)
	}
	if _, _, err := s.Get(t.Context(), "a.tif.aux.xml", 0, -1, ""); err != nil {
		t.Error(err)
	}
	s.Clear()
	if _, _, err := s.Get(t.Context(), "a.tif", 0, -1, ""); err != nil {
		t.Error(err)
	}
}

func TestListFaults(t *testing.T) {
	for _, c := range []struct {
		fault faultstore.Fault
		seen  int
	}{{faultstore.Fault{}, 0}, {faultstore.Fault{Applied: true}, 2}} {
		s := faultstore.New(memstore.New())
		for _, key := range []string{"a", "b"} {
			if _, err := s.Put(t.Context(), key, nil, objstore.PutOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		s.Set(faultstore.Match{Op: faultstore.List, Nth: 1}, c.fault)
		seen, last := 0, error(nil)
		for _, err := range s.List(t.Context(), objstore.Range{}) {
			if err == nil {
				seen++
			}
			last = err
		}
		if seen != c.seen || !errors.Is(last, faultstore.ErrInjected) {
			t.Errorf("%+v: %d Objects, then %v; want %d, then ErrInjected", c.fault, seen, last, c.seen)
		}
		if got := state(t, s); got != "a= b= " {
			t.Errorf("the next listing gives %q", got)
		}
	}
}

func TestCalls(t *testing.T) {
	s := faultstore.New(memstore.New())
	s.Set(faultstore.Match{Key: "p/2"}, faultstore.Fault{})
	for _, key := range []string{"p/1", "p/2", "q"} {
		s.Put(t.Context(), key, nil, objstore.PutOptions{})
		s.Get(t.Context(), key, 0, -1, "")
	}
	for range s.List(t.Context(), objstore.Prefixed("p/")) {
	}
	s.Delete(t.Context(), "q")
	s.Sync(t.Context())
	want := []faultstore.Call{{faultstore.Put, "p/1"}, {faultstore.Put, "p/2"}, {faultstore.Put, "q"}, {faultstore.Delete, "q"}}
	if got := s.Calls(faultstore.Match{Op: faultstore.Writes}); !slices.Equal(got, want) {
		t.Errorf("writes: got %v, want %v", got, want)
	}
	for _, c := range []struct {
		match faultstore.Match
		n     int
	}{
		{faultstore.Match{}, 9}, {faultstore.Match{Op: faultstore.Any}, 9}, {faultstore.Match{Op: faultstore.Get}, 3},
		{faultstore.Match{Prefix: "p/"}, 5}, {faultstore.Match{Op: faultstore.Put, Key: "p/1"}, 1},
		{faultstore.Match{Op: faultstore.Sync}, 1}, {faultstore.Match{Op: faultstore.Reads}, 4},
	} {
		if got := s.Count(c.match); got != c.n {
			t.Errorf("Count %+v: got %d, want %d", c.match, got, c.n)
		}
	}
	s.Forget()
	if got := s.Count(faultstore.Match{}); got != 0 {
		t.Errorf("%d calls after Forget", got)
	}
}

// TestZombie holds a write, lets its caller give up and another write overtake it, and then lets it through.
func TestZombie(t *testing.T) {
	kept := memstore.New()
	s := faultstore.New(kept)
	gate := faultstore.NewGate()
	rule := s.Set(faultstore.Match{Op: faultstore.Put, Nth: 1}, faultstore.Fault{Gate: gate})
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error)
	go func() {
		_, err := s.Put(ctx, "head", []byte("zombie"), objstore.PutOptions{})
		answer <- err
	}()
	if err := gate.Reached(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller got %v, want context.Canceled", err)
	}
	if _, err := s.Put(t.Context(), "head", []byte("living"), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := state(t, kept); got != "head=living " {
		t.Errorf("before the release: %q", got)
	}
	gate.Release()
	if got := state(t, kept); got != "head=zombie " {
		t.Errorf("after the release: %q", got)
	}
	if rule.Fired() != 1 {
		t.Errorf("fired %d times, want 1", rule.Fired())
	}
}

// TestHeld delays calls whose callers wait for them.
func TestHeld(t *testing.T) {
	kept := memstore.New()
	s := faultstore.New(kept)
	gate := faultstore.NewGate()
	s.Set(faultstore.Match{}, faultstore.Fault{Gate: gate})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			key := fmt.Sprint(i)
			if _, err := s.Put(t.Context(), key, []byte("x"), objstore.PutOptions{}); err != nil {
				t.Error(err)
			}
			if _, _, err := s.Get(t.Context(), key, 0, -1, ""); err != nil {
				t.Error(err)
			}
			for _, err := range s.List(t.Context(), objstore.Range{}) {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	if err := gate.Reached(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := state(t, kept); got != "" {
		t.Errorf("before the release: %q", got)
	}
	gate.Release()
	wg.Wait()
	if got := s.Count(faultstore.Match{}); got != 24 {
		t.Errorf("%d calls, want 24", got)
	}
}

// TestSweep counts what Sweep tries for code with three writes, and what each leaves.
func TestSweep(t *testing.T) {
	left := map[string]int{}
	faultstore.Sweep(t, faultstore.Match{Op: faultstore.Writes}, func(t *testing.T, arm func(*faultstore.Store)) {
		kept := memstore.New()
		s := faultstore.New(kept)
		arm(s)
		for _, key := range []string{"a", "b", "c"} { // goes on after a failure
			_, _ = s.Put(t.Context(), key, nil, objstore.PutOptions{})
		}
		left[state(t, kept)]++
	})
	want := map[string]int{
		"a= b= c= ": 4 + // one clean run a mode
			3 + // the lost replies
			1, // gone after the last
		"b= c= ": 1, "a= c= ": 1, // failed
		"a= b= ": 1 + 1 + 1, "a= ": 1 + 1, "": 1, // failed, gone before, gone after
	}
	if fmt.Sprint(left) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", left, want)
	}
}
