package objstoretest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
)

var listTests = []readerTest{
	{"list/empty", listEmpty},
	{"list/order", listOrder},
	{"list/ranges", listRanges},
	{"list/many", listMany},
	{"list/stop", listStop},
	{"list/concurrent", listConcurrent},
}

// tree has, at every level, names that sort otherwise by whole names than by bytes of the key: "." and "-" come before
// "/", and "0" after it.
var tree = func() map[string]string {
	objects := map[string]string{}
	for _, key := range []string{
		"B.tif", "a-b.tif", "a.tif", "a/b-c.tif", "a/b.tif", "a/b/c.tif", "a/b/d/e.tif", "a/b0.tif", "a/c", "a0/x.tif",
		"a0.tif", "a00", "b c.tif", "b+c.tif", "folder1/1.tif", "folder10/1.tif", "folder1.tif", "z/z/z/z.tif", "é/é.tif",
		"日本.tif",
	} {
		objects[key] = "body of " + key
	}
	return objects
}()

func listEmpty(t *testing.T, seed seeder) {
	r := seed(t, nil)
	wantKeys(t, r, all, nil)
	wantKeys(t, r, objstore.Prefixed("a/"), nil)
}

func listOrder(t *testing.T, seed seeder) {
	r := seed(t, tree)
	wantKeys(t, r, all, slices.Sorted(maps.Keys(tree)))
	for _, o := range list(t, r, all) {
		wantSound(t, o)
		wantSame(t, wantBody(t, r, o.Key, tree[o.Key]), o)
	}
}

// listRanges tries every pair of bounds at, before, after and within the keys and their folders.
func listRanges(t *testing.T, seed seeder) {
	r := seed(t, tree)
	keys := slices.Sorted(maps.Keys(tree))
	bounds := []string{"", "\x00", "a", "a/", "a/b", "a/b/", "a/b/c.tif", "a/b/c.tif\x00", "a/b/d/", "a/b/d/zzz", "a/b0",
		"a/zzz", "a0", "a0/", "folder1", "folder1/", "folder10", "folder1\xff", "z/z/z", "zz", "é", "\xff"}
	for _, start := range bounds {
		for _, end := range bounds {
			rng := objstore.Range{Start: start, End: end}
			var want []string
			for _, key := range keys {
				if rng.Contains(key) {
					want = append(want, key)
				}
			}
			wantKeys(t, r, rng, want)
		}
	}
	for _, prefix := range bounds {
		var want []string
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) {
				want = append(want, key)
			}
		}
		wantKeys(t, r, objstore.Prefixed(prefix), want)
	}
}

// many is more than one of S3's pages, in a flat folder and in small ones.
func many() (map[string]string, []string) {
	objects := map[string]string{}
	for i := range 1150 {
		objects[fmt.Sprintf("flat/%d.tif", i)] = "x"
	}
	for i := range 150 {
		objects[fmt.Sprintf("deep/%d/%d.tif", i/4, i)] = "x"
	}
	return objects, slices.Sorted(maps.Keys(objects))
}

func listMany(t *testing.T, seed seeder) {
	objects, keys := many()
	r := seed(t, objects)
	wantKeys(t, r, all, keys)
	for _, cut := range []int{1, 149, 150, 151, 999, 1000, 1001, 1299} {
		wantKeys(t, r, objstore.Range{End: keys[cut]}, keys[:cut])
		wantKeys(t, r, objstore.Range{Start: keys[cut]}, keys[cut:])
	}
	for _, after := range []int{0, 1, 1000} {
		wantCanceled(t, r, after)
	}
}

func listStop(t *testing.T, seed seeder) {
	r := seed(t, tree)
	keys := slices.Sorted(maps.Keys(tree))
	for n := range len(keys) + 1 {
		var got []string
		for o, err := range r.List(t.Context(), all) {
			if err != nil {
				t.Fatal(err)
			}
			if len(got) == n {
				break
			}
			got = append(got, o.Key)
		}
		if !slices.Equal(got, keys[:n]) {
			t.Fatalf("stopped after %d: got %q, want %q", n, got, keys[:n])
		}
	}
}

// wantCanceled ends the context of a listing when so many Objects were seen.
func wantCanceled(t *testing.T, r objstore.Reader, after int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if after == 0 {
		cancel()
	}
	var errs []error
	seen := 0
	for o, err := range r.List(ctx, all) {
		if err != nil {
			if o != (objstore.Object{}) {
				t.Errorf("an error came with %+v", o)
			}
			errs = append(errs, err)
			continue // a listing ends after its error by itself
		}
		if seen++; seen == after {
			cancel()
		}
	}
	if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
		t.Errorf("canceled after %d: %d Objects, then %v, want context.Canceled once", after, seen, errs)
	}
}

func listConcurrent(t *testing.T, seed seeder) {
	r := seed(t, tree)
	want := slices.Sorted(maps.Keys(tree))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var got []string
			for o, err := range r.List(t.Context(), all) {
				if err != nil {
					t.Error(err)
				}
				got = append(got, o.Key)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	wg.Wait()
}
