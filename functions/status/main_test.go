package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/cloud/envtest"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
	"github.com/cairn-stac/cairn/internal/refresh"
)

func TestStatusReadsAtMostNineItems(t *testing.T) {
	s := envtest.New(t)
	status := s.Function(t, handler, cloud.Table)
	if a := status.HTTP(t, "GET", "/refresh/status", ""); a.StatusCode != 200 || !strings.HasPrefix(a.Body, `{"is_running":false,"last_refresh":null`) {
		t.Fatalf("%+v", a)
	}
	const run = envtest.Run
	state := s.Grant(t, refresh.Scope{})
	if err := state.Begin(t.Context(), run, refresh.Scanning, refresh.Totals{Objects: 1000, Settled: 100}); err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		if err := state.Shard(t.Context(), run, fmt.Sprintf("%06d-ab", i), refresh.Tally{Done: 2, Items: 1, Final: true}); err != nil {
			t.Fatal(err)
		}
	}
	s.Table.Reset()
	a := status.HTTP(t, "GET", "/refresh/status", "")
	if !strings.Contains(a.Body, `"is_running":true`) || !strings.Contains(a.Body, `"objects_done":700`) || !strings.Contains(a.Body, `"phase":"scanning"`) {
		t.Errorf("%+v", a)
	}
	if n := s.Table.ItemsRead(); n > 9 || n < 2 {
		t.Errorf("%d items read, want at most 9", n)
	}
	for op, n := range s.Table.Counts() {
		if op != "GetItem" && op != "Query" && op != "BatchGetItem" {
			t.Errorf("%d requests of %s: status is only to read", n, op)
		}
	}
	if n := s.Requests() + s.S3.Stats(s3test.Any).Requests; n != 0 {
		t.Errorf("%d requests to Step Functions and S3", n)
	}
}

func TestStatusAnswersNothingElse(t *testing.T) {
	s := envtest.New(t)
	status := s.Function(t, handler, cloud.Table)
	for _, path := range []string{"/", "/collections", "/refresh", "/refresh/runs", "/refresh/status/x"} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			if a := status.HTTP(t, method, path, ""); a.StatusCode != 404 {
				t.Errorf("%s %s: %d", method, path, a.StatusCode)
			}
		}
	}
	if n := s.Table.Count(""); n != 0 {
		t.Errorf("%d requests to the table", n)
	}
}
