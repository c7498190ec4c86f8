// Package functions_test drives the functions with the real workflow, under a virtual clock, through what AWS does to them: events
// that come twice, late or never, answers that are lost, functions that are throttled, cut off, or go on when nobody waits for
// them any more.
package functions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/cairn-stac/cairn/internal/asltest"
	"github.com/cairn-stac/cairn/internal/deployment"
	"github.com/cairn-stac/cairn/internal/dynamostate"
	"github.com/cairn-stac/cairn/internal/dynamostate/dynamotest"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
	"github.com/cairn-stac/cairn/internal/httpapi"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/lambdafn"
	"github.com/cairn-stac/cairn/internal/objstate"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/sfnflow"
	"github.com/cairn-stac/cairn/internal/sfnflow/sfntest"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

const (
	catalogBucket = "catalog-bucket"
	sourceBucket  = "source-bucket"
	leaseTTL      = 2 * time.Minute
)

var quiet = slog.New(slog.DiscardHandler)

// A world is a stack on AWS: buckets, table, state machine, functions, and what brings events to them.
type world struct {
	t     testing.TB
	clock *asltest.Clock
	draw  *rand.Rand

	source, catalog *memstore.Store
	src, cat        *faultstore.Store // as the functions see them
	state           *tappedState
	queue           queue
	table           *dynamotest.Server // nil where the state is in memory
	sfn             *sfntest.Server
	engine          *asltest.Engine
	lambda          *asltest.Lambda
	desk            *refresh.Desk
	worker          *refresh.Worker

	// held is called before, and for the control record also after, each write of Head and each access to the control record, by the
	// process that does it, which it may make wait.
	held func(what string)
	// lies says what becomes of a write of the Catalog or of the control record.
	lies func(what string) lie
	// reading is called before each read of an Object of the Source.
	reading func(key string)
	// statusEvent says after which delays the event of an ended execution comes; none: it is lost.
	statusEvent func(*asltest.Execution) []time.Duration

	heads   []snapshot.Head        // each one that was written
	ended   map[string]refresh.Run // Runs whose end is recorded
	percent map[string]int         // of a Run, the last that was seen
	items   map[string]int         // of a Run, the most that its progress told of
}

// stack are the choices that a test makes of a world.
type stack struct {
	seed    uint64
	shuffle bool // what is due at once comes in any order
	table   bool // the state is in DynamoDB, else in memory, which is faster
}

func newWorld(t testing.TB, s stack) *world {
	w := &world{
		t: t, draw: rand.New(rand.NewPCG(s.seed, 7)), source: memstore.New(), catalog: memstore.New(),
		sfn: sfntest.New(t), ended: map[string]refresh.Run{}, percent: map[string]int{}, items: map[string]int{},
		held: func(string) {}, lies: func(string) lie { return lie{} }, reading: func(string) {},
		statusEvent: func(*asltest.Execution) []time.Duration { return []time.Duration{time.Second} },
	}
	start := time.Date(2050, 5, 6, 7, 8, 9, 0, time.UTC) // after any deadline of the real clock
	w.clock = asltest.NewClock(start, nil)
	if s.shuffle {
		w.clock = asltest.NewClock(start, rand.New(rand.NewPCG(s.seed, 8)))
	}
	w.source.Now, w.catalog.Now, w.sfn.Now = w.clock.Now, w.clock.Now, w.clock.Now
	w.src = faultstore.New(&tappedSource{w.source, w})
	w.cat = faultstore.New(&tappedCatalog{w.catalog, w})
	var state refresh.State = objstate.New(memstore.New(), w.clock.Now)
	if s.table {
		client, table, server := dynamotest.Open(t)
		w.table, state = server, dynamostate.New(client, table, w.clock.Now)
	}
	w.state = &tappedState{state, w}
	flow := sfnflow.New(w.sfn.Client(), sfntest.StateMachine)
	flow.Now = w.clock.Now
	w.desk = &refresh.Desk{State: w.state, Catalog: w.cat, Workflow: flow, TTL: leaseTTL, Now: w.clock.Now, Log: quiet}
	w.worker = &refresh.Worker{State: w.state, Catalog: w.cat, Source: w.src, About: about, Config: refresh.ReadConfig(w.cat),
		Parallel: 1, Margin: lambdafn.ScanMargin, Now: w.clock.Now, Log: quiet}
	w.lambda = &asltest.Lambda{Clock: w.clock}
	w.register()
	w.engine = &asltest.Engine{Machine: machine(t), Clock: w.clock, Invoke: w.lambda.Invoke, Jitter: w.draw, Read: w.read, Ended: w.executionEnded}
	w.sfn.OnStart = func(e sfntest.Execution) {
		if _, err := w.engine.Start(e.Name, []byte(e.Input)); err != nil {
			t.Errorf("start execution %s: %v", e.Name, err)
		}
	}
	w.sfn.OnStop = func(e sfntest.Execution) {
		if err := w.engine.Stop(e.Name, &asltest.Error{Name: e.Error, Cause: e.Cause}); err != nil {
			t.Errorf("stop execution %s: %v", e.Name, err)
		}
	}
	return w
}

