package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/cloud/envtest"
	"github.com/cairn-stac/cairn/internal/dynamostate"
	"github.com/cairn-stac/cairn/internal/lambdafn"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
	"github.com/cairn-stac/cairn/internal/refresh"
)

const run = envtest.Run

// granted is a stack with the Run holding the Lease, and the function plan.
func granted(t *testing.T, scope refresh.Scope) (*envtest.Stack, envtest.Function, *dynamostate.State) {
	t.Helper()
	s := envtest.New(t)
	state := s.Grant(t, scope)
	return s, s.Function(t, handler, cloud.Source, cloud.Catalog, cloud.Table), state
}

func TestPlan(t *testing.T) {
	s, plan, state := granted(t, refresh.Scope{})
	s.Source.Set(s3test.Object{Key: "ortho/north/a.tif", Body: []byte("x")}, s3test.Object{Key: "ortho/south/b.tif", Body: []byte("x")}, s3test.Object{Key: "other/c.tif"})
	var got lambdafn.Planned
	if err := json.Unmarshal([]byte(plan.Must(t, `{"run_id":"`+run+`"}`)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Run != run || got.Shards != 2 || got.Bucket != envtest.CatalogBucket || got.Concurrency != 16 {
		t.Errorf("%+v", got)
	}
	var refs []lambdafn.ShardRef
	o, ok := s.Catalog.Get(got.Key)
	if err := json.Unmarshal(o.Body, &refs); !ok || err != nil || len(refs) != 2 || refs[0].Shard == "" {
		t.Errorf("%s holds %s", got.Key, o.Body)
	}
	d, ok := s.Catalog.Get("cairn.json")
	if !ok || !strings.Contains(string(d.Body), `"table":"`+s.Table.Table+`"`) || !strings.Contains(string(d.Body), `"catalog":"s3://cairn-catalog"`) {
		t.Errorf("cairn.json is %s", d.Body)
	}
	c, _, err := state.Load(t.Context())
	if err != nil || !c.Lease.Launched {
		t.Errorf("the lease does not say that the workflow has begun: %+v, %v", c.Lease, err)
	}
	if n := s.Requests(); n != 0 {
		t.Errorf("%d requests to Step Functions", n)
	}
	again := plan.Must(t, `{"run_id":"`+run+`"}`)
	if raw, _ := json.Marshal(got); string(raw) != again {
		t.Errorf("planned again is %s, not %s", again, raw)
	}
}

// A Source that cannot be listed is why the Run fails, and no function that cannot start.
func TestPlanTellsThatTheSourceIsGone(t *testing.T) {
	s, plan, _ := granted(t, refresh.Scope{})
	s.S3.RemoveBucket(envtest.SourceBucket)
	_, err := plan(`{"run_id":"` + run + `"}`)
	if err == nil || !strings.HasPrefix(err.Error(), "source_unavailable: ") || !strings.Contains(err.Error(), envtest.SourceBucket) {
		t.Errorf("error %v", err)
	}
	blamed := false
	for _, key := range s.Catalog.Keys() {
		if o, _ := s.Catalog.Get(key); strings.HasSuffix(key, "problem.json") && strings.Contains(string(o.Body), "source_unavailable") {
			blamed = true
		}
	}
	if !blamed {
		t.Error("why is not recorded")
	}
}

func TestPlanOfARunThatIsOver(t *testing.T) {
	s, plan, _ := granted(t, refresh.Scope{})
	_, err := plan(`{"run_id":"01JBZ5Q5C4X8T9W0V1K2M3N4P6"}`)
	if err == nil || !strings.HasPrefix(err.Error(), "superseded: ") {
		t.Errorf("error %v", err)
	}
	if n := s.S3.Stats(s3test.Any).Requests; n != 0 {
		t.Errorf("%d requests to S3", n)
	}
}
