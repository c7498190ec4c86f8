package httpapi

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
)

func idOfRun(n int) string { return refresh.NewRunID(day.Add(time.Duration(n) * time.Second)) }

// history makes n ended Runs, newest first, that left Snapshot 1 published.
func history(n int) []refresh.Run {
	var out []refresh.Run
	for i := n; i > 0; i-- {
		started := day.Add(time.Duration(i) * time.Hour)
		ended := started.Add(1500 * time.Millisecond)
		out = append(out, refresh.Run{ID: idOfRun(i), State: refresh.Successful, Accepted: started, Started: &started, Ended: &ended, Snapshot: 1})
	}
	return out
}

func TestRunsAreListedInPages(t *testing.T) {
	w := newWorld(t, nil)
	w.desk.history = history(45)
	var got []string
	pages := 0
	for next := "/refresh/runs"; next != ""; pages++ {
		var page runsAnswer
		w.get(next, &page)
		for _, r := range page.Runs {
			got = append(got, r.ID)
			if r.DurationSeconds == nil || *r.DurationSeconds != 1.5 || href(r.Links, "self") != w.URL+"/refresh/runs/"+r.ID {
				t.Errorf("run %+v", r)
			}
		}
		next = href(page.Links, "next")
	}
	var want []string
	for _, r := range w.desk.history {
		want = append(want, r.ID)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") || pages != 3 {
		t.Errorf("%d pages give %v\nwant %v", pages, got, want)
	}
	var page runsAnswer
	if w.get("/refresh/runs?limit=1000", &page); len(page.Runs) != 45 {
		t.Errorf("a limit above the greatest gives %d runs", len(page.Runs))
	}
	w.desk.history = nil
	if r := w.get("/refresh/runs", nil); !strings.Contains(string(r.body), `"runs":[]`) {
		t.Errorf("no runs: %s", r.body)
	}
	for _, q := range []string{"limit=0", "limit=x", "before=x", "before=../../head.json", "after=1", "limit=1&limit=2"} {
		w.refused(w.do("GET", "/refresh/runs?"+q, ""), "bad_parameter")
	}
}

func TestRun(t *testing.T) {
	w := newWorld(t, nil)
	waiting := refresh.Run{ID: idOfRun(3), State: refresh.Accepted, Accepted: day}
	running := refresh.Run{ID: idOfRun(2), State: refresh.Running, Accepted: day, Started: &day}
	ended := history(1)[0]
	w.desk.history = []refresh.Run{waiting, running, ended}
	for _, want := range w.desk.history {
		var got runAnswer
		r := w.get("/refresh/runs/"+want.ID, &got)
		open := want.Ended == nil
		if got.ID != want.ID || got.State != want.State || (got.DurationSeconds == nil) != open || (href(got.Links, "rejects") == "") != open ||
			(r.header.Get("Retry-After") == "") == open || r.header.Get("Cache-Control") != "no-store" {
			t.Errorf("run %s: %s, header %v", want.ID, r.body, r.header)
		}
	}
	for _, id := range []string{idOfRun(9), "x", "..%2F..%2Fhead", "%00"} {
		w.refused(w.do("GET", "/refresh/runs/"+id, ""), "not_found")
		w.refused(w.do("DELETE", "/refresh/runs/"+id, ""), "not_found")
		w.refused(w.do("GET", "/refresh/runs/"+id+"/rejects", ""), "not_found")
	}
	for _, run := range []refresh.Run{waiting, running} {
		if r := w.do("DELETE", "/refresh/runs/"+run.ID, ""); r.status != 202 || !strings.Contains(string(r.body), run.ID) {
			t.Errorf("DELETE of a run that is %s: %d %s", run.State, r.status, r.body)
		}
		w.refused(w.do("GET", "/refresh/runs/"+run.ID+"/rejects", ""), "run_not_successful")
	}
	w.refused(w.do("DELETE", "/refresh/runs/"+ended.ID, ""), "run_ended")
	if fmt.Sprint(w.desk.cancelled) != fmt.Sprint([]string{waiting.ID, running.ID}) {
		t.Errorf("cancelled %v", w.desk.cancelled)
	}
}

// All that is remembered of a Run is told.
func TestRunTellsAll(t *testing.T) {
	w := newWorld(t, nil)
	ended := history(1)[0]
	ended.Counts = refresh.Counts{Objects: 9, Added: 1, Updated: 2, Removed: 3, Rejects: 4}
	ended.RejectCodes = map[string]int{"denied": 1, "not_tiff": 3}
	ended.Scope = refresh.Scope{Prefixes: []string{"a/"}, Keys: []string{"b/c.tif"}, Mode: refresh.Full}
	later := day.Add(time.Hour)
	waiting := refresh.Run{ID: idOfRun(3), State: refresh.Accepted, Accepted: day, Events: true, NotBefore: &later}
	failed := refresh.Run{ID: idOfRun(2), State: refresh.Failed, Accepted: day, Started: &day, Ended: &later,
		Error: &refresh.Problem{Code: "mass_delete", Message: "it would drop all"}}
	w.desk.history = []refresh.Run{waiting, failed, ended}
	list := string(w.get("/refresh/runs", nil).body)
	for id, members := range map[string][]string{
		ended.ID: {`"added":1,"updated":2,"removed":3`, `"rejects":4`, `"reject_codes":{"denied":1,"not_tiff":3}`,
			`"scope":{"prefixes":["a/"],"keys":["b/c.tif"],"mode":"full"}`},
		waiting.ID: {`"events":true`, `"not_before":"2024-03-01T01:00:00Z"`},
		failed.ID:  {`"error":{"code":"mass_delete","message":"it would drop all"}`, `"duration_seconds":3600`},
	} {
		one := string(w.get("/refresh/runs/"+id, nil).body)
		for _, m := range members {
			if !strings.Contains(one, m) || !strings.Contains(list, m) {
				t.Errorf("run %s: no %s in %s, or in the list", id, m, one)
			}
		}
	}
}
