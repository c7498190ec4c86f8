package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/cloud/envtest"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
	"github.com/cairn-stac/cairn/internal/sfnflow/sfntest"
)

func open(t *testing.T) (*envtest.Stack, envtest.Function) {
	s := envtest.New(t)
	return s, s.Function(t, handler, cloud.Source, cloud.Catalog, cloud.Table, cloud.StateMachine)
}

// What POST /refresh costs, on the common path: it is counted because a cost that no test counts comes back.
func TestStartCosts(t *testing.T) {
	s, start := open(t)
	for i, c := range []struct {
		when string
		s3   int
	}{{"on a new table, which may belong to a catalog that is there already", 1}, {"ever after", 0}, {"ever after", 0}} {
		s.Table.Reset()
		if a := start.HTTP(t, "POST", "/refresh", ""); a.StatusCode != 202 || !strings.Contains(a.Body, `"status":"started"`) {
			t.Fatalf("%s: %+v", c.when, a)
		}
		if got := fmt.Sprint(s.Table.Counts()); got != "map[GetItem:1 PutItem:1]" {
			t.Errorf("%s: %s, want one read and one conditional write", c.when, got)
		}
		if n := s.Machine.Count(sfntest.Start); n != i+1 || s.Requests() != n {
			t.Errorf("%s: %d executions started by %d requests", c.when, n, s.Requests())
		}
		if n := s.S3.Stats(s3test.Any).Requests; n != c.s3 {
			t.Errorf("%s: %d requests to S3, want %d", c.when, n, c.s3)
		}
		endRun(t, s)
	}
}

// endRun takes the Lease away, as the end of the Run does.
func endRun(t *testing.T, s *envtest.Stack) {
	t.Helper()
	executions := s.Machine.Executions()
	settle(t, s, executions[len(executions)-1].Name)
	s.S3.Reset()
}

func TestTwoPostsAtOnceOneRun(t *testing.T) {
	s, first := open(t)
	second := s.Function(t, handler, cloud.Source, cloud.Catalog, cloud.Table, cloud.StateMachine) // another environment
	var wg sync.WaitGroup
	answers := make([]envtest.Answer, 16)
	for i := range answers {
		wg.Go(func() {
			answers[i] = []envtest.Function{first, second}[i%2].HTTP(t, "POST", "/refresh", `{"mode":"full"}`)
		})
	}
	wg.Wait()
	started, runs := 0, map[string]bool{}
	for _, a := range answers {
		var body struct {
			Status string
			RunID  string `json:"run_id"`
		}
		if err := json.Unmarshal([]byte(a.Body), &body); err != nil {
			t.Fatalf("%v in %+v", err, a)
		}
		runs[body.RunID] = true
		switch {
		case a.StatusCode == 202 && body.Status == "started":
			started++
		case a.StatusCode != 200 || body.Status != "running":
			t.Errorf("%+v", a)
		}
	}
	if started != 1 || len(runs) != 1 || len(s.Machine.Executions()) != 1 {
		t.Errorf("%d started, runs %v, %d executions", started, runs, len(s.Machine.Executions()))
	}
}

func event(bucket, key string) string {
	body, err := json.Marshal(fmt.Sprintf(`{"source":"aws.s3","detail-type":"Object Created","detail":{"bucket":{"name":%q},"object":{"key":%q}}}`, bucket, key))
	if err != nil {
		panic(err) // a string
	}
	return fmt.Sprintf(`{"Records":[{"messageId":"m","eventSource":"aws:sqs","body":%s}]}`, body)
}

func TestCatalogsOwnWritesStartNothing(t *testing.T) {
	s, start := open(t)
	for _, key := range []string{"head.json", "ortho/a.tif", "parts/ortho/1-ab.parquet", "collections/ortho/items/a.tif"} {
		if got := start.Must(t, event(envtest.CatalogBucket, key)); got != `{"batchItemFailures":[]}` {
			t.Errorf("%s: %s", key, got)
		}
	}
	if n := s.Table.Count("") + s.Requests() + s.S3.Stats(s3test.Any).Requests; n != 0 {
		t.Errorf("%d requests are made for what the catalog itself writes", n)
	}
	start.Must(t, event(envtest.SourceBucket, "ortho/a.tif"))
	if n := len(s.Machine.Executions()); n != 1 {
		t.Errorf("%d executions for an event of the source, want 1", n)
	}
}

func TestScheduleJoinsWhatWaits(t *testing.T) {
	s, start := open(t)
	start.Must(t, event(envtest.SourceBucket, "ortho/a.tif"))
	a, b := start.Must(t, event(envtest.SourceBucket, "ortho/b.tif")), start.Must(t, `{"cairn":"schedule"}`)
	c := start.Must(t, `{"cairn":"schedule"}`)
	if a != `{"batchItemFailures":[]}` || !strings.Contains(b, `"queued"`) || b != c || len(s.Machine.Executions()) != 1 {
		t.Errorf("%s, %s, %s, %d executions", a, b, c, len(s.Machine.Executions()))
	}
}

func TestStartAnswersNothingElse(t *testing.T) {
	s, start := open(t)
	for _, path := range []string{"/", "/collections", "/refresh/status", "/refresh"} {
		if a := start.HTTP(t, "GET", path, ""); a.StatusCode != 404 && a.StatusCode != 405 {
			t.Errorf("GET %s: %d", path, a.StatusCode)
		}
	}
	for _, body := range []string{`{"prefixes":["/etc"]}`, `{"bucket":"other"}`, `[`, `{"keys":[""]}`} {
		if a := start.HTTP(t, "POST", "/refresh", body); a.StatusCode != 400 || !strings.Contains(a.Headers["Content-Type"], "problem") {
			t.Errorf("%s: %+v", body, a)
		}
	}
	if n := s.Table.Count("") + s.Requests(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// An ambiguous error of StartExecution keeps the Lease: the client is told that the Run has started, and the next POST repeats it.
func TestStartExecutionThatIsUnsure(t *testing.T) {
	s, start := open(t)
	s.Machine.Fault(sfntest.Start, sfntest.Fault{Applied: true, Nth: 1})
	a := start.HTTP(t, "POST", "/refresh", "")
	b := start.HTTP(t, "POST", "/refresh", "")
	if a.StatusCode != 202 || b.StatusCode != 200 || len(s.Machine.Executions()) != 1 {
		t.Errorf("%+v, %+v, %d executions", a, b, len(s.Machine.Executions()))
	}
	bodies := s.Machine.Bodies()
	for _, body := range bodies[1:] {
		if body != bodies[0] {
			t.Errorf("%s is not %s", body, bodies[0])
		}
	}
}
