package objstoretest

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
)

var raceTests = []storeTest{
	{"race/ifabsent", raceIfAbsent},
	{"race/ifmatch", raceIfMatch},
	{"race/counter", raceCounter},
	{"race/plain", racePlain},
	{"race/readers", raceReaders},
}

// contend runs n goroutines at once and returns which of them wins; there must be just one.
func contend(t *testing.T, n int, try func(i int) error) (winner int) {
	t.Helper()
	var wg sync.WaitGroup
	var won atomic.Int32
	start := make(chan struct{})
	winner = -1
	var mu sync.Mutex
	for i := range n {
		wg.Go(func() {
			<-start
			switch err := try(i); {
			case err == nil:
				won.Add(1)
				mu.Lock()
				winner = i
				mu.Unlock()
			case !errors.Is(err, objstore.ErrPrecondition):
				t.Errorf("%v, want none or ErrPrecondition", err)
			}
		})
	}
	close(start)
	wg.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d of %d won, want 1", won.Load(), n)
	}
	return winner
}

func raceIfAbsent(t *testing.T, s objstore.Store) {
	for round := range 20 {
		key := fmt.Sprintf("runs/%d/lock.json", round)
		winner := contend(t, 8, func(i int) error {
			_, err := s.Put(t.Context(), key, []byte(strconv.Itoa(i)), objstore.PutOptions{IfAbsent: true, Relaxed: true})
			return err
		})
		wantBody(t, s, key, strconv.Itoa(winner))
	}
}

func raceIfMatch(t *testing.T, s objstore.Store) {
	etag := put(t, s, "head.json", "-", objstore.PutOptions{})
	for round := range 20 {
		body := func(i int) string { return fmt.Sprintf("%d of round %d", i, round) } // never what is there: S3 could not tell
		winner := contend(t, 8, func(i int) error {
			_, err := s.Put(t.Context(), "head.json", []byte(body(i)), objstore.PutOptions{IfMatch: etag, Relaxed: true})
			return err
		})
		etag = wantBody(t, s, "head.json", body(winner)).ETag
	}
}

// raceCounter has many add to one number by compare-and-swap: none of their additions is lost.
func raceCounter(t *testing.T, s objstore.Store) {
	const workers, adds = 6, 15
	put(t, s, "counter", "0", objstore.PutOptions{})
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for done := 0; done < adds; {
				body, o, err := s.Get(t.Context(), "counter", 0, -1, "")
				if err != nil {
					t.Error(err)
					return
				}
				n, err := strconv.Atoi(string(body))
				if err != nil {
					t.Error(err)
					return
				}
				_, err = s.Put(t.Context(), "counter", []byte(strconv.Itoa(n+1)), objstore.PutOptions{IfMatch: o.ETag, Relaxed: true})
				switch {
				case err == nil:
					done++
				case !errors.Is(err, objstore.ErrPrecondition):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	wantBody(t, s, "counter", strconv.Itoa(workers*adds))
}

// racePlain sets an unconditional Put against a conditional one. Whatever their order, the unconditional bytes stay: if it
// was first, the other had to fail.
func racePlain(t *testing.T, s objstore.Store) {
	for range 40 {
		etag := put(t, s, "head.json", "start", objstore.PutOptions{Relaxed: true})
		var wg sync.WaitGroup
		start := make(chan struct{})
		wg.Go(func() {
			<-start
			_, err := s.Put(t.Context(), "head.json", []byte("conditional"), objstore.PutOptions{IfMatch: etag, Relaxed: true})
			if err != nil && !errors.Is(err, objstore.ErrPrecondition) {
				t.Error(err)
			}
		})
		wg.Go(func() {
			<-start
			if _, err := s.Put(t.Context(), "head.json", []byte("plain"), objstore.PutOptions{Relaxed: true}); err != nil {
				t.Error(err)
			}
		})
		close(start)
		wg.Wait()
		wantBody(t, s, "head.json", "plain")
	}
}

// raceReaders reads and lists while writers replace: each read is one whole body, and the one that its ETag names.
func raceReaders(t *testing.T, s objstore.Store) {
	const writers, writes, readers = 3, 15, 4
	var (
		written sync.Map // ETag to the letter and length of the body
		read    sync.Map // the same, as read
		writing sync.WaitGroup
		reading sync.WaitGroup
		done    = make(chan struct{})
	)
	body := func(w, i int) string {
		return strings.Repeat(string(rune('a'+(w*writes+i)%26)), 1+(w*7919+i*104729)%200_000)
	}
	name := func(b []byte) string { return fmt.Sprintf("%c×%d", b[0], len(b)) }
	save := func(etag string, b []byte, in *sync.Map) {
		if was, ok := in.LoadOrStore(etag, name(b)); ok && was != name(b) {
			t.Errorf("ETag %q stands for %v and for %s", etag, was, name(b))
		}
	}
	first := body(0, 0)
	save(put(t, s, "d/head.json", first, objstore.PutOptions{Relaxed: true}), []byte(first), &written)
	for w := range writers {
		writing.Go(func() {
			for i := range writes {
				b := []byte(body(w, i))
				etag, err := s.Put(t.Context(), "d/head.json", b, objstore.PutOptions{Relaxed: true})
				if err != nil {
					t.Error(err)
					return
				}
				save(etag, b, &written)
			}
		})
	}
	for range readers {
		reading.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				b, o, err := s.Get(t.Context(), "d/head.json", 0, -1, "")
				if err != nil {
					t.Error(err)
					return
				}
				if !whole(b) || int64(len(b)) != o.Size {
					t.Errorf("read %d bytes of an Object of %d, or of two", len(b), o.Size)
					return
				}
				save(o.ETag, b, &read)
				if _, _, err := s.Get(t.Context(), "d/head.json", 0, 1, o.ETag); err != nil && !errors.Is(err, objstore.ErrPrecondition) {
					t.Error(err)
				}
				listed := 0
				for o, err := range s.List(t.Context(), all) {
					if listed++; err != nil || o.Key != "d/head.json" {
						t.Errorf("List while it is replaced: %+v, %v", o, err)
					}
				}
				if listed != 1 {
					t.Errorf("List while it is replaced: %d Objects, want 1", listed)
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	read.Range(func(etag, got any) bool {
		if want, ok := written.Load(etag); !ok || want != got {
			t.Errorf("read %v under ETag %q, which stands for %v", got, etag, want)
		}
		return true
	})
}

// gone checks that there is no Object under key.
func gone(t *testing.T, s objstore.Store, key string) {
	t.Helper()
	if _, _, err := s.Get(t.Context(), key, 0, -1, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Get %q: got %v, want fs.ErrNotExist", key, err)
	}
}
