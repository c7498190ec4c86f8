package objstoretest

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"sync"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
)

var getTests = []readerTest{
	{"get/parts", getParts},
	{"get/ifmatch", getIfMatch},
	{"get/missing", getMissing},
	{"get/cancel", getCancel},
	{"get/concurrent", getConcurrent},
}

func getParts(t *testing.T, seed seeder) {
	big := pattern(1<<20 + 13)
	r := seed(t, map[string]string{"ten": "0123456789", "empty": "", "a/big.tif": big})
	for _, c := range []struct {
		key    string
		off, n int64
		want   string
	}{
		{"ten", 0, -1, "0123456789"}, {"ten", 0, 0, ""}, {"ten", 0, 1, "0"}, {"ten", 0, 10, "0123456789"},
		{"ten", 0, 11, "0123456789"}, {"ten", 3, 4, "3456"}, {"ten", 3, -1, "3456789"}, {"ten", 9, 1, "9"},
		{"ten", 9, 2, "9"}, {"ten", 5, 0, ""}, {"ten", 5, math.MaxInt64, "56789"}, {"ten", 5, math.MinInt64, "56789"},
		{"ten", 10, 1, ""}, {"ten", 10, 0, ""}, {"ten", 10, -1, ""}, {"ten", 11, 5, ""}, {"ten", 1 << 40, -1, ""},
		{"ten", math.MaxInt64, math.MaxInt64, ""},
		{"empty", 0, -1, ""}, {"empty", 0, 0, ""}, {"empty", 0, 5, ""}, {"empty", 5, 5, ""},
		{"a/big.tif", 0, -1, big}, {"a/big.tif", 32 << 10, 16 << 10, big[32<<10 : 48<<10]},
		{"a/big.tif", 1 << 20, 100, big[1<<20:]}, {"a/big.tif", 12345, 1, big[12345:12346]},
	} {
		body, o, err := r.Get(t.Context(), c.key, c.off, c.n, "")
		if err != nil {
			t.Errorf("Get %s, %d bytes from %d: %v", c.key, c.n, c.off, err)
			continue
		}
		if string(body) != c.want {
			t.Errorf("Get %s, %d bytes from %d: got %.40q (%d), want %.40q (%d)", c.key, c.n, c.off, body, len(body), c.want,
				len(c.want))
		}
		// A part tells of the whole Object.
		wantSame(t, o, list(t, r, objstore.Range{Start: c.key, End: c.key + "\x00"})[0])
		clear(body) // the caller's own
	}
	wantBody(t, r, "ten", "0123456789")
}

func getIfMatch(t *testing.T, seed seeder) {
	r := seed(t, map[string]string{"a.tif": "first", "b.tif": "other bytes"})
	a, b := wantBody(t, r, "a.tif", "first"), wantBody(t, r, "b.tif", "other bytes")
	if body, o, err := r.Get(t.Context(), "a.tif", 1, 3, a.ETag); err != nil || string(body) != "irs" || o.ETag != a.ETag {
		t.Errorf("Get with its ETag: got %q, %+v, %v", body, o, err)
	}
	for _, etag := range []string{b.ETag, "no-such-etag"} {
		for _, off := range []int64{0, 100} {
			if _, _, err := r.Get(t.Context(), "a.tif", off, 3, etag); !errors.Is(err, objstore.ErrPrecondition) {
				t.Errorf("Get from %d with ETag %q: got %v, want ErrPrecondition", off, etag, err)
			}
		}
	}
}

func getMissing(t *testing.T, seed seeder) {
	r := seed(t, map[string]string{"a/b.tif": "x", "c.tif": "x"})
	for _, key := range []string{"missing", "a", "a/b", "a/missing", "a/b.tif0", "c.tif/d", "x/y/z.tif"} {
		for _, etag := range []string{"", "no-such-etag"} {
			if _, _, err := r.Get(t.Context(), key, 0, -1, etag); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Get %q if it matches %q: got %v, want fs.ErrNotExist", key, etag, err)
			}
		}
	}
}

func getCancel(t *testing.T, seed seeder) {
	r := seed(t, map[string]string{"a.tif": "x"})
	if _, _, err := r.Get(canceled(t), "a.tif", 0, -1, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func getConcurrent(t *testing.T, seed seeder) {
	body := pattern(100_000)
	r := seed(t, map[string]string{"a.tif": body})
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for n := range 20 {
				off := (i*20 + n) * 300
				got, _, err := r.Get(t.Context(), "a.tif", int64(off), 1000, "")
				if err != nil || string(got) != body[off:off+1000] {
					t.Errorf("Get 1000 bytes from %d: %d bytes, %v", off, len(got), err)
				}
			}
		})
	}
	wg.Wait()
}