var about = item.Source{URL: "s3://" + sourceBucket, Name: sourceBucket}

// register adds the functions as their mains make them, with the time that the template gives them.
func (w *world) register() {
	deployed := func(ctx context.Context) error {
		return deployment.Ensure(ctx, w.cat, deployment.Deployment{Table: "cairn", Region: "xx-test-1", Catalog: "s3://" + catalogBucket})
	}
	gateway := func(only string) *lambdafn.Gateway {
		return &lambdafn.Gateway{Log: quiet, Handler: func(base string) http.Handler {
			h := httpapi.New(httpapi.Options{Desk: w.desk, Snapshots: httpapi.NewSnapshots(w.cat, 0, nil), MaxAnswer: lambdafn.MaxAnswer, BasePath: base})
			if only != "" {
				return lambdafn.Only(only, h)
			}
			return h
		}}
	}
	start := &lambdafn.Start{HTTP: gateway("POST /refresh"), Desk: w.desk, Bucket: sourceBucket, About: about, Config: refresh.ReadConfig(w.cat), Log: quiet}
	w.lambda.Register("StartFunction", 29*time.Second, start.Handle)
	w.lambda.Register("StatusFunction", 29*time.Second, gateway("GET /refresh/status").Handle)
	w.lambda.Register("ApiFunction", 29*time.Second, gateway("").Handle)
	w.lambda.Register("PlanFunction", 15*time.Minute, (&lambdafn.Plan{Desk: w.desk, Worker: w.worker, Deployed: deployed,
		Bucket: catalogBucket, Concurrency: 2, Log: quiet}).Handle)
	w.lambda.Register("ScanFunction", 15*time.Minute, (&lambdafn.Scan{Worker: w.worker, Log: quiet}).Handle)
	w.lambda.Register("PublishFunction", 15*time.Minute, (&lambdafn.Publish{Worker: w.worker, Log: quiet}).Handle)
	w.lambda.Register("SettleFunction", time.Minute, (&lambdafn.Settle{Desk: w.desk, Log: quiet}).Handle)
}

