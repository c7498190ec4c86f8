package refresh_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// TestFaultAtEveryWrite lets each write of a Run go wrong in turn, in each way: not applied, applied with the reply lost, and
// the process gone before or after it. Readers see the old Snapshot or the new one, whole; the next Run finishes the work,
// without waiting for anything; and nothing is stuck.
func TestFaultAtEveryWrite(t *testing.T) {
	for name, first := range map[string]bool{"first run": true, "later run": false} {
		t.Run(name, func(t *testing.T) {
			faultstore.Sweep(t, faultstore.Match{Op: faultstore.Writes | faultstore.Sync}, func(t *testing.T, arm func(*faultstore.Store)) {
				ctx := context.Background()
				r := newRig(t)
				r.survey(2)
				if !first {
					r.refresh(incremental)
				}
				before := keysAndLines(r.published())
				r.put("a/r00.tif", raster(90))
				r.put("b/new.tif", raster(91))
				r.remove("c/r01.tif")
				want := keysAndLines(r.expected())

				p := r.start()
				arm(p.catalog)
				run, err := p.run(ctx, incremental)
				seen := keysAndLines(r.published())
				if !slices.Equal(seen, before) && !slices.Equal(seen, want) {
					t.Fatalf("readers see %v\nneither %v\nnor %v", seen, before, want)
				}
				if err == nil && run.State == refresh.Successful && !slices.Equal(seen, want) {
					t.Fatalf("the run says that it was successful, and readers see %v", seen)
				}
				p.kill()

				// The next one takes over at once.
				next, _ := r.refresh(incremental)
				if got := keysAndLines(r.published()); !slices.Equal(got, want) {
					t.Fatalf("after the next run readers see %v, want %v", got, want)
				}
				if c := r.control(); c.Lease != nil || c.Last.ID != next.ID {
					t.Fatalf("control record: %s", show(c))
				}
				r.checkTree()
				// Whoever was promised a Run finds how it ended.
				for rec, err := range p.rig.start().desk.Runs(ctx, "") {
					if err != nil || rec.Ended == nil {
						t.Fatalf("run %+v, %v", rec, err)
					}
				}
				// And what the zombie does now changes nothing.
				head := r.head()
				z := r.start()
				z.holder = p.holder
				for _, id := range []string{run.ID, "unknown"} {
					_ = z.steps(ctx, id)
				}
				if r.head() != head {
					t.Fatalf("a zombie moved head from %+v to %+v", head, r.head())
				}
			})
		})
	}
}

// expected is what a catalog made from nothing publishes for the Source as it is.
func (r *rig) expected() map[string]string {
	fresh := newRig(r.t)
	fresh.source, fresh.now = r.source, r.now
	fresh.refresh(incremental)
	return fresh.published()
}

func keysAndLines(m map[string]string) []string {
	var out []string
	for _, k := range keysOf(m) {
		out = append(out, k+" "+m[k])
	}
	return out
}

// TestZombieCannotPublish stalls a Run right before it swaps Head, in the two ways that it can lose its right meanwhile.
func TestZombieCannotPublish(t *testing.T) {
	ctx := context.Background()
	for name, overtake := range map[string]func(r *rig, p *proc, run string){
		"taken over": func(r *rig, p *proc, _ string) {
			p.kill()
			r.refresh(incremental)
		},
		"cancelled": func(r *rig, p *proc, run string) {
			other := r.start()
			if err := other.desk.Cancel(ctx, run); err != nil {
				t.Fatal(err)
			}
			if rec, err := other.desk.Settle(ctx, run, 0, nil); err != nil || rec.State != refresh.Dismissed {
				t.Fatalf("%+v, %v", rec, err)
			}
		},
		"expired": func(r *rig, p *proc, _ string) {
			r.now = r.now.Add(time.Hour)
			p.kill()
			r.refresh(incremental)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.survey(2)
			r.refresh(incremental)
			r.put("a/new.tif", raster(30))
			p := r.start()
			ans, err := p.desk.Start(ctx, refresh.Request{})
			if err != nil {
				t.Fatal(err)
			}
			refs, err := p.worker.Plan(ctx, ans.Run)
			if err != nil {
				t.Fatal(err)
			}
			for _, ref := range refs {
				if err := p.worker.Scan(ctx, ans.Run, ref); err != nil {
					t.Fatal(err)
				}
			}
			gate := faultstore.NewGate()
			p.catalog.Set(faultstore.Match{Op: faultstore.Put, Key: snapshot.HeadKey}, faultstore.Fault{Gate: gate})
			done := make(chan error, 1)
			go func() { done <- p.worker.Publish(ctx, ans.Run) }()
			if err := gate.Reached(ctx); err != nil {
				t.Fatal(err)
			}
			overtake(r, p, ans.Run)
			head, seen := r.head(), show(r.published())
			gate.Release()
			var fenced *snapshot.FencedError
			if err := <-done; !errors.As(err, &fenced) {
				t.Errorf("the zombie's publish = %v; want a FencedError", err)
			}
			if r.head() != head || show(r.published()) != seen {
				t.Errorf("the zombie moved head from %+v to %+v", head, r.head())
			}
			// Neither can it begin again, nor settle what is not its own any more.
			if _, err := p.worker.Plan(ctx, ans.Run); err == nil {
				t.Error("the zombie planned again")
			}
			rec, err := p.desk.Settle(ctx, ans.Run, 0, nil)
			if err != nil || rec.State == refresh.Successful {
				t.Errorf("the zombie settled itself: %+v, %v", rec, err)
			}
			r.refresh(incremental)
		})
	}
}

