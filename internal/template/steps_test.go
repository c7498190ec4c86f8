package template

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/cairn-stac/cairn/internal/deployment"
	"github.com/cairn-stac/cairn/internal/dynamostate"
	"github.com/cairn-stac/cairn/internal/dynamostate/dynamotest"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
	"github.com/cairn-stac/cairn/internal/httpapi"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/sfnflow"
	"github.com/cairn-stac/cairn/internal/sfnflow/sfntest"
)

// A cloud is what a deployed stack works on: each step has its own way to it, through the policy of its role.
type cloud struct {
	t               *testing.T
	stack           *stack
	source, catalog *memstore.Store
	gets, calls     *faultstore.Store // what the steps ask of the Source, and of the Catalog
	table           *dynamotest.Server
	sfn             *sfntest.Server
	now             time.Time
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{t: t, stack: deploy(t, "SourcePrefix=2024/"), source: memstore.New(), catalog: memstore.New(), sfn: sfntest.New(t),
		now: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)}
	_, _, c.table = dynamotest.Open(t)
	clock := func() time.Time { return c.now }
	c.source.Now, c.catalog.Now, c.sfn.Now = clock, clock, clock
	c.gets, c.calls = faultstore.New(c.source), faultstore.New(c.catalog)
	return c
}

// loud fails the test at what a step only warns of: that it may not tell its progress, say, or clean up.
type loud struct {
	slog.Handler
	t *testing.T
}

func (l loud) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	if r.Level >= slog.LevelWarn || strings.Contains(text, "tidy up") {
		l.t.Error(text)
	}
	return nil
}

func (c *cloud) log() *slog.Logger { return slog.New(loud{slog.DiscardHandler, c.t}) }

func (c *cloud) clock() time.Time { return c.now }

func (c *cloud) store(step string) objstore.Store {
	return &guarded{c.calls, c.t, c.stack.policy(step), "<CatalogBucket.Arn>", ""}
}

func (c *cloud) state(step string) *dynamostate.State {
	return dynamostate.New(dynamotest.Client(c.table.URL, guardedTable(c.t, c.stack.policy(step))), c.table.Table, c.clock)
}

func (c *cloud) desk(step string) *refresh.Desk {
	flow := sfnflow.New(c.sfn.Client(), sfntest.StateMachine)
	flow.Now = c.clock
	return &refresh.Desk{State: c.state(step), Catalog: c.store(step), Workflow: flow, TTL: 2 * time.Minute, Now: c.clock, Log: c.log()}
}

func (c *cloud) worker(step string) *refresh.Worker {
	catalog := c.store(step)
	return &refresh.Worker{
		State: c.state(step), Catalog: catalog, Source: &guarded{c.gets, c.t, c.stack.policy(step), "arn:aws:s3:::imagery", "2024/"},
		About:  item.Source{URL: "s3://imagery/2024", Name: "2024"},
		Config: refresh.ReadConfig(catalog), Parallel: 8, Now: c.clock, Log: c.log(),
	}
}

// start starts a Run.
func (c *cloud) start(r refresh.Request) string {
	c.t.Helper()
	ans, err := c.desk("start").Start(c.t.Context(), r)
	if err != nil || ans.Kind != refresh.Started {
		c.t.Fatalf("start: %+v, %v", ans, err)
	}
	return ans.Run
}

// work does what the workflow does, and returns how many Shards were scanned.
func (c *cloud) work(run string) int {
	c.t.Helper()
	ctx := c.t.Context()
	must := func(err error) {
		if err != nil {
			c.t.Helper()
			c.t.Fatal(err)
		}
	}
	if _, err := c.desk("plan").Renew(ctx, run, 0); err != nil {
		c.t.Fatal(err)
	}
	plan := c.worker("plan")
	must(deployment.Ensure(ctx, plan.Catalog, deployment.Deployment{Table: c.table.Table, Region: "eu-west-1"}))
	refs, err := plan.Plan(ctx, run)
	must(err)
	_, err = plan.PutShards(ctx, run, refs)
	must(err)
	for _, ref := range refs {
		must(c.worker("scan").Scan(ctx, run, ref))
	}
	must(c.worker("publish").Publish(ctx, run))
	for _, step := range []string{"plan", "scan", "publish"} { // what each says when it fails
		must(c.worker(step).Blame(ctx, run, &refresh.Problem{Code: "test", Message: "only said"}))
	}
	return len(refs)
}

