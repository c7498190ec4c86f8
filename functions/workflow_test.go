package functions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/asltest"
	"github.com/cairn-stac/cairn/internal/lambdafn"
	"github.com/cairn-stac/cairn/internal/localflow"
	"github.com/cairn-stac/cairn/internal/objstate"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// A definitionState has of a state what the tests of this file look at.
type definitionState struct {
	Type, Next     string
	Parameters     struct{ FunctionName string }
	TimeoutSeconds int
	Retry          []struct {
		ErrorEquals    []string
		JitterStrategy string
		MaxAttempts    int
	}
	Catch []struct {
		ErrorEquals []string
		Next        string
	}
	ItemProcessor struct{ States map[string]definitionState }
	End           bool
}

// states are all of the workflow, those within its Map too, by name.
func states(t *testing.T) map[string]definitionState {
	t.Helper()
	var d struct{ States map[string]definitionState }
	if err := json.Unmarshal(definition(t), &d); err != nil {
		t.Fatal(err)
	}
	for _, s := range maps.Clone(d.States) {
		maps.Copy(d.States, s.ItemProcessor.States)
	}
	return d.States
}

// stepsOf are the functions that the workflow calls, as steps.
func stepsOf(states map[string]definitionState) []string {
	steps := map[string]bool{}
	for _, s := range states {
		if s.Type == "Task" {
			steps[strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(s.Parameters.FunctionName, "${"), "Function}"))] = true
		}
	}
	return slices.Sorted(maps.Keys(steps))
}

// TestStatesAreTheSteps holds the workflow's Tasks against the steps of internal/refresh: the methods of a Worker that take a Run, and
// Settle. What is no step of its own is named here.
func TestStatesAreTheSteps(t *testing.T) {
	t.Parallel()
	within := []string{"Blame", "PutShards"} // what steps do within
	steps := []string{"settle"}
	worker := reflect.TypeFor[*refresh.Worker]()
	for m := range worker.Methods() {
		takesRun := m.Type.NumIn() >= 3 && m.Type.In(2).Kind() == reflect.String
		if takesRun && !slices.Contains(within, m.Name) {
			steps = append(steps, strings.ToLower(m.Name))
		}
	}
	slices.Sort(steps)
	if got := stepsOf(states(t)); !slices.Equal(got, steps) {
		t.Errorf("the workflow's tasks are %v, the steps %v", got, steps)
	}
}

// TestEveryStateEndsInTime: every Task has a time limit above its function's, retries all that may pass with full jitter, never a
// FinalError, and leads to settle where that is of no use; the whole has a limit too.
func TestEveryStateEndsInTime(t *testing.T) {
	t.Parallel()
	template := templateTimeouts(t)
	for name, s := range states(t) {
		settles := strings.Contains(s.Parameters.FunctionName, "Settle")
		if s.Type == "Task" {
			function := strings.Trim(s.Parameters.FunctionName, "${}")
			if limit := template[function]; limit == 0 || s.TimeoutSeconds <= limit || s.TimeoutSeconds > limit+60 {
				t.Errorf("%s ends after %d s; its function may take %d s", name, s.TimeoutSeconds, limit)
			}
			last := s.Retry[len(s.Retry)-1]
			if fmt.Sprint(last.ErrorEquals) != "[States.ALL]" || last.JitterStrategy != "FULL" || last.MaxAttempts < 5 {
				t.Errorf("%s retries %+v", name, last)
			}
			if first := s.Retry[0]; !settles && (fmt.Sprint(first.ErrorEquals) != "[FinalError]" || first.MaxAttempts != 0) {
				t.Errorf("%s retries %+v", name, first)
			}
		}
		if (s.Type == "Task" || s.Type == "Map") && !settles && name != "ScanShard" { // whose error is the Map's
			if len(s.Catch) != 1 || fmt.Sprint(s.Catch[0].ErrorEquals) != "[States.ALL]" || s.Catch[0].Next != "SettleFailed" {
				t.Errorf("%s catches %+v", name, s.Catch)
			}
		}
	}
	if m := machine(t); m.TimeoutSeconds < 3600 || m.TimeoutSeconds > 24*3600 {
		t.Errorf("the workflow ends after %d s", m.TimeoutSeconds)
	}
}

