package refreshtest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// A Driver is a Workflow with what a test needs to see of it.
type Driver struct {
	Workflow refresh.Workflow
	State    refresh.State // the one that the Workflow's Runs work on
	Begun    func() int    // how many Runs were begun, each time one was
	End      func(run string)
	Now      func() time.Time
}

// TestWorkflow holds a refresh.Workflow against its contract. open returns one that has launched nothing, and whose Runs go on
// until End is called or they are cancelled.
func TestWorkflow(t *testing.T, open func(t *testing.T) Driver) {
	ctx := context.Background()
	elsewhere := refresh.Holder{Host: "elsewhere", PID: 7, Lock: "nowhere.lock"}

	// grant gives the free Lease to a Run of a holder.
	grant := func(t *testing.T, d Driver, h refresh.Holder) refresh.Lease {
		t.Helper()
		c, token, err := d.State.Load(ctx)
		if err != nil {
			t.Fatal(err)
		}
		c, _ = c.Start(refresh.Request{Run: RunID(0)}, refresh.Grant{Holder: h, Now: d.Now(), TTL: time.Minute})
		if err := d.State.Swap(ctx, token, c); err != nil {
			t.Fatal(err)
		}
		return *c.Lease
	}
	is := func(t *testing.T, d Driver, l refresh.Lease, want refresh.LaunchState) {
		t.Helper()
		if got, err := d.Workflow.Describe(ctx, l); err != nil || got != want {
			t.Errorf("Describe of a lease of %+v, launched %v = %v, %v; want %v", l.Holder, l.Launched, got, err, want)
		}
	}
	becomes := func(t *testing.T, d Driver, l refresh.Lease, want refresh.LaunchState) {
		t.Helper()
		for range 5000 {
			if got, err := d.Workflow.Describe(ctx, l); err == nil && got == want {
				return
			}
			time.Sleep(time.Millisecond)
		}
		is(t, d, l, want)
	}

	t.Run("a run that was never launched is absent", func(t *testing.T) {
		d := open(t)
		l := grant(t, d, d.Workflow.Holder())
		is(t, d, l, refresh.LaunchAbsent)
		if err := d.Workflow.Stop(ctx, l); err != nil {
			t.Errorf("Stop = %v; want nil", err)
		}
		l.Launched = true // and nobody remembers
		is(t, d, l, refresh.LaunchEnded)
		if n := d.Begun(); n != 0 {
			t.Errorf("%d runs were begun", n)
		}
	})

	t.Run("launched by many at once it begins once", func(t *testing.T) {
		d := open(t)
		l := grant(t, d, d.Workflow.Holder())
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if err := d.Workflow.Launch(ctx, l); err != nil {
					t.Errorf("Launch = %v", err)
				}
			})
		}
		wg.Wait()
		is(t, d, l, refresh.LaunchRunning)
		l.Launched = true
		is(t, d, l, refresh.LaunchRunning)
		d.End(l.Run)
		becomes(t, d, l, refresh.LaunchEnded)
		if n := d.Begun(); n != 1 {
			t.Errorf("%d runs were begun; want 1", n)
		}
		for range 2 {
			if err := d.Workflow.Stop(ctx, l); err != nil {
				t.Errorf("Stop after the end = %v; want nil", err)
			}
		}
		if err := d.Workflow.Launch(ctx, l); err != nil {
			t.Errorf("Launch after the end = %v; want nil", err)
		}
	})

	t.Run("a cancelled run ends when it is stopped", func(t *testing.T) {
		d := open(t)
		l := grant(t, d, d.Workflow.Holder())
		if err := d.Workflow.Launch(ctx, l); err != nil {
			t.Fatal(err)
		}
		for { // its driver renews meanwhile
			c, token, err := d.State.Load(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if c, _, err = c.Cancel(l.Run, d.Now()); err != nil {
				t.Fatal(err)
			}
			if d.State.Swap(ctx, token, c) == nil {
				break
			}
		}
		for range 2 {
			if err := d.Workflow.Stop(ctx, l); err != nil {
				t.Errorf("Stop = %v", err)
			}
		}
		l.Launched = true
		becomes(t, d, l, refresh.LaunchEnded)
	})

	t.Run("a run of another process is left to it", func(t *testing.T) {
		d := open(t)
		l := grant(t, d, elsewhere)
		if err := d.Workflow.Launch(ctx, l); err != nil {
			t.Errorf("Launch = %v; want nil", err)
		}
		if err := d.Workflow.Stop(ctx, l); err != nil {
			t.Errorf("Stop = %v; want nil", err)
		}
		if d.Workflow.Gone(l) {
			t.Error("a process of another host is taken for dead")
		}
		l.Expires = d.Now().Add(-time.Hour) // so it has ended, whatever it was
		is(t, d, l, refresh.LaunchAbsent)
		l.Launched = true
		is(t, d, l, refresh.LaunchEnded)
		if n := d.Begun(); n != 0 {
			t.Errorf("%d runs were begun", n)
		}
	})

	t.Run("its own runs are not gone", func(t *testing.T) {
		d := open(t)
		if l := grant(t, d, d.Workflow.Holder()); d.Workflow.Gone(l) {
			t.Error("a lease that was just granted is gone")
		}
		if d.Workflow.Closing() {
			t.Error("it takes up no run")
		}
		if a, b := d.Workflow.Holder(), d.Workflow.Holder(); a != b {
			t.Errorf("its holder is %+v, and then %+v", a, b)
		}
	})
}
