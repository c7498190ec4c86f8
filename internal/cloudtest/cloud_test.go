package cloudtest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/cairn-stac/cairn/internal/demo"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// TestCloud runs the template, the workflow and the functions, all as they are, on engines that this project did not write. Its parts
// build on each other.
func TestCloud(t *testing.T) {
	w := newWorld(t)
	local := filepath.Join(t.TempDir(), "catalog")
	w.fill(t, local)
	sourceURL := w.stack.Functions["ScanFunction"].Environment["CAIRN_SOURCE"]
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(sourceURL, "s3://"), "/")
	part := func(name string, f func(t *testing.T)) {
		if !t.Run(name, f) {
			t.FailNow() // the others would fail for the same reason
		}
		w.front.Reset(nil)
	}

	part("UnauthenticatedIsRefused", func(t *testing.T) {
		for _, c := range []struct{ method, path string }{
			{"POST", "/refresh"}, {"GET", "/refresh/status"}, {"GET", "/"}, {"GET", "/collections"}, {"GET", "/refresh/runs"},
			{"DELETE", "/refresh/runs/x"},
		} {
			r, err := http.NewRequest(c.method, w.api+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("%s %s: %s, want 403", c.method, c.path, resp.Status)
			}
		}
		if n := len(w.lambda.Invocations()); n != 0 {
			t.Errorf("%d invocations, want none", n)
		}
	})

	var first refresh.Run
	part("FirstRefresh", func(t *testing.T) {
		before := w.status(t)
		if before.IsRunning || before.LastRefresh != nil || before.Snapshot != nil {
			t.Errorf("status %+v, want that of nothing", before)
		}
		g := w.hold(t, 5)
		run := w.refresh(t, "", http.StatusAccepted, "started")
		g.wait(t)
		resp, body := w.call(t, http.MethodPost, "/refresh", "")
		want := `{"status":"running","message":"Catalog refresh already in progress","is_running":true,"run_id":"` + run + `"}`
		if strings.TrimSuffix(body, "\n") != want || resp.StatusCode != http.StatusOK {
			t.Errorf("second POST: %s %s\nwant %s", resp.Status, body, want)
		}
		percent := 0
		w.eventually(t, "the refresh ends", func() bool {
			s := w.status(t)
			if *s.RunID != run || s.Error != nil {
				t.Fatalf("status %+v", s)
			}
			if s.Progress != nil {
				if s.Progress.Percent < percent || s.Progress.Percent > 100 {
					t.Errorf("%d %% after %d %%", s.Progress.Percent, percent)
				}
				percent = s.Progress.Percent
			}
			g.release()
			return !s.IsRunning
		})
		first = w.successful(t, run)
		c := first.Counts
		if sum := c.Assets + c.Sidecars + c.Rejects + c.Ignored + c.Vanished; sum != c.Objects || c.Items == 0 || c.Rejects == 0 {
			t.Errorf("counts %+v", c)
		}
		if got := w.status(t); *got.ItemsCount != c.Items || *got.CollectionsCount != c.Collections || got.LastRefresh == nil {
			t.Errorf("status %+v after counts %+v", got, c)
		}
		t.Logf("%d objects, %d items in %d collections, %d rejects, in %.1f s", c.Objects, c.Items, c.Collections, c.Rejects, first.Seconds())
	})

	part("SameAsTheCommandLine", func(t *testing.T) {
		w.cairn(t, 0, "refresh", sourceURL, "--catalog", local)
		want, got := folder(t, local), tree(t, w.catalog)
		if len(want) < first.Counts.Items {
			t.Fatalf("cairn refresh wrote %d files for %d items", len(want), first.Counts.Items)
		}
		same(t, got, want)
		t.Logf("%d files of the static tree are the same, byte for byte", len(got))
	})

	part("ReadsThroughTheAPI", func(t *testing.T) {
		files := tree(t, w.catalog)
		items := w.items(t, nil)
		if len(items) != first.Counts.Items {
			t.Errorf("%d items through the API, want %d", len(items), first.Counts.Items)
		}
		for name, it := range items {
			collection, id, _ := strings.Cut(name, "/")
			if file := files["collections/"+collection+"/items/"+id+".json"]; !reflect.DeepEqual(unlinked(t, it.Body), unlinked(t, file)) {
				t.Errorf("item %s is\n%s\nbut for its links want\n%s", name, it.Body, file)
			}
			if href := it.Links["self"]; !strings.HasPrefix(href, "https://"+Domain+"/collections/") {
				t.Errorf("link self of %s is %q", name, href)
			}
		}
		if resp, body := w.call(t, http.MethodGet, "/collections/nowhere", ""); resp.StatusCode != http.StatusNotFound ||
			resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("unknown collection: %s %s", resp.Status, body)
		}
	})

	part("RejectsAreListed", func(t *testing.T) {
		var out struct {
			Total   int
			Rejects []struct{ Key, Code, Message string }
		}
		w.get(t, "/refresh/runs/"+first.ID+"/rejects", &out)
		if out.Total != first.Counts.Rejects || len(out.Rejects) != out.Total {
			t.Errorf("%d rejects, %d listed, want %d", out.Total, len(out.Rejects), first.Counts.Rejects)
		}
		if !slices.ContainsFunc(out.Rejects, func(r struct{ Key, Code, Message string }) bool {
			return r.Key == "alps/bernina_20240714_b4.tif" && r.Code != "" && r.Message != ""
		}) {
			t.Errorf("the demo's error page is not among %+v", out.Rejects)
		}
	})

	part("UnchangedOpensNothing", func(t *testing.T) {
		run := w.successful(t, w.refresh(t, "", http.StatusAccepted, "started"))
		if n := len(w.opened()); n != 0 || run.Counts.Scanned != 0 || run.Snapshot != first.Snapshot {
			t.Errorf("%d rasters opened, counts %+v, snapshot %d; want none and snapshot %d", n, run.Counts, run.Snapshot, first.Snapshot)
		}
		if got, want := w.states(t, run.ID), []string{"Plan", "AnythingToScan", "Publish", "Settle"}; !slices.Equal(got, want) {
			t.Errorf("states %v, want %v", got, want)
		}
	})

	part("StatesOfAScan", func(t *testing.T) {
		if got, want := w.states(t, first.ID), []string{"Plan", "AnythingToScan", "Scan", "Publish", "Settle"}; !slices.Equal(got, want) {
			t.Errorf("states %v, want %v", got, want)
		}
		failed, all := w.scans(first.ID) // the Map's children have histories of their own
		if failed != 0 || all < 4 {
			t.Errorf("%d scans, %d failed; want several, and none", all, failed)
		}
		t.Logf("the map ran %d scans", all)
	})

	other := w.object(t, demo.Sample)
	part("ReadsDuringARefreshSeeTheOldSnapshot", func(t *testing.T) {
		before := w.items(t, nil)
		w.put(t, demo.Added, other)
		g := w.hold(t, 0)
		run := w.refresh(t, `{"mode":"full"}`, http.StatusAccepted, "started")
		g.wait(t)
		if during := w.items(t, nil); !maps.EqualFunc(during, before, func(a, b apiItem) bool { return a.Body == b.Body }) {
			t.Errorf("%d items during the refresh, want the %d of before", len(during), len(before))
		}
		// Pages that were begun before the new Snapshot go on after it.
		var after refresh.Run
		paged := w.items(t, func(page int) {
			if page == 1 {
				g.release()
				after = w.successful(t, run)
			}
		})
		if len(paged) != len(before) {
			t.Errorf("%d items in pages over the publication, want the %d of the first page's snapshot", len(paged), len(before))
		}
		if now := w.items(t, nil); len(now) != len(before)+1 || after.Counts.Added != 1 || after.Snapshot <= first.Snapshot {
			t.Errorf("%d items after it, counts %+v, snapshot %d; want one more", len(now), after.Counts, after.Snapshot)
		}
	})

	part("EventsOfOneChangedFileAreOneRun", func(t *testing.T) {
		before, runs := w.items(t, nil), w.runs(t)
		w.put(t, demo.Added, w.object(t, "alps/bernina_20250118_a2.tif"))
		poison := map[string]any{"QueueUrl": w.stack.Queues[0].URL, "MessageBody": "no event at all"}
		if err := call(t.Context(), w.engine, "sqs", "AmazonSQS.SendMessage", poison, nil); err != nil {
			t.Fatal(err)
		}
		w.tell(t, "Object Created", bucket, "elsewhere/x.tif")
		w.tell(t, "Object Created", w.stack.Resources["CatalogBucket"], "parts/x.tif")
		w.tell(t, "Object Tags Added", bucket, prefix+demo.Added)
		for range 3 {
			w.tell(t, "Object Created", bucket, prefix+demo.Added)
		}
		w.eventually(t, "a run by events", func() bool { return w.runs(t) > runs })
		w.idle(t)
		if n := w.runs(t); n != runs+1 {
			t.Errorf("%d runs by the events, want 1", n-runs)
		}
		run := w.history(t)[0]
		if left := w.queue(t, "EventsQueue", "ApproximateNumberOfMessagesNotVisible"); left != "1" {
			t.Errorf("%s messages come again, want only the one that is no event", left)
		}
		if run.State != refresh.Successful || !run.Events || run.Counts.Updated != 1 || run.Counts.Added != 0 || run.Counts.Removed != 0 {
			t.Errorf("run %+v, want one item updated", run)
		}
		if opened := slices.Collect(maps.Keys(w.opened())); !slices.Equal(opened, []string{demo.Added}) {
			t.Errorf("opened %v, want %s", opened, demo.Added)
		}
		var changed []string
		after := w.items(t, nil)
		for id, it := range after {
			if before[id].Body != it.Body {
				changed = append(changed, id)
			}
		}
		if len(changed) != 1 || len(after) != len(before) {
			t.Errorf("changed %v, and %d items after %d; want one changed", changed, len(after), len(before))
		}
	})

	part("EventsDuringARunAreHandledAfterIt", func(t *testing.T) {
		runs := w.runs(t)
		g := w.hold(t, 0)
		running := w.refresh(t, `{"mode":"full"}`, http.StatusAccepted, "started")
		g.wait(t)
		if err := w.source.Delete(t.Context(), demo.Added); err != nil {
			t.Fatal(err)
		}
		w.tell(t, "Object Deleted", bucket, prefix+demo.Added)
		w.eventually(t, "the event waits", func() bool { return w.status(t).QueueLength == 1 })
		g.release()
		w.successful(t, running)
		w.eventually(t, "the run of the event", func() bool { return w.runs(t) == runs+2 })
		w.idle(t)
		if run := w.history(t)[0]; run.State != refresh.Successful || !run.Events || run.ID == running {
			t.Errorf("run %+v", run)
		}
		if got := w.items(t, nil); len(got) != first.Counts.Items {
			t.Errorf("%d items, want %d again", len(got), first.Counts.Items)
		}
	})

	part("KilledScanIsTriedAgain", func(t *testing.T) {
		g := w.hold(t, 3)
		run := w.refresh(t, `{"mode":"full"}`, http.StatusAccepted, "started")
		g.wait(t)
		killed := w.lambda.Kill("ScanFunction")
		g.release()
		w.successful(t, run)
		if failed, all := w.scans(run); killed == 0 || failed != killed || all < 2*killed {
			t.Errorf("%d scans killed, %d of %d failed by that; want them tried again", killed, failed, all)
		}
		same(t, tree(t, w.catalog), folder(t, local))
	})

	part("StoppedWorkflowIsSettledByItsEvent", func(t *testing.T) {
		w.put(t, demo.Added, other)
		before := w.status(t)
		g := w.hold(t, 0)
		run := w.refresh(t, "", http.StatusAccepted, "started")
		g.wait(t)
		if _, err := w.sfn.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: w.execution(run)}); err != nil {
			t.Fatal(err)
		}
		r := w.ended(t, run)
		if r.State != refresh.Failed || r.Error == nil || r.Error.Code == "" || r.Error.Message == "" {
			t.Errorf("run %+v: %+v; want failed, and why", r, r.Error)
		}
		t.Logf("it says: %+v", *r.Error)
		if after := w.status(t); after.IsRunning || *after.Snapshot != *before.Snapshot || *after.ItemsCount != *before.ItemsCount {
			t.Errorf("status %+v, want it free, and the catalog as before", after)
		}
		// The zombie goes on, and publishes nothing. The next Run is healthy.
		scans := w.count("ScanFunction")
		g.release()
		w.eventually(t, "the zombie ends", func() bool { return w.count("ScanFunction") > scans })
		if after := w.status(t); *after.Snapshot != *before.Snapshot {
			t.Errorf("snapshot %d, want %d", *after.Snapshot, *before.Snapshot)
		}
		if next := w.successful(t, w.refresh(t, "", http.StatusAccepted, "started")); next.Counts.Added != 1 {
			t.Errorf("next run %+v, want one item added", next.Counts)
		}
	})

	part("StoppedWorkflowIsReapedWhenItsEventIsLost", func(t *testing.T) {
		before := w.status(t)
		g := w.hold(t, 0)
		run := w.refresh(t, `{"mode":"full"}`, http.StatusAccepted, "started")
		g.wait(t)
		w.lambda.Lose(true)
		defer w.lambda.Lose(false)
		if _, err := w.sfn.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: w.execution(run)}); err != nil {
			t.Fatal(err)
		}
		w.tick(t, `{"cairn":"reap"}`)
		if s := w.status(t); !s.IsRunning || *s.RunID != run {
			t.Errorf("status %+v before the lease has run out", s)
		}
		w.expire(t)
		w.tick(t, `{"cairn":"reap"}`)
		if r := w.ended(t, run); r.State != refresh.Failed || r.Error == nil {
			t.Errorf("run %+v: %+v; want failed, and why", r, r.Error)
		}
		if after := w.status(t); after.IsRunning || *after.Snapshot != *before.Snapshot {
			t.Errorf("status %+v, want it free, and the catalog as before", after)
		}
	})

	for by, launch := range map[string]func(t *testing.T, run string){
		"TheReaper": func(t *testing.T, _ string) { w.tick(t, `{"cairn":"reap"}`) }, // which does not wait for such a lease to run out
		"TheNextPost": func(t *testing.T, run string) {
			if told := w.refresh(t, "", http.StatusOK, "running"); told != run {
				t.Errorf("next POST tells of run %s, want %s", told, run)
			}
		},
	} {
		part("StartThatDiedAfterTheLockIsLaunchedBy"+by, func(t *testing.T) {
			reached := make(chan struct{})
			w.front.Reset(func(ctx context.Context, function string, a Access) error {
				if function == "StartFunction" && a.Action == "states:StartExecution" {
					close(reached)
					<-ctx.Done()
				}
				return nil
			})
			go func() {
				<-reached
				w.lambda.Kill("StartFunction")
			}()
			plans := w.count("PlanFunction")
			if resp, body := w.call(t, http.MethodPost, "/refresh", ""); resp.StatusCode != http.StatusInternalServerError {
				t.Fatalf("POST /refresh: %s %s, want 500", resp.Status, body)
			}
			w.front.Reset(nil)
			s := w.status(t)
			if !s.IsRunning {
				t.Fatalf("status %+v, want the lease to be held", s)
			}
			if _, err := w.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: w.execution(*s.RunID)}); err == nil {
				t.Fatal("the execution is there already")
			}
			launch(t, *s.RunID)
			w.successful(t, *s.RunID)
			if n := w.count("PlanFunction") - plans; n != 1 {
				t.Errorf("it was planned %d times, want once", n)
			}
		})
	}

	part("FailedScanFailsTheRunAndSaysWhy", func(t *testing.T) {
		before := w.status(t)
		w.front.Reset(func(_ context.Context, function string, a Access) error {
			if function == "ScanFunction" && strings.HasPrefix(a.Resource, "arn:aws:s3:::"+bucket) {
				return errors.New("the source is closed to the scans")
			}
			return nil
		})
		w.lambda.Cool("ScanFunction") // those that have listed the source believe it to be there
		run := w.refresh(t, `{"mode":"full"}`, http.StatusAccepted, "started")
		r := w.ended(t, run)
		if r.State != refresh.Failed || r.Error == nil || r.Error.Code != "source_unavailable" {
			t.Errorf("run %s: %+v; want failed, for the source", r.State, r.Error)
		}
		want := []string{"Plan", "AnythingToScan", "Scan", "SettleFailed", "HowItEnded", "Failed"}
		if got := w.states(t, run); !slices.Equal(got, want) {
			t.Errorf("states %v, want %v", got, want)
		}
		if after := w.status(t); *after.Snapshot != *before.Snapshot || after.Error == nil || *after.Error != r.Error.Message {
			t.Errorf("status %+v, want the catalog as before, and the error of the run", after)
		}
	})

	part("QueuedRunFollows", func(t *testing.T) {
		g := w.hold(t, 0)
		running := w.refresh(t, `{"mode":"full"}`, http.StatusAccepted, "started")
		g.wait(t)
		queued := w.refresh(t, `{"queue":true}`, http.StatusAccepted, "queued")
		cancelled := w.refresh(t, `{"queue":true,"prefixes":["alps/"]}`, http.StatusAccepted, "queued")
		if resp, body := w.call(t, http.MethodDelete, "/refresh/runs/"+cancelled, ""); resp.StatusCode != http.StatusAccepted {
			t.Errorf("cancel of a queued run: %s %s", resp.Status, body)
		}
		w.tick(t, `{"cairn":"reap"}`) // changes nothing
		g.release()
		one, two := w.successful(t, running), w.successful(t, queued)
		if two.Started.Before(*one.Ended) {
			t.Errorf("the queued run started at %v, before %v", two.Started, one.Ended)
		}
		if r := w.ended(t, cancelled); r.State != refresh.Dismissed {
			t.Errorf("the cancelled run is %s", r.State)
		}
	})

	part("CancelledRunIsDismissed", func(t *testing.T) {
		before := w.status(t)
		g := w.hold(t, 0)
		run := w.refresh(t, `{"mode":"full"}`, http.StatusAccepted, "started")
		g.wait(t)
		if resp, body := w.call(t, http.MethodDelete, "/refresh/runs/"+run, ""); resp.StatusCode != http.StatusAccepted {
			t.Fatalf("DELETE: %s %s", resp.Status, body)
		}
		r := w.ended(t, run)
		g.release()
		if after := w.status(t); r.State != refresh.Dismissed || after.IsRunning || *after.Snapshot != *before.Snapshot {
			t.Errorf("run is %s, status %+v; want dismissed, and the catalog as before", r.State, after)
		}
		if resp, body := w.call(t, http.MethodDelete, "/refresh/runs/"+run, ""); resp.StatusCode != http.StatusConflict {
			t.Errorf("DELETE again: %s %s, want 409", resp.Status, body)
		}
	})

	part("CommandLineSharesTheLock", func(t *testing.T) {
		catalog := w.stack.Functions["PlanFunction"].Environment["CAIRN_CATALOG"]
		g := w.hold(t, 0)
		run := w.refresh(t, `{"mode":"full"}`, http.StatusAccepted, "started")
		g.wait(t)
		w.cairn(t, 3, "refresh", sourceURL, "--catalog", catalog)
		g.release()
		w.successful(t, run)
		var here refresh.Run
		if err := json.Unmarshal([]byte(w.cairn(t, 0, "refresh", sourceURL, "--catalog", catalog, "--json")), &here); err != nil {
			t.Fatal(err)
		}
		if r := w.successful(t, here.ID); r.Counts.Scanned != 0 {
			t.Errorf("a refresh on this machine scanned %d objects after the cloud's, want none", r.Counts.Scanned)
		}
		_, want := w.call(t, http.MethodGet, "/refresh/status", "")
		if got := w.cairn(t, 0, "status", "--catalog", catalog, "--json"); !jsonEqual(t, got, want) {
			t.Errorf("cairn status says %s, the API %s", got, want)
		}
	})

	part("ScheduleStartsARun", func(t *testing.T) {
		runs := w.runs(t)
		w.tick(t, `{"cairn":"schedule"}`)
		w.eventually(t, "the run of the schedule", func() bool { return w.runs(t) == runs+1 })
		if r := w.history(t)[0]; r.State != refresh.Successful || !r.Events {
			t.Errorf("run %+v", r)
		}
	})

	part("NothingIsGivenUp", func(t *testing.T) {
		if lost := w.lambda.GivenUp(); len(lost) != 0 {
			t.Errorf("%d events were given up, the first is %s", len(lost), lost[0].Payload)
		}
		for _, queue := range []string{"EventsDeadLetters", "EndingsDeadLetters"} {
			if n := w.queue(t, queue, "ApproximateNumberOfMessages"); n != "0" {
				t.Errorf("%s messages in %s", n, queue)
			}
		}
	})

	part("RolesAllowAllThatIsDone", func(t *testing.T) {
		for _, c := range w.front.Denied() {
			t.Errorf("the role of %s does not allow %s", c.Function, c.Access)
		}
		for logical, f := range w.stack.Functions {
			if ok, err := allowed(f.Statements, Access{Action: "s3:PutObject", Resource: "arn:aws:s3:::" + bucket + "/" + prefix + "x.tif"}); ok || err != nil {
				t.Errorf("%s may write to the source: %v", logical, err)
			}
			if unused := w.front.Unused(logical); len(unused) > 0 {
				t.Logf("%s may, and did not here: %s", logical, strings.Join(unused, ", "))
			}
		}
	})

	w.coldStarts(t)
}

// count is how many invocations of a function were answered.
func (w *world) count(function string) int {
	n := 0
	for _, i := range w.lambda.Invocations() {
		if i.Function == function {
			n++
		}
	}
	return n
}

// scans counts the scans of a Run, and those whose process ended.
func (w *world) scans(run string) (failed, all int) {
	for _, i := range w.lambda.Invocations() {
		if i.Function != "ScanFunction" || !strings.Contains(string(i.Payload), run) {
			continue
		}
		all++
		if strings.Contains(string(i.Result.Payload), "Runtime.ExitError") {
			failed++
		}
	}
	return failed, all
}
