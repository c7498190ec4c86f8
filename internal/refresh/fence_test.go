package refresh_test

import (
	"testing"

	"github.com/cairn-stac/cairn/internal/objstate"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// elsewhere gives a process a State that is not in the Catalog, as a table is, and returns the store that counts what is asked of it.
func (p *proc) elsewhere(kept *memstore.Store) *faultstore.Store {
	home := faultstore.New(kept)
	state := objstate.New(home, p.desk.Now)
	p.desk.State, p.worker.State = state, state
	return home
}

// A Catalog's state moves from its objects to a table, and back, and back again: the first Run of each process is not refused for a
// fence that Head has seen before, and the published Snapshots only grow.
func TestStateMovesAndBack(t *testing.T) {
	ctx := t.Context()
	r := newRig(t)
	table := memstore.New()
	published := uint64(0)
	for i, move := range []bool{false, false, true, true, false, true, false} {
		r.put("a/x.tif", raster(i))
		p := r.start()
		if move {
			p.elsewhere(table)
		}
		run, err := p.run(ctx, refresh.Scope{})
		if err != nil || run.State != refresh.Successful || run.Snapshot <= published {
			t.Fatalf("run %d, in a table: %v: %+v, %v; want a snapshot above %d", i, move, run, err, published)
		}
		published = run.Snapshot
	}
}

// A start of a remote workflow asks for Head before the first Lease of a record alone; then it is one read and one write of that.
func TestFirstStartOfARecordLooksAtHead(t *testing.T) {
	ctx := t.Context()
	r := newRig(t)
	for i := range 3 {
		r.put("a/x.tif", raster(i))
		if run, err := r.start().run(ctx, refresh.Scope{}); err != nil || run.State != refresh.Successful {
			t.Fatalf("%+v, %v", run, err)
		}
	}
	p := r.start()
	p.holder = refresh.Holder{}
	home := p.elsewhere(memstore.New())
	for i, heads := range []int{1, 0, 0} {
		home.Forget()
		p.catalog.Forget()
		ans, err := p.desk.Start(ctx, refresh.Request{})
		if err != nil || ans.Kind != refresh.Started {
			t.Fatalf("%+v, %v", ans, err)
		}
		if n := p.catalog.Count(faultstore.Match{}); n != heads {
			t.Errorf("start %d: %d requests to the catalog; want %d", i, n, heads)
		}
		if gets, puts := home.Count(faultstore.Match{Op: faultstore.Get}), home.Count(faultstore.Match{Op: faultstore.Put}); gets != 1 || puts != 1 {
			t.Errorf("start %d: %d reads and %d writes of the record; want 1 and 1", i, gets, puts)
		}
		run, err := p.desk.Settle(ctx, ans.Run, 0, refresh.ProblemOf(p.steps(ctx, ans.Run)))
		if err != nil || run.State != refresh.Successful {
			t.Fatalf("%+v, %v", run, err)
		}
	}
}

// Where the record of a remote workflow was left behind, its first Run fails, changes nothing that readers see, and the next one
// is above what Head has seen.
func TestWorkflowWhoseRecordWasLeftBehind(t *testing.T) {
	ctx := t.Context()
	r := newRig(t)
	table := memstore.New()
	cloud := func() *proc {
		p := r.start()
		p.holder = refresh.Holder{}
		p.elsewhere(table)
		return p
	}
	r.put("a/x.tif", raster(0))
	if run, err := cloud().run(ctx, refresh.Scope{}); err != nil || run.State != refresh.Successful {
		t.Fatalf("%+v, %v", run, err)
	}
	published := uint64(0)
	for i := range 3 { // by a process, which takes the objects for the state
		r.put("a/x.tif", raster(i+1))
		run, err := r.start().run(ctx, refresh.Scope{})
		if err != nil || run.State != refresh.Successful {
			t.Fatalf("%+v, %v", run, err)
		}
		published = run.Snapshot
	}
	r.put("a/x.tif", raster(9))
	run, err := cloud().run(ctx, refresh.Scope{})
	if err != nil || run.State != refresh.Failed || run.Error.Code != "superseded" || run.Snapshot != published {
		t.Errorf("the first run after it: %+v, %v; want it superseded and snapshot %d", run, err, published)
	}
	run, err = cloud().run(ctx, refresh.Scope{})
	if err != nil || run.State != refresh.Successful || run.Snapshot <= published {
		t.Errorf("the second run after it: %+v, %v", run, err)
	}
}
