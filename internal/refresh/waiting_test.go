package refresh

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func event(run string, keys ...string) Request {
	return Request{Run: run, Events: true, Scope: Scope{Keys: keys}}
}

func TestEventsAreCollected(t *testing.T) {
	var c Control
	c, a := c.Start(event("A", "x/1.tif"), at(0))
	if a != (Answer{Kind: Started, Run: "A"}) || !c.Lease.Events {
		t.Fatalf("an event while nothing runs: %+v, %+v", a, c.Lease)
	}
	c, a = c.Start(event("B", "x/2.tif"), at(1))
	if a != (Answer{Kind: Queued, Run: "B", Position: 1}) {
		t.Fatalf("an event while A runs: %+v", a)
	}
	c, a = c.Start(event("C", "x/3.tif", "x/2.tif"), at(2))
	if a != (Answer{Kind: Queued, Run: "B", Position: 1}) || !reflect.DeepEqual(c.Waiting[0].Scope.Keys, []string{"x/2.tif", "x/3.tif"}) {
		t.Fatalf("a second event: %+v, %+v", a, c.Waiting)
	}
	for i := range MaxWaiting {
		c, a = c.Start(Request{Run: fmt.Sprint(i), Queue: true, Scope: Scope{Prefixes: []string{fmt.Sprint(i)}}}, at(3))
		if a.Kind != Queued {
			t.Fatalf("queue %d beside the events: %+v", i, a)
		}
	}
	if c, a = c.Start(event("D", "x/4.tif"), at(3)); a.Run != "B" || len(c.Waiting) != MaxWaiting+1 {
		t.Errorf("an event while the queue is full: %+v", a)
	}
}

func TestQueuedRunDoesNotJoinEvents(t *testing.T) {
	var c Control
	c, _ = c.Start(Request{Run: "A"}, at(0))
	c, _ = c.Start(event("B", "k"), at(0))
	if _, a := c.Start(Request{Run: "C", Queue: true, Scope: Scope{Keys: []string{"k"}}}, at(0)); a.Run != "C" {
		t.Errorf("joined what may have to wait for long: %+v", a)
	}
}

