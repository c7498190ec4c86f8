package s3store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sort"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
)

// A shape is a way in which a bucket's keys are made. key(i) for i < n, in any order.
type shape struct {
	name string
	even bool // so evenly that all listers find work
	key  func(i int) string
}

func hexOf(i int) string { return fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, i)))[:16] }

var shapes = []shape{
	{"random hex", true, hexOf},
	{"upper hex in folders", true, func(i int) string { return "scenes/" + strings.ToUpper(hexOf(i)) + "/B02.tif" }},
	{"uuid", true, func(i int) string { h := hexOf(i); return h[:8] + "-" + h[8:12] + "-4" + h[13:] + ".tif" }},
	{"padded numbers", true, func(i int) string { return fmt.Sprintf("flat/img_%08d.tif", i) }},
	{"plain numbers", false, func(i int) string { return fmt.Sprintf("flat/%d.tif", i) }},
	{"days", false, func(i int) string {
		day := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i/1440)
		return day.Format("2006/01/02/") + fmt.Sprintf("file%04d.tif", i%1440)
	}},
	{"stamps", false, func(i int) string {
		start := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)
		return start.Add(time.Duration(i) * 97 * time.Second).Format("S2A_20060102T150405_B02.tif")
	}},
	{"tiles", false, func(i int) string { return fmt.Sprintf("%d/%d/%d.tif", 8+i%5, i/5%300, i/1500) }},
	{"few big folders", false, func(i int) string {
		return fmt.Sprintf("%s/%07d.tif", []string{"aerial", "dem", "landsat", "zz"}[i%4], i/4)
	}},
	{"many small folders", true, func(i int) string { return fmt.Sprintf("site-%s/%02d.tif", hexOf(i / 30)[:8], i%30) }},
	{"deep prefix", true, func(i int) string { return strings.Repeat("very/deep/", 20) + hexOf(i) }},
	{"base 62", true, func(i int) string {
		const a = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		b := sha256.Sum256(fmt.Append(nil, i))
		for j := range b {
			b[j] = a[int(b[j])%62]
		}
		return string(b[:12])
	}},
	{"thinning out", false, func(i int) string {
		return fmt.Sprintf("%032b", uint32(float64(i)*float64(i)/7)) + fmt.Sprint(i)
	}},
	{"words", false, func(i int) string {
		h := sha256.Sum256(fmt.Append(nil, i))
		return fmt.Sprintf("%s_%s_%d", vary[int(h[0])%len(vary)], vary[int(h[1])%len(vary)], i)
	}},
	{"unicode", false, func(i int) string { return fmt.Sprintf("衛星/%c%c/%d", 0x4e00+rune(i*7%2000), 0x3b1+rune(i%24), i) }},
	{"one longer than the other", false, func(i int) string {
		return strings.Repeat("a", i%1000) + fmt.Sprintf("%04d", i/1000)
	}},
}

var vary = []string{"north", "south", "ndvi", "Ndvi", "ortho", "o", "orthophoto", "x-1", "x_2", "Übersicht", "z z"}

