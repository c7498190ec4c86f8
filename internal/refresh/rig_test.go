package refresh_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstate"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// A rig is a Source and a Catalog, and a clock.
type rig struct {
	t       *testing.T
	source  objstore.Store
	catalog objstore.Store
	now     time.Time
	pids    int
	dead    map[refresh.Holder]bool
}

// newRig makes a rig in memory.
func newRig(t *testing.T) *rig {
	source, catalog := memstore.New(), memstore.New()
	r := newRigOver(t, source, catalog)
	clock := func() time.Time { return r.now }
	source.Now, catalog.Now = clock, clock
	return r
}

func newRigOver(t *testing.T, source, catalog objstore.Store) *rig {
	return &rig{t: t, source: source, catalog: catalog, dead: map[refresh.Holder]bool{},
		now: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)}
}

// raster is a small GeoTIFF in UTM zone 33 whose place depends on n.
func raster(n int) []byte {
	r := tiffwrite.Raster{Width: 8, Height: 8, Keys: tiffwrite.Projected(32633)}
	r.NorthUp(500000+float64(100*n), 5_500_000, 10, 10)
	b, err := r.Bytes()
	if err != nil {
		panic(err)
	}
	return b
}

func (r *rig) put(key string, body []byte) {
	r.t.Helper()
	r.now = r.now.Add(time.Second)
	if _, err := r.source.Put(context.Background(), key, body, objstore.PutOptions{}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) remove(key string) {
	r.t.Helper()
	if err := r.source.Delete(context.Background(), key); err != nil {
		r.t.Fatal(err)
	}
}

// A proc is a process that refreshes the rig's Catalog, one step after the other. It is its own Workflow.
type proc struct {
	rig     *rig
	holder  refresh.Holder
	closing bool
	source  *faultstore.Store
	catalog *faultstore.Store
	desk    *refresh.Desk
	worker  *refresh.Worker
}

func (r *rig) start() *proc { return r.startOver(r.source, r.catalog) }

// startOver starts a process that sees the Source and the Catalog through other stores.
func (r *rig) startOver(source, catalog objstore.Store) *proc {
	r.pids++
	p := &proc{rig: r, holder: refresh.Holder{Host: "h", PID: r.pids, Lock: fmt.Sprint(r.pids)},
		source: faultstore.New(source), catalog: faultstore.New(catalog)}
	clock := func() time.Time { return r.now }
	state := objstate.New(p.catalog, clock)
	p.desk = &refresh.Desk{State: state, Catalog: p.catalog, Workflow: p, TTL: 30 * time.Second, Now: clock, Log: quiet}
	p.worker = &refresh.Worker{
		State: state, Catalog: p.catalog, Source: p.source, About: item.Source{URL: "file:///src", Name: "src"},
		Config: refresh.ReadConfig(p.catalog), Parallel: 4, Now: clock, Log: quiet,
	}
	return p
}

func (p *proc) Launch(context.Context, refresh.Lease) error { return nil }
func (p *proc) Closing() bool                               { return p.closing }
func (p *proc) Holder() refresh.Holder                      { return p.holder }
func (p *proc) Stop(context.Context, refresh.Lease) error   { return nil }
func (p *proc) Gone(l refresh.Lease) bool                   { return p.rig.dead[l.Holder] }
func (p *proc) Describe(_ context.Context, l refresh.Lease) (refresh.LaunchState, error) {
	if p.rig.dead[l.Holder] {
		return refresh.LaunchEnded, nil
	}
	return refresh.LaunchRunning, nil
}

// kill ends the process: what it does from now on is a zombie's.
func (p *proc) kill() { p.rig.dead[p.holder] = true }

// run does one Run from start to end, without repeating anything.
func (p *proc) run(ctx context.Context, scope refresh.Scope) (refresh.Run, error) {
	ans, err := p.desk.Start(ctx, refresh.Request{Scope: scope})
	if err != nil {
		return refresh.Run{}, err
	}
	if ans.Kind != refresh.Started {
		return refresh.Run{}, fmt.Errorf("start answered %+v", ans)
	}
	return p.desk.Settle(ctx, ans.Run, 0, refresh.ProblemOf(p.steps(ctx, ans.Run)))
}

// steps are those between start and settle.
func (p *proc) steps(ctx context.Context, run string) error {
	refs, err := p.worker.Plan(ctx, run)
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if err := p.worker.Scan(ctx, run, ref); err != nil {
			return err
		}
	}
	return p.worker.Publish(ctx, run)
}

