package s3store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
)

// A shape is a way in which a bucket's keys are made. key(i) for i < n, in any order.
type shape struct {
	name string
	key  func(i int) string
}

func hexOf(i int) string { return fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, i)))[:16] }

var shapes = []shape{
	{"random hex", hexOf},
	{"upper hex in folders", func(i int) string { return "scenes/" + strings.ToUpper(hexOf(i)) + "/B02.tif" }},
	{"uuid", func(i int) string { h := hexOf(i); return h[:8] + "-" + h[8:12] + "-4" + h[13:] + ".tif" }},
	{"padded numbers", func(i int) string { return fmt.Sprintf("flat/img_%08d.tif", i) }},
	{"plain numbers", func(i int) string { return fmt.Sprintf("flat/%d.tif", i) }},
	{"days", func(i int) string {
		day := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i/1440)
		return day.Format("2006/01/02/") + fmt.Sprintf("file%04d.tif", i%1440)
	}},
	{"stamps", func(i int) string {
		return time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * 97 * time.Second).Format("S2A_20060102T150405_B02.tif")
	}},
	{"tiles", func(i int) string { return fmt.Sprintf("%d/%d/%d.tif", 8+i%5, i/5%300, i/1500) }},
	{"few big folders", func(i int) string { return fmt.Sprintf("%s/%07d.tif", []string{"aerial", "dem", "landsat", "zz"}[i%4], i/4) }},
	{"many small folders", func(i int) string { return fmt.Sprintf("site-%s/%02d.tif", hexOf(i / 30)[:8], i%30) }},
	{"deep prefix", func(i int) string { return strings.Repeat("very/deep/", 20) + hexOf(i) }},
	{"base 62", func(i int) string {
		const a = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		b := sha256.Sum256(fmt.Append(nil, i))
		for j := range b {
			b[j] = a[int(b[j])%62]
		}
		return string(b[:12])
	}},
	{"doubling density", func(i int) string { return fmt.Sprintf("%032b", uint32(float64(i)*float64(i)/7)) + fmt.Sprint(i) }},
	{"words", func(i int) string {
		h := sha256.Sum256(fmt.Append(nil, i))
		return fmt.Sprintf("%s_%s_%d", vary[int(h[0])%len(vary)], vary[int(h[1])%len(vary)], i)
	}},
	{"unicode", func(i int) string { return fmt.Sprintf("衛星/%c%c/%d", 0x4e00+rune(i*7%2000), 0x3b1+rune(i%24), i) }},
	{"one longer than the other", func(i int) string { return strings.Repeat("a", i%1000) + fmt.Sprintf("%04d", i/1000) }},
}

var vary = []string{"north", "south", "ndvi", "Ndvi", "ortho", "o", "orthophoto", "x-1", "x_2", "Übersicht", "z z"}

// fill makes a bucket of n keys of a shape.
func fill(srv *s3test.Server, sh shape, n int) (keys []string) {
	seen := make(map[string]bool, n)
	for i := range n {
		seen[sh.key(i)] = true
	}
	for key := range seen {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	srv.CreateBucket("bucket").Generate(len(keys), func(i int) s3test.Object { return s3test.Object{Key: keys[i], ETag: "e"} })
	return keys
}

func listKeys(ctx context.Context, t testing.TB, s *Store, r objstore.Range) []string {
	t.Helper()
	var got []string
	for o, err := range s.List(ctx, r) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Key)
	}
	return got
}

// wantListed compares without printing a million keys.
func wantListed(t testing.TB, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("key %d is %q, want %q (%d listed, want %d)", i, got[i], want[i], len(got), len(want))
		}
	}
	t.Fatalf("%d keys listed, want %d", len(got), len(want))
}

// TestListShapes lists every shape whole, and asks for few pages more than it has.
func TestListShapes(t *testing.T) {
	const n = 60_000
	for _, sh := range shapes {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			srv := s3test.New(t)
			keys := fill(srv, sh, n)
			s := open(t, srv, "s3://bucket")
			wantListed(t, listKeys(t.Context(), t, s, objstore.Range{}), keys)
			pages := (len(keys) + pageKeys - 1) / pageKeys
			stats := srv.Stats(s3test.List)
			t.Logf("%d keys: %d requests for %d pages (%.2f), most at once %d", len(keys), stats.Requests, pages,
				float64(stats.Requests)/float64(pages), stats.MostAtOnce)
			if stats.Requests > pages*3/2+mostBold {
				t.Errorf("%d requests for %d pages", stats.Requests, pages)
			}
		})
	}
}
