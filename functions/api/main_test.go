package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/cloud/envtest"
	"github.com/cairn-stac/cairn/internal/dynamostate"
	"github.com/cairn-stac/cairn/internal/dynamostate/dynamotest"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/sfnflow/sfntest"
)

const run = "01JBZ5Q5C4X8T9W0V1K2M3N4P5"

func open(t *testing.T) (*envtest.Stack, envtest.Function) {
	s := envtest.New(t)
	return s, s.Function(t, handler, cloud.Catalog, cloud.Table, cloud.StateMachine)
}

func TestAPIReads(t *testing.T) {
	s, api := open(t)
	for path, want := range map[string]int{"/": 200, "/conformance": 200, "/collections": 200, "/collections/x": 404, "/collections/x/items": 404,
		"/refresh/runs": 200, "/refresh/runs/" + run: 404, "/refresh/status": 200, "/assets/a.tif": 404} {
		a := api.HTTP(t, "GET", path, "")
		if a.StatusCode != want || strings.Contains(a.Body, "http://") && !strings.Contains(a.Body, "conformsTo") {
			t.Errorf("%s: %+v", path, a)
		}
	}
	if n := s.S3.Stats(s3test.Put | s3test.Delete).Requests; n != 0 {
		t.Errorf("%d writes to S3", n)
	}
	for op, n := range s.Table.Counts() {
		if op != "GetItem" && op != "Query" && op != "BatchGetItem" {
			t.Errorf("%d requests of %s for what only reads", n, op)
		}
	}
}

// To start is another function's part; this one lacks the right, so that it must not even take the Lease.
func TestAPIStartsNothing(t *testing.T) {
	s, api := open(t)
	if a := api.HTTP(t, "POST", "/refresh", ""); a.StatusCode != 503 || !strings.Contains(a.Body, `"refused"`) {
		t.Errorf("%+v", a)
	}
	if n := s.Table.Count("") + s.Requests() + s.S3.Stats(s3test.Any).Requests; n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestAPICancels(t *testing.T) {
	s, api := open(t)
	next, _ := refresh.Control{}.Start(refresh.Request{Run: run}, refresh.Grant{Now: time.Now(), TTL: time.Hour})
	if err := dynamostate.New(dynamotest.Client(s.Table.URL), s.Table.Table, time.Now).Swap(t.Context(), "", next); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if a := api.HTTP(t, "DELETE", "/refresh/runs/"+run, ""); a.StatusCode != 202 {
			t.Errorf("%+v", a)
		}
	}
	if n := s.Machine.Count(sfntest.Stop); n == 0 || n != s.Requests() {
		t.Errorf("%d executions stopped by %d requests", n, s.Requests())
	}
	if n := s.S3.Stats(s3test.Any).Requests; n != 0 {
		t.Errorf("%d requests to S3", n)
	}
}

// With PublicReads the gateway asks nobody at the catalog's routes who they are: their page is that of the catalog alone.
func TestPageTellsOfRunsToWhoProvedWhoTheyAre(t *testing.T) {
	s, api := open(t)
	now := time.Now()
	_, err := dynamostate.New(dynamotest.Client(s.Table.URL), s.Table.Table, time.Now).PutRun(t.Context(), refresh.Run{ID: run, State: refresh.Failed,
		Accepted: now, Ended: &now, Error: &refresh.Problem{Code: "source_unavailable", Message: "s3://secret/ cannot be listed"}})
	if err != nil {
		t.Fatal(err)
	}
	for authorizer, shown := range map[string]bool{
		`null`: false, `{}`: false, `{"jwt":null}`: false, `{"iam":null}`: false,
		`{"jwt":{"claims":{"sub":"1"},"scopes":null}}`: true, `{"iam":{"accountId":"123456789012","callerId":"AIDA"}}`: true,
	} {
		for _, asking := range []map[string]string{{"accept": "text/html"}, {"accept": "text/html", "authorization": "Bearer made-up"}} {
			var event map[string]any
			if err := json.Unmarshal([]byte(envtest.Request("GET", "/", "")), &event); err != nil {
				t.Fatal(err)
			}
			event["routeKey"], event["headers"] = "GET /", asking
			event["requestContext"].(map[string]any)["authorizer"] = json.RawMessage(authorizer)
			raw, err := json.Marshal(event)
			if err != nil {
				t.Fatal(err)
			}
			var a envtest.Answer
			if err := json.Unmarshal([]byte(api.Must(t, string(raw))), &a); err != nil || a.StatusCode != 200 || !strings.Contains(a.Body, "<!doctype html>") {
				t.Fatal(a, err)
			}
			for _, part := range []string{"secret", run, "/refresh/", "Refresh now", "<script"} {
				if strings.Contains(a.Body, part) != shown {
					t.Errorf("with authorizer %s: %s in the page is %v", authorizer, part, !shown)
				}
			}
			if strings.Contains(a.Body, "sign-in") {
				t.Error("the page asks for a token that there is none of")
			}
		}
	}
}
