package sfnflow_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/localflow"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/sfnflow/sfntest"
)

// laptop is the Desk and the Flow of a process that refreshes the deployment's Catalog.
func (c *cloud) laptop() (*refresh.Desk, *localflow.Flow) {
	c.t.Helper()
	flow, err := localflow.New(localflow.Options{Scans: 1, Renew: 10 * time.Millisecond, Tries: 1, Locks: c.t.TempDir(), Log: quiet})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { flow.Close() })
	d := &refresh.Desk{State: c.desk.State, Catalog: c.desk.Catalog, Workflow: flow, TTL: 30 * time.Second, Now: c.clock, Log: quiet}
	source := memstore.New()
	if _, err := source.Put(context.Background(), "a/notes.txt", []byte("x"), objstore.PutOptions{}); err != nil {
		c.t.Fatal(err)
	}
	flow.Bind(d, &refresh.Worker{State: d.State, Catalog: d.Catalog, Source: source, About: item.Source{URL: "s3://src/", Name: "src"},
		Config: refresh.ReadConfig(d.Catalog), Parallel: 1, Now: c.clock, Log: quiet})
	return d, flow
}

// A laptop leaves the workflow's Run alone, however old its Lease is and whether or not it was ever launched.
func TestLaptopLeavesTheWorkflowsRun(t *testing.T) {
	ctx := context.Background()
	for name, start := range map[string]func(c *cloud){
		"running":        func(c *cloud) { c.begun() },
		"never launched": func(c *cloud) { c.dies(func(d *refresh.Desk) { _, _ = d.Start(ctx, refresh.Request{}) }) },
		"cancelled": func(c *cloud) {
			c.steps.Fault(sfntest.Stop, sfntest.Fault{})
			if err := c.desk.Cancel(ctx, c.begun().Run); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			start(c)
			c.pass(30 * 24 * time.Hour)
			before := c.control()
			laptop, _ := c.laptop()
			if ans, err := laptop.Start(ctx, refresh.Request{}); err != nil || ans.Kind != refresh.Busy || ans.Run != before.Lease.Run {
				t.Errorf("start = %+v, %v; want busy", ans, err)
			}
			if changed, err := laptop.Reap(ctx); err != nil || changed {
				t.Errorf("reap = %v, %v", changed, err)
			}
			onlooker := *laptop
			onlooker.Workflow = localflow.Onlooker{}
			for _, d := range []*refresh.Desk{laptop, &onlooker} {
				if s, err := d.Status(ctx); err != nil || !s.IsRunning || *s.RunID != before.Lease.Run || s.Error != nil {
					t.Errorf("status = %+v, %v; want running", s, err)
				}
			}
			if changed, err := onlooker.Reap(ctx); err != nil || changed {
				t.Errorf("an onlooker's reap = %v, %v", changed, err)
			}
			if after := c.control(); !reflect.DeepEqual(before, after) {
				t.Errorf("the control record went from\n%+v to\n%+v", before, after)
			}
		})
	}
}

// A laptop cancels the workflow's Run: it marks it, and the reaper of the deployment stops it.
func TestLaptopCancelsTheWorkflowsRun(t *testing.T) {
	ctx := context.Background()
	c := newCloud(t)
	l := c.begun()
	laptop, _ := c.laptop()
	if err := laptop.Cancel(ctx, l.Run); err != nil || c.steps.Count(sfntest.Stop) != 0 {
		t.Fatal(err)
	}
	c.reap()
	c.reap()
	if r := c.run(l.Run); r.State != refresh.Dismissed || c.steps.Count(sfntest.Stop) != 1 {
		t.Errorf("%+v", r)
	}
}

