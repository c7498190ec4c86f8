package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/cloud/buckets"
	"github.com/cairn-stac/cairn/internal/cloud/envtest"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
	"github.com/cairn-stac/cairn/internal/refresh"
)

func TestScan(t *testing.T) {
	s := envtest.New(t)
	state := s.Grant(t, refresh.Scope{})
	s.Source.Set(s3test.Object{Key: "ortho/north/a.tif", Body: []byte("x")}, s3test.Object{Key: "elsewhere/north/b.tif", Body: []byte("x")})
	e, err := cloud.Open(t.Context(), os.Getenv, cloud.Source, cloud.Catalog, cloud.Table)
	if err != nil {
		t.Fatal(err)
	}
	worker, err := buckets.NewWorker(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	refs, err := worker.Plan(t.Context(), envtest.Run)
	if err != nil || len(refs) != 1 {
		t.Fatalf("%d shards, %v", len(refs), err)
	}
	scan := s.Function(t, handler, cloud.Source, cloud.Catalog, cloud.Table)
	task := fmt.Sprintf(`{"run_id":%q,"shard":%q}`, envtest.Run, refs[0])
	for range 2 { // a repetition finds what there is
		if got := scan.Must(t, task); got != "null" {
			t.Errorf("answer %s", got)
		}
		p, err := state.Progress(t.Context(), envtest.Run)
		if err != nil || p.Scans.Done != 1 || p.Scans.Rejects != 1 {
			t.Errorf("progress %+v, %v; want one reject", p.Scans, err)
		}
	}
	parts := 0
	for _, key := range s.Catalog.Keys() {
		if strings.HasPrefix(key, "parts/north/") {
			parts++
		}
	}
	if parts != 1 {
		t.Errorf("%d parts among %v", parts, s.Catalog.Keys())
	}
	if _, err := scan(fmt.Sprintf(`{"run_id":"01JBZ5Q5C4X8T9W0V1K2M3N4P6","shard":%q}`, refs[0])); err == nil || !strings.HasPrefix(err.Error(), "superseded: ") {
		t.Errorf("scan for a run without the lease: %v", err)
	}
}