// refresh does one Run that must succeed in a new process, and returns it with what it opened, sorted.
func (r *rig) refresh(scope refresh.Scope) (refresh.Run, []string) {
	r.t.Helper()
	p := r.start()
	run, err := p.run(context.Background(), scope)
	if err != nil || run.State != refresh.Successful {
		r.t.Fatalf("run: %+v %+v, %v", run, run.Error, err)
	}
	c := run.Counts
	if c.Objects != c.Assets+c.Sidecars+c.Rejects+c.Ignored+c.Vanished {
		r.t.Fatalf("the five counts do not add up to objects: %+v", c)
	}
	return run, p.opened()
}

// opened are the keys of the Source that were read, sorted.
func (p *proc) opened() []string {
	keys := map[string]bool{}
	for _, c := range p.source.Calls(faultstore.Match{Op: faultstore.Get}) {
		keys[c.Key] = true
	}
	return slices.Sorted(maps.Keys(keys))
}

// published reads the whole published Snapshot: the Items' lines by Collection and id. Each must be there once, and be
// found by its id too.
func (r *rig) published() map[string]string {
	r.t.Helper()
	out := map[string]string{}
	ctx := context.Background()
	rd, err := snapshot.Open(ctx, r.catalog, nil)
	if errors.Is(err, snapshot.ErrNoSnapshot) {
		return out
	}
	if err != nil {
		r.t.Fatal(err)
	}
	for _, row := range rd.Manifest().Rows {
		scenes, err := snapshot.ReadPart(ctx, r.catalog, row)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, sc := range scenes {
			for _, it := range sc.Items {
				id := row.Collection + "/" + it.ID
				if out[id] != "" {
					r.t.Fatalf("item %s is there twice", id)
				}
				out[id] = string(it.JSON)
				if line, err := rd.Item(ctx, row.Collection, it.ID); err != nil || string(line) != out[id] {
					r.t.Fatalf("item %s by its id: %s, %v", id, line, err)
				}
			}
		}
	}
	return out
}

func (r *rig) control() refresh.Control {
	r.t.Helper()
	c, _, err := objstate.New(r.catalog, time.Now).Load(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

func (r *rig) head() snapshot.Head {
	r.t.Helper()
	h, _, err := snapshot.LoadHead(context.Background(), r.catalog)
	if err != nil {
		r.t.Fatal(err)
	}
	return h
}

func keysOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func show(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// checkTree holds the static tree against the published Snapshot: the catalog, its Collections and their Items, and nothing
// else.
func (r *rig) checkTree() {
	r.t.Helper()
	want := map[string]bool{"catalog.json": true}
	for id := range r.published() {
		collection, item, _ := strings.Cut(id, "/")
		want["collections/"+collection+"/collection.json"] = true
		want["collections/"+collection+"/items/"+item+".json"] = true
	}
	got := map[string]bool{}
	for o, err := range r.catalog.List(context.Background(), objstore.Range{}) {
		if err != nil {
			r.t.Fatal(err)
		}
		if o.Key == "catalog.json" || strings.HasPrefix(o.Key, "collections/") {
			got[o.Key] = true
		}
	}
	if !maps.Equal(got, want) {
		r.t.Fatalf("the static tree is %v\nwant %v", keysOf(got), keysOf(want))
	}
}