// templateTimeouts are the functions' time limits in the template, in seconds.
func templateTimeouts(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	var function string
	for line := range strings.Lines(readFile(t, "../template.yaml")) {
		if m := regexp.MustCompile(`^  (\w+Function):`).FindStringSubmatch(line); m != nil {
			function = m[1]
		}
		var n int
		if _, err := fmt.Sscanf(strings.TrimSpace(line), "Timeout: %d", &n); err == nil && out[function] == 0 {
			out[function] = n
		}
	}
	return out
}

// TestWorkflowTakesTheOrderOfTheOneProcess: a Run driven by the workflow and one driven by localflow do the same in the same order, as
// what they write tells.
func TestWorkflowTakesTheOrderOfTheOneProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{})
	w.survey(1)
	w.refresh(refresh.Successful)

	catalog := faultstore.New(memstore.New())
	flow, err := localflow.New(localflow.Options{Scans: 1, Renew: time.Hour, Tries: 1, Locks: t.TempDir(), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	state := objstate.New(memstore.New(), time.Now)
	desk := &refresh.Desk{State: state, Catalog: catalog, Workflow: flow, TTL: time.Hour, Now: time.Now, Log: quiet}
	flow.Bind(desk, &refresh.Worker{State: state, Catalog: catalog, Source: w.source, About: about, Config: refresh.ReadConfig(catalog),
		Parallel: 1, Now: time.Now, Log: quiet})
	ans, err := desk.Start(context.Background(), refresh.Request{})
	if err != nil {
		t.Fatal(err)
	}
	<-flow.Ended(ans.Run)
	if err := flow.Close(); err != nil {
		t.Fatal(err)
	}
	one, many := stepsOfWrites(catalog), stepsOfWrites(w.cat)
	if want := "plan scan scan scan publish settle"; one != want || many != want {
		t.Errorf("one process: %s; the workflow: %s", one, many)
	}
}

// stepsOfWrites are the steps that wrote what was written, by what only they write.
func stepsOfWrites(catalog *faultstore.Store) string {
	var out []string
	heads := 0
	for _, c := range catalog.Calls(faultstore.Match{Op: faultstore.Put}) {
		switch {
		case strings.HasSuffix(c.Key, "/plan.json"):
			out = append(out, "plan")
		case strings.Contains(c.Key, "/results/"):
			out = append(out, "scan")
		case strings.HasSuffix(c.Key, "/outcome.json"):
			out = append(out, "publish")
		case c.Key == "head.json":
			if heads++; heads == 3 { // after the claim and the Snapshot
				out = append(out, "settle")
			}
		}
	}
	return strings.Join(out, " ")
}

// TestTenThousandShards: 20 million Objects are far from the 256 KiB of data and the 25,000 events of an execution, also if each scan
// is tried as often as it may be. No more are scanned at once than plan says.
func TestTenThousandShards(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{})
	const shards, atOnce = 10_000, 16
	key := "runs/" + refresh.NewRunID(w.clock.Now()) + "/123456/shards.json"
	refs := make([]lambdafn.ShardRef, shards)
	for i := range refs {
		refs[i].Shard = fmt.Sprintf("%06d-%016x", i, i)
	}
	w.engine.Read = func(string, string) ([]byte, error) { return encode(refs), nil }
	seen := map[string]int{}
	scans, most := 0, 0
	w.lambda.Register("PlanFunction", time.Minute, func(_ context.Context, task lambdafn.Task) (lambdafn.Planned, error) {
		return lambdafn.Planned{Run: task.Run, Shards: shards, Bucket: strings.Repeat("b", 63), Key: key, Concurrency: atOnce}, nil
	})
	w.lambda.Register("ScanFunction", time.Minute, func(_ context.Context, task lambdafn.Task) error {
		scans++
		most = max(most, scans)
		w.clock.Sleep(time.Second)
		scans--
		if seen[task.Shard]++; seen[task.Shard] <= 5 && strings.HasPrefix(task.Shard, "000042") {
			return &lambdafn.TransientError{Code: "internal", Message: strings.Repeat("x", 4<<10)}
		}
		return nil
	})
	for _, f := range []string{"PublishFunction", "SettleFunction"} {
		w.lambda.Register(f, time.Minute, func(_ context.Context, task lambdafn.Task) (lambdafn.Settled, error) {
			return lambdafn.Settled{Run: task.Run, State: "successful"}, nil
		})
	}
	x, err := w.engine.Start("x", []byte(`{"run_id":"`+refresh.NewRunID(w.clock.Now())+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Run(24 * time.Hour)
	if most != atOnce {
		t.Errorf("%d scans at once, want %d", most, atOnce)
	}
	events, data := 0, 0
	for _, c := range x.Children {
		events, data = max(events, len(c.History)), max(data, c.Largest)
	}
	t.Logf("workflow: %d events, %d bytes of data; scan: %d events, %d bytes", len(x.History), x.Largest, events, data)
	if x.Status != asltest.Succeeded || len(seen) != shards || len(x.History) > 50 || x.Largest > asltest.MaxData/5 || events > 50 || data > 1000 {
		t.Errorf("%s with %d shards: %d events, %d bytes; scan: %d events, %d bytes", x.Status, len(seen), len(x.History), x.Largest, events, data)
	}
}

// many is a worker of a Source with very many Shards.
type many struct {
	names  []string
	stored []byte
	scans  map[string]int
}

func (m *many) Blame(context.Context, string, *refresh.Problem) error { return nil }
func (m *many) Renew(context.Context, string, uint64) (refresh.Lease, error) {
	return refresh.Lease{}, nil
}
func (m *many) Plan(context.Context, string) ([]string, error) { return m.names, nil }
func (m *many) PutShards(_ context.Context, _ string, refs any) (string, error) {
	m.stored = encode(refs)
	return "shards.json", nil
}
func (m *many) Scan(_ context.Context, _, ref string) error { m.scans[ref]++; return nil }

// TestMoreShardsThanAMapBears: of 100,000 children even the empty answers are more than the 256 KiB that a Map may answer.
func TestMoreShardsThanAMapBears(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stack{})
	m := &many{names: make([]string, 100_000), scans: map[string]int{}}
	for i := range m.names {
		m.names[i] = fmt.Sprintf("%06d-%016x", i, i)
	}
	quiet := slog.New(slog.DiscardHandler)
	plan := &lambdafn.Plan{Desk: m, Worker: m, Deployed: func(context.Context) error { return nil }, Bucket: "catalog", Concurrency: 1000, Log: quiet}
	scan := &lambdafn.Scan{Worker: m, Log: quiet}
	w.engine.Read = func(string, string) ([]byte, error) { return m.stored, nil }
	w.lambda.Register("PlanFunction", time.Minute, plan.Handle)
	w.lambda.Register("ScanFunction", time.Minute, scan.Handle)
	for _, f := range []string{"PublishFunction", "SettleFunction"} {
		w.lambda.Register(f, time.Minute, func(_ context.Context, task lambdafn.Task) (lambdafn.Settled, error) {
			return lambdafn.Settled{Run: task.Run, State: "successful"}, nil
		})
	}
	x, err := w.engine.Start("x", []byte(`{"run_id":"`+refresh.NewRunID(w.clock.Now())+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Run(24 * time.Hour)
	for name, n := range m.scans {
		if n != 1 {
			t.Fatalf("shard %s was scanned %d times", name, n)
		}
	}
	if x.Status != asltest.Succeeded || len(m.scans) != len(m.names) || x.Largest > asltest.MaxData {
		t.Errorf("%s: %d shards were scanned, %d bytes of data", x.Status, len(m.scans), x.Largest)
	}
}
