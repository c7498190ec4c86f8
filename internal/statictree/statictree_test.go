package statictree

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
	"github.com/cairn-stac/cairn/internal/stac"
	"github.com/cairn-stac/cairn/internal/stac/stactest"
)

func write1(t testing.TB, s objstore.Store, v View, opt Options) Stats {
	t.Helper()
	stats, err := Write(context.Background(), s, v, opt)
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

// fresh is the tree that v has where nothing was before.
func fresh(t testing.TB, v View, mode Mode) map[string]string {
	t.Helper()
	s := memstore.New()
	write1(t, s, v, Options{Mode: mode})
	return files(t, s)
}

func checkSame(t testing.TB, got, want map[string]string) {
	t.Helper()
	for key, body := range want {
		if got[key] != body {
			t.Errorf("%s\ngot  %.300s\nwant %.300s", key, got[key], body)
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s should not be there", key)
		}
	}
}

// links are those of a file, resolved.
func links(t testing.TB, key, body string) map[string][]string {
	t.Helper()
	var node struct{ Links []stac.Link }
	if err := json.Unmarshal([]byte(body), &node); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	all := map[string][]string{}
	for _, l := range node.Links {
		all[l.Rel] = append(all[l.Rel], path.Join(path.Dir(key), l.Href))
	}
	return all
}

// checkLinks walks the tree from the root: each link of what can be reached must lead to a file. Where the tree is whole,
// there is nothing else.
func checkLinks(t testing.TB, tree map[string]string, whole bool) {
	t.Helper()
	reached := map[string]bool{rootKey: true}
	for todo := []string{rootKey}; len(todo) > 0; todo = todo[1:] {
		key := todo[0]
		for rel, targets := range links(t, key, tree[key]) {
			for _, target := range targets {
				if _, ok := tree[target]; !ok {
					t.Errorf("%s: its %s %s is not there", key, rel, target)
					continue
				}
				if rel == "root" && target != rootKey {
					t.Errorf("%s: its root is %s", key, target)
				}
				if !reached[target] {
					reached[target] = true
					todo = append(todo, target)
				}
			}
		}
	}
	if whole && len(reached) != len(tree) {
		t.Errorf("%d of %d files can be reached", len(reached), len(tree))
	}
}

func TestWriteItems(t *testing.T) {
	v := view(t, 1, part{"a", "a1", []string{"x", "y"}}, part{"a", "a2", []string{"z"}}, part{"b", "b1", []string{"x"}},
		part{"b", "rejects only", nil})
	s := memstore.New()
	stats := write1(t, s, v, Options{Mode: Items})
	tree := files(t, s)
	want := []string{
		"catalog.json", "collections/a/collection.json", "collections/a/items/x.json", "collections/a/items/y.json",
		"collections/a/items/z.json", "collections/b/collection.json", "collections/b/items/x.json",
	}
	if got := slices.Sorted(maps.Keys(tree)); !slices.Equal(got, want) {
		t.Errorf("files %q", got)
	}
	bytes := 0
	for _, body := range tree {
		bytes += len(body)
		stactest.Validate(t, []byte(body))
	}
	if want := (Stats{Written: 7, Bytes: int64(bytes), Whole: true}); stats != want {
		t.Errorf("stats %+v, want %+v", stats, want)
	}
	checkLinks(t, tree, true)
	if slices.Contains(v.read, "rejects only") {
		t.Error("a Part without Items was read")
	}

	const root = `{"type":"Catalog","stac_version":"1.1.0","stac_extensions":[],"id":"my-rasters","title":"Rasters","description":"All of them",` +
		`"links":[{"rel":"root","type":"application/json","href":"./catalog.json","title":"Rasters"},` +
		`{"rel":"child","type":"application/json","href":"./collections/a/collection.json","title":"Collection a"},` +
		`{"rel":"child","type":"application/json","href":"./collections/b/collection.json","title":"Collection b"}]}`
	if got := tree[rootKey]; got != root {
		t.Errorf("got  %s\nwant %s", got, root)
	}
	const node = `"links":[{"rel":"root","type":"application/json","href":"../../catalog.json","title":"Rasters"},` +
		`{"rel":"parent","type":"application/json","href":"../../catalog.json","title":"Rasters"},` +
		`{"rel":"item","type":"application/geo+json","href":"./items/x.json"}]}`
	if got := tree["collections/b/collection.json"]; !strings.HasSuffix(got, node) {
		t.Errorf("got  %s\nwant … %s", got, node)
	}
	const leaf = `"links":[{"rel":"root","type":"application/json","href":"../../../catalog.json"},` +
		`{"rel":"parent","type":"application/json","href":"../collection.json"},` +
		`{"rel":"collection","type":"application/json","href":"../collection.json"}]}`
	if got := tree["collections/b/items/x.json"]; !strings.HasSuffix(got, leaf) {
		t.Errorf("got  %s\nwant … %s", got, leaf)
	}
}

func TestPages(t *testing.T) {
	for _, tt := range []struct{ items, pages int }{{1000, 0}, {1001, 2}, {2500, 3}} {
		tree := fresh(t, view(t, 1, part{"a", "a1", many(tt.items)}), Items)
		checkLinks(t, tree, true)
		pages := 0
		for key, body := range tree {
			l := links(t, key, body)
			if len(l["item"]) > 1000 || len(l["item"])+len(l["child"]) > 0 && len(body) > 1<<20 {
				t.Errorf("%s has %d links in %d bytes", key, len(l["item"]), len(body))
			}
			if strings.HasPrefix(key, "collections/a/items-") {
				pages++
				stactest.Validate(t, []byte(body))
			}
		}
		if pages != tt.pages {
			t.Errorf("%d Items: %d pages, want %d", tt.items, pages, tt.pages)
		}
		stactest.Validate(t, []byte(tree["collections/a/collection.json"]))
	}
}

// puts and deletes are the keys of a Store's calls, the marker's apart.
func changes(s *faultstore.Store) (puts, deletes []string) {
	for _, c := range s.Calls(faultstore.Match{Op: faultstore.Writes}) {
		switch {
		case c.Key == MarkerKey:
		case c.Op == faultstore.Put:
			puts = append(puts, c.Key)
		default:
			deletes = append(deletes, c.Key)
		}
	}
	slices.Sort(puts)
	slices.Sort(deletes)
	return puts, deletes
}

func TestOnlyWhatChanged(t *testing.T) {
	before := []part{{"a", "a1", []string{"x", "y", "z"}}, {"a", "a2", []string{"u", "v"}}, {"b", "b1", []string{"x", "y"}}}
	replace := func(i int, p ...part) []part { return slices.Replace(slices.Clone(before), i, i+1, p...) }
	const a, b = "collections/a/", "collections/b/"
	for _, tt := range []struct {
		name          string
		after         []part
		change        func(*snapshot.Manifest)
		mode          Mode
		puts, deletes []string
		reads         int // Parts, of both Snapshots
	}{
		{"nothing but the fence", before, nil, Items, nil, nil, 0},
		{"an Item", replace(0, part{"a", "a3", []string{"x", "y=new", "z"}}), nil, Items, []string{a + "items/y.json"}, nil, 3},
		{"an Item is added", replace(0, part{"a", "a3", []string{"w", "x", "y", "z"}}), nil, Items, []string{a + "collection.json", a + "items/w.json"}, nil, 3},
		{"an Item goes", replace(0, part{"a", "a3", []string{"x", "z"}}), nil, Items, []string{a + "collection.json"}, []string{a + "items/y.json"}, 3},
		{"a Part goes", before[1:], nil, Items, []string{a + "collection.json"}, []string{a + "items/x.json", a + "items/y.json", a + "items/z.json"}, 2},
		{"Items move between Parts", append([]part{{"a", "a3", []string{"x", "y"}}, {"a", "a4", []string{"z", "u", "v"}}}, before[2]), nil, Items, nil, nil, 4},
		{"a Part is cut in two", replace(0, part{"a", "a3", []string{"x"}}, part{"a", "a4", []string{"y", "z"}}), nil, Items, nil, nil, 4},
		{"a Collection goes", before[:2], nil, Items, []string{rootKey}, []string{b + "collection.json", b + "items/x.json", b + "items/y.json"}, 1},
		{"a Collection is new", append(slices.Clone(before), part{"c", "c1", []string{"x"}}), nil, Items, []string{rootKey, "collections/c/collection.json", "collections/c/items/x.json"}, nil, 1},
		{"a Collection's description", before, func(m *snapshot.Manifest) { m.Collections[1].Description = "new" }, Items, []string{b + "collection.json"}, nil, 1},
		{"a Collection's title", before, func(m *snapshot.Manifest) { m.Collections[1].Title = "new" }, Items, []string{rootKey, b + "collection.json"}, nil, 1},
		{"the Catalog's title", before, func(m *snapshot.Manifest) { m.Title = "new" }, Items, []string{rootKey, a + "collection.json", b + "collection.json"}, nil, 3},
		{"the Catalog's description", before, func(m *snapshot.Manifest) { m.Description = "new" }, Items, []string{rootKey}, nil, 0},
		{"an Item, which is not shown", replace(0, part{"a", "a3", []string{"x", "y=new"}}), nil, Collections, nil, nil, 0},
		{"a Collection that is shown", replace(0), func(m *snapshot.Manifest) { m.Collections[0].Keywords = []string{"new"} }, Collections, []string{a + "collection.json"}, nil, 0},
		{"nothing of nothing", before[:1], nil, None, nil, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			old, now := view(t, 1, before...), view(t, 2, tt.after...)
			if tt.change != nil {
				tt.change(now.manifest)
			}
			s := faultstore.New(memstore.New())
			write1(t, s, old, Options{Mode: tt.mode})
			s.Forget()
			old.read = nil
			stats := write1(t, s, now, Options{Mode: tt.mode, Previous: knowing(old)})
			puts, deletes := changes(s)
			if !slices.Equal(puts, tt.puts) || !slices.Equal(deletes, tt.deletes) {
				t.Errorf("put %q\ndeleted %q\nwant %q\nand %q", puts, deletes, tt.puts, tt.deletes)
			}
			if stats.Whole || stats.Written != len(tt.puts) || stats.Deleted != len(tt.deletes) {
				t.Errorf("stats %+v", stats)
			}
			if n := len(old.read) + len(now.read); n != tt.reads {
				t.Errorf("%d Parts read, %q and %q, want %d", n, old.read, now.read, tt.reads)
			}
			if n := s.Count(faultstore.Match{Op: faultstore.List}); n != 0 {
				t.Errorf("%d listings", n)
			}
			checkSame(t, files(t, s), fresh(t, now, tt.mode))

			s.Forget()
			if again := write1(t, s, now, Options{Mode: tt.mode, Previous: knowing(old)}); again != (Stats{}) {
				t.Errorf("once more: %+v", again)
			}
			if calls := s.Calls(faultstore.Match{}); len(calls) != 1 || calls[0].Op != faultstore.Get {
				t.Errorf("an unchanged tree cost %v", calls)
			}
		})
	}
}

