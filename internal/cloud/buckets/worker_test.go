package buckets_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/cloud/buckets"
	"github.com/cairn-stac/cairn/internal/cloud/envtest"
	"github.com/cairn-stac/cairn/internal/cloud/web"
	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
	"github.com/cairn-stac/cairn/internal/lambdafn"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/sfnflow"
)

var needed = []cloud.Name{cloud.Source, cloud.Catalog, cloud.Table, cloud.StateMachine}

// functions are all of them, one after the other as the workflow calls them.
type functions struct {
	t     *testing.T
	stack *envtest.Stack
	start, plan, scan, publish,
	settle, api envtest.Function
}

func open(t *testing.T, s *envtest.Stack) *functions {
	flow := func(e *cloud.Env) *sfnflow.Flow { return sfnflow.New(sfn.NewFromConfig(e.AWS), e.StateMachine) }
	worker := func(e *cloud.Env) *buckets.Worker {
		w, err := buckets.NewWorker(context.Background(), e)
		if err != nil {
			t.Fatal(err)
		}
		w.Log = slog.New(slog.DiscardHandler)
		return w
	}
	function := func(main func(e *cloud.Env) any) envtest.Function {
		return s.Function(t, func(_ context.Context, e *cloud.Env) (any, error) { return main(e), nil }, needed...)
	}
	return &functions{
		t: t, stack: s,
		start: function(func(e *cloud.Env) any {
			w := worker(e)
			desk := e.Desk(flow(e), w.Catalog)
			return (&lambdafn.Start{HTTP: web.Only(e, desk, "POST", "/refresh"), Desk: desk, Bucket: e.Source.Bucket, Prefix: e.Source.Prefix,
				About: w.About, Config: w.Config, Log: e.Log}).Handle
		}),
		plan: function(func(e *cloud.Env) any {
			w := worker(e)
			return (&lambdafn.Plan{Desk: e.Desk(flow(e), w.Catalog), Worker: w, Deployed: func(context.Context) error { return nil },
				Bucket: e.Catalog.Bucket, Prefix: e.Catalog.Prefix, Concurrency: e.Scans, Log: e.Log}).Handle
		}),
		scan:    function(func(e *cloud.Env) any { return (&lambdafn.Scan{Worker: worker(e), Log: e.Log}).Handle }),
		publish: function(func(e *cloud.Env) any { return (&lambdafn.Publish{Worker: worker(e), Log: e.Log}).Handle }),
		settle: function(func(e *cloud.Env) any {
			return (&lambdafn.Settle{Desk: e.Desk(flow(e), worker(e).Catalog), Log: e.Log}).Handle
		}),
		api: function(func(e *cloud.Env) any { return web.API(e, e.Desk(flow(e), nil), worker(e).Catalog).Handle }),
	}
}

// drive takes the execution that was started last through its steps, and returns how the Run ended.
func (f *functions) drive() string {
	f.t.Helper()
	executions := f.stack.Machine.Executions()
	input := executions[len(executions)-1].Input
	var planned lambdafn.Planned
	if err := json.Unmarshal([]byte(f.plan.Must(f.t, input)), &planned); err != nil {
		f.t.Fatal(err)
	}
	if planned.Shards > 0 {
		var refs []lambdafn.ShardRef
		o, _ := f.stack.Catalog.Get(planned.Key)
		if err := json.Unmarshal(o.Body, &refs); err != nil {
			f.t.Fatal(err)
		}
		for _, ref := range refs {
			f.scan.Must(f.t, fmt.Sprintf(`{"run_id":%q,"shard":%q}`, planned.Run, ref.Shard))
		}
	}
	f.publish.Must(f.t, input)
	return f.settle.Must(f.t, input)
}