// A Part of a Run that died lies around until clean-up, and no longer.
func TestWhatNobodyNeedsIsRemoved(t *testing.T) {
	r := newRig(t)
	r.survey(2)
	for i := range 5 {
		r.put("a/r00.tif", raster(10+i))
		r.refresh(incremental)
		r.now = r.now.Add(7 * time.Hour)
	}
	r.now = r.now.Add(4 * 24 * time.Hour)
	r.refresh(incremental)
	counts := map[string]int{}
	for o, err := range r.catalog.List(context.Background(), objstore.Range{}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{"parts/", "snapshots/", "scans/", "runs/"} {
			if objstore.Prefixed(dir).Contains(o.Key) {
				counts[dir]++
			}
		}
	}
	// The published Snapshot with its three Parts, and the work files of the last Run: its plan and outcome.
	if want := map[string]int{"parts/": 3, "snapshots/": 1, "runs/": 2}; fmt.Sprint(counts) != fmt.Sprint(want) {
		t.Errorf("left over: %v; want %v", counts, want)
	}
	if n := len(r.published()); n != 6 {
		t.Errorf("%d items are published", n)
	}
}

// A full disk is said in a sentence, is not tried again, and leaves what is published as it was.
func TestFullDisk(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.survey(1)
	r.refresh(incremental)
	before := show(r.published())
	r.put("a/new.tif", raster(5))
	p := r.start()
	full := p.catalog.Set(faultstore.Match{Op: faultstore.Put, Prefix: "parts/"}, faultstore.Fault{Err: &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}})
	run, err := p.run(ctx, incremental)
	if err != nil || run.State != refresh.Failed || run.Error.Code != "no_space" || full.Fired() != 1 || show(r.published()) != before {
		t.Errorf("%+v %+v, %v", run, run.Error, err)
	}
	if !refresh.Final(&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}) {
		t.Error("a full disk is tried again")
	}
	r.refresh(incremental)
}

// flapping replaces an Object whenever it is about to be read.
type flapping struct {
	objstore.Reader
	key string
}

func (f flapping) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	if key == f.key && ifMatch != "" {
		return nil, objstore.Object{}, objstore.ErrPrecondition
	}
	return f.Reader.Get(ctx, key, off, n, ifMatch)
}

func TestAFileThatNeverStandsStillIsARejectForNow(t *testing.T) {
	r := newRig(t)
	r.put("a/x.tif", raster(1))
	r.put("a/y.tif", raster(1))
	p := r.start()
	p.worker.Source = flapping{p.source, "a/x.tif"}
	run, err := p.run(context.Background(), incremental)
	if err != nil || run.State != refresh.Successful || run.Counts.Rejects != 1 || run.Counts.Items != 1 {
		t.Fatalf("%s, %v", show(run), err)
	}
	if run, opened := r.refresh(incremental); run.Counts.Items != 2 || !slices.Equal(opened, []string{"a/x.tif"}) {
		t.Errorf("the next run: opened %v, %s", opened, show(run.Counts))
	}
}