func TestModes(t *testing.T) {
	v := view(t, 1, part{"a", "a1", []string{"x"}})
	s := faultstore.New(memstore.New())
	for i, mode := range []Mode{None, Items, Collections, Items, None, Collections, None, None} {
		before := len(files(t, s))
		stats := write1(t, s, v, Options{Mode: mode, Previous: knowing(v)})
		tree := files(t, s)
		checkSame(t, tree, fresh(t, v, mode))
		if want := map[Mode]int{Items: 3, Collections: 2}[mode]; len(tree) != want {
			t.Errorf("%d: %d files of mode %s", i, len(tree), mode)
		}
		if want := max(before-len(tree), 0); stats.Deleted != want {
			t.Errorf("%d: deleted %d, want %d", i, stats.Deleted, want)
		}
		for key, body := range tree {
			stactest.Validate(t, []byte(body))
			if mode == Collections && len(links(t, key, body)["item"]) > 0 {
				t.Errorf("%s links to Items", key)
			}
		}
	}
}

// Whatever the tree was like, a Write that does not know puts it right, and leaves alone what is not its own.
func TestWholeTree(t *testing.T) {
	old := view(t, 1, part{"a", "a1", []string{"x", "y"}}, part{"b", "b1", []string{"x"}})
	now := view(t, 2, part{"a", "a2", []string{"y=new", "z"}})
	known := Options{Mode: Items, Previous: knowing(old)}
	failing := view(t, 1, part{"a", "a1", []string{"x", "y"}}, part{"b", "b1", []string{"x"}})
	failing.fail["a1"] = errors.New("part is gone")
	for _, tt := range []struct {
		name   string
		marker string
		opt    Options
	}{
		{"previous one is gone", "", Options{Mode: Items, Previous: knowing()}},
		{"no way to the previous one", "", Options{Mode: Items}},
		{"its Parts are gone", "", Options{Mode: Items, Previous: knowing(failing)}},
		{"other layout", `{"layout":0,"fence":1,"mode":"items"}`, known},
		{"newer layout", `{"layout":99,"fence":1,"mode":"items"}`, known},
		{"other mode", `{"layout":1,"fence":1,"mode":"none"}`, known},
		{"no marker's text", `nonsense`, known},
		{"half-way", `{"layout":1,"fence":1,"mode":"items","writing":2}`, known},
		{"spoiled", `{"layout":1,"fence":2,"mode":"items","spoiled":1}`, known},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := memstore.New()
			write1(t, s, old, Options{Mode: Items})
			put := func(key, body string) {
				if _, err := s.Put(t.Context(), key, []byte(body), objstore.PutOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			if tt.marker != "" {
				put(MarkerKey, tt.marker)
				put("collections/a/items/stray.json", "{}")
				put("collections/a/items/z.json", "half")
			}
			others := map[string]string{"catalog.json.bak": "1", "collections.txt": "2", "head.json": "3", "parts/a/1": "4"}
			for key, body := range others {
				put(key, body)
			}
			if stats := write1(t, s, now, tt.opt); !stats.Whole || stats.Written < 4 {
				t.Errorf("stats %+v", stats)
			}
			want := fresh(t, now, Items)
			maps.Copy(want, others)
			checkSame(t, files(t, s), want)
			if again := write1(t, s, now, tt.opt); again != (Stats{}) {
				t.Errorf("once more: %+v", again)
			}
		})
	}
}

