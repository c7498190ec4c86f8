package refresh

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(s int) Grant {
	return Grant{Now: t0.Add(time.Duration(s) * time.Second), TTL: 30 * time.Second, Holder: Holder{Host: "h", PID: 1}}
}

func TestStart(t *testing.T) {
	var c Control
	c, a := c.Start(Request{Run: "A"}, at(0))
	if a != (Answer{Kind: Started, Run: "A"}) || c.Lease.Fence != 1 {
		t.Fatalf("start of a free lease: %+v, %+v", a, c.Lease)
	}
	busy, a := c.Start(Request{Run: "B"}, at(1))
	if a != (Answer{Kind: Busy, Run: "A"}) || len(busy.Waiting) != 0 {
		t.Fatalf("start while A runs: %+v", a)
	}
	for i := range MaxWaiting {
		id := fmt.Sprintf("W%d", i)
		c, a = c.Start(Request{Run: id, Queue: true, Scope: Scope{Prefixes: []string{id}}}, at(2))
		if a != (Answer{Kind: Queued, Run: id, Position: i + 1}) {
			t.Fatalf("queue %d: %+v", i, a)
		}
	}
	if _, a = c.Start(Request{Run: "X", Queue: true, Scope: Scope{Prefixes: []string{"W3"}}}, at(2)); a != (Answer{Kind: Queued, Run: "W3", Position: 4}) {
		t.Errorf("an equal scope did not join: %+v", a)
	}
	if _, a = c.Start(Request{Run: "X", Queue: true}, at(2)); a.Kind != QueueFull {
		t.Errorf("queue is full, and yet: %+v", a)
	}
}

func TestSettlePromotes(t *testing.T) {
	var c Control
	c, _ = c.Start(Request{Run: "A"}, at(0))
	c, _ = c.Start(Request{Run: "B", Queue: true}, at(1))
	if _, err := c.Settle(Run{ID: "B"}, Published{}, "again"); !errors.Is(err, ErrLeaseLost) {
		t.Errorf("settling a run that waits = %v; want ErrLeaseLost", err)
	}
	if _, err := c.Settle(Run{ID: "A", Fence: 9}, Published{}, "again"); !errors.Is(err, ErrLeaseLost) {
		t.Errorf("settling with another fence = %v; want ErrLeaseLost", err)
	}
	c, err := c.Settle(Run{ID: "A", Fence: 1, State: Successful}, Published{Snapshot: 1, Items: 7}, "again")
	if err != nil || c.Lease != nil || c.Last.ID != "A" || c.Published.Items != 7 {
		t.Fatalf("settle: %+v, %v", c, err)
	}
	// Somebody who starts before the next one is promoted is told of it.
	if _, a := c.Start(Request{Run: "C"}, at(2)); a != (Answer{Kind: Busy, Run: "B"}) {
		t.Errorf("start while B is next: %+v", a)
	}
	c, ok := c.Promote(at(3))
	if !ok || c.Lease.Run != "B" || c.Lease.Fence != 2 || len(c.Waiting) != 0 {
		t.Errorf("promote: %+v", c)
	}
	if _, ok := c.Promote(at(3)); ok {
		t.Error("promoted although the lease is held")
	}
}

func TestOwnFencesTheFormerHolder(t *testing.T) {
	var c Control
	c, _ = c.Start(Request{Run: "A"}, at(0))
	next, err := c.Own("A", 1, at(5))
	if err != nil || next.Lease.Fence != 2 || next.Lease.Granted != c.Lease.Granted {
		t.Fatalf("own: %+v, %v", next.Lease, err)
	}
	for name, err := range map[string]error{
		"renew":  second(next.Renew("A", 1, at(6))),
		"settle": second(next.Settle(Run{ID: "A", Fence: 1}, Published{}, "again")),
		"own":    second(next.Own("A", 1, at(6))),
	} {
		if !errors.Is(err, ErrLeaseLost) {
			t.Errorf("%s by the former holder = %v; want ErrLeaseLost", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestCancel(t *testing.T) {
	var c Control
	c, _ = c.Start(Request{Run: "A"}, at(0))
	c, _ = c.Start(Request{Run: "B", Queue: true}, at(1))
	c, gone, err := c.Cancel("B", t0)
	if err != nil || gone == nil || gone.State != Dismissed || len(c.Waiting) != 0 {
		t.Fatalf("cancel of a waiting run: %+v, %v", gone, err)
	}
	c, gone, err = c.Cancel("A", t0)
	if err != nil || gone != nil || !c.Lease.Cancel {
		t.Fatalf("cancel of the running one: %+v, %v", c.Lease, err)
	}
	if _, _, err = c.Cancel("B", t0); !errors.Is(err, ErrNoRun) {
		t.Errorf("cancel of an unknown run = %v; want ErrNoRun", err)
	}
}

// Transitions leave the record they are called on as it was: it may be tried again against another one.
func TestTransitionsArePure(t *testing.T) {
	var c Control
	c, _ = c.Start(Request{Run: "A"}, at(0))
	c, _ = c.Start(Request{Run: "B", Queue: true}, at(1))
	before := fmt.Sprintf("%+v %+v", c, *c.Lease)
	c.Start(Request{Run: "C", Queue: true, Scope: Scope{Mode: Full}}, at(2))
	c.Renew("A", 1, at(3))
	c.Own("A", 1, at(3))
	c.Cancel("A", t0)
	c.Cancel("B", t0)
	c.Settle(Run{ID: "A", Fence: 1}, Published{Snapshot: 1}, "again")
	if after := fmt.Sprintf("%+v %+v", c, *c.Lease); after != before {
		t.Errorf("a transition changed its receiver:\n%s\n%s", before, after)
	}
}
