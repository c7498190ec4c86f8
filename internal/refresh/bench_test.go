package refresh_test

import (
	"context"
	"fmt"
	"iter"
	"sort"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// A generated Source holds n empty files, which are Rejects, without keeping them anywhere.
type generated struct{ n int }

func (generated) object(i int) objstore.Object {
	return objstore.Object{
		Key: fmt.Sprintf("survey%02d/2024/tile_%07d.tif", i/100_000, i), Size: 123_456, ETag: fmt.Sprintf("%032x", i),
		Modified: time.Date(2026, 1, 1, 0, 0, i%86400, 0, time.UTC),
	}
}

func (g generated) List(_ context.Context, r objstore.Range) iter.Seq2[objstore.Object, error] {
	return func(yield func(objstore.Object, error) bool) {
		for i := sort.Search(g.n, func(i int) bool { return g.object(i).Key >= r.Start }); i < g.n; i++ {
			if o := g.object(i); !r.Contains(o.Key) || !yield(o, nil) {
				return
			}
		}
	}
}

func (g generated) Get(_ context.Context, key string, _, _ int64, _ string) ([]byte, objstore.Object, error) {
	i := sort.Search(g.n, func(i int) bool { return g.object(i).Key >= key })
	return nil, g.object(i), nil
}

// BenchmarkUnchanged is a refresh of 1,000,000 Objects of which none has changed, without the time that a bucket takes to list
// them: what Cairn itself adds to a listing.
func BenchmarkUnchanged(b *testing.B) {
	const n = 1_000_000
	r := newRig(nil)
	p := r.start()
	p.worker.Source = generated{n}
	run, err := p.run(b.Context(), incremental)
	if err != nil || run.Counts.Rejects != n {
		b.Fatalf("%+v, %v", run, err)
	}
	for b.Loop() {
		run, err := p.run(b.Context(), incremental)
		if err != nil || run.State != refresh.Successful || run.Counts.Unchanged != n {
			b.Fatalf("%+v, %v", run, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/object")
}
