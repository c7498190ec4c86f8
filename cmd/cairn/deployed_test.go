package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/deployment"
	"github.com/cairn-stac/cairn/internal/dynamostate"
	"github.com/cairn-stac/cairn/internal/dynamostate/dynamotest"
	"github.com/cairn-stac/cairn/internal/httpapi"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/sfnflow"
	"github.com/cairn-stac/cairn/internal/sfnflow/sfntest"
)

// A cloud is a Catalog that is deployed on AWS: buckets, table and workflow, of which a test makes the steps.
type cloud struct {
	*buckets
	t          *testing.T
	table      *dynamotest.Server
	executions *sfntest.Server
	store      objstore.Store // of the Catalog
	desk       *refresh.Desk
	worker     *refresh.Worker
	now        func() time.Time
}

// newCloud makes one with the rasters of a place in its Source. It is not deployed before Deploy.
func newCloud(t *testing.T) *cloud {
	c := &cloud{buckets: newBuckets(t), t: t, executions: sfntest.New(t), now: time.Now}
	client, _, table := dynamotest.Open(t)
	c.table = table
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", table.URL)
	c.upload(t, newPlace(t).source)
	log := slog.New(slog.DiscardHandler)
	s, err := prepare(t.Context(), setupOptions{source: bucketSource, catalog: bucketCatalog, bucket: bucketOptions{parallel: 8}}, log)
	if err != nil {
		t.Fatal(err)
	}
	if c.store, err = openCatalog(s.places.catalog, s.into); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return c.now() }
	state := dynamostate.New(client, table.Table, now)
	flow := sfnflow.New(c.executions.Client(), sfntest.StateMachine)
	flow.Now = now
	c.desk = &refresh.Desk{State: state, Catalog: c.store, Workflow: flow, TTL: time.Minute, Now: now, Log: log}
	c.worker = s.worker(c.store, log)
	c.worker.State = state
	return c
}

// deploy writes cairn.json, as the function plan does.
func (c *cloud) deploy() *cloud {
	c.t.Helper()
	d := deployment.Deployment{Table: c.table.Table, Region: "us-east-1", Catalog: bucketCatalog}
	if err := deployment.Ensure(c.t.Context(), c.store, d); err != nil {
		c.t.Fatal(err)
	}
	return c
}

// undeploy deletes it.
func (c *cloud) undeploy() {
	c.t.Helper()
	if err := c.store.Delete(c.t.Context(), deployment.Key); err != nil {
		c.t.Fatal(err)
	}
}

// start starts a Run in the cloud, up to where its workflow begins.
func (c *cloud) start() string {
	c.t.Helper()
	ans, err := c.desk.Start(c.t.Context(), refresh.Request{})
	if err == nil && ans.Kind == refresh.Started {
		_, err = c.desk.Renew(c.t.Context(), ans.Run, 0)
	}
	if err != nil || ans.Kind != refresh.Started {
		c.t.Fatalf("start in the cloud: %+v, %v", ans, err)
	}
	return ans.Run
}

