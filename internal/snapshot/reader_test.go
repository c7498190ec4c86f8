package snapshot

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
)

// testCatalog publishes Snapshot 1: Collections a (three Parts), b (one with rejects), c (odd ones).
func testCatalog(t testing.TB) (*testStore, *Reader) {
	t.Helper()
	s := newStore()
	publishParts(t, s, 1,
		putPart(t, s, "a", 1, makeScenes("a", 0, 100)),
		putPart(t, s, "a", 1, makeScenes("a", 100, 16)),
		putPart(t, s, "a", 1, makeScenes("a", 116, 333)),
		putPart(t, s, "b", 1, makeScenes("b", 1000, 50)),
		putPart(t, s, "c", 1, oddScenes()),
	)
	r, err := Open(t.Context(), s, NewCache(DefaultCache))
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

// all are the lines of the Snapshot in key order.
func all(t testing.TB, r *Reader, collection string) [][]byte {
	t.Helper()
	var out [][]byte
	for _, row := range r.Manifest().Rows {
		if collection != "" && row.Collection != collection {
			continue
		}
		for it, err := range r.Items(t.Context(), row) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, it.JSON)
		}
	}
	return out
}

// pages goes through all pages of a query.
func pages(t testing.TB, r *Reader, q Query) [][]byte {
	t.Helper()
	var out [][]byte
	for n := 0; ; n++ {
		p, err := r.Page(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Lines) > q.Limit || n > 0 && len(p.Lines) == 0 || p.Next != nil && len(p.Lines) < q.Limit {
			t.Fatalf("page %d of %+v has %d items, next %v", n, q, len(p.Lines), p.Next)
		}
		out = append(out, p.Lines...)
		if p.Next == nil {
			return out
		}
		token, err := ParsePosition(p.Next.String())
		if err != nil {
			t.Fatal(err)
		}
		q.After = token
	}
}

