package refresh_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

var (
	incremental = refresh.Scope{}
	full        = refresh.Scope{Mode: refresh.Full}
)

// survey fills the Source with n rasters in each of three Collections, and some other files.
func (r *rig) survey(n int) {
	for _, dir := range []string{"a", "b", "c"} {
		for i := range n {
			r.put(fmt.Sprintf("%s/r%02d.tif", dir, i), raster(i))
		}
	}
	r.put("a/r00.tfw", []byte("1\n0\n0\n1\n0\n0\n"))
	r.put("a/alone.tfw", []byte("x"))
	r.put("b/broken.tif", []byte("not a tiff"))
	r.put("readme.txt", []byte("hello"))
}

func TestFirstAndUnchangedRefresh(t *testing.T) {
	r := newRig(t)
	r.survey(5)
	run, opened := r.refresh(incremental)
	want := refresh.Counts{Objects: 19, Assets: 15, Sidecars: 1, Rejects: 1, Ignored: 2, Scanned: 17, Items: 15, Added: 15, Collections: 3}
	if run.Counts != want {
		t.Errorf("first: %s\nwant   %s", show(run.Counts), show(want))
	}
	if len(opened) != 16 || slices.Contains(opened, "readme.txt") {
		t.Errorf("first refresh opened %v", opened)
	}
	if got := len(r.published()); got != 15 {
		t.Errorf("%d items are published", got)
	}
	r.checkTree()
	before := r.head()

	run, opened = r.refresh(incremental)
	want = refresh.Counts{Objects: 19, Assets: 15, Sidecars: 1, Rejects: 1, Ignored: 2, Unchanged: 17, Items: 15, Collections: 3}
	if run.Counts != want || len(opened) != 0 {
		t.Errorf("unchanged: %s, opened %v\nwant       %s", show(run.Counts), opened, show(want))
	}
	if after := r.head(); after.Snapshot != before.Snapshot || after.Run != before.Run {
		t.Errorf("an unchanged refresh moved head from %+v to %+v", before, after)
	}
	if last := r.control().Last; last.ID != run.ID || last.Snapshot != before.Snapshot {
		t.Errorf("last refresh is %+v", last)
	}
}

func TestOnlyWhatChangedIsOpened(t *testing.T) {
	r := newRig(t)
	r.survey(5)
	r.refresh(incremental)
	parts := func() map[string]string {
		m, err := snapshot.ReadManifest(context.Background(), r.catalog, r.head().Snapshot)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, row := range m.Rows {
			out[row.Collection] = row.Part
		}
		return out
	}
	before := parts()

	r.put("a/r01.tif", raster(50)) // changed
	r.put("a/new.tif", raster(60)) // added
	r.remove("a/r02.tif")          // deleted
	run, opened := r.refresh(incremental)
	if !slices.Equal(opened, []string{"a/new.tif", "a/r01.tif"}) {
		t.Errorf("opened %v", opened)
	}
	c := run.Counts
	if c.Added != 1 || c.Updated != 1 || c.Removed != 1 || c.Scanned != 2 || c.Unchanged != 16-1 || c.Items != 15 {
		t.Errorf("counts are %s", show(c))
	}
	after := parts()
	if after["b"] != before["b"] || after["c"] != before["c"] || after["a"] == before["a"] {
		t.Errorf("parts went from %v to %v", before, after)
	}

	// A sidecar belongs to its raster.
	r.put("a/r00.tfw", []byte("2\n0\n0\n2\n0\n0\n"))
	if _, opened = r.refresh(incremental); !slices.Equal(opened, []string{"a/r00.tif"}) {
		t.Errorf("a changed sidecar opened %v", opened)
	}
	// What is none of Cairn's concern changes nothing.
	at := r.head().Snapshot
	r.put("c/notes.txt", []byte("x"))
	if run, opened = r.refresh(incremental); len(opened) != 0 || run.Counts.Ignored != 3 || r.head().Snapshot != at {
		t.Errorf("a text file opened %v: %s", opened, show(run.Counts))
	}
	// Its name back, its content not.
	r.remove("a/r03.tif")
	r.refresh(incremental)
	r.put("a/r03.tif", raster(3))
	if run, opened = r.refresh(incremental); !slices.Equal(opened, []string{"a/r03.tif"}) || run.Counts.Added != 1 {
		t.Errorf("a file that came back opened %v: %s", opened, show(run.Counts))
	}
}