// keysOf makes n keys of a shape, in order.
func keysOf(sh shape, n int) []string {
	keys := make([]string, n)
	for i := range n {
		keys[i] = sh.key(i)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// A pretended bucket answers listings, each after a while of a synctest's time.
type pretended struct {
	objects   []objstore.Object
	size      int // of a page
	wait      func() time.Duration
	requests  int
	meanwhile func() // with each request
}

func (p *pretended) set(keys []string) {
	p.objects = make([]objstore.Object, len(keys))
	for i, key := range keys {
		p.objects[i].Key = key
	}
}

func (p *pretended) fetch(prefix string, lock chan struct{}) func(ctx context.Context, after, token string) (page, error) {
	return func(ctx context.Context, after, token string) (page, error) {
		select {
		case <-time.After(p.wait()):
		case <-ctx.Done():
			return page{}, ctx.Err()
		}
		lock <- struct{}{}
		defer func() { <-lock }()
		p.requests++
		if p.meanwhile != nil {
			p.meanwhile()
		}
		i := sort.Search(len(p.objects), func(i int) bool { o := p.objects[i].Key; return o >= prefix && o > max(after, token) })
		j := i
		for j < len(p.objects) && j < i+p.size && strings.HasPrefix(p.objects[j].Key, prefix) {
			j++
		}
		more := j < len(p.objects) && strings.HasPrefix(p.objects[j].Key, prefix)
		out := page{objects: slices.Clone(p.objects[i:j]), more: more}
		if more {
			out.token = p.objects[j-1].Key
		}
		return out, nil
	}
}

// TestListParallel counts requests and rounds (of requests at the same time) for each shape.
func TestListParallel(t *testing.T) {
	const n = 100_000
	for _, sh := range shapes {
		t.Run(sh.name, func(t *testing.T) {
			keys := keysOf(sh, n)
			synctest.Test(t, func(t *testing.T) {
				p := &pretended{size: pageKeys, wait: func() time.Duration { return time.Second }}
				p.set(keys)
				start := time.Now()
				got := make([]string, 0, n)
				err := listAll(t.Context(), bounds{}, p.fetch("", make(chan struct{}, 1)), listers, func(o objstore.Object) bool {
					got = append(got, o.Key)
					return true
				})
				if err != nil {
					t.Fatal(err)
				}
				wantListed(t, got, keys)
				pages, rounds := (len(keys)+pageKeys-1)/pageKeys, int(time.Since(start)/time.Second)
				t.Logf("%d pages: %d requests in %d rounds", pages, p.requests, rounds)
				if limit := int(1.3*float64(pages)) + 2*mostBold; p.requests > limit {
					t.Errorf("%d requests for %d pages, want at most %d", p.requests, pages, limit)
				}
				if sh.even && rounds > pages/6 {
					t.Errorf("%d rounds for %d pages, want at most %d", rounds, pages, pages/6)
				}
			})
		})
	}
}

// TestListFewPages does not ask for much where there is not much.
func TestListFewPages(t *testing.T) {
	for n, most := range map[int]int{0: 1, 1: 1, 999: 1, 1000: 1, 1001: 3, 2500: 5, 5000: 8} {
		synctest.Test(t, func(t *testing.T) {
			p := &pretended{size: pageKeys, wait: func() time.Duration { return time.Second }}
			p.set(keysOf(shapes[0], n))
			seen := 0
			err := listAll(t.Context(), bounds{}, p.fetch("", make(chan struct{}, 1)), listers, func(objstore.Object) bool {
				seen++
				return true
			})
			if err != nil || seen != n || p.requests > most {
				t.Errorf("%d keys: %d listed by %d requests (want at most %d), %v", n, seen, p.requests, most, err)
			}
		})
	}
}

// TestListProperty lists made-up buckets, while keys come and go, with answers in any order. Each key that was there all
// the time is listed, in order and once, and none that never was.
func TestListProperty(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	alphabets := []string{"01", "0123456789", "abcdef0123456789", "a/", "a/b0.9z", "\x00\x01 ",
		"az\x7f\u0080\u07ff\u0800\uffff\U00010000\U0010ffff"}
	for seed := range rounds {
		rng := rand.New(rand.NewPCG(uint64(seed), 1))
		letters := []rune(alphabets[rng.IntN(len(alphabets))])
		longest, same := 1+rng.IntN(12), strings.Repeat(string(letters[0]), rng.IntN(30))
		random := func() string {
			key := []rune(same)
			for range rng.IntN(longest + 1) {
				key = append(key, letters[rng.IntN(len(letters))])
			}
			return string(key)
		}
		made := map[string]bool{}
		for range rng.IntN(3000) {
			made[random()] = true
		}
		delete(made, "")
		stay, ever := map[string]bool{}, map[string]bool{}
		for key := range made {
			stay[key], ever[key] = true, true
		}
		changes := rng.IntN(2) == 0
		prefix := ""
		if rng.IntN(3) == 0 {
			prefix = random()
		}
		whole := objstore.Range{Start: max(random(), prefix), End: objstore.Prefixed(prefix).End}
		if end := random(); rng.IntN(2) == 0 && end > prefix && (whole.End == "" || end < whole.End) {
			whole.End = end
		}
		synctest.Test(t, func(t *testing.T) {
			wait := func() time.Duration { return time.Duration(1+rand.IntN(1000)) * time.Millisecond }
			p := &pretended{size: 1 + rng.IntN(40), wait: wait}
			keys := slices.Sorted(maps.Keys(made))
			p.set(keys)
			if changes {
				p.meanwhile = func() {
					if len(keys) > 0 {
						i := rng.IntN(len(keys))
						delete(stay, keys[i])
						keys = slices.Delete(keys, i, i+1)
					}
					if key := random(); key != "" {
						if i, found := slices.BinarySearch(keys, key); !found {
							keys = slices.Insert(keys, i, key)
							ever[key] = true
						}
					}
					p.set(keys)
				}
			}
			b := boundsOf(prefix, whole)
			if b.after != "" && !(b.after < whole.Start && utf8.ValidString(b.after)) {
				t.Fatalf("seed %d: %q does not lie before %q", seed, b.after, whole.Start)
			}
			var got []string
			fetch := p.fetch(b.prefix, make(chan struct{}, 1))
			err := listAll(t.Context(), b, fetch, 1+rng.IntN(listers), func(o objstore.Object) bool {
				got = append(got, o.Key)
				return true
			})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for i, key := range got {
				if !ever[key] || !whole.Contains(key) || i > 0 && got[i-1] >= key {
					t.Fatalf("seed %d: %q after %q in %q", seed, key, got[max(0, i-1)], whole)
				}
			}
			for key := range stay {
				if _, found := slices.BinarySearch(got, key); whole.Contains(key) != found {
					t.Fatalf("seed %d: %q of %q is listed: %v", seed, key, whole, found)
				}
			}
		})
	}
}

// fill makes a bucket of n keys of a shape.
func fill(srv *s3test.Server, sh shape, n int) (keys []string) {
	keys = keysOf(sh, n)
	srv.CreateBucket("bucket").Generate(len(keys), func(i int) s3test.Object { return s3test.Object{Key: keys[i]} })
	return keys
}

func listKeys(t testing.TB, s *Store, r objstore.Range) []string {
	t.Helper()
	var got []string
	for o, err := range s.List(t.Context(), r) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Key)
	}
	return got
}