// settle ends a Run.
func (c *cloud) settle(run string, cause *refresh.Problem) refresh.Run {
	c.t.Helper()
	c.sfn.End(run, types.ExecutionStatusSucceeded, "", "")
	r, err := c.desk("settle").Settle(c.t.Context(), run, 0, cause)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func (c *cloud) refresh() (refresh.Run, int) {
	c.t.Helper()
	run := c.start(refresh.Request{Scope: refresh.Scope{AllowMassDelete: true}})
	shards := c.work(run)
	r := c.settle(run, nil)
	if r.State != refresh.Successful || len(r.Warnings) != 0 {
		c.t.Fatalf("run %+v", r)
	}
	return r, shards
}

// cog is a small cloud-optimized GeoTIFF whose place depends on n.
func cog(t testing.TB, n int) []byte {
	t.Helper()
	r := tiffwrite.Raster{Width: 8, Height: 8, Keys: tiffwrite.Projected(32633)}
	r.NorthUp(500000+float64(n%1000), 5_500_000, 10, 10)
	body, err := r.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func (c *cloud) put(key string, n int) {
	c.t.Helper()
	if _, err := c.source.Put(c.t.Context(), key, cog(c.t, n), objstore.PutOptions{}); err != nil {
		c.t.Fatal(err)
	}
}

// get asks a function for a page.
func (c *cloud) get(step, path string) {
	c.t.Helper()
	h := httpapi.New(httpapi.Options{Desk: c.desk(step), Snapshots: httpapi.NewSnapshots(c.store(step), 0, c.log()), Log: c.log()})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		c.t.Errorf("%s %s: %d %s", step, path, w.Code, w.Body)
	}
}

// Every step, as the functions put them together, does what it does under its role's policy alone.
func TestPoliciesAllowWhatStepsDo(t *testing.T) {
	c := newCloud(t)
	for i := range 40 {
		c.put(fmt.Sprintf("a/%02d.tif", i), i)
	}
	c.put("b/1.tif", 1)
	c.refresh()
	c.now = c.now.Add(time.Hour)
	c.refresh() // nothing changed

	// Whatever is cleaned up is old by then, and a Collection goes from the static tree.
	for range 3 {
		c.now = c.now.Add(100 * time.Hour)
		c.put("a/00.tif", int(c.now.Unix()))
		if err := c.source.Delete(t.Context(), "b/1.tif"); err != nil {
			t.Fatal(err)
		}
		c.refresh()
	}
	for _, folder := range []string{"snapshots/", "parts/", "scans/", "runs/", "collections/"} {
		deleted := slices.ContainsFunc(c.calls.Calls(faultstore.Match{Op: faultstore.Delete}), func(call faultstore.Call) bool {
			return strings.HasPrefix(call.Key, folder)
		})
		if !deleted {
			t.Errorf("nothing was removed from %s, so this test shows nothing of it", folder)
		}
	}

	// Whoever finds a Lease whose workflow is over settles the Run and goes on: a caller, or the clock.
	run := c.start(refresh.Request{})
	c.sfn.End(run, types.ExecutionStatusFailed, "States.Runtime", "")
	c.now = c.now.Add(time.Hour)
	next := c.start(refresh.Request{Key: "k"})
	c.sfn.End(next, types.ExecutionStatusAborted, "", "")
	c.now = c.now.Add(time.Hour)
	if changed, err := c.desk("settle").Reap(t.Context()); !changed || err != nil {
		t.Errorf("reaped: %v, %v", changed, err)
	}

	// Events, a Run that waits, and cancelling both.
	run = c.start(refresh.Request{Events: true, Scope: refresh.Scope{Keys: []string{"a/00.tif"}}})
	ans, err := c.desk("start").Start(t.Context(), refresh.Request{Queue: true})
	if err != nil || ans.Kind != refresh.Queued {
		t.Fatalf("queue: %+v, %v", ans, err)
	}
	for _, id := range []string{ans.Run, run} {
		if err := c.desk("api").Cancel(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if r := c.settle(run, nil); r.State != refresh.Dismissed {
		t.Errorf("cancelled: %+v", r)
	}

	last, _ := c.refresh()
	for _, path := range []string{"/", "/conformance", "/collections", "/collections/a", "/collections/a/items?limit=3", "/collections/a/items/00",
		"/refresh/runs", "/refresh/runs/" + last.ID, "/refresh/runs/" + last.ID + "/rejects", "/refresh/status"} {
		c.get("api", path)
	}
	if _, err := c.desk("status").Status(t.Context()); err != nil {
		t.Error(err)
	}
}
