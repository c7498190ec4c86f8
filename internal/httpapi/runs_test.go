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

func TestRejects(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 2, "a", "b", "c")
	w.desk.history = history(1)
	path := "/refresh/runs/" + w.desk.history[0].ID + "/rejects"
	var got []string
	for next := path + "?limit=2"; next != ""; {
		var page rejectsAnswer
		w.get(next, &page)
		if page.Total != 3 || page.Snapshot != 1 || page.RunID != w.desk.history[0].ID {
			t.Errorf("page %+v", page)
		}
		for _, r := range page.Rejects {
			got = append(got, fmt.Sprintf("%s %s %s", r.Key, r.Code, r.Message))
		}
		next = href(page.Links, "next")
	}
	want := "[a/zz.tif not_tiff it is no TIFF b/zz.tif not_tiff it is no TIFF c/zz.tif not_tiff it is no TIFF]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	var page rejectsAnswer
	if w.get(path+"?limit=3", &page); len(page.Rejects) != 3 || href(page.Links, "next") != "" {
		t.Errorf("all of them on a page: %+v", page)
	}
	if r := w.get(path+"?offset=9", nil); !strings.Contains(string(r.body), `"rejects":[]`) || strings.Contains(string(r.body), `"next"`) {
		t.Errorf("past the end: %s", r.body)
	}
	for _, q := range []string{"offset=-1", "offset=x", "limit=0", "x=1"} {
		w.refused(w.do("GET", path+"?"+q, ""), "bad_parameter")
	}
	w.desk.history[0].Snapshot = 7
	w.refused(w.do("GET", path, ""), "snapshot_expired")
}