// The deployment cancels a laptop's Run: it marks it, and the laptop stops when it renews its Lease. There is no execution to stop.
func TestDeploymentCancelsALaptopsRun(t *testing.T) {
	ctx := context.Background()
	c := newCloud(t)
	laptop, flow := c.laptop()
	busy := make(chan struct{})
	flow.Bind(laptop, &refresh.Worker{State: laptop.State, Catalog: laptop.Catalog, Parallel: 1, Now: c.clock, Log: quiet,
		Config: func(ctx context.Context) ([]byte, error) {
			close(busy)
			<-ctx.Done()
			return nil, ctx.Err()
		}})
	ans, err := laptop.Start(ctx, refresh.Request{})
	if err != nil || ans.Kind != refresh.Started {
		t.Fatalf("%+v, %v", ans, err)
	}
	<-busy
	if err := c.desk.Cancel(ctx, ans.Run); err != nil {
		t.Fatal(err)
	}
	<-flow.Ended(ans.Run)
	if r := c.run(ans.Run); r.State != refresh.Dismissed || c.control().Lease != nil || c.steps.Count(sfntest.Stop)+c.steps.Count(sfntest.Start) != 0 {
		t.Errorf("%+v, lease %+v", r, c.control().Lease)
	}
}

// What waits is started by whoever settles the Run before it: on the laptop, or by the workflow.
func TestWhatWaitsIsStartedByEither(t *testing.T) {
	ctx := context.Background()
	c := newCloud(t)
	l := c.begun()
	laptop, flow := c.laptop()
	waiting, err := laptop.Start(ctx, refresh.Request{Queue: true})
	if err != nil || waiting.Kind != refresh.Queued {
		t.Fatalf("%+v, %v", waiting, err)
	}
	if _, err := c.desk.Settle(ctx, l.Run, 0, nil); err != nil {
		t.Fatal(err)
	}
	if e, ok := c.steps.Execution(waiting.Run); !ok || !e.Running() {
		t.Error("the workflow did not start what the laptop let wait")
	}
	second := c.start(refresh.Request{Queue: true, Scope: refresh.Scope{Mode: refresh.Full}})
	if _, err := laptop.Settle(ctx, waiting.Run, 0, nil); err != nil {
		t.Fatal(err)
	}
	<-flow.Ended(second.Run)
	if r := c.run(second.Run); r.State != refresh.Successful || len(c.steps.Executions()) != 2 {
		t.Errorf("the laptop did not start what the workflow let wait: %+v %+v, executions %+v", r, r.Error, c.steps.Executions())
	}
}

// The deployment sees to the Run of a laptop that is gone: it waits for longer than the Lease lasts, then settles it, or takes it
// over under a new fence if it never began.
func TestDeploymentTakesOverFromALaptop(t *testing.T) {
	ctx := context.Background()
	for name, begun := range map[string]bool{"begun": true, "never begun": false} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			laptop := *c.desk
			laptop.TTL = 30 * time.Second
			laptop.Workflow = process{c.desk.Workflow}
			ans, err := laptop.Start(ctx, refresh.Request{})
			if err == nil && begun {
				_, err = laptop.Renew(ctx, ans.Run, 0)
			}
			if err != nil {
				t.Fatal(err)
			}
			l := *c.control().Lease
			c.pass(time.Minute)
			if again := c.start(refresh.Request{}); again.Kind != refresh.Busy || len(c.steps.Executions()) != 0 {
				t.Fatalf("%+v, executions %+v; it may only be late", again, c.steps.Executions())
			}
			c.pass(3 * time.Minute)
			c.reap()
			now := c.control().Lease
			if begun {
				if r := c.run(ans.Run); r.State != refresh.Failed || r.Error.Code != "interrupted" || now != nil {
					t.Errorf("%+v %+v, lease %+v", r, r.Error, now)
				}
				return
			}
			if now == nil || now.Run != ans.Run || now.Fence <= l.Fence || now.Holder != (refresh.Holder{}) || len(c.steps.Executions()) != 1 {
				t.Fatalf("lease %+v, executions %+v", now, c.steps.Executions())
			}
			if err := c.publish(l); err == nil {
				t.Error("the laptop woke up and published")
			}
			if err := c.publish(*now); err != nil {
				t.Error(err)
			}
		})
	}
}

// process is the Workflow of a process of another host, which drives nothing.
type process struct{ refresh.Workflow }

func (process) Holder() refresh.Holder {
	return refresh.Holder{Host: "laptop", PID: 7, Lock: "nowhere.lock"}
}
func (process) Launch(context.Context, refresh.Lease) error { return nil }