func fail(t *testing.T, c Control, at Grant, state RunState, again string) Control {
	t.Helper()
	end := at.Now
	c, err := c.Settle(Run{ID: c.Lease.Run, Fence: c.Lease.Fence, State: state, Ended: &end}, Published{}, again)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What a Run of events was to look at is not lost when it fails, and the next one waits longer each time, up to an hour.
func TestFailingEventsBackOff(t *testing.T) {
	var c Control
	c, _ = c.Start(event("R0", "x/1.tif"), at(0))
	now := at(0)
	for i := 1; i <= 12; i++ {
		id := fmt.Sprintf("R%d", i)
		c = fail(t, c, now, Failed, id)
		w := c.Waiting[0]
		want := min(time.Hour, 15*time.Second<<(i-1))
		if w.Run != id || !w.Events || w.NotBefore.Sub(now.Now) != want || len(w.Scope.Keys) != 1 {
			t.Fatalf("after failure %d: %+v; want to wait %v", i, w, want)
		}
		if _, ok := c.Promote(now); ok {
			t.Fatal("promoted before its time")
		}
		// Meanwhile others are served at once, and further events join.
		if _, a := c.Start(Request{Run: "other"}, now); a.Kind != Started {
			t.Fatalf("a start while events back off: %+v", a)
		}
		if n, a := c.Start(event("new", "x/2.tif"), now); a.Kind != Queued || a.Run != id || len(n.Waiting[0].Scope.Keys) != 2 {
			t.Fatalf("an event while events back off: %+v", a)
		}
		now.Now = w.NotBefore
		var ok bool
		if c, ok = c.Promote(now); !ok || c.Lease.Failures != i || !c.Lease.Events {
			t.Fatalf("not promoted at its time: %+v", c.Lease)
		}
	}
	c = fail(t, c, now, Successful, "x")
	if len(c.Waiting) != 0 {
		t.Fatalf("after success: %+v", c.Waiting)
	}
	c, _ = c.Start(event("S0", "x/1.tif"), now)
	if c = fail(t, c, now, Failed, "S1"); c.Waiting[0].Failures != 1 {
		t.Errorf("a success must end the count of failures: %+v", c.Waiting[0])
	}
}

// A Run of everything that succeeds shows that whatever made events fail is over.
func TestBackOffEndsWithAWholeSuccess(t *testing.T) {
	for _, scope := range []Scope{{}, {AllowMassDelete: true}, {Prefixes: []string{"x/"}}} {
		for _, state := range []RunState{Successful, Failed} {
			var c Control
			c, _ = c.Start(event("A", "x/1.tif"), at(0))
			c = fail(t, c, at(0), Failed, "B")
			c, _ = c.Start(Request{Run: "fix", Scope: scope}, at(1))
			c = fail(t, c, at(2), state, "x")
			_, ready := c.Promote(at(2))
			if ready != (state == Successful && scope.whole()) {
				t.Errorf("after a %s run of %+v: ready %v, waiting %+v", state, scope, ready, c.Waiting)
			}
		}
	}
}

func TestJoinedScopes(t *testing.T) {
	full, allow := Scope{Keys: []string{"a"}, Mode: Full}, Scope{Keys: []string{"b"}, AllowMassDelete: true}
	for _, j := range []Scope{full.join(allow), allow.join(full)} {
		if !j.full() || j.AllowMassDelete {
			t.Errorf("%+v", j)
		}
	}
	n := Scope{Prefixes: []string{"b/", "a/", "a/x/", "b/"}, Keys: []string{"k", "a/1", "k"}}.normal()
	if !n.Equal(Scope{Prefixes: []string{"a/", "b/"}, Keys: []string{"k"}}) {
		t.Errorf("%+v", n)
	}
}

// A first Run of everything that failed is repeated for everything, whatever changes meanwhile; a server that starts need not wait.
func TestWholeEventsStayWhole(t *testing.T) {
	var c Control
	c, _ = c.Start(Request{Run: "A", Events: true}, at(0))
	c = fail(t, c, at(0), Failed, "B")
	c, _ = c.Start(event("C", "x/1.tif"), at(1))
	if w := c.Waiting[0]; len(c.Waiting) != 1 || !w.Scope.whole() || w.NotBefore.IsZero() {
		t.Fatalf("waiting: %+v", c.Waiting)
	}
	c, a := c.Start(Request{Run: "D", Events: true, Eager: true}, at(2))
	if a != (Answer{Kind: Queued, Run: "B", Position: 1}) {
		t.Fatalf("an eager start: %+v", a)
	}
	if c, ok := c.Promote(at(2)); !ok || c.Lease.Failures != 1 || !c.Lease.Scope.whole() {
		t.Errorf("the eager run is not next: %+v", c)
	}
}

func TestFailedEventsJoinTheNewOnes(t *testing.T) {
	var c Control
	c, _ = c.Start(event("A", "x/1.tif"), at(0))
	c, _ = c.Start(event("B", "x/2.tif"), at(1))
	c = fail(t, c, at(2), Failed, "again")
	if len(c.Waiting) != 1 || c.Waiting[0].Run != "B" || len(c.Waiting[0].Scope.Keys) != 2 || c.Waiting[0].Failures != 1 {
		t.Errorf("waiting: %+v", c.Waiting)
	}
}

func TestDismissedEvents(t *testing.T) {
	var c Control
	c, _ = c.Start(event("A", "x/1.tif"), at(0))
	stopped := fail(t, c, at(2), Dismissed, "again") // its process was stopped
	if len(stopped.Waiting) != 1 || stopped.Waiting[0].Failures != 0 || !stopped.Waiting[0].NotBefore.IsZero() {
		t.Errorf("after its process stopped: %+v", stopped.Waiting)
	}
	c, _, err := c.Cancel("A", at(2).Now) // somebody does not want it
	if err != nil {
		t.Fatal(err)
	}
	if c = fail(t, c, at(3), Dismissed, "again"); len(c.Waiting) != 0 {
		t.Errorf("after it was cancelled: %+v", c.Waiting)
	}
}

// A million events become a Scope that is small and holds all of them.
func TestStormOfEvents(t *testing.T) {
	for name, key := range map[string]func(i int) string{
		"in folders":     func(i int) string { return fmt.Sprintf("y%d/m%d/d%d/%d.tif", i%7, i%12, i%31, i) },
		"in one folder":  func(i int) string { return fmt.Sprintf("a/b/%d.tif", i) },
		"at the top":     func(i int) string { return fmt.Sprintf("%d.tif", i) },
		"of long names":  func(i int) string { return fmt.Sprintf("%s/%d/%d.tif", strings.Repeat("long/", 190), i%500, i) },
		"of wrong names": func(i int) string { return fmt.Sprintf("a/%s%d", strings.Repeat("\xff", 3), i) },
		"of one file":    func(int) string { return "a/b.tif" },
	} {
		t.Run(name, func(t *testing.T) {
			const events, batch = 1_000_000, 1000
			var c Control
			c, _ = c.Start(Request{Run: "A"}, at(0))
			largest := 0
			for i := 0; i < events; i += batch {
				r := Request{Run: fmt.Sprint(i), Events: true}
				for j := range batch {
					r.Scope.Keys = append(r.Scope.Keys, key(i+j))
				}
				c, _ = c.Start(r, at(1))
				if i%(50*batch) == 0 {
					raw, _ := json.Marshal(c)
					largest = max(largest, len(raw))
				}
			}
			if len(c.Waiting) != 1 {
				t.Fatalf("%d runs wait", len(c.Waiting))
			}
			s := c.Waiting[0].Scope
			if err := s.validate(); err != nil {
				t.Error(err)
			}
			if largest > 16<<10 {
				t.Errorf("the control record grew to %d bytes", largest)
			}
			for i := 0; i < events; i += 997 {
				if k := key(i); !s.holds(k) {
					t.Fatalf("%.100q is lost: %d prefixes, %d keys", k, len(s.Prefixes), len(s.Keys))
				}
			}
		})
	}
}

// holds tells whether a Run of the Scope looks at the key.
func (s Scope) holds(key string) bool {
	if s.whole() {
		return true
	}
	for _, k := range s.Keys {
		if k == key {
			return true
		}
	}
	return within(key, s.Prefixes)
}

// The control record stays well below the 400 KB of a DynamoDB item, whatever is asked for.
func TestControlRecordIsBounded(t *testing.T) {
	for _, char := range []string{"x", "&", "\x01", "ü"} {
		wide := func(n int) Scope {
			s := Scope{}
			for i := range maxEntries {
				s.Prefixes = append(s.Prefixes, fmt.Sprintf("%02d/%03d/%s", n, i, strings.Repeat(char, 300)))
				if s.validate() != nil {
					s.Prefixes = s.Prefixes[:i]
					break
				}
			}
			return s
		}
		if n := len(wide(0).Prefixes); n == 0 || n == maxEntries {
			t.Fatalf("%d prefixes of %q are as much as may be", n, char)
		}
		var c Control
		for i := range MaxWaiting + 2 {
			c, _ = c.Start(Request{Run: fmt.Sprint(i), Queue: true, Scope: wide(i)}, at(0))
		}
		c, _ = c.Start(Request{Run: "E", Events: true, Scope: wide(99)}, at(0))
		c.Last = &Run{ID: "0", Scope: c.Lease.Scope}
		raw, err := json.Marshal(c)
		if err != nil || len(c.Waiting) != MaxWaiting+1 || len(raw) > 300<<10 {
			t.Errorf("of %q: %d bytes with %d waiting, %v", char, len(raw), len(c.Waiting), err)
		}
	}
}

// FuzzJoin: a joined Scope is valid, holds what both held, and joining again changes nothing.
func FuzzJoin(f *testing.F) {
	f.Add("a/1.tif\na/2.tif", "b/", "x", "c/d/")
	f.Add("", "", "a", "")
	f.Add("/a", "//", "\xff/x", "a\x00/")
	f.Fuzz(func(t *testing.T, keys1, prefixes1, keys2, prefixes2 string) {
		list := func(s string) []string {
			var out []string
			for _, e := range strings.Split(s, "\n") {
				if e != "" {
					out = append(out, e)
				}
			}
			return out
		}
		a := Scope{Keys: list(keys1), Prefixes: list(prefixes1)}
		b := Scope{Keys: list(keys2), Prefixes: list(prefixes2)}
		j := a.bounded().join(b.bounded())
		if err := j.validate(); err != nil {
			t.Fatal(err)
		}
		for _, s := range []Scope{a, b} {
			for _, k := range s.Keys {
				if !j.holds(k) {
					t.Fatalf("key %q is lost in %+v", k, j)
				}
			}
			for _, p := range s.Prefixes {
				if !j.holds(p + "x") {
					t.Fatalf("prefix %q is lost in %+v", p, j)
				}
			}
			if s.whole() && !j.whole() {
				t.Fatal("the whole Source is lost")
			}
		}
		if again := j.join(b.bounded()); !again.Equal(j) {
			t.Fatalf("%+v joined again is %+v", j, again)
		}
	})
}