// machine is the workflow that is deployed, with names for its functions' ARNs.
func machine(t testing.TB) *asltest.Machine {
	t.Helper()
	m, err := asltest.Parse(definition(t), map[string]string{"Partition": "aws", "PlanFunction": "PlanFunction", "ScanFunction": "ScanFunction",
		"PublishFunction": "PublishFunction", "SettleFunction": "SettleFunction"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func definition(t testing.TB) []byte { return []byte(readFile(t, "../workflow.asl.json")) }

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// read is what the Map's item reader reads with.
func (w *world) read(bucket, key string) ([]byte, error) {
	if bucket != catalogBucket {
		return nil, fmt.Errorf("no bucket %q", bucket)
	}
	body, _, err := w.cat.Get(context.Background(), key, 0, -1, "")
	return body, err
}

// executionEnded tells Step Functions, and EventBridge brings the news as often and as late as the world has it.
func (w *world) executionEnded(x *asltest.Execution) {
	name, cause := "", ""
	if x.Error != nil {
		name, cause = x.Error.Name, x.Error.Cause
	}
	w.sfn.End(x.Name, types.ExecutionStatus(x.Status), name, cause)
	for _, d := range w.statusEvent(x) {
		w.clock.After(d, func() { w.deliver("SettleFunction", statusChange(x)) })
	}
}

// statusChange is the event of an execution's end, as EventBridge has it: its input may be left out.
func statusChange(x *asltest.Execution) []byte {
	detail := map[string]any{
		"executionArn": sfntest.ExecutionARN(x.Name), "stateMachineArn": sfntest.StateMachine, "name": x.Name, "status": x.Status,
		"startDate": x.Started.UnixMilli(), "stopDate": x.Stopped.UnixMilli(), "input": nil,
		"inputDetails": map[string]any{"included": false}, "output": nil, "outputDetails": nil,
	}
	if x.Error != nil {
		detail["error"], detail["cause"] = x.Error.Name, x.Error.Cause
	}
	return encode(map[string]any{
		"version": "0", "id": "315c1398-40ff-a850-213b-158f73e60175", "detail-type": "Step Functions Execution Status Change",
		"source": "aws.states", "account": "000000000000", "time": x.Stopped.Format(time.RFC3339), "region": "xx-test-1",
		"resources": []string{sfntest.ExecutionARN(x.Name)}, "detail": detail,
	})
}

// deliver calls a function with an event as Lambda's asynchronous invocation does: an error is tried twice more.
func (w *world) deliver(function string, event []byte) {
	for _, pause := range []time.Duration{time.Minute, 2 * time.Minute, 0} {
		if _, err := w.lambda.Invoke(function, event); err == nil {
			return
		}
		w.clock.Sleep(pause)
	}
}

// reap is what the clock does every few minutes.
func (w *world) reap() {
	w.clock.Do(func() { w.deliver("SettleFunction", []byte(`{"cairn":"reap"}`)) })
}

// reapEvery starts the schedule of the reaper.
func (w *world) reapEvery(d time.Duration) {
	w.clock.After(d, func() {
		w.deliver("SettleFunction", []byte(`{"cairn":"reap"}`))
		w.reapEvery(d)
	})
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it is made of what JSON has
	}
	return b
}

// A lie is what becomes of a write: it is not done, or its answer is lost.
type lie struct{ before, after bool }

// A tappedCatalog shows the world each write of Head.
type tappedCatalog struct {
	objstore.Store
	world *world
}

func (c *tappedCatalog) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	if key == snapshot.HeadKey {
		c.world.hold("write head")
	}
	lie := c.world.lies("write " + key)
	if lie.before {
		return "", errLost
	}
	etag, err := c.Store.Put(ctx, key, body, opt)
	if err == nil && key == snapshot.HeadKey {
		c.world.headWritten()
	}
	if lie.after {
		return "", errLost
	}
	return etag, err
}

// A tappedSource shows the world each read of an Object.
type tappedSource struct {
	objstore.Store
	world *world
}

func (s *tappedSource) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	s.world.reading(key)
	return s.Store.Get(ctx, key, off, n, ifMatch)
}

// headWritten holds each new Head to what is always true: what is published only grows, and no Run publishes that has ended.
func (w *world) headWritten() {
	h := w.head()
	if len(w.heads) > 0 {
		last := w.heads[len(w.heads)-1]
		if h.Snapshot < last.Snapshot || h.Claim < last.Claim {
			w.t.Errorf("head went back from %+v to %+v", last, h)
		}
		if r, over := w.ended[h.Run]; over && h.Snapshot != last.Snapshot {
			w.t.Errorf("run %s published after its end as %s", h.Run, r.State)
		}
	}
	w.heads = append(w.heads, h)
}

// hold calls held in a process; what a test itself looks at is not held.
func (w *world) hold(what string) {
	if w.clock.Busy() {
		w.held(what)
	}
}