// A tree that was left at any write is put right by the next Write, and its links lead to files all along.
func TestCrash(t *testing.T) {
	old := view(t, 1, part{"a", "a1", []string{"x", "y"}}, part{"b", "b1", []string{"x"}})
	now := view(t, 2, part{"a", "a2", []string{"y=new", "z"}}, part{"c", "c1", []string{"x"}})
	opt := Options{Mode: Items, Previous: knowing(old, now), Parallel: 1}
	for name, start := range map[string]func(t *testing.T, s objstore.Store){
		"first":  func(t *testing.T, s objstore.Store) {},
		"change": func(t *testing.T, s objstore.Store) { write1(t, s, old, opt) },
	} {
		t.Run(name, func(t *testing.T) {
			faultstore.Sweep(t, faultstore.Match{Op: faultstore.Writes | faultstore.Sync}, func(t *testing.T, arm func(*faultstore.Store)) {
				kept := memstore.New()
				start(t, kept)
				s := faultstore.New(kept)
				arm(s)
				_, err := Write(t.Context(), s, now, opt)
				tree := files(t, kept)
				if _, ok := tree[rootKey]; ok {
					checkLinks(t, tree, false)
				}
				if err == nil {
					checkSame(t, tree, fresh(t, now, Items))
				}
				later := view(t, 3, part{"a", "a2", []string{"y=new", "z"}}, part{"b", "b2", []string{"w"}})
				for _, v := range []*fakeView{now, later} {
					write1(t, kept, v, opt)
					checkSame(t, files(t, kept), fresh(t, v, Items))
				}
			})
		})
	}
}