func TestWhatShapesItemsIsReadAgain(t *testing.T) {
	r := newRig(t)
	r.survey(2)
	r.refresh(incremental)
	config := func(text string) {
		if _, err := r.catalog.Put(context.Background(), "cairn.yaml", []byte(text), objstore.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	config("title: New name\n")
	at := r.head().Snapshot
	if _, opened := r.refresh(incremental); len(opened) != 0 || r.head().Snapshot == at {
		t.Errorf("a new title opened %v; head is at %d, was at %d", opened, r.head().Snapshot, at)
	}
	config("title: New name\nproperties:\n  constants:\n    mission: x\n")
	run, opened := r.refresh(incremental)
	if len(opened) != 7 || run.Counts.Updated != 6 || run.Counts.Added+run.Counts.Removed != 0 {
		t.Errorf("a new property opened %v: %s", opened, show(run.Counts))
	}
	for id, line := range r.published() {
		if !strings.Contains(line, `"mission":"x"`) {
			t.Errorf("item %s has no mission: %s", id, line)
		}
	}
	config("collections:\n  depth: 0\nproperties:\n  constants:\n    mission: x\n")
	run, _ = r.refresh(incremental) // every file moves to another collection, and yet none is dropped
	if run.Counts.Collections != 1 || run.Counts.Items != 6 {
		t.Errorf("one collection: %s", show(run.Counts))
	}
	if _, opened = r.refresh(full); len(opened) != 7 {
		t.Errorf("a full refresh opened %v", opened)
	}
	// A broken config names the line, and what is published stays.
	config("title: x\ncolections: {}\n")
	published := r.published()
	got, err := r.start().run(context.Background(), incremental)
	if err != nil || got.State != refresh.Failed || got.Error.Code != "bad_config" || !strings.Contains(got.Error.Message, "cairn.yaml:2") {
		t.Errorf("a broken config: %+v %+v, %v", got, got.Error, err)
	}
	if show(r.published()) != show(published) {
		t.Error("a broken config changed what is published")
	}
}

func TestPartialRefresh(t *testing.T) {
	r := newRig(t)
	r.survey(3)
	r.put("top.tif", raster(9)) // the collection named after the source, whose keys lie around all others
	r.refresh(incremental)
	r.put("a/r00.tif", raster(70))
	r.put("b/r00.tif", raster(71))
	r.put("d/r00.tif", raster(72)) // a new collection

	p := r.start()
	run, err := p.run(context.Background(), refresh.Scope{Prefixes: []string{"b/"}})
	if err != nil || run.State != refresh.Successful {
		t.Fatalf("%+v, %v", run, err)
	}
	if opened := p.opened(); !slices.Equal(opened, []string{"b/r00.tif"}) {
		t.Errorf("opened %v", opened)
	}
	if c := run.Counts; c.Objects != 4 || c.Updated != 1 || c.Items != 10 {
		t.Errorf("counts are %s", show(c))
	}
	if lists := p.source.Calls(faultstore.Match{Op: faultstore.List}); len(lists) != 1 || lists[0].Key != "b/" {
		t.Errorf("listed %v", lists)
	}
	run, opened := r.refresh(refresh.Scope{Prefixes: []string{"d/", "a/r"}})
	if !slices.Equal(opened, []string{"a/r00.tif", "d/r00.tif"}) || run.Counts.Added != 1 || run.Counts.Updated != 1 {
		t.Errorf("two prefixes opened %v: %s", opened, show(run.Counts))
	}
	r.remove("b/r01.tif")
	if run, _ = r.refresh(refresh.Scope{Prefixes: []string{"b/"}}); run.Counts.Removed != 1 || run.Counts.Items != 10 {
		t.Errorf("a deleted file: %s", show(run.Counts))
	}
	// After all that a whole refresh finds nothing to do: partial ones cut as it does.
	at := r.head().Snapshot
	if run, opened = r.refresh(incremental); len(opened) != 0 || r.head().Snapshot != at {
		t.Errorf("a whole refresh afterwards opened %v: %s", opened, show(run.Counts))
	}
	// A config that groups otherwise makes it a whole one.
	if _, err := r.catalog.Put(context.Background(), "cairn.yaml", []byte("collections:\n  depth: 0\n"), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if run, _ = r.refresh(refresh.Scope{Prefixes: []string{"b/"}}); run.Counts.Collections != 1 || run.Counts.Items != 10 {
		t.Errorf("after a new config: %s", show(run.Counts))
	}
}

func TestMassDelete(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.put("a/one.tif", raster(1))
	r.refresh(incremental)
	r.remove("a/one.tif")
	if run, _ := r.refresh(incremental); run.Counts.Items != 0 || run.Counts.Removed != 1 {
		t.Errorf("one of one: %s", show(run.Counts))
	}

	refused := func(scope refresh.Scope) {
		t.Helper()
		before := show(r.published())
		run, err := r.start().run(ctx, scope)
		if err != nil || run.State != refresh.Failed || run.Error.Code != "mass_delete" || !strings.Contains(run.Error.Message, "allow_mass_delete") {
			t.Fatalf("run: %+v %+v, %v", run, run.Error, err)
		}
		if show(r.published()) != before {
			t.Error("a refused run changed what is published")
		}
	}
	// Most of a big Collection.
	for i := range 210 {
		r.put(fmt.Sprintf("a/r%03d.tif", i), raster(i))
	}
	r.put("b/r.tif", raster(1))
	r.refresh(incremental)
	for i := range 105 {
		r.remove(fmt.Sprintf("a/r%03d.tif", i))
	}
	r.refresh(incremental) // half of it is not more than half
	for i := 105; i < 210-4; i++ {
		r.remove(fmt.Sprintf("a/r%03d.tif", i))
	}
	refused(incremental)
	refused(refresh.Scope{Prefixes: []string{"a/"}})
	if run, _ := r.refresh(refresh.Scope{AllowMassDelete: true}); run.Counts.Removed != 101 {
		t.Errorf("allowed: %s", show(run.Counts))
	}
	// Everything.
	for o, err := range r.source.List(ctx, objstore.Range{}) {
		if err != nil {
			t.Fatal(err)
		}
		r.remove(o.Key)
	}
	refused(incremental)
	r.put("notes.txt", []byte("only this"))
	refused(incremental)
	if run, _ := r.refresh(refresh.Scope{AllowMassDelete: true}); run.Counts.Items != 0 || run.Counts.Ignored != 1 {
		t.Errorf("allowed: %s", show(run.Counts))
	}
}

// TestMassDenial takes the right to read away: a mistake in a bucket's policy must not empty the catalog.
func TestMassDenial(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	for i := range 150 {
		r.put(fmt.Sprintf("a/r%03d.tif", i), raster(i))
	}
	r.refresh(incremental)
	before := show(r.published())
	for i := range 150 {
		r.put(fmt.Sprintf("a/r%03d.tif", i), raster(i+1))
	}
	for range 2 { // the second one must not believe the first one's scan
		p := r.start()
		p.source.Set(faultstore.Match{Op: faultstore.Get}, faultstore.Fault{Err: fs.ErrPermission})
		run, err := p.run(ctx, incremental)
		if err != nil || run.State != refresh.Failed || run.Error.Code != "mass_delete" || !strings.Contains(run.Error.Message, "150 of them because reading is denied") {
			t.Fatalf("run: %+v %+v, %v", run, run.Error, err)
		}
		if show(r.published()) != before {
			t.Fatal("a refused run changed what is published")
		}
	}
	if run, opened := r.refresh(incremental); run.Counts.Updated != 150 || len(opened) != 150 {
		t.Errorf("allowed again: %s, %d opened", show(run.Counts), len(opened))
	}
	// A few are Rejects, until they may be read again.
	r.put("a/r000.tif", raster(7))
	p := r.start()
	p.source.Set(faultstore.Match{Op: faultstore.Get, Key: "a/r000.tif"}, faultstore.Fault{Err: fs.ErrPermission})
	if run, err := p.run(ctx, incremental); err != nil || run.Counts.Rejects != 1 || run.Counts.Removed != 1 {
		t.Fatalf("one denied: %+v, %v", run, err)
	}
	if run, opened := r.refresh(incremental); run.Counts.Rejects != 0 || run.Counts.Added != 1 || len(opened) != 1 {
		t.Errorf("one allowed again: %s, %v opened", show(run.Counts), opened)
	}
}

// A failed Run's finished scans are adopted by the next, and of the one that broke off what it had finished.
func TestFinishedScansAreAdopted(t *testing.T) {
	r := newRig(t)
	r.survey(4)
	p := r.start()
	p.worker.Parallel = 1 // so that the others are read before it
	broken := p.source.Set(faultstore.Match{Op: faultstore.Get, Key: "c/r03.tif"}, faultstore.Fault{Err: errors.New("timeout")})
	run, err := p.run(context.Background(), incremental)
	if err != nil || run.State != refresh.Failed || broken.Fired() == 0 {
		t.Fatalf("%+v, %v", run, err)
	}
	if len(r.published()) != 0 {
		t.Fatal("a failed run published something")
	}
	next, opened := r.refresh(incremental)
	if !slices.Equal(opened, []string{"c/r03.tif"}) {
		t.Errorf("the next run opened %v", opened)
	}
	if c := next.Counts; c.Added != 12 || c.Scanned != 1 || c.Unchanged != 13 {
		t.Errorf("counts are %s", show(c))
	}
	// After half a retention clean-up may be about to remove such a Part: it is made anew.
	r2 := newRig(t)
	r2.survey(1)
	p = r2.start()
	p.catalog.Set(faultstore.Match{Op: faultstore.Put, Prefix: "snapshots/"}, faultstore.Fault{})
	if run, err := p.run(context.Background(), incremental); err != nil || run.State != refresh.Failed {
		t.Fatalf("%+v, %v", run, err)
	}
	r2.now = r2.now.Add(snapshot.ScansRetention/2 + time.Minute)
	if _, opened := r2.refresh(incremental); len(opened) != 4 {
		t.Errorf("old scans were adopted: only %v were opened", opened)
	}
}

func TestSourceThatChangesMeanwhile(t *testing.T) {
	t.Run("replaced while read", func(t *testing.T) {
		r := newRig(t)
		r.put("a/x.tif", raster(1))
		p := r.start()
		// Between the listing and the first read, another version arrives.
		ans, err := p.desk.Start(context.Background(), refresh.Request{})
		if err != nil {
			t.Fatal(err)
		}
		refs, err := p.worker.Plan(context.Background(), ans.Run)
		if err != nil {
			t.Fatal(err)
		}
		r.put("a/x.tif", raster(2))
		if err := errors.Join(p.worker.Scan(context.Background(), ans.Run, refs[0]), p.worker.Publish(context.Background(), ans.Run)); err != nil {
			t.Fatal(err)
		}
		if run, err := p.desk.Settle(context.Background(), ans.Run, 0, nil); err != nil || run.Counts.Assets != 1 || run.Counts.Objects != 1 {
			t.Fatalf("%+v, %v", run, err)
		}
		got := r.published()["a/x"]
		if _, opened := r.refresh(incremental); len(opened) != 0 {
			t.Errorf("the version that was read is opened again: %v", opened)
		}
		r.refresh(full)
		if want := r.published()["a/x"]; got != want || got == "" {
			t.Errorf("item is of the replaced version:\n%s\n%s", got, want)
		}
	})
	t.Run("replaced, and then put back", func(t *testing.T) {
		r := newRig(t)
		r.put("a/x.tif", raster(1))
		r.put("a/y.tif", raster(1))
		p := r.start()
		p.source.Set(faultstore.Match{Op: faultstore.Get, Key: "a/x.tif"}, faultstore.Fault{Err: fs.ErrNotExist})
		run, err := p.run(context.Background(), incremental) // looks as if it was gone
		if err != nil || run.State != refresh.Successful || run.Counts.Vanished != 1 || run.Counts.Items != 1 || run.Counts.Objects != 2 {
			t.Fatalf("%s, %v", show(run), err)
		}
		if run, opened := r.refresh(incremental); !slices.Equal(opened, []string{"a/x.tif"}) || run.Counts.Items != 2 {
			t.Errorf("it is there again: opened %v, %s", opened, show(run.Counts))
		}
	})
	t.Run("replaced again and again", func(t *testing.T) {
		r := newRig(t)
		r.put("a/x.tif", raster(1))
		r.put("a/y.tif", raster(1))
		p := r.start()
		// A Get with a length is a read of the header; one without is the look at what is there now.
		p.source.Set(faultstore.Match{Op: faultstore.Get, Key: "a/x.tif"}, faultstore.Fault{Err: objstore.ErrPrecondition})
		run, err := p.run(context.Background(), incremental)
		if err == nil && run.State == refresh.Successful {
			t.Fatalf("every look at the object fails, and yet: %s", show(run))
		}
	})
	t.Run("denied", func(t *testing.T) {
		r := newRig(t)
		r.put("a/x.tif", raster(1))
		r.put("a/y.tif", raster(1))
		p := r.start()
		p.source.Set(faultstore.Match{Op: faultstore.Get, Key: "a/x.tif"}, faultstore.Fault{Err: fs.ErrPermission})
		run, err := p.run(context.Background(), incremental)
		if err != nil || run.Counts.Rejects != 1 || run.Counts.Items != 1 {
			t.Fatalf("%s, %v", show(run), err)
		}
		// Tried again each Run, although the listing is the same.
		p = r.start()
		p.source.Set(faultstore.Match{Op: faultstore.Get, Key: "a/x.tif"}, faultstore.Fault{Err: fs.ErrPermission})
		at := r.head().Snapshot
		if _, err = p.run(context.Background(), incremental); err != nil || !slices.Equal(p.opened(), []string{"a/x.tif"}) || r.head().Snapshot != at {
			t.Errorf("still denied: opened %v, head from %d to %d, %v", p.opened(), at, r.head().Snapshot, err)
		}
		if run, opened := r.refresh(incremental); run.Counts.Items != 2 || !slices.Equal(opened, []string{"a/x.tif"}) {
			t.Errorf("allowed again: opened %v, %s", opened, show(run.Counts))
		}
	})
	t.Run("cannot be listed", func(t *testing.T) {
		r := newRig(t)
		r.survey(2)
		r.refresh(incremental)
		before := show(r.published())
		p := r.start()
		p.source.Set(faultstore.Match{Op: faultstore.List}, faultstore.Fault{Applied: true, Err: fs.ErrPermission}) // in the middle of it
		run, err := p.run(context.Background(), incremental)
		if err != nil || run.State != refresh.Failed || run.Error.Code != "source_unavailable" || show(r.published()) != before {
			t.Errorf("%+v %+v, %v", run, run.Error, err)
		}
	})
}

// A key that JSON cannot hold is counted, and stops nothing.
func TestKeyThatIsNotText(t *testing.T) {
	r := newRig(t)
	r.put("a/x.tif", raster(1))
	r.put("a/y\xff.tif", raster(1))
	run, opened := r.refresh(incremental)
	if run.Counts.Ignored != 1 || run.Counts.Items != 1 || !slices.Equal(opened, []string{"a/x.tif"}) {
		t.Errorf("opened %q: %s", opened, show(run.Counts))
	}
}

// What a refresh costs: one listing, one read a small raster, and a handful of durable writes however many there are.
func TestCostOfARefresh(t *testing.T) {
	r := newRig(t)
	for i := range 300 {
		r.put(fmt.Sprintf("a/r%03d.tif", i), raster(i))
	}
	p := r.start()
	if run, err := p.run(context.Background(), incremental); err != nil || run.Counts.Items != 300 {
		t.Fatalf("%s, %v", show(run), err)
	}
	durable := func(p *proc) (n int) {
		for _, key := range []string{"state/control.json", "head.json"} {
			n += p.catalog.Count(faultstore.Match{Op: faultstore.Put, Key: key})
		}
		for _, prefix := range []string{"state/runs/", "snapshots/"} {
			n += p.catalog.Count(faultstore.Match{Op: faultstore.Put, Prefix: prefix})
		}
		return n
	}
	lists, gets := p.source.Count(faultstore.Match{Op: faultstore.List}), p.source.Count(faultstore.Match{Op: faultstore.Get})
	parts, syncs := p.catalog.Count(faultstore.Match{Op: faultstore.Put, Prefix: "parts/"}), p.catalog.Count(faultstore.Match{Op: faultstore.Sync})
	if n := durable(p); lists != 1 || gets != 300 || parts != 1 || n != 7 || syncs != 2 {
		t.Errorf("first refresh: %d listings, %d reads, %d parts, %d durable writes, %d syncs; want 1, 300, 1, 7, 2", lists, gets, parts, n, syncs)
	}
	p = r.start()
	if _, err := p.run(context.Background(), incremental); err != nil {
		t.Fatal(err)
	}
	lists, gets = p.source.Count(faultstore.Match{Op: faultstore.List}), p.source.Count(faultstore.Match{Op: faultstore.Get})
	writes, syncs := p.catalog.Count(faultstore.Match{Op: faultstore.Put}), p.catalog.Count(faultstore.Match{Op: faultstore.Sync})
	// Two more writes are work files: the plan and the outcome.
	if n := durable(p); lists != 1 || gets != 0 || n != 5 || writes != 7 || syncs != 0 {
		t.Errorf("unchanged refresh: %d listings, %d reads, %d writes, %d of them durable, %d syncs; want 1, 0, 7, 5, 0", lists, gets, writes, n, syncs)
	}
}

func TestAnotherSourceIsRefused(t *testing.T) {
	r := newRig(t)
	r.survey(1)
	r.refresh(incremental)
	p := r.start()
	p.worker.About.URL = "file:///other"
	run, err := p.run(context.Background(), incremental)
	if err != nil || run.State != refresh.Failed || run.Error.Code != "other_source" {
		t.Errorf("%+v %+v, %v", run, run.Error, err)
	}
}

// A Scan that nears its deadline saves what it has and says so; the retry goes on from there.
func TestScanNearItsDeadline(t *testing.T) {
	r := newRig(t)
	for i := range 40 {
		r.put(fmt.Sprintf("a/r%02d.tif", i), raster(i))
	}
	r.now = time.Now() // the deadline of a context is by the real clock
	p := r.start()
	p.worker.Parallel = 1
	p.worker.Margin = 30 * time.Minute
	ctx := context.Background()
	ans, err := p.desk.Start(ctx, refresh.Request{})
	if err != nil {
		t.Fatal(err)
	}
	refs, err := p.worker.Plan(ctx, ans.Run)
	if err != nil {
		t.Fatal(err)
	}
	gate := faultstore.NewGate()
	p.source.Set(faultstore.Match{Op: faultstore.Get, Nth: 10}, faultstore.Fault{Gate: gate})
	go func() {
		if gate.Reached(ctx) == nil {
			r.now = r.now.Add(31 * time.Minute) // past the margin
			gate.Release()
		}
	}()
	short, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	var late *refresh.DeadlineError
	if err := p.worker.Scan(short, ans.Run, refs[0]); !errors.As(err, &late) || late.Done != 10 || late.Total != 40 {
		t.Fatalf("scan = %v; want a DeadlineError after 10 of 40", err)
	}
	if refresh.Final(late) {
		t.Error("a DeadlineError is final")
	}
	p.source.Forget()
	if err := errors.Join(p.worker.Scan(ctx, ans.Run, refs[0]), p.worker.Publish(ctx, ans.Run)); err != nil {
		t.Fatal(err)
	}
	if n := len(p.opened()); n != 30 {
		t.Errorf("the second try opened %d files", n)
	}
	if n := len(r.published()); n != 40 {
		t.Errorf("%d items are published", n)
	}
}

// Cancelled, at any step, a Run is dismissed and what is published stays.
func TestCancelAtEachStep(t *testing.T) {
	ctx := context.Background()
	for step := range 3 {
		r := newRig(t)
		r.survey(1)
		r.refresh(incremental)
		before := show(r.published())
		r.put("a/new.tif", raster(5))
		p := r.start()
		ans, err := p.desk.Start(ctx, refresh.Request{})
		if err != nil {
			t.Fatal(err)
		}
		cancelAt := func(n int) {
			if n == step {
				if err := p.desk.Cancel(ctx, ans.Run); err != nil {
					t.Fatal(err)
				}
			}
		}
		cancelAt(0)
		refs, err := p.worker.Plan(ctx, ans.Run)
		cancelAt(1)
		for _, ref := range refs {
			err = errors.Join(err, p.worker.Scan(ctx, ans.Run, ref))
		}
		cancelAt(2)
		if err == nil {
			err = p.worker.Publish(ctx, ans.Run)
		}
		if !errors.Is(err, refresh.ErrCancelled) {
			t.Errorf("step %d: %v; want ErrCancelled", step, err)
		}
		run, err := p.desk.Settle(ctx, ans.Run, 0, refresh.ProblemOf(err))
		if err != nil || run.State != refresh.Dismissed || show(r.published()) != before || r.control().Lease != nil {
			t.Errorf("step %d: %+v, %v", step, run, err)
		}
		r.refresh(incremental)
	}
}