// A tappedState shows the world each access to the control record, the ends of Runs, and their progress.
type tappedState struct {
	refresh.State
	world *world
}

func (s *tappedState) Load(ctx context.Context) (refresh.Control, refresh.Token, error) {
	s.world.hold("load control record")
	return s.State.Load(ctx)
}

func (s *tappedState) Swap(ctx context.Context, loaded refresh.Token, next refresh.Control) error {
	s.world.hold("write control record")
	lie := s.world.lies("write control record")
	if lie.before {
		return errLost
	}
	err := s.State.Swap(ctx, loaded, next)
	s.world.hold("control record written")
	if lie.after {
		return errLost
	}
	return err
}

func (s *tappedState) PutRun(ctx context.Context, r refresh.Run) (refresh.Run, error) {
	s.world.hold("record run")
	kept, err := s.State.PutRun(ctx, r)
	if err == nil {
		if before, ok := s.world.ended[r.ID]; ok && before.State != kept.State {
			s.world.t.Errorf("run %s ended as %s, and then as %s", r.ID, before.State, kept.State)
		}
		s.world.ended[r.ID] = kept
	}
	return kept, err
}

func (s *tappedState) Begin(ctx context.Context, run string, phase refresh.Phase, p refresh.Totals) error {
	err := s.State.Begin(ctx, run, phase, p)
	s.world.watchProgress(run)
	return err
}

func (s *tappedState) Shard(ctx context.Context, run, shard string, t refresh.Tally) error {
	err := s.State.Shard(ctx, run, shard, t)
	s.world.watchProgress(run)
	return err
}

// watchProgress holds a Run's progress to what people may see: it goes forward, up to all that there is to do.
func (w *world) watchProgress(run string) {
	p, err := w.state.Progress(context.Background(), run)
	if err != nil {
		return // it is for people's eyes
	}
	v := p.View(w.clock.Now())
	if v.Percent < w.percent[run] || v.Percent > 100 || v.ObjectsDone > v.ObjectsTotal {
		w.t.Errorf("progress of run %s went from %d %% to %+v", run, w.percent[run], *v)
	}
	w.percent[run], w.items[run] = v.Percent, max(w.items[run], v.Items+v.Rejects)
}

// raster is a small GeoTIFF in UTM zone 33 whose place depends on n.
func raster(n int) []byte {
	r := tiffwrite.Raster{Width: 8, Height: 8, Keys: tiffwrite.Projected(32633)}
	r.NorthUp(500000+float64(100*n), 5_500_000, 10, 10)
	b, err := r.Bytes()
	if err != nil {
		panic(err)
	}
	return b
}