// wantListed compares without printing a hundred thousand keys.
func wantListed(t testing.TB, got, want []string) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("key %d is %q, want %q (%d listed, want %d)", i, got[i], want[i], len(got), len(want))
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d keys listed, want %d", len(got), len(want))
	}
}

// TestListServer lists over HTTP, whole and in parts, and leaves nothing behind when it is broken off.
func TestListServer(t *testing.T) {
	srv := s3test.New(t)
	keys := fill(srv, shapes[0], 20_000)
	s := open(t, srv, "s3://bucket")
	wantListed(t, listKeys(t, s, objstore.Range{}), keys)
	for _, cut := range [][2]int{{0, 1}, {17, 18}, {500, 12_345}, {19_999, 20_000}, {7, 7}} {
		r := objstore.Range{Start: keys[cut[0]]}
		if cut[1] < len(keys) {
			r.End = keys[cut[1]]
		}
		wantListed(t, listKeys(t, s, r), keys[cut[0]:cut[1]])
	}
	before := runtime.NumGoroutine()
	gate := make(chan struct{})
	srv.Fault(s3test.Match{Op: s3test.List, Nth: 4}, s3test.Fault{Gate: gate})
	for range s.List(t.Context(), objstore.Range{}) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range s.List(ctx, objstore.Range{}) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", last)
	}
	close(gate)
	s.client.http.CloseIdleConnections()
	for i := 0; runtime.NumGoroutine() > before && i < 1000; i++ {
		time.Sleep(time.Millisecond)
	}
	if now := runtime.NumGoroutine(); now > before {
		t.Errorf("%d goroutines, %d before", now, before)
	}
}

func TestListFailure(t *testing.T) {
	srv := s3test.New(t)
	keys := fill(srv, shapes[3], 5000)
	s := open(t, srv, "s3://bucket")
	for name, f := range map[string]s3test.Fault{
		"reset": {Reset: true}, "cut short": {Truncate: 1234},
		"503": {Status: 503, Code: "SlowDown"}, "500": {Status: 500, Code: "InternalError"},
	} {
		srv.Reset()
		srv.Fault(s3test.Match{Op: s3test.List, Nth: 2}, f)
		t.Run(name, func(t *testing.T) { wantListed(t, listKeys(t, s, objstore.Range{}), keys) })
	}
	srv.Reset()
	srv.Fault(s3test.Match{Op: s3test.List, Nth: 3}, s3test.Fault{Status: 403, Code: "AccessDenied"})
	var errs []error
	for o, err := range s.List(t.Context(), objstore.Range{}) {
		if err != nil {
			errs = append(errs, err)
		} else if len(errs) > 0 {
			t.Fatalf("%q comes after the error", o.Key)
		}
	}
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "AccessDenied") {
		t.Errorf("got %v, want AccessDenied once", errs)
	}
}

func TestOdometer(t *testing.T) {
	for _, c := range []struct {
		keys []string
		key  string
		add  float64 // turns of the wheel that is the first to differ
		want string
	}{
		{[]string{"img_0000", "img_0999"}, "img_0999", 1, "img_1099"},
		{[]string{"img_0000", "img_0999"}, "img_0999", 0.25, "img_1024"},
		{[]string{"00a", "3f0", "cd9"}, "cd9", 1, "dd9"},
		{[]string{"00a", "3f0", "cd9"}, "cd9", 4, ""},
		{[]string{"2024/01/30/0001", "2024/01/31/0500"}, "2024/01/31/0500", 1.5, "2024/01/32/5500"}, // no day, but a key
		{[]string{"same", "same"}, "same", 1, ""},
	} {
		from := differ(c.keys[0], c.key)
		if got := newOdometer(c.keys).add(c.key, from, c.add); got != c.want {
			t.Errorf("%q and %v: got %q, want %q", c.key, c.add, got, c.want)
		}
	}
}
