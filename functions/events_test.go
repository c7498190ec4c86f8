package functions_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// A response is an answer of the HTTP API.
type response struct {
	status int
	header map[string]string
	body   string
}

// http sends a request to the HTTP API, whose routes lead to functions. It is to be called by a process.
func (w *world) http(method, path, body string) response {
	function := "ApiFunction"
	switch {
	case method == "POST" && path == "/refresh":
		function = "StartFunction"
	case method == "GET" && path == "/refresh/status":
		function = "StatusFunction"
	}
	raw, query, _ := strings.Cut(path, "?")
	answer, err := w.lambda.Invoke(function, encode(map[string]any{
		"version": "2.0", "routeKey": method + " " + raw, "rawPath": raw, "rawQueryString": query,
		"headers": map[string]string{"accept": "*/*", "content-type": "application/json", "host": "abc.execute-api.xx-test-1.amazonaws.com",
			"x-forwarded-proto": "https"},
		"requestContext": map[string]any{"accountId": "000000000000", "apiId": "abc", "domainName": "abc.execute-api.xx-test-1.amazonaws.com",
			"stage": "$default", "http": map[string]any{"method": method, "path": raw, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"}},
		"body": body, "isBase64Encoded": false,
	}))
	if err != nil {
		return response{status: 503} // what API Gateway makes of it
	}
	var out struct {
		StatusCode int
		Headers    map[string]string
		Body       string
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		w.t.Fatal(err)
	}
	return response{out.StatusCode, out.Headers, out.Body}
}

// ask sends a request from outside, as a process of its own, and waits for the answer.
func (w *world) ask(method, path, body string) (r response) {
	w.t.Helper()
	w.clock.Do(func() { r = w.http(method, path, body) })
	return r
}

// An answer is what POST /refresh says.
type answer struct {
	Status  string
	RunID   string `json:"run_id"`
	Running bool   `json:"is_running"`
	Message string
}

func (r response) answer() (a answer) {
	_ = json.Unmarshal([]byte(r.body), &a) // then it is empty
	return a
}

// post asks for a refresh, which is to be answered with this status, and returns the Run's id.
func (w *world) post(want int, body string) string {
	w.t.Helper()
	r := w.ask("POST", "/refresh", body)
	if r.status != want {
		w.t.Fatalf("POST /refresh: %d %s; want %d", r.status, r.body, want)
	}
	return r.answer().RunID
}

// over waits for the end of a Run, and returns it.
func (w *world) over(run string) refresh.Run {
	w.t.Helper()
	if !w.clock.Until(24*time.Hour, func() bool { return w.ended[run].ID != "" && !w.holds(run) }) {
		w.t.Fatalf("run %s has not ended after a day: %s", run, encode(w.control()))
	}
	return w.run(run)
}

func (w *world) holds(run string) bool {
	l := w.control().Lease
	return l != nil && l.Run == run
}

// refresh asks for a refresh and waits for its end, which is to be as it says.
func (w *world) refresh(want refresh.RunState) refresh.Run {
	w.t.Helper()
	r := w.over(w.post(202, ""))
	if r.State != want {
		w.t.Fatalf("run is %s, want %s: %s", r.State, want, encode(r))
	}
	w.settled()
	return r
}

// A queue is that between the Source's events and the function start.
type queue struct {
	messages int
	dead     []string // bodies
}

// receives is how often a message is tried before it is a dead letter.
const receives = 5

// objectEvent is an event of S3 as EventBridge has it.
func objectEvent(kind, bucket, key string) string {
	return string(encode(map[string]any{
		"version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": kind, "source": "aws.s3", "account": "000000000000",
		"time": "2050-05-06T07:08:09Z", "region": "xx-test-1", "resources": []string{"arn:aws:s3:::" + bucket},
		"detail": map[string]any{"version": "0", "bucket": map[string]any{"name": bucket},
			"object":     map[string]any{"key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": "00617F08299329D189"},
			"request-id": "N4N7GDK58NMKJ12R", "requester": "000000000000", "reason": "PutObject"},
	}))
}

// created and deleted are events of the Source.
func created(key string) string { return objectEvent("Object Created", sourceBucket, key) }
func deleted(key string) string { return objectEvent("Object Deleted", sourceBucket, key) }

// send brings messages to the function start, in one batch once d has passed; those that it says are not done come again.
func (w *world) send(d time.Duration, bodies ...string) {
	ids := map[string]string{}
	for _, b := range bodies {
		w.queue.messages++
		ids[fmt.Sprintf("m%d", w.queue.messages)] = b
	}
	w.clock.After(d, func() { w.batch(ids, 1) })
}

func (w *world) batch(messages map[string]string, nth int) {
	var records []map[string]any
	for _, id := range ids(messages) {
		records = append(records, map[string]any{"messageId": id, "receiptHandle": "r", "body": messages[id],
			"attributes": map[string]string{"ApproximateReceiveCount": fmt.Sprint(nth)}, "eventSource": "aws:sqs",
			"eventSourceARN": "arn:aws-test:sqs:xx-test-1:000000000000:cairn-events", "awsRegion": "xx-test-1"})
	}
	again := messages
	if body, err := w.lambda.Invoke("StartFunction", encode(map[string]any{"Records": records})); err == nil {
		var out struct {
			BatchItemFailures []struct{ ItemIdentifier string }
		}
		if err := json.Unmarshal(body, &out); err != nil {
			w.t.Errorf("answer to a batch: %s", body)
		}
		again = map[string]string{}
		for _, f := range out.BatchItemFailures {
			again[f.ItemIdentifier] = messages[f.ItemIdentifier]
		}
	}
	switch {
	case len(again) == 0:
	case nth == receives:
		for _, id := range ids(again) {
			w.queue.dead = append(w.queue.dead, again[id])
		}
	default:
		w.clock.Sleep(5 * time.Minute) // visibility timeout
		w.batch(again, nth+1)
	}
}