// put uploads rasters, by key. What is in them depends on n.
func (w *world) put(n int, keys ...string) {
	w.t.Helper()
	for i, key := range keys {
		if _, err := w.source.Put(context.Background(), key, raster(n+i), objstore.PutOptions{}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) remove(key string) {
	w.t.Helper()
	if err := w.source.Delete(context.Background(), key); err != nil {
		w.t.Fatal(err)
	}
}

// survey uploads n rasters into each of three Collections, which are three Shards.
func (w *world) survey(n int) {
	for i := range n {
		w.put(10*i, fmt.Sprintf("a/r%02d.tif", i), fmt.Sprintf("b/r%02d.tif", i), fmt.Sprintf("c/r%02d.tif", i))
	}
}

func (w *world) head() snapshot.Head {
	w.t.Helper()
	h, _, err := snapshot.LoadHead(context.Background(), w.catalog)
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

func (w *world) control() refresh.Control {
	w.t.Helper()
	c, _, err := w.state.State.Load(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// run is the record of a Run.
func (w *world) run(id string) refresh.Run {
	w.t.Helper()
	r, err := w.desk.Run(context.Background(), id)
	if err != nil {
		w.t.Fatalf("run %s: %v", id, err)
	}
	return r
}

// newest is the id of the Run that holds the Lease, or was the last to hold it.
func (w *world) newest() string {
	c := w.control()
	if c.Lease != nil {
		return c.Lease.Run
	}
	return c.Last.ID
}

// settled lets time pass until nothing runs and nothing waits that need not.
func (w *world) settled() {
	w.t.Helper()
	idle := func() bool { c := w.control(); return c.Lease == nil && len(c.Waiting) == 0 }
	if !w.clock.Until(24*time.Hour, idle) {
		w.t.Fatalf("after a day: %s", encode(w.control()))
	}
}

// published are the Items' lines that readers see, by Collection and id. Each is there once.
func (w *world) published() map[string]string {
	w.t.Helper()
	return publishedIn(w.t, w.catalog)
}

func publishedIn(t testing.TB, catalog objstore.Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	ctx := context.Background()
	rd, err := snapshot.Open(ctx, catalog, nil)
	if errors.Is(err, snapshot.ErrNoSnapshot) {
		return out
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rd.Manifest().Rows {
		scenes, err := snapshot.ReadPart(ctx, catalog, row)
		if err != nil {
			t.Fatal(err)
		}
		for _, sc := range scenes {
			for _, it := range sc.Items {
				id := row.Collection + "/" + it.ID
				if out[id] != "" {
					t.Fatalf("item %s is there twice", id)
				}
				out[id] = string(it.JSON)
			}
		}
	}
	return out
}

// expected is what a Catalog made from nothing, in one process, publishes for the Source as it is.
func (w *world) expected() map[string]string {
	w.t.Helper()
	ctx := context.Background()
	catalog := memstore.New()
	state := objstate.New(memstore.New(), w.clock.Now)
	desk := &refresh.Desk{State: state, Catalog: catalog, Workflow: byHand{}, TTL: time.Hour, Now: w.clock.Now, Log: quiet}
	worker := &refresh.Worker{State: state, Catalog: catalog, Source: w.source, About: about, Config: refresh.ReadConfig(catalog),
		Parallel: 1, Now: w.clock.Now, Log: quiet}
	ans, err := desk.Start(ctx, refresh.Request{})
	var refs []string
	if err == nil {
		refs, err = worker.Plan(ctx, ans.Run)
	}
	for _, ref := range refs {
		err = errors.Join(err, worker.Scan(ctx, ans.Run, ref))
	}
	if err = errors.Join(err, worker.Publish(ctx, ans.Run)); err != nil {
		w.t.Fatal(err)
	}
	return publishedIn(w.t, catalog)
}

// byHand is a Workflow whose steps somebody else calls.
type byHand struct{}

func (byHand) Launch(context.Context, refresh.Lease) error { return nil }
func (byHand) Stop(context.Context, refresh.Lease) error   { return nil }
func (byHand) Gone(refresh.Lease) bool                     { return false }
func (byHand) Closing() bool                               { return false }
func (byHand) Holder() refresh.Holder                      { return refresh.Holder{Host: "h", PID: 1} }
func (byHand) Describe(context.Context, refresh.Lease) (refresh.LaunchState, error) {
	return refresh.LaunchRunning, nil
}

// right holds what is published to what the Source holds.
func (w *world) right() {
	w.t.Helper()
	if got, want := w.published(), w.expected(); !maps.Equal(got, want) {
		w.t.Errorf("published are %v\nwant %v", ids(got), ids(want))
		for id := range want {
			if got[id] != want[id] {
				w.t.Errorf("%s is %s\nwant %s", id, got[id], want[id])
			}
		}
	}
}

func ids(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// opened are the keys of the Source that were read since they were last asked for, each as often as it was.
func (w *world) opened() []string {
	var out []string
	for _, c := range w.src.Calls(faultstore.Match{Op: faultstore.Get}) {
		out = append(out, c.Key)
	}
	w.src.Forget()
	slices.Sort(out)
	return out
}

// calls are the functions that were called, but for the schedule's.
func (w *world) calls() string {
	var out []string
	for _, c := range w.lambda.Calls {
		if !bytes.Contains(c.Payload, []byte(`"reap"`)) {
			out = append(out, strings.ToLower(strings.TrimSuffix(c.Function, "Function")))
		}
	}
	return strings.Join(out, " ")
}
