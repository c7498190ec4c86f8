package objstoretest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
)

var deleteTests = []storeTest{
	{"delete/plain", deletePlain},
	{"delete/refill", deleteRefill},
	{"delete/concurrent", deleteConcurrent},
}

func deletePlain(t *testing.T, s objstore.Store) {
	for _, key := range []string{"a/b.json", "a/c.json", "d.json"} {
		put(t, s, key, "x", objstore.PutOptions{Relaxed: true})
	}
	for _, key := range []string{"missing", "a", "a/missing", "a/b", "d.json/e", "x/y/z", "d.json", "d.json"} {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete %q: %v", key, err)
		}
	}
	gone(t, s, "d.json")
	wantKeys(t, s, all, []string{"a/b.json", "a/c.json"})
	if err := s.Delete(t.Context(), "a/b.json"); err != nil {
		t.Fatal(err)
	}
	gone(t, s, "a/b.json")
	wantKeys(t, s, all, []string{"a/c.json"})
	wantBody(t, s, "a/c.json", "x")
}

// deleteRefill puts an Object where deleted ones had their prefix: nothing is left of them.
func deleteRefill(t *testing.T, s objstore.Store) {
	for range 3 {
		put(t, s, "d/e/f", "deep", objstore.PutOptions{})
		if err := s.Delete(t.Context(), "d/e/f"); err != nil {
			t.Fatal(err)
		}
		wantKeys(t, s, all, nil)
		put(t, s, "d", "flat", objstore.PutOptions{})
		wantBody(t, s, "d", "flat")
		if err := s.Delete(t.Context(), "d"); err != nil {
			t.Fatal(err)
		}
	}
}

// deleteConcurrent fills and empties one prefix from many sides.
func deleteConcurrent(t *testing.T, s objstore.Store) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			key := fmt.Sprintf("runs/a/%d.json", i)
			for range 15 {
				if _, err := s.Put(t.Context(), key, []byte("x"), objstore.PutOptions{Relaxed: true}); err != nil {
					t.Error(err)
				}
				if err := s.Delete(t.Context(), key); err != nil {
					t.Error(err)
				}
				for _, err := range s.List(t.Context(), all) {
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	wantKeys(t, s, all, nil)
}
