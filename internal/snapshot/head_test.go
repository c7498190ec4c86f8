package snapshot

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/stac"
)

// manifestOf makes a manifest of the rows, with their Collections.
func manifestOf(s *testStore, fence uint64, rows ...Row) Manifest {
	m := Manifest{Format: Format, Fence: fence, Run: fmt.Sprint("run", fence), Source: "file:///imagery", Created: s.now,
		Title: "t", Description: "d", Rows: rows}
	for _, row := range rows {
		if n := len(m.Collections); row.Counts.Items > 0 && (n == 0 || m.Collections[n-1].ID != row.Collection) {
			c := stac.Collection{ID: row.Collection, Title: row.Collection, Description: "d", License: "other"}
			row.Summary.Apply(&c)
			m.Collections = append(m.Collections, c)
		}
	}
	return m
}

// publishParts claims and publishes a Snapshot of the Parts.
func publishParts(t testing.TB, s *testStore, fence uint64, rows ...Row) Head {
	t.Helper()
	m := manifestOf(s, fence, rows...)
	if _, err := Claim(t.Context(), s, fence, m.Run); err != nil {
		t.Fatal(err)
	}
	h, err := Publish(t.Context(), s, m)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// seen is the Snapshot that a reader sees, after reading all of it.
func seen(t testing.TB, s objstore.Reader) uint64 {
	t.Helper()
	r, err := Open(t.Context(), s, nil)
	if errors.Is(err, ErrNoSnapshot) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for q := (Query{Limit: 7}); ; {
		p, err := r.Page(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		n += len(p.Lines)
		if p.Next == nil {
			break
		}
		q.After = *p.Next
	}
	if want := r.items(""); n != want {
		t.Fatalf("snapshot %d shows %d of %d items", r.Manifest().Fence, n, want)
	}
	return r.Manifest().Fence
}

func TestHeadOfNothing(t *testing.T) {
	s := newStore()
	h, etag, err := LoadHead(t.Context(), s)
	if h != (Head{}) || etag != "" || err != nil {
		t.Errorf("head %+v, etag %q, error %v", h, etag, err)
	}
	if _, err := Open(t.Context(), s, nil); !errors.Is(err, ErrNoSnapshot) {
		t.Errorf("error %v", err)
	}
}

func TestClaim(t *testing.T) {
	s := newStore()
	publishParts(t, s, 1, putPart(t, s, "c", 1, makeScenes("c", 0, 20)))
	h, err := Claim(t.Context(), s, 3, "run3")
	if want := (Head{Format: Format, Snapshot: 1, Run: "run1", Claim: 3}); h != want || err != nil {
		t.Fatalf("head %+v, error %v, want %+v", h, err, want)
	}
	s.forget()
	if again, err := Claim(t.Context(), s, 3, "run3"); again != h || err != nil {
		t.Errorf("claimed again: %+v, error %v", again, err)
	}
	if n := s.Count(faultstore.Match{Op: faultstore.Put}); n != 0 {
		t.Errorf("claiming again writes %d times", n)
	}
	var fenced *FencedError
	if _, err := Claim(t.Context(), s, 2, "run2"); !errors.As(err, &fenced) || fenced.Head != h || fenced.Fence != 2 {
		t.Errorf("error %v of an older fence", err)
	}
	if _, err := Close(t.Context(), s, 3, "run3"); err != nil {
		t.Fatal(err)
	}
	if _, err := Claim(t.Context(), s, 3, "run3"); !errors.As(err, &fenced) {
		t.Errorf("error %v after closing", err)
	}
	if h, err := Claim(t.Context(), s, 4, "run4"); err != nil || h.Closed || h.Claim != 4 || h.Snapshot != 1 {
		t.Errorf("next claim: %+v, error %v", h, err)
	}
}

func TestPublish(t *testing.T) {
	s := newStore()
	rows := []Row{putPart(t, s, "c", 1, makeScenes("c", 0, 20))}
	m := manifestOf(s, 1, rows...)
	var fenced *FencedError
	if _, err := Publish(t.Context(), s, m); !errors.As(err, &fenced) {
		t.Errorf("error %v without a claim", err)
	}
	if s.has(ManifestKey(1)) {
		t.Error("a refused publish leaves its manifest")
	}
	if _, err := Claim(t.Context(), s, 1, "run1"); err != nil {
		t.Fatal(err)
	}
	s.forget()
	h, err := Publish(t.Context(), s, m)
	if want := (Head{Format: Format, Snapshot: 1, Run: "run1", Claim: 1}); h != want || err != nil {
		t.Fatalf("head %+v, error %v, want %+v", h, err, want)
	}
	want := []faultstore.Call{{Op: faultstore.Get, Key: HeadKey}, {Op: faultstore.Put, Key: ManifestKey(1)}, {Op: faultstore.Sync},
		{Op: faultstore.Get, Key: HeadKey}, {Op: faultstore.Put, Key: HeadKey}}
	if got := s.Calls(faultstore.Match{}); !slices.Equal(got, want) {
		t.Errorf("calls: %v\nwant:  %v", got, want)
	}
	if again, err := Publish(t.Context(), s, m); again != h || err != nil {
		t.Errorf("published again: %+v, error %v", again, err)
	}
	publishParts(t, s, 2, rows...)
	if m2, err := ReadManifest(t.Context(), s, 2); err != nil || m2.Base != 1 {
		t.Errorf("base %d, error %v", m2.Base, err)
	}
	if _, err := Publish(t.Context(), s, m); !errors.As(err, &fenced) {
		t.Errorf("error %v of a publish after the next one", err)
	}
	if got := seen(t, s); got != 2 {
		t.Errorf("snapshot %d is seen", got)
	}
}

func TestClose(t *testing.T) {
	s := newStore()
	if h, err := Close(t.Context(), s, 1, "run1"); err != nil || h != (Head{Format: Format, Claim: 1, Closed: true}) {
		t.Errorf("head %+v, error %v", h, err)
	}
	var fenced *FencedError
	if _, err := Claim(t.Context(), s, 1, "run1"); !errors.As(err, &fenced) {
		t.Errorf("error %v of a claim that arrives after its run was settled", err)
	}
	publishParts(t, s, 2, putPart(t, s, "c", 2, makeScenes("c", 0, 20)))
	h, err := Close(t.Context(), s, 2, "run2")
	if err != nil || h.Run != "run2" || h.Snapshot != 2 || !h.Closed {
		t.Errorf("head %+v, error %v", h, err)
	}
	s.forget()
	for _, fence := range []uint64{1, 2} {
		if again, err := Close(t.Context(), s, fence, "run"); again != h || err != nil {
			t.Errorf("closed again: %+v, error %v", again, err)
		}
	}
	if n := s.Count(faultstore.Match{Op: faultstore.Put}); n != 0 {
		t.Errorf("closing again writes %d times", n)
	}
}

func TestClaimFaults(t *testing.T) {
	faultstore.Sweep(t, changes, func(t *testing.T, arm func(*faultstore.Store)) {
		s := newStore()
		publishParts(t, s, 1, putPart(t, s, "c", 1, makeScenes("c", 0, 20)))
		arm(s.Store)
		_, err := Claim(t.Context(), s, 2, "run2")
		s.restart()
		if err != nil && !errors.Is(err, faultstore.ErrInjected) {
			t.Fatal(err)
		}
		if h, _, _ := LoadHead(t.Context(), s); err == nil && h.Claim != 2 {
			t.Errorf("claimed, and head is %+v", h)
		}
		if h, err := Claim(t.Context(), s, 2, "run2"); err != nil || h.Claim != 2 || h.Snapshot != 1 {
			t.Errorf("claimed again: %+v, error %v", h, err)
		}
		if got := seen(t, s); got != 1 {
			t.Errorf("snapshot %d is seen", got)
		}
	})
}

// Whatever write of a publish fails, readers see the old Snapshot or the new one, whole; and either the step is repeated
// and succeeds, or the Run is settled, and then it is over.
func TestPublishFaults(t *testing.T) {
	for _, then := range []string{"repeat", "close"} {
		faultstore.Sweep(t, changes, func(t *testing.T, arm func(*faultstore.Store)) {
			s := newStore()
			old := putPart(t, s, "c", 1, makeScenes("c", 0, 20))
			publishParts(t, s, 1, old)
			m := manifestOf(s, 2, old, putPart(t, s, "d", 2, makeScenes("d", 0, 20)))
			if _, err := Claim(t.Context(), s, 2, m.Run); err != nil {
				t.Fatal(err)
			}
			arm(s.Store)
			_, err := Publish(t.Context(), s, m)
			s.restart()
			if err != nil && !errors.Is(err, faultstore.ErrInjected) {
				t.Fatal(err)
			}
			got := seen(t, s)
			if err == nil && got != 2 || got != 1 && got != 2 {
				t.Fatalf("publish: error %v, and snapshot %d is seen", err, got)
			}
			m.Created = m.Created.Add(1e9) // the repeated step has another clock
			if then == "repeat" {
				if h, err := Publish(t.Context(), s, m); err != nil || h.Snapshot != 2 {
					t.Errorf("published again: %+v, error %v", h, err)
				}
				if got := seen(t, s); got != 2 {
					t.Errorf("snapshot %d is seen", got)
				}
				return
			}
			h, err := Close(t.Context(), s, 2, m.Run)
			if err != nil || h.Snapshot != got || (h.Run == m.Run) != (got == 2) {
				t.Errorf("closed: %+v, error %v, while snapshot %d is seen", h, err, got)
			}
			var fenced *FencedError
			if _, err := Publish(t.Context(), s, m); got == 1 && !errors.As(err, &fenced) || got == 2 && err != nil {
				t.Errorf("publish after settling: %v", err)
			}
			if now := seen(t, s); now != got {
				t.Errorf("snapshot %d is seen after settling, %d before", now, got)
			}
		})
	}
}

func TestCloseFaults(t *testing.T) {
	faultstore.Sweep(t, changes, func(t *testing.T, arm func(*faultstore.Store)) {
		s := newStore()
		publishParts(t, s, 1, putPart(t, s, "c", 1, makeScenes("c", 0, 20)))
		if _, err := Claim(t.Context(), s, 2, "run2"); err != nil {
			t.Fatal(err)
		}
		arm(s.Store)
		_, err := Close(t.Context(), s, 2, "run2")
		s.restart()
		if err != nil && !errors.Is(err, faultstore.ErrInjected) {
			t.Fatal(err)
		}
		if err != nil {
			if _, err = Close(t.Context(), s, 2, "run2"); err != nil {
				t.Fatal(err)
			}
		}
		var fenced *FencedError
		if _, err := Publish(t.Context(), s, manifestOf(s, 2)); !errors.As(err, &fenced) {
			t.Errorf("error %v of a publish after close", err)
		}
		if got := seen(t, s); got != 1 {
			t.Errorf("snapshot %d is seen", got)
		}
	})
}

// A lost reply is no error where looking again shows the effect.
func TestLostRepliesAreLookedUp(t *testing.T) {
	s := newStore()
	row := putPart(t, s, "c", 1, makeScenes("c", 0, 20))
	lost := s.Set(faultstore.Match{Op: faultstore.Put}, faultstore.Fault{Applied: true})
	publishParts(t, s, 1, row)
	if h, err := Close(t.Context(), s, 1, "run1"); err != nil || !h.Closed {
		t.Errorf("head %+v, error %v", h, err)
	}
	if n := lost.Fired(); n != 4 {
		t.Errorf("%d replies were lost", n)
	}
}

// The store retries what is worth it: a write that it gives up on, and that had no effect, is not made again.
func TestFailedWriteIsNotRepeated(t *testing.T) {
	s := newStore()
	s.Set(faultstore.Match{Op: faultstore.Put}, faultstore.Fault{})
	_, err := Claim(t.Context(), s, 1, "run1")
	if n := s.Count(faultstore.Match{Op: faultstore.Put}); n != 1 || !errors.Is(err, faultstore.ErrInjected) {
		t.Errorf("%d writes, error %v", n, err)
	}
}

// A publish that is stalled between its look at Head and its write, while the Run is settled or another one claims.
func TestZombiePublish(t *testing.T) {
	for name, meanwhile := range map[string]func(*testStore) error{
		"settled": func(s *testStore) error { _, err := Close(t.Context(), s, 2, "run2"); return err },
		"claimed": func(s *testStore) error { _, err := Claim(t.Context(), s, 3, "run3"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore()
			row := putPart(t, s, "c", 1, makeScenes("c", 0, 20))
			publishParts(t, s, 1, row)
			if _, err := Claim(t.Context(), s, 2, "run2"); err != nil {
				t.Fatal(err)
			}
			gate := faultstore.NewGate()
			s.Set(faultstore.Match{Op: faultstore.Put, Key: HeadKey, Nth: 1}, faultstore.Fault{Gate: gate})
			zombie := make(chan error)
			go func() {
				_, err := Publish(t.Context(), s, manifestOf(s, 2, row))
				zombie <- err
			}()
			if err := gate.Reached(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := meanwhile(s); err != nil {
				t.Fatal(err)
			}
			gate.Release()
			var fenced *FencedError
			if err := <-zombie; !errors.As(err, &fenced) {
				t.Errorf("error %v", err)
			}
			if got := seen(t, s); got != 1 {
				t.Errorf("snapshot %d is seen", got)
			}
			if _, err := OpenAt(t.Context(), s, 2, nil); !errors.Is(err, ErrExpired) {
				t.Errorf("error %v for a snapshot that was never published", err)
			}
		})
	}
}

func TestRacingClaims(t *testing.T) {
	s := newStore()
	const runs = 16
	errs := make([]error, runs+1)
	var wg sync.WaitGroup
	for fence := uint64(1); fence <= runs; fence++ {
		wg.Go(func() {
			run := fmt.Sprint("run", fence)
			if _, errs[fence] = Claim(t.Context(), s, fence, run); errs[fence] == nil {
				_, errs[fence] = Publish(t.Context(), s, manifestOf(s, fence))
			}
		})
	}
	wg.Wait()
	var fenced *FencedError
	for fence, err := range errs {
		if err != nil && !errors.As(err, &fenced) {
			t.Errorf("fence %d: %v", fence, err)
		}
	}
	if h, _, err := LoadHead(t.Context(), s); err != nil || h.Snapshot != runs || h.Claim != runs {
		t.Errorf("head %+v, error %v", h, err)
	}
}

func TestNewerFormat(t *testing.T) {
	s := newStore()
	s.put(t, HeadKey, `{"format":3,"snapshot":{"what":"ever"}}`)
	_, err := Claim(t.Context(), s, 1, "r")
	if !errors.Is(err, ErrNewerFormat) || !strings.Contains(err.Error(),
		"catalog format 3 is newer than this cairn understands (1): upgrade cairn") {
		t.Errorf("error %v", err)
	}
	s.put(t, HeadKey, `{"format":1,"snapshot":1,"run":"r","claim":1}`)
	s.put(t, ManifestKey(1), `{"format":2,"fence":"one"}`)
	if _, err := Open(t.Context(), s, nil); !errors.Is(err, ErrNewerFormat) {
		t.Errorf("error %v", err)
	}
	for _, bad := range []string{``, `{}`, `{"format":-1}`, `{"format":1,"claim":-1}`, `[1]`, "\x00\x00"} {
		s.put(t, HeadKey, bad)
		if _, _, err := LoadHead(t.Context(), s); err == nil || !strings.Contains(err.Error(), "read head") {
			t.Errorf("error %v for %q", err, bad)
		}
	}
}

func FuzzLoadHead(f *testing.F) {
	f.Add([]byte(`{"format":1,"snapshot":1,"run":"r","claim":1,"closed":true}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := newStore()
		s.put(t, HeadKey, string(body))
		h, _, err := LoadHead(t.Context(), s)
		if err != nil {
			return
		}
		claimed, err := Claim(t.Context(), s, h.Claim+1, "new")
		if err == nil && (claimed.Claim != h.Claim+1 || claimed.Snapshot != h.Snapshot || claimed.Run != h.Run) {
			t.Errorf("%+v became %+v", h, claimed)
		}
	})
}