func raster(t *testing.T) []byte {
	t.Helper()
	r := tiffwrite.Raster{Width: 16, Height: 16, Keys: tiffwrite.Projected(32632)}
	r.NorthUp(500_000, 5_000_000, 10, 10)
	body, err := r.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// requests notes where requests to S3 go.
type requests struct {
	mu   sync.Mutex
	seen []string // "bucket/key", or "bucket?prefix"
}

func (q *requests) note(r *http.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if r.URL.Query().Has("list-type") {
		q.seen = append(q.seen, bucket+"?"+r.URL.Query().Get("prefix"))
		return
	}
	q.seen = append(q.seen, bucket+"/"+key)
}

// Whatever a caller or an event names, nothing is read but the Source, and nothing is catalogued but what lies there.
func TestCallerCannotLeaveThePrefix(t *testing.T) {
	s := envtest.New(t)
	var q requests
	recorder := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q.note(r)
		s.S3.ServeHTTP(w, r)
	}))
	defer recorder.Close()
	t.Setenv("AWS_ENDPOINT_URL_S3", recorder.URL)
	body := raster(t)
	secret := s.S3.CreateBucket("other")
	for _, key := range []string{"secret.tif", "ortho/secret.tif", "x/secret.tif"} {
		s.Source.Set(s3test.Object{Key: "x/" + key, Body: body}, s3test.Object{Key: "orthos/" + key, Body: body})
		secret.Set(s3test.Object{Key: key, Body: body})
	}
	s.Source.Set(s3test.Object{Key: "secret.tif", Body: body}, s3test.Object{Key: "ortho/a.tif", Body: body}, s3test.Object{Key: "ortho/../odd.tif", Body: body})
	f := open(t, s)
	hostile := []string{"../x", "../", "..", "../../other/", "s3://other/", "s3://rasters/x/", "other/secret.tif", "x/secret.tif", "/x", "/", "//x", "\x00", "a\x00../x", "%2e%2e/x",
		"..%2fx", "?prefix=x/", "&prefix=x", "#", " ", "\\..\\x", "ortho/../../x", "\u202e", strings.Repeat("../", 300) + "x", "a.tif/../../x/secret.tif", "\xff"}
	taken := 0
	for _, h := range hostile {
		for _, member := range []string{"prefixes", "keys"} {
			raw, err := json.Marshal(map[string]any{member: []string{h}, "mode": "full", "allow_mass_delete": true})
			if err != nil {
				t.Fatal(err)
			}
			switch a := f.start.HTTP(t, "POST", "/refresh", string(raw)); a.StatusCode {
			case 202:
				taken++
				if end := f.drive(); !strings.Contains(end, `"successful"`) {
					t.Errorf("%s: %s", raw, end)
				}
			case 400:
			default:
				t.Errorf("%s: %+v", raw, a)
			}
		}
		message, err := json.Marshal(map[string]any{"source": "aws.s3", "detail-type": "Object Created",
			"detail": map[string]any{"bucket": map[string]string{"name": "rasters"}, "object": map[string]string{"key": "ortho/" + h + ".tif"}}})
		if err != nil {
			t.Fatal(err)
		}
		batch, err := json.Marshal(map[string]any{"Records": []map[string]string{{"messageId": "m", "eventSource": "aws:sqs", "body": string(message)}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := f.start.Must(t, string(batch)); got != `{"batchItemFailures":[]}` {
			t.Errorf("event of %q: %s", h, got)
		}
		if end := f.drive(); !strings.Contains(end, `"successful"`) {
			t.Errorf("event of %q: %s", h, end)
		}
	}
	if taken < len(hostile) {
		t.Errorf("only %d of the hostile scopes led to a run", taken)
	}
	if a := f.start.HTTP(t, "POST", "/refresh", `{"bucket":"other"}`); a.StatusCode != 400 {
		t.Errorf("a body with a bucket: %+v", a)
	}
	f.start.HTTP(t, "POST", "/refresh", `{"mode":"full"}`)
	f.drive()
	source := 0
	for _, place := range q.seen {
		switch {
		case strings.HasPrefix(place, "rasters/ortho/"), strings.HasPrefix(place, "rasters?ortho/"):
			source++
		case !strings.HasPrefix(place, "cairn-catalog/") && !strings.HasPrefix(place, "cairn-catalog?"):
			t.Errorf("a request to %q", place)
		}
	}
	if source == 0 {
		t.Error("no request to the source was seen")
	}
	a := f.api.HTTP(t, "GET", "/collections", "")
	var all struct{ Collections []struct{ ID string } }
	if err := json.Unmarshal([]byte(a.Body), &all); err != nil || len(all.Collections) == 0 {
		t.Fatalf("%+v, %v", a, err)
	}
	items := 0
	for _, c := range all.Collections {
		a := f.api.HTTP(t, "GET", "/collections/"+c.ID+"/items", "")
		var page struct {
			Features []struct {
				Assets map[string]struct{ Href string }
			}
		}
		if err := json.Unmarshal([]byte(a.Body), &page); err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Features {
			items++
			for _, asset := range it.Assets {
				if u, err := url.PathUnescape(asset.Href); err != nil || !strings.HasPrefix(u, "s3://rasters/ortho/") || strings.Contains(u, "secret") {
					t.Errorf("catalogued is %s", asset.Href)
				}
			}
		}
	}
	if items != 2 {
		t.Errorf("%d items, want those of a.tif and ../odd.tif below the prefix", items)
	}
}

// Another region in the configuration than the bucket's: the first step asks, so that hrefs over https are right.
func TestRegionOfHrefs(t *testing.T) {
	s := envtest.New(t)
	s.Source.Set(s3test.Object{Key: "ortho/a.tif", Body: raster(t)})
	s.Catalog.Set(s3test.Object{Key: "cairn.yaml", Body: []byte("asset_href: https\n")})
	f := open(t, s)
	f.start.HTTP(t, "POST", "/refresh", "")
	if end := f.drive(); !strings.Contains(end, `"successful"`) {
		t.Fatal(end)
	}
	a := f.api.HTTP(t, "GET", "/collections/ortho/items", "")
	if want := fmt.Sprintf(`"href":%q`, s.S3.URL()+"/rasters/ortho/a.tif"); !strings.Contains(a.Body, want) {
		t.Errorf("%s lacks %s", a.Body, want)
	}
}

func TestSourceThatCannotBeListedIsTold(t *testing.T) {
	s := envtest.New(t)
	e, err := cloud.Open(t.Context(), func(name string) string {
		return map[string]string{"CAIRN_SOURCE": "s3://rasters", "CAIRN_CATALOG": "s3://cairn-catalog", "CAIRN_TABLE": "cairn"}[name]
	}, needed[:3]...)
	if err != nil {
		t.Fatal(err)
	}
	w, err := buckets.NewWorker(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	s.S3.RemoveBucket("rasters")
	for _, err := range []error{w.Scan(t.Context(), "run", "shard"), func() error { _, err := w.Plan(t.Context(), "run"); return err }()} {
		if p := refresh.ProblemOf(err); p.Code != "source_unavailable" || !strings.Contains(p.Message, "there is no bucket") {
			t.Errorf("%+v", p)
		}
	}
}