// finish makes the steps of the workflow.
func (c *cloud) finish(run string) refresh.Run {
	c.t.Helper()
	ctx := c.t.Context()
	refs, err := c.worker.Plan(ctx, run)
	for _, ref := range refs {
		err = errors.Join(err, c.worker.Scan(ctx, run, ref))
	}
	if err == nil {
		err = c.worker.Publish(ctx, run)
	}
	r, err := c.desk.Settle(ctx, run, 0, refresh.ProblemOf(err))
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// stateObjects are the objects of the Catalog in which a state off AWS is.
func (c *cloud) stateObjects() (keys []string) {
	c.t.Helper()
	for o, err := range c.store.List(c.t.Context(), objstore.Prefixed("state/")) {
		if err != nil {
			c.t.Fatal(err)
		}
		if o.Key != "state/tree.json" {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

// A refresh on a laptop keeps the state of a deployed Catalog in its table, and none in objects; the cloud sees it, and so do others.
func TestRefreshOfADeployedCatalog(t *testing.T) {
	c := newCloud(t).deploy()
	first := refreshed(t, bucketSource, "--catalog", bucketCatalog)
	if first.Added != 5 {
		t.Errorf("%+v; want 5 added", first)
	}
	c.table.Reset()
	second := refreshed(t, bucketSource, "--catalog", bucketCatalog)
	if second.Scanned != 0 || second.Snapshot != first.Snapshot {
		t.Errorf("the second refresh: %+v; want nothing scanned", second)
	}
	t.Logf("requests to the table of an unchanged refresh: %v", c.table.Counts())
	if n := c.table.Count(""); n == 0 || n > 30 {
		t.Errorf("%d requests to the table; want some, and at most 30", n)
	}
	if keys := c.stateObjects(); len(keys) > 0 {
		t.Errorf("state in objects: %q", keys)
	}
	for _, run := range []string{first.RunID, second.RunID} {
		if r, err := c.desk.Run(t.Context(), run); err != nil || r.State != refresh.Successful || r.Counts.Items != 5 {
			t.Errorf("the cloud knows of run %s: %+v, %v", run, r, err)
		}
	}
	if s, err := c.desk.Status(t.Context()); err != nil || s.IsRunning || *s.RunID != second.RunID || *s.ItemsCount != 5 {
		t.Errorf("the cloud says %+v, %v", s, err)
	}
	if r := c.finish(c.start()); r.State != refresh.Successful || r.Counts.Scanned != 0 || r.Snapshot != first.Snapshot {
		t.Errorf("a refresh in the cloud afterwards: %+v; want nothing scanned", r)
	}
	if out := must(t, "status", "--catalog", bucketCatalog); strings.Count(out, "successful") != 3 {
		t.Errorf("status says\n%s\nwant three runs", out)
	}
}

// While the cloud refreshes a Catalog a laptop is told so, and which Run it is.
func TestCloudRefreshesWhileALaptopAsks(t *testing.T) {
	c := newCloud(t).deploy()
	run := c.start()
	code, stdout, stderr := cairn(t, "refresh", bucketSource, "--catalog", bucketCatalog)
	if code != exitBusy || stdout != "" || !contains(stderr, "its deployment on AWS has been refreshing this catalog since ", "(run "+run+")", "cairn status --catalog "+bucketCatalog) {
		t.Errorf("exit code %d, stdout %q, stderr %q; want %d and the run", code, stdout, stderr, exitBusy)
	}
	if keys := c.stateObjects(); len(keys) > 0 {
		t.Errorf("state in objects: %q", keys)
	}
	if r := c.finish(run); r.State != refresh.Successful || r.Counts.Items != 5 {
		t.Errorf("the run in the cloud: %+v", r)
	}
	if got := refreshed(t, bucketSource, "--catalog", bucketCatalog); got.Scanned != 0 || got.Items != 5 {
		t.Errorf("a refresh afterwards: %+v; want nothing scanned", got)
	}
}

// While a laptop refreshes it the cloud answers that a refresh is in progress; what it asked to wait begins when that has ended.
func TestLaptopRefreshesWhileTheCloudAsks(t *testing.T) {
	c := newCloud(t).deploy()
	other := startHeld(t, beforePublishing, "refresh", bucketSource, "--catalog", bucketCatalog, "--json")
	api := httpapi.New(httpapi.Options{Desk: c.desk})
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("POST", "/refresh", nil))
	var answer struct {
		Status, Message string
		RunID           string `json:"run_id"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK || answer.Message != "Catalog refresh already in progress" {
		t.Errorf("POST /refresh: %d %s", w.Code, w.Body)
	}
	ans, err := c.desk.Start(t.Context(), refresh.Request{Scope: refresh.Scope{Prefixes: []string{"dem/"}}, Queue: true})
	if err != nil || ans.Kind != refresh.Queued {
		t.Errorf("a request that waits: %+v, %v", ans, err)
	}
	if out := must(t, "status", "--catalog", bucketCatalog); !contains(out, "(run "+answer.RunID+")", "waiting:   1 prefix, ", ans.Run) {
		t.Errorf("status says\n%s\nwant run %s, and %s to wait", out, answer.RunID, ans.Run)
	}
	if _, err := c.desk.Reap(t.Context()); err != nil { // the cloud leaves it alone
		t.Error(err)
	}
	other.stdin.Close()
	if code := other.wait(); code != 0 {
		t.Fatalf("exit code %d: %s", code, other.stderr.String())
	}
	if got := parseSummary(t, other.stdout.String()); got.RunID != answer.RunID || got.Items != 5 {
		t.Errorf("the laptop's run: %+v; want run %s", got, answer.RunID)
	}
	if r, err := c.desk.Run(t.Context(), ans.Run); err != nil || r.State != refresh.Successful {
		t.Errorf("what waited: %+v, %v; want the laptop to have done it too", r, err)
	}
}

// A laptop that went away in the middle is seen by the cloud's reaper when its Lease has run out, and what it had scanned is taken over.
func TestLaptopThatWentAway(t *testing.T) {
	c := newCloud(t).deploy()
	other := startHeld(t, beforePublishing, "refresh", bucketSource, "--catalog", bucketCatalog)
	if err := other.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	other.wait()
	if ans, err := c.desk.Start(t.Context(), refresh.Request{}); err != nil || ans.Kind != refresh.Busy {
		t.Errorf("at once: %+v, %v; want it busy, as the cloud cannot know", ans, err)
	}
	later := time.Now().Add(time.Hour)
	c.now = func() time.Time { return later }
	if changed, err := c.desk.Reap(t.Context()); err != nil || !changed {
		t.Errorf("Reap = %v, %v; want it released", changed, err)
	}
	c.now = time.Now
	if r := c.finish(c.start()); r.State != refresh.Successful || r.Counts.Added != 5 || r.Counts.Scanned != 0 {
		t.Errorf("the next run: %+v; want 5 added and none scanned again", r)
	}
}

// A dry run, the rejects and what is in a file need no table.
func TestWhatNeedsNoTable(t *testing.T) {
	c := newCloud(t).deploy()
	refreshed(t, bucketSource, "--catalog", bucketCatalog)
	c.table.Reset()
	if got := previewed(t, bucketSource, "--catalog", bucketCatalog); got.Unchanged == 0 {
		t.Errorf("a dry run says %+v", got)
	}
	if out := must(t, "status", "--rejects", "--catalog", bucketCatalog); !strings.HasPrefix(out, "dem/broken.tif: not_tiff: ") {
		t.Errorf("rejects: %s", out)
	}
	must(t, "inspect", bucketSource+"/ortho/a0_20240102.tif")
	if n := c.table.Count(""); n != 0 {
		t.Errorf("%d requests to the table", n)
	}
}

// What status says of a deployed Catalog, in the middle of a Run in the cloud, with another one that waits and one that has ended.
func TestStatusOfADeployedCatalog(t *testing.T) {
	c := newCloud(t)
	if err := deployment.Ensure(t.Context(), c.store, deployment.Deployment{Table: c.table.Table, Region: "us-east-1"}); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	c.now = func() time.Time { return at }
	id := func(n int) string { return fmt.Sprintf("01KEXAMPE%017d", n) }
	ended := at.Add(90 * time.Second)
	last := refresh.Run{ID: id(1), State: refresh.Failed, Fence: 1, Accepted: at, Started: &at, Ended: &ended,
		Error: &refresh.Problem{Code: "source_unavailable", Message: "the source cannot be listed"}}
	if _, err := c.desk.State.PutRun(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	err := c.desk.State.Swap(t.Context(), "", refresh.Control{
		Fence: 2, Last: &last, Published: refresh.Published{Snapshot: 1, Items: 4, Collections: 3},
		Lease: &refresh.Lease{Run: id(2), Fence: 2, Accepted: ended, Granted: ended, Expires: time.Now().Add(time.Hour), Launched: true},
		Waiting: []refresh.Waiting{{Run: id(3), Accepted: ended.Add(time.Second), Events: true,
			Scope: refresh.Scope{Keys: []string{"a.tif", "b.tif"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		c.desk.State.Begin(t.Context(), id(2), refresh.Scanning, refresh.Totals{Objects: 2000, Settled: 500, Unchanged: 400, Items: 300, Rejects: 1}),
		c.desk.State.Shard(t.Context(), id(2), "one", refresh.Tally{Done: 300, Items: 290, Rejects: 2, Final: true}))
	if err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{"deployed.txt": nil, "deployed.json": {"--json"}} {
		got := must(t, append([]string{"status", "--catalog", bucketCatalog}, args...)...)
		for _, when := range []time.Time{at, ended, ended.Add(time.Second)} { // whatever the time zone here
			got = strings.ReplaceAll(got, local(when), when.Format(time.DateTime))
		}
		if name == "deployed.txt" { // as wide as how long the running one has taken
			head, runs, _ := strings.Cut(got, "last runs:\n")
			got = head + "last runs:\n"
			for line := range strings.Lines(runs) {
				words := strings.Fields(line)
				if words[2] == "running" {
					words = slices.Delete(words, 3, 4)
				}
				got += strings.Join(words, " ") + "\n"
			}
		}
		golden := filepath.Join("testdata", "status", name)
		if *update {
			if err := errors.Join(os.MkdirAll(filepath.Dir(golden), 0o755), os.WriteFile(golden, []byte(got), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
			t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
	}
}

// A server with the Source takes the same lock; one without it tells of the cloud's Runs.
func TestServeADeployedCatalog(t *testing.T) {
	c := newCloud(t).deploy()
	s := startServer(t, "serve", bucketSource, "--catalog", bucketCatalog, "--addr", "127.0.0.1:0")
	var first struct {
		LastRefresh *time.Time `json:"last_refresh"`
		IsRunning   bool       `json:"is_running"`
		RunID       string     `json:"run_id"`
	}
	for first.LastRefresh == nil || first.IsRunning {
		s.call("GET", "/refresh/status", &first)
	}
	run := c.start()
	var answer struct {
		Status string
		RunID  string `json:"run_id"`
	}
	if s.call("POST", "/refresh", &answer); answer.Status != "running" || answer.RunID != run {
		t.Errorf("POST /refresh while the cloud refreshes: %+v; want run %s", answer, run)
	}
	if code := s.end(); code != 0 {
		t.Errorf("exit code %d: %s", code, s.stderr)
	}
	s = startServer(t, "serve", "--catalog", bucketCatalog, "--addr", "127.0.0.1:0")
	if s.call("GET", "/refresh/status", &first); !first.IsRunning || first.RunID != run {
		t.Errorf("a server that only reads says %+v; want run %s", first, run)
	}
	s.end()
	if keys := c.stateObjects(); len(keys) > 0 {
		t.Errorf("state in objects: %q", keys)
	}
	c.finish(run)
}

// Where the table cannot be used nothing takes the objects in its place: commands say what to do, and a server that only reads
// serves the catalog without its history.
func TestTableOutOfReach(t *testing.T) {
	for name, c := range map[string]struct {
		table string
		want  string
	}{
		"gone":        {"another", "delete cairn.json"},
		"unreachable": {"", "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			cl := newCloud(t).deploy()
			refreshed(t, bucketSource, "--catalog", bucketCatalog)
			if c.table != "" {
				if err := deployment.Ensure(t.Context(), cl.store, deployment.Deployment{Table: c.table, Region: "us-east-1"}); err != nil {
					t.Fatal(err)
				}
			} else {
				t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
				t.Setenv("AWS_MAX_ATTEMPTS", "1")
			}
			before := cl.Stats(s3test.Put | s3test.Delete).Requests
			for _, args := range [][]string{
				{"refresh", bucketSource, "--catalog", bucketCatalog}, {"serve", bucketSource, "--catalog", bucketCatalog, "--addr", "127.0.0.1:0"},
				{"status", "--catalog", bucketCatalog}, {"status", "--json", "--catalog", bucketCatalog},
			} {
				code, stdout, stderr := cairn(t, args...)
				if code != exitFailed || stdout != "" || !strings.Contains(stderr, c.want) || !strings.Contains(stderr, "holds the state of this catalog") {
					t.Errorf("%s: exit code %d, stdout %q, stderr %q; want %d and %q", args[0], code, stdout, stderr, exitFailed, c.want)
				}
			}
			s := startServer(t, "serve", "--catalog", bucketCatalog, "--addr", "127.0.0.1:0")
			if resp := s.call("GET", "/collections", nil); resp.StatusCode != http.StatusOK {
				t.Errorf("GET /collections: %d", resp.StatusCode)
			}
			if resp := s.call("GET", "/refresh/status", nil); resp.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("GET /refresh/status: %d; want 503", resp.StatusCode)
			}
			s.end()
			if !strings.Contains(s.stderr.String(), c.want) {
				t.Errorf("its log says %s; want %q", s.stderr, c.want)
			}
			if n := cl.Stats(s3test.Put|s3test.Delete).Requests - before; n != 0 {
				t.Errorf("%d writes to the catalog", n)
			}
		})
	}
}

// A cairn.json that makes no sense stops whoever would need it, and names itself.
func TestDeploymentThatMakesNoSense(t *testing.T) {
	c := newCloud(t)
	for text, want := range map[string]string{
		`{"format":9}`: "format 9", `<html>`: "cairn.json", `{"format":1,"table":"t t","region":"x"}`: "table",
	} {
		c.catalog.Set(s3test.Object{Key: "all/cairn.json", Body: []byte(text)})
		for _, args := range [][]string{{"refresh", bucketSource, "--catalog", bucketCatalog}, {"status", "--catalog", bucketCatalog},
			{"serve", "--catalog", bucketCatalog, "--addr", "127.0.0.1:0"}} {
			code, stdout, stderr := cairn(t, args...)
			if code != exitFailed || stdout != "" || !contains(stderr, want, bucketCatalog) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%s, %s: exit code %d, stdout %q, stderr %q", text, args[0], code, stdout, stderr)
			}
		}
	}
	if keys := c.stateObjects(); len(keys) > 0 {
		t.Errorf("state in objects: %q", keys)
	}
}

// A copy of a deployed Catalog has no part in its table: it is not refreshed before that is decided, and may be read.
func TestCopyOfADeployedCatalog(t *testing.T) {
	c := newCloud(t).deploy()
	refreshed(t, bucketSource, "--catalog", bucketCatalog)
	dir := t.TempDir()
	for o, err := range c.store.List(t.Context(), objstore.Range{}) {
		if err != nil {
			t.Fatal(err)
		}
		body, _, err := c.store.Get(t.Context(), o.Key, 0, -1, "")
		if err != nil {
			t.Fatal(err)
		}
		put(t, dir, o.Key, body)
	}
	c.table.Reset()
	code, stdout, stderr := cairn(t, "refresh", bucketSource, "--catalog", dir)
	if code != exitFailed || stdout != "" || !contains(stderr, "a copy of "+bucketCatalog, "delete "+filepath.Join(dir, "cairn.json")) {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if out := must(t, "status", "--catalog", dir); !strings.Contains(out, "5 items") || strings.Contains(out, "deployed") {
		t.Errorf("status says\n%s", out)
	}
	if n := c.table.Count(""); n != 0 {
		t.Errorf("%d requests to the table of another catalog", n)
	}
	if err := os.Remove(filepath.Join(dir, "cairn.json")); err != nil {
		t.Fatal(err)
	}
	if got := refreshed(t, bucketSource, "--catalog", dir); got.Scanned != 0 || got.Items != 5 {
		t.Errorf("the copy by itself: %+v; want nothing scanned", got)
	}
}

// A Catalog is moved to AWS and back, more than once: each refresh is the next one of the same Catalog, wherever its state is.
func TestMoveToAWSAndBack(t *testing.T) {
	c := newCloud(t)
	published := uint64(0)
	next := func(what string, got refresh.Run) {
		t.Helper()
		if got.State != refresh.Successful || got.Snapshot <= published || got.Counts.Scanned != 1 {
			t.Errorf("%s: %+v; want a snapshot above %d with one file scanned", what, got, published)
		}
		published = got.Snapshot
	}
	n := 10
	laptop := func(what string) {
		t.Helper()
		n++
		c.put(fmt.Sprintf("ortho/m%d_20240102.tif", n), raster(t, n))
		got := refreshed(t, bucketSource, "--catalog", bucketCatalog)
		next(what, refresh.Run{State: got.State, Snapshot: got.Snapshot, Counts: got.Counts})
	}
	inCloud := func(what string) {
		t.Helper()
		n++
		c.put(fmt.Sprintf("ortho/m%d_20240102.tif", n), raster(t, n))
		next(what, c.finish(c.start()))
	}
	published = refreshed(t, bucketSource, "--catalog", bucketCatalog).Snapshot
	laptop("by objects")
	c.deploy()
	if out := must(t, "status", "--catalog", bucketCatalog); !contains(out, "deployed:  on AWS", "6 items in 2 collections", "not running") || strings.Contains(out, "last runs") {
		t.Errorf("before the table holds anything status says\n%s", out)
	}
	inCloud("the first one in the cloud")
	laptop("a laptop by the table")
	inCloud("in the cloud")
	c.undeploy()
	laptop("by objects again")
	laptop("by objects, once more")
	c.deploy()
	laptop("a laptop by the table it had left")
	inCloud("in the cloud again")
}

// A server notices that its Catalog has been deployed since it began, before it refreshes it by the old state.
func TestServerWhoseCatalogIsDeployed(t *testing.T) {
	c := newCloud(t)
	s := startServer(t, "serve", bucketSource, "--catalog", bucketCatalog, "--addr", "127.0.0.1:0")
	var status struct {
		LastRefresh *time.Time `json:"last_refresh"`
		IsRunning   bool       `json:"is_running"`
	}
	for status.LastRefresh == nil || status.IsRunning {
		s.call("GET", "/refresh/status", &status)
	}
	head := func() []byte {
		body, _, err := c.store.Get(context.Background(), "head.json", 0, -1, "")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return body
	}
	before := head()
	c.deploy()
	if resp := s.call("POST", "/refresh", nil); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("POST /refresh: %d; want 503", resp.StatusCode)
	}
	s.end()
	if !contains(s.stderr.String(), "has been deployed on AWS since", "start it again") {
		t.Errorf("its log says %s", s.stderr)
	}
	if after := head(); string(after) != string(before) {
		t.Errorf("head.json became %s", after)
	}
	if r := c.finish(c.start()); r.State != refresh.Successful {
		t.Errorf("the cloud's run: %+v", r)
	}
}
