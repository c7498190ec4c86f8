package cloudtest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/cairn-stac/cairn/internal/demo"
	"github.com/cairn-stac/cairn/internal/dynamostate"
	"github.com/cairn-stac/cairn/internal/dynamostate/dynamotest"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// patience is how long anything may take before a test gives up.
const patience = 90 * time.Second

// A world is the deployed stack with all that runs around it.
type world struct {
	stack   *Stack
	lambda  *Lambda
	front   *Front
	api     string // URL of the HTTP API
	engine  string // URL
	dir     string // of cloud.sh
	source  *s3store.Store
	catalog *s3store.Store
	sfn     *sfn.Client
	state   refresh.State
}

// newWorld starts what scripts/cloud.sh does not, which says in the environment where all the rest is.
func newWorld(t *testing.T) *world {
	t.Helper()
	dir := os.Getenv("CAIRN_CLOUD_TEST")
	if dir == "" {
		t.Skip("CAIRN_CLOUD_TEST is not set: scripts/cloud.sh runs this")
	}
	stack, err := ReadStack(filepath.Join(dir, "stack.json"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(create(t, filepath.Join(dir, "logs", "front.log")), &slog.HandlerOptions{Level: slog.LevelDebug}))
	port := os.Getenv("CAIRN_CLOUD_FRONT")
	address := "http://127.0.0.1:" + port
	key, secret := os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
	w := &world{stack: stack, engine: os.Getenv("CAIRN_CLOUD_ENGINE"), dir: dir}
	w.lambda, err = NewLambda(stack, func(logical string) string {
		return filepath.Join(dir, "bin", strings.ToLower(strings.TrimSuffix(logical, "Function")), "bootstrap")
	}, map[string]string{"AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}, filepath.Join(dir, "logs"), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.lambda.Close)
	table := w.dynamodb(t)
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", table.String())
	w.state = dynamostate.New(dynamotest.Client(table.String()), stack.Resources["Table"], time.Now)
	w.front = NewFront(stack, w.lambda, log, parse(t, os.Getenv("CAIRN_CLOUD_S3")), table, parse(t, w.engine),
		aws.Credentials{AccessKeyID: key, SecretAccessKey: secret})
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.Server{Listener: listener, Config: &http.Server{Handler: w.front}}
	front.Start()
	t.Cleanup(func() { w.front.Reset(nil); front.CloseClientConnections(); front.Close() })

	routes, err := stack.Routes()
	if err != nil || len(routes) == 0 {
		t.Fatalf("%d routes: %v", len(routes), err)
	}
	api := httptest.NewServer(&Gateway{Routes: routes, Lambda: w.lambda, Caller: testCaller})
	t.Cleanup(api.Close)
	w.api = api.URL

	ctx, stop := context.WithCancel(context.Background())
	var pollers sync.WaitGroup
	for _, q := range stack.Queues {
		p := &Poller{Queue: q, Engine: w.engine, Lambda: w.lambda, Window: time.Second, Log: log}
		pollers.Go(func() { p.Run(ctx) })
	}
	t.Cleanup(func() { stop(); pollers.Wait() })

	// The test's own requests go past the front, and past every role.
	t.Setenv("AWS_ENDPOINT_URL", os.Getenv("CAIRN_CLOUD_S3"))
	w.source = w.bucket(t, stack.Functions["ScanFunction"].Environment["CAIRN_SOURCE"])
	w.catalog = w.bucket(t, stack.Functions["ScanFunction"].Environment["CAIRN_CATALOG"])
	w.sfn = sfn.New(sfn.Options{BaseEndpoint: &w.engine, Region: region, Credentials: credentials.NewStaticCredentialsProvider(key, secret, "")})
	return w
}

// dynamodb is where the table is: on the server that cloud.sh started, or else on one within this process.
func (w *world) dynamodb(t *testing.T) *url.URL {
	t.Helper()
	if u := os.Getenv("CAIRN_DYNAMODB_TEST_URL"); u != "" {
		return parse(t, u)
	}
	client, _, server := dynamotest.Open(t)
	if err := dynamotest.CreateTable(t.Context(), client, w.stack.Resources["Table"]); err != nil {
		t.Fatal(err)
	}
	return parse(t, server.URL)
}

func create(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func parse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		t.Fatalf("URL %q: %v", s, err)
	}
	return u
}

func (w *world) bucket(t *testing.T, u string) *s3store.Store {
	t.Helper()
	at, err := s3store.ParseURL(u)
	if err != nil {
		t.Fatal(err)
	}
	s, err := s3store.Open(t.Context(), at, s3store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fill puts the demo's rasters, and real ones where they are, into the Source, and the demo's config into the Catalog and the folder
// local.
func (w *world) fill(t *testing.T, local string) {
	t.Helper()
	samples := filepath.Join(t.TempDir(), "samples")
	if _, err := demo.Write(t.Context(), samples); err != nil {
		t.Fatal(err)
	}
	if files := os.Getenv("CAIRN_TEST_FILES"); files != "" {
		if err := os.CopyFS(filepath.Join(samples, "real"), os.DirFS(files)); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(samples, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		key, err := filepath.Rel(samples, path)
		if err != nil {
			return err
		}
		_, err = w.source.Put(t.Context(), filepath.ToSlash(key), body, objstore.PutOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.WriteConfig(local); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(local, "cairn.yaml"))
	if err == nil {
		_, err = w.catalog.Put(t.Context(), "cairn.yaml", config, objstore.PutOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// cairn runs the command line on the servers of S3 and DynamoDB, and returns what it printed. code is what it is to exit with.
func (w *world) cairn(t *testing.T, code int, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), filepath.Join(w.dir, "bin", "cairn"), args...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if got := c.ProcessState.ExitCode(); got != code {
		t.Fatalf("cairn %v: %v, code %d, want %d\n%s", args, err, got, code, &stderr)
	}
	return string(out)
}

// call sends a request to the HTTP API, signed by its caller.
func (w *world) call(t testing.TB, method, path, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, w.api+strings.TrimPrefix(path, "https://"+Domain), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sign(t, r, []byte(body), testCaller)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(answer)
}

// get reads JSON from the HTTP API.
func (w *world) get(t testing.TB, path string, v any) {
	t.Helper()
	resp, body := w.call(t, http.MethodGet, path, "")
	if err := json.Unmarshal([]byte(body), v); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %s: %v", path, resp.Status, body, err)
	}
}

// refresh asks for a Run and returns its id. status is what it is to be answered.
func (w *world) refresh(t testing.TB, body string, code int, status string) string {
	t.Helper()
	resp, answer := w.call(t, http.MethodPost, "/refresh", body)
	var said struct {
		Status any    `json:"status"` // a number in problems
		Run    string `json:"run_id"`
	}
	if err := json.Unmarshal([]byte(answer), &said); err != nil || resp.StatusCode != code || said.Status != status {
		t.Fatalf("POST /refresh %s: %s %s: %v; want %d %q", body, resp.Status, answer, err, code, status)
	}
	return said.Run
}

// ended waits until a Run has ended, and returns its record.
func (w *world) ended(t testing.TB, run string) refresh.Run {
	t.Helper()
	var r refresh.Run
	w.eventually(t, "run "+run+" ends", func() bool {
		w.get(t, "/refresh/runs/"+run, &r)
		return r.Ended != nil
	})
	return r
}

// successful waits until a Run has ended, which must have been successful.
func (w *world) successful(t testing.TB, run string) refresh.Run {
	t.Helper()
	r := w.ended(t, run)
	if r.State != refresh.Successful {
		t.Fatalf("run %s is %s: %+v", run, r.State, r.Error)
	}
	return r
}

func (w *world) status(t testing.TB) refresh.Status {
	t.Helper()
	var s refresh.Status
	w.get(t, "/refresh/status", &s)
	return s
}

// idle waits until no Run runs.
func (w *world) idle(t testing.TB) {
	t.Helper()
	w.eventually(t, "nothing runs", func() bool { s := w.status(t); return !s.IsRunning && s.QueueLength == 0 })
}

// history are the ended Runs, newest first.
func (w *world) history(t testing.TB) []refresh.Run {
	t.Helper()
	var all struct{ Runs []refresh.Run }
	w.get(t, "/refresh/runs?limit=100", &all)
	return slices.DeleteFunc(all.Runs, func(r refresh.Run) bool { return r.Ended == nil })
}

// runs is how many Runs have ended.
func (w *world) runs(t testing.TB) int {
	t.Helper()
	return len(w.history(t))
}

// expire makes the Lease run out, as it does after minutes.
func (w *world) expire(t testing.TB) {
	t.Helper()
	c, token, err := w.state.Load(t.Context())
	if err != nil || c.Lease == nil {
		t.Fatalf("lease %+v: %v", c.Lease, err)
	}
	c.Lease.Expires = time.Now().Add(-time.Second)
	if err := w.state.Swap(t.Context(), token, c); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until something is done. It gives up at once when a role denied something, which nothing recovers from.
func (w *world) eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(50 * time.Millisecond) {
		w.allowed(t)
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// allowed ends the test when a role denied something.
func (w *world) allowed(t testing.TB) {
	t.Helper()
	if denied := w.front.Denied(); len(denied) > 0 {
		t.Fatalf("the role of %s does not allow %s", denied[0].Function, denied[0].Access)
	}
}

// A gate holds what scans read of the Source until it is opened.
type gate struct {
	*world
	reached, open chan struct{}
}

// hold closes a gate before the reads of the Source's rasters, but for so many of them. It opens when the test ends at the latest.
func (w *world) hold(t *testing.T, but int) *gate {
	g := &gate{w, make(chan struct{}), make(chan struct{})}
	var mu sync.Mutex
	once := sync.OnceFunc(func() { close(g.reached) })
	w.front.Reset(func(_ context.Context, function string, a Access) error {
		if !w.raster(function, a) {
			return nil
		}
		mu.Lock()
		but--
		wait := but < 0
		mu.Unlock()
		if wait {
			once()
			<-g.open
		}
		return nil
	})
	t.Cleanup(g.release)
	return g
}

func (g *gate) release() {
	select {
	case <-g.open:
	default:
		close(g.open)
	}
}

// wait waits until a read is held.
func (g *gate) wait(t testing.TB) {
	t.Helper()
	g.eventually(t, "the source is read", func() bool {
		select {
		case <-g.reached:
			return true
		default:
			return false
		}
	})
}

// raster tells whether a scan reads an Object of the Source.
func (w *world) raster(function string, a Access) bool {
	source := strings.TrimPrefix(w.stack.Functions["ScanFunction"].Environment["CAIRN_SOURCE"], "s3://")
	return function == "ScanFunction" && a.Action == "s3:GetObject" && strings.HasPrefix(a.Resource, "arn:aws:s3:::"+source)
}

// opened are the keys of the Source that scans read since the last Reset.
func (w *world) opened() map[string]bool {
	keys := map[string]bool{}
	_, prefix, _ := strings.Cut(strings.TrimPrefix(w.stack.Functions["ScanFunction"].Environment["CAIRN_SOURCE"], "s3://"), "/")
	for _, c := range w.front.Calls() {
		if w.raster(c.Function, c.Access) {
			_, key, _ := strings.Cut(strings.TrimPrefix(c.Resource, "arn:aws:s3:::"), "/")
			keys[strings.TrimPrefix(key, prefix)] = true
		}
	}
	return keys
}

// put writes an Object of the Source.
func (w *world) put(t testing.TB, key string, body []byte) {
	t.Helper()
	if _, err := w.source.Put(t.Context(), key, body, objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

// object reads an Object of the Source.
func (w *world) object(t testing.TB, key string) []byte {
	t.Helper()
	body, _, err := w.source.Get(t.Context(), key, 0, -1, "")
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// tell sends the event that S3 sends of an Object, by its bucket and whole key.
func (w *world) tell(t testing.TB, kind, bucket, key string) {
	t.Helper()
	detail, err := json.Marshal(map[string]any{
		"version": "0", "bucket": map[string]string{"name": bucket}, "object": map[string]any{"key": key, "size": 1, "sequencer": "00"},
		"request-id": "C3D13FE58DE4C810", "requester": account, "reason": "PutObject",
	})
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ FailedEntryCount int }
	err = call(t.Context(), w.engine, "events", "AWSEvents.PutEvents", map[string]any{"Entries": []map[string]any{{
		"Source": "aws.s3", "DetailType": kind, "Detail": string(detail), "Resources": []string{"arn:aws:s3:::" + bucket},
	}}}, &out)
	if err != nil || out.FailedEntryCount != 0 {
		t.Fatalf("put event: %d failed: %v", out.FailedEntryCount, err)
	}
}

// queue asks SQS for an attribute of a queue, by its logical id, which is a number.
func (w *world) queue(t testing.TB, logical, attribute string) string {
	t.Helper()
	_, name, _ := strings.Cut(w.stack.Resources[logical], account+"/")
	var out struct{ Attributes map[string]string }
	if err := call(t.Context(), w.engine, "sqs", "AmazonSQS.GetQueueAttributes", map[string]any{
		"QueueUrl": w.engine + "/" + account + "/" + name, "AttributeNames": []string{attribute}}, &out); err != nil {
		t.Fatal(err)
	}
	return out.Attributes[attribute]
}

// execution is the ARN of the execution of a Run.
func (w *world) execution(run string) *string {
	machine := w.stack.Functions["StartFunction"].Environment["CAIRN_STATE_MACHINE"]
	return aws.String(strings.Replace(machine, ":stateMachine:", ":execution:", 1) + ":" + run)
}

// states are the states that an execution entered, in order.
func (w *world) states(t testing.TB, run string) []string {
	t.Helper()
	h, err := w.sfn.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: w.execution(run)})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range h.Events {
		if e.StateEnteredEventDetails != nil {
			names = append(names, *e.StateEnteredEventDetails.Name)
		}
	}
	return names
}

// tick lets the clocks invoke a function with this input, as every so often on AWS.
func (w *world) tick(t testing.TB, input string) {
	t.Helper()
	n := 0
	for _, c := range w.stack.Clocks {
		if c.Input != input {
			continue
		}
		n++
		if r, err := w.lambda.Invoke(t.Context(), c.Function, []byte(c.Input)); err != nil || r.Error != "" {
			t.Fatalf("%s: %s: %v", c.Input, r.Payload, err)
		}
	}
	if n != 1 {
		t.Fatalf("%d clocks say %s, want 1", n, input)
	}
}