var errFenced = errors.New("fenced")

// An overtaken writer stops at its next Check, and says that it was there.
func TestOvertaken(t *testing.T) {
	s := faultstore.New(memstore.New())
	old, now := view(t, 1, part{"a", "a1", many(2000)}), view(t, 2, part{"a", "a2", []string{"x"}})
	checks := 0
	_, err := Write(t.Context(), s, old, Options{Mode: Items, Parallel: 4, Check: func(ctx context.Context) error {
		if checks++; checks < 3 {
			return nil
		}
		write1(t, s, now, Options{Mode: Items})
		s.Forget()
		return errFenced
	}})
	if !errors.Is(err, errFenced) || checks != 3 {
		t.Fatalf("%v after %d checks", err, checks)
	}
	puts, deletes := changes(s)
	if len(puts)+len(deletes) > 4 {
		t.Errorf("%d files put and %d deleted after the Check", len(puts), len(deletes))
	}
	if stats := write1(t, s, now, Options{Mode: Items, Previous: knowing(now)}); !stats.Whole {
		t.Errorf("the next one trusted the tree: %+v", stats)
	}
	checkSame(t, files(t, s), fresh(t, now, Items))
}

// A writer that stalls in a put and comes back when another has ended is found out by the marker alone.
func TestZombie(t *testing.T) {
	kept := memstore.New()
	old, now := view(t, 1, part{"a", "a1", []string{"x=old"}}), view(t, 2, part{"a", "a2", []string{"x=new"}})
	stalled := faultstore.New(kept)
	gate := faultstore.NewGate()
	stalled.Set(faultstore.Match{Op: faultstore.Put, Key: "collections/a/items/x.json"}, faultstore.Fault{Gate: gate})
	ended := make(chan error)
	go func() {
		_, err := Write(t.Context(), stalled, old, Options{Mode: Items})
		ended <- err
	}()
	if err := gate.Reached(t.Context()); err != nil {
		t.Fatal(err)
	}
	write1(t, kept, now, Options{Mode: Items})
	gate.Release()
	if err := <-ended; !errors.Is(err, objstore.ErrPrecondition) {
		t.Errorf("the zombie ended with %v", err)
	}
	for _, want := range []bool{true, false} {
		if stats := write1(t, kept, now, Options{Mode: Items, Previous: knowing(now)}); stats.Whole != want {
			t.Errorf("stats %+v", stats)
		}
		checkSame(t, files(t, kept), fresh(t, now, Items))
	}
	if _, err := Write(t.Context(), kept, old, Options{Mode: Items}); err == nil || !strings.Contains(err.Error(), "snapshot 2 already") {
		t.Errorf("going back: %v", err)
	}
}