func TestPagesAgreeWithReadingEverything(t *testing.T) {
	_, r := testCatalog(t)
	rnd := rand.New(rand.NewPCG(8, 9))
	found := 0
	lines := map[string][][]byte{}
	for _, c := range []string{"", "a", "b", "c"} {
		lines[c] = all(t, r, c)
	}
	for i := range 200 {
		var q Query
		if i > 5 {
			if q.BBox = randomBox(rnd); rnd.IntN(3) == 0 {
				q.BBox = nil
			}
			a := day.Add(time.Duration(rnd.IntN(1100)) * time.Hour)
			b := a.Add(time.Duration(rnd.IntN(400)) * time.Hour)
			if rnd.IntN(2) == 0 {
				q.Start = &a
			}
			if rnd.IntN(2) == 0 {
				q.End = &b
			}
		}
		q.Collection = []string{"", "a", "b", "c", "none"}[rnd.IntN(5)]
		q.Limit = 1 + rnd.IntN(120)
		var want []string
		for _, line := range lines[q.Collection] {
			e, err := extentOf(line)
			if err != nil {
				t.Fatal(err)
			}
			if q.meets(e) {
				want = append(want, string(line))
			}
		}
		found += len(want)
		got := pages(t, r, q)
		if len(got) != len(want) {
			t.Fatalf("%+v: %d items, want %d", q, len(got), len(want))
		}
		for i := range got {
			if string(got[i]) != want[i] {
				t.Fatalf("%+v: item %d is %s, want %s", q, i, got[i], want[i])
			}
		}
		p, err := r.Page(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if p.Matched >= 0 && p.Matched != len(want) || p.Matched < 0 && p.Next == nil {
			t.Errorf("%+v: %d matched, want %d", q, p.Matched, len(want))
		}
	}
	if found < 1000 {
		t.Errorf("the queries found %d items: too few to tell", found)
	}
}

func TestPageOfOddPositions(t *testing.T) {
	_, r := testCatalog(t)
	for _, after := range []Position{{99, 0}, {4, 2}, {4, 1 << 30}, {1<<31 - 1, 1<<31 - 1}} {
		if p, err := r.Page(t.Context(), Query{Limit: 10, After: after}); err != nil || len(p.Lines) != 0 || p.Next != nil {
			t.Errorf("after %v: %d items, next %v, error %v", after, len(p.Lines), p.Next, err)
		}
	}
	for _, limit := range []int{0, -1} {
		if _, err := r.Page(t.Context(), Query{Limit: limit}); err == nil {
			t.Errorf("no error for a limit of %d", limit)
		}
	}
	if p, err := r.Page(t.Context(), Query{Limit: math.MaxInt}); err != nil || len(p.Lines) != r.items("") {
		t.Errorf("%d items, error %v", len(p.Lines), err)
	}
}

func TestItem(t *testing.T) {
	s, r := testCatalog(t)
	for _, want := range []struct{ collection, id string }{{"a", "tile_0000000"}, {"a", "tile_0000448"}, {"b", "tile_0001007"}, {"c", "c_2"}} {
		line, err := r.Item(t.Context(), want.collection, want.id)
		if err != nil || !strings.Contains(string(line), `"id":"`+want.id+`","collection":"`+want.collection+`"`) {
			t.Errorf("item %s: %s, error %v", want, line, err)
		}
	}
	s.forget()
	for _, absent := range []struct{ collection, id string }{{"a", "tile_0001007"}, {"a", "tile_00004480"}, {"x", "c_2"}, {"c", ""}, {"c", "c_1x"}} {
		if line, err := r.Item(t.Context(), absent.collection, absent.id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("item %s: %s, error %v", absent, line, err)
		}
	}
	if n := s.Count(faultstore.Match{Op: faultstore.Get}); n != 0 {
		t.Errorf("%d reads to find that items are absent, with warm indexes", n)
	}
}

// Two ids with one 32-bit hash are told apart.
func TestItemsOfOneHash(t *testing.T) {
	a, b := "costarring", "liquid"
	if idHash(a) != idHash(b) {
		t.Fatal("they have not")
	}
	s := newStore()
	var scenes []Scene
	for _, id := range []string{a, b} {
		scenes = append(scenes, Scene{Key: id, Items: []Item{{ID: id, JSON: line("c", id, nil, "2020-01-01T00:00:00Z", "", "")}}})
	}
	publishParts(t, s, 1, putPart(t, s, "c", 1, scenes))
	r, err := Open(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{a, b} {
		if line, err := r.Item(t.Context(), "c", id); err != nil || !strings.Contains(string(line), `"id":"`+id+`"`) {
			t.Errorf("item %s: %s, error %v", id, line, err)
		}
	}
}

// What a request costs in reads.
func TestReads(t *testing.T) {
	s, r := testCatalog(t)
	frameSize := r.Manifest().Rows[2].Index / 20
	check := func(what string, reads int, bytes int64, do func(r *Reader) error) {
		t.Helper()
		s.forget()
		if err := do(r); err != nil {
			t.Fatal(err)
		}
		if n, asked := s.Count(faultstore.Match{}), s.asked.Load(); n != reads || asked > bytes {
			t.Errorf("%s: %d reads of %d bytes, want %d of at most %d", what, n, asked, reads, bytes)
		}
	}
	item := func(r *Reader) error { _, err := r.Item(t.Context(), "a", "tile_0000300"); return err }
	check("an item, cold", 2, maxIndex(333)+2*frameSize, item)
	check("an item, warm", 1, 2*frameSize, item)
	page := func(q Query) func(*Reader) error {
		return func(r *Reader) error { _, err := r.Page(t.Context(), q); return err }
	}
	check("a page of 100 within a part, warm", 1, 9*frameSize, page(Query{Limit: 100, After: Position{2, 100}}))
	check("a page over three parts, cold", 2+3, 1<<20, page(Query{Collection: "a", Limit: 200}))
	check("a page over three parts, warm", 3, 1<<20, page(Query{Collection: "a", Limit: 200}))
	check("a page that ends with its part needs none of the next", 1, 1<<20, page(Query{Collection: "a", Limit: 100}))
	from := day.Add(1000 * 2 * time.Hour)
	check("another time: only part b is looked at, cold", 2, 1<<20, page(Query{Start: &from, Limit: 5}))
	check("another collection", 0, 0, page(Query{Collection: "x", Limit: 5}))
	nowhere := &[4]float64{0, 89.9, 1, 90}
	check("nowhere", 0, 0, page(Query{BBox: nowhere, Limit: 5}))
	check("objects of the part with rejects", 1, 1<<20, func(r *Reader) error {
		n := 0
		for _, err := range r.Rejects(t.Context()) {
			if n++; err != nil {
				return err
			}
		}
		if n != 2 {
			t.Errorf("%d rejects", n)
		}
		return nil
	})
	check("opening", 2, 2, func(*Reader) error { _, err := Open(t.Context(), s, nil); return err })
}

// Neighbours come in one read; what is far apart does not.
func TestRuns(t *testing.T) {
	x := &index{offsets: []int64{0}}
	for range 300 {
		x.offsets = append(x.offsets, x.end()+40_000)
	}
	var all []int
	for i := range 300 * frameItems {
		all = append(all, i)
	}
	for _, c := range []struct {
		items []int
		want  string
	}{
		{[]int{0, 1, 15, 16}, "[[0 1]]"},
		{[]int{0, 32}, "[[0 2]]"},   // a frame between them
		{[]int{0, 48}, "[[0] [3]]"}, // two
		{[]int{5 * 16, 6 * 16, 100 * 16, 101 * 16}, "[[5 6] [100 101]]"},
	} {
		if got := fmt.Sprint(x.runs(c.items)); got != c.want {
			t.Errorf("%v: %s, want %s", c.items, got, c.want)
		}
	}
	n := 0
	for _, run := range x.runs(all) {
		n += len(run)
		if size := x.offsets[run[len(run)-1]+1] - x.offsets[run[0]]; size > maxRead {
			t.Errorf("a read of %d bytes", size)
		}
	}
	if n != 300 {
		t.Errorf("%d of 300 frames are read", n)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := NewCache(10_000)
	x := &index{}
	for i := range x.columns {
		x.columns[i] = make([]uint32, 50)
	}
	for i := range 100 {
		c.put(fmt.Sprint(i), x)
		if _, ok := c.get("0"); !ok && i < 5 {
			t.Fatalf("0 is gone after %d more", i)
		}
		c.get("0") // used all the time
	}
	if _, ok := c.get("0"); !ok {
		t.Error("what is used all the time is gone")
	}
	if _, ok := c.get("50"); ok {
		t.Error("what was used long ago is there")
	}
	if n := int64(c.used.Len()); n != int64(len(c.byKey)) || n*x.bytes() > 10_000 || c.free != 10_000-n*x.bytes() {
		t.Errorf("%d entries of %d bytes, %d free", n, x.bytes(), c.free)
	}
	c.put("large", &index{offsets: make([]int64, 10_000)})
	if len(c.byKey) != 0 || c.free != 10_000 {
		t.Errorf("%d entries, %d free after one that is larger than the cache", len(c.byKey), c.free)
	}
}

func TestReaderIsConcurrent(t *testing.T) {
	_, r := testCatalog(t)
	r.cache = NewCache(3000) // indexes come and go
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 20 {
				id := fmt.Sprintf("tile_%07d", (i*57+k*31)%449)
				if _, err := r.Item(t.Context(), "a", id); err != nil {
					t.Error(err)
				}
				if p, err := r.Page(t.Context(), Query{Limit: 30, After: Position{k % 4, i}}); err != nil || len(p.Lines) != 30 {
					t.Errorf("%d items, error %v", len(p.Lines), err)
				}
			}
		})
	}
	wg.Wait()
}

func TestCollections(t *testing.T) {
	_, r := testCatalog(t)
	if n := len(r.Collections()); n != 3 {
		t.Errorf("%d collections", n)
	}
	if c, err := r.Collection("b"); err != nil || c.ID != "b" {
		t.Errorf("collection %v, error %v", c, err)
	}
	if _, err := r.Collection("bb"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// The absence of a Part is not the absence of an Item.
func TestExpiredSnapshot(t *testing.T) {
	s, r := testCatalog(t)
	for _, key := range s.keys(partsPrefix) {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	_, err1 := r.Item(t.Context(), "a", "tile_0000000")
	_, err2 := r.Page(t.Context(), Query{Limit: 1})
	_, err3 := OpenAt(t.Context(), s, 0, nil)
	errs := []error{err1, err2, err3}
	for _, err := range r.Rejects(t.Context()) {
		errs = append(errs, err)
	}
	for _, err := range r.Items(t.Context(), r.Manifest().Rows[0]) {
		errs = append(errs, err)
	}
	if len(errs) != 5 {
		t.Errorf("%d errors", len(errs))
	}
	for i, err := range errs {
		if !errors.Is(err, ErrExpired) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %d: %v", i, err)
		}
	}
}
