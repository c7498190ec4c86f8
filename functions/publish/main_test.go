package main

import (
	"os"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/cloud/buckets"
	"github.com/cairn-stac/cairn/internal/cloud/envtest"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
	"github.com/cairn-stac/cairn/internal/refresh"
)

func TestPublish(t *testing.T) {
	s := envtest.New(t)
	s.Grant(t, refresh.Scope{})
	s.Source.Set(s3test.Object{Key: "ortho/north/a.tif", Body: []byte("x")})
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
	publish := s.Function(t, handler, cloud.Source, cloud.Catalog, cloud.Table)
	task := `{"run_id":"` + envtest.Run + `"}`
	if _, err := publish(task); err == nil {
		t.Error("it publishes what is not scanned")
	}
	if err := worker.Scan(t.Context(), envtest.Run, refs[0]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := publish.Must(t, task); got != "null" {
			t.Errorf("answer %s", got)
		}
		head, ok := s.Catalog.Get("head.json")
		if !ok || !strings.Contains(string(head.Body), `"run":"`+envtest.Run+`"`) {
			t.Errorf("head is %s", head.Body)
		}
	}
	if _, ok := s.Catalog.Get("catalog.json"); !ok {
		t.Error("there is no static tree")
	}
}