func TestWriteErrors(t *testing.T) {
	broken := errors.New("part is broken")
	for want, change := range map[string]func(*fakeView, *Options, *faultstore.Store){
		`id "../../head" cannot name a file`: func(v *fakeView, _ *Options, _ *faultstore.Store) { v.parts["a1"][0].ID = "../../head" },
		`id ".." cannot name a file`:         func(v *fakeView, _ *Options, _ *faultstore.Store) { v.parts["a1"][0].ID = ".." },
		`id "" cannot`:                       func(v *fakeView, _ *Options, _ *faultstore.Store) { v.parts["a1"][0].ID = "" },
		`id "a b" cannot`:                    func(v *fakeView, _ *Options, _ *faultstore.Store) { v.manifest.Collections[0].ID = "a b" },
		"part is broken":                     func(v *fakeView, _ *Options, _ *faultstore.Store) { v.fail["a1"] = broken },
		"fenced": func(_ *fakeView, o *Options, _ *faultstore.Store) {
			o.Check = func(context.Context) error { return errFenced }
		},
		"disk full": func(_ *fakeView, _ *Options, s *faultstore.Store) {
			s.Set(faultstore.Match{Op: faultstore.Put, Prefix: prefix}, faultstore.Fault{Err: errors.New("disk full")})
		},
		"list is broken": func(_ *fakeView, _ *Options, s *faultstore.Store) {
			s.Set(faultstore.Match{Op: faultstore.List}, faultstore.Fault{Err: errors.New("list is broken")})
		},
		"get is broken": func(_ *fakeView, _ *Options, s *faultstore.Store) {
			s.Set(faultstore.Match{Op: faultstore.Get}, faultstore.Fault{Err: errors.New("get is broken")})
		},
	} {
		v, opt, kept := view(t, 7, part{"a", "a1", many(300)}), Options{Mode: Items}, memstore.New()
		s := faultstore.New(kept)
		change(v, &opt, s)
		_, err := Write(t.Context(), s, v, opt)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "write static tree of snapshot 7: ") {
			t.Errorf("got %v, want %s", err, want)
		}
		if n := len(files(t, kept)); n > 0 && want == "fenced" {
			t.Errorf("%s: %d files written", want, n)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Write(ctx, memstore.New(), view(t, 1), Options{Mode: Items}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestCheckID(t *testing.T) {
	if got := fmt.Sprint(checkID("A.b_c-9"), checkID("...")); got != `<nil> id "..." cannot name a file` {
		t.Error(got)
	}
}
