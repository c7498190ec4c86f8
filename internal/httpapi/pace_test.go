package httpapi

import (
	"fmt"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
)

func TestRefreshRate(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.RefreshRate = 0.25 })
	c := newClock()
	w.Config.Handler.(*server).pace.now = c.now
	w.desk.answer = refresh.Answer{Kind: refresh.Busy, Run: runID}
	w.desk.history = []refresh.Run{{ID: runID, State: refresh.Running}}
	ask := func(i int) reply {
		if i%2 == 0 {
			return w.do("POST", "/refresh", "")
		}
		return w.do("DELETE", "/refresh/runs/"+runID, "")
	}
	late := func(want string) {
		t.Helper()
		for i := range 4 { // those that are refused cost nothing
			r := ask(i)
			if w.refused(r, "too_many_requests"); r.header.Get("Retry-After") != want {
				t.Errorf("Retry-After %s, want %s", r.header.Get("Retry-After"), want)
			}
		}
	}
	for i := range refreshBurst {
		if r := ask(i); r.status/100 != 2 {
			t.Fatalf("request %d: %d %s", i, r.status, r.body)
		}
	}
	late("4")
	c.advance(time.Second)
	late("3")
	c.advance(2100 * time.Millisecond)
	late("1")
	c.advance(time.Second) // as the last answer said
	if r := ask(0); r.status != 200 {
		t.Errorf("after waiting: %d", r.status)
	}
	late("4")
	for _, path := range []string{"/refresh/status", "/refresh/runs", "/collections"} {
		if r := w.do("GET", path, ""); r.status != 200 {
			t.Errorf("GET %s: %d", path, r.status)
		}
	}
	if n := len(w.desk.asked) + len(w.desk.cancelled); n != refreshBurst+1 {
		t.Errorf("%d were let through", n)
	}
	w = newWorld(t, nil)
	w.desk.answer = refresh.Answer{Kind: refresh.Busy, Run: runID}
	for range 5 * refreshBurst {
		if r := w.do("POST", "/refresh", ""); r.status != 200 {
			t.Fatal(fmt.Sprint("without a rate: ", r.status))
		}
	}
}
