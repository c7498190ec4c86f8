// Package envtest gives tests the environment that a function has on AWS, with servers of S3, DynamoDB and Step Functions within the
// process behind it.
package envtest

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/dynamostate"
	"github.com/cairn-stac/cairn/internal/dynamostate/dynamotest"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/sfnflow/sfntest"
)

// Where things are.
const (
	SourceBucket  = "rasters"
	SourcePrefix  = "ortho/"
	CatalogBucket = "cairn-catalog"
)

// A Stack is what is around the functions.
type Stack struct {
	S3              *s3test.Server
	Source, Catalog *s3test.Bucket
	Table           *dynamotest.Server
	Machine         *sfntest.Server
}

// New starts the servers and sets the environment, until the test ends.
func New(t testing.TB) *Stack {
	t.Helper()
	_, table, dynamo := dynamotest.Open(t)
	s := &Stack{S3: s3test.New(t), Table: dynamo, Machine: sfntest.New(t)}
	s.Source, s.Catalog = s.S3.CreateBucket(SourceBucket), s.S3.CreateBucket(CatalogBucket)
	s.S3.Setenv(t)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_S3": s.S3.URL(), "AWS_ENDPOINT_URL_DYNAMODB": s.Table.URL, "AWS_ENDPOINT_URL_SFN": s.Machine.URL(),
		"CAIRN_SOURCE": "s3://" + SourceBucket + "/" + SourcePrefix, "CAIRN_CATALOG": "s3://" + CatalogBucket, "CAIRN_TABLE": table,
		"CAIRN_STATE_MACHINE": sfntest.StateMachine, "CAIRN_SCANS": "", "CAIRN_READS": "", "CAIRN_REQUESTER_PAYS": "", "CAIRN_CORS": "",
		"CAIRN_BASE_PATH": "", "CAIRN_LOG_LEVEL": "",
		"AWS_CA_BUNDLE": "", // which Lambda does not set, and which takes longer to read than all the rest
	} {
		t.Setenv(name, value)
	}
	return s
}

// Run is the id of the Run that Grant is for.
const Run = "01JBZ5Q5C4X8T9W0V1K2M3N4P5"

// Grant gives the Lease to Run, as the function start does. It returns the state.
func (s *Stack) Grant(t testing.TB, scope refresh.Scope) *dynamostate.State {
	t.Helper()
	state := dynamostate.New(dynamotest.Client(s.Table.URL), s.Table.Table, time.Now)
	next, ans := refresh.Control{}.Start(refresh.Request{Run: Run, Scope: scope}, refresh.Grant{Now: time.Now(), TTL: time.Hour})
	if ans.Kind != refresh.Started {
		t.Fatal(ans)
	}
	if err := state.Swap(t.Context(), "", next); err != nil {
		t.Fatal(err)
	}
	return state
}

// Requests is how many requests Step Functions got.
func (s *Stack) Requests() int {
	return s.Machine.Count(sfntest.Start) + s.Machine.Count(sfntest.Describe) + s.Machine.Count(sfntest.Stop)
}

// A Function answers an event as its binary does.
type Function func(event string) (answer string, err error)

// Function starts a function as its main does, in an environment that has only the needed variables of Cairn's.
func (s *Stack) Function(t testing.TB, main func(context.Context, *cloud.Env) (any, error), needed ...cloud.Name) Function {
	t.Helper()
	getenv := func(name string) string {
		switch n := cloud.Name(name); n {
		case cloud.Source, cloud.Catalog, cloud.Table, cloud.StateMachine:
			if !slices.Contains(needed, n) {
				return ""
			}
		}
		return os.Getenv(name)
	}
	e, err := cloud.Open(t.Context(), getenv, needed...)
	if err != nil {
		t.Fatal(err)
	}
	e.Log = slog.New(slog.DiscardHandler)
	handler, err := main(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	h := lambda.NewHandler(handler)
	return func(event string) (string, error) {
		answer, err := h.Invoke(context.WithoutCancel(t.Context()), []byte(event))
		return string(answer), err
	}
}

// Must answers an event that has to be answered well.
func (f Function) Must(t testing.TB, event string) string {
	t.Helper()
	answer, err := f(event)
	if err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	return answer
}

// Request is the event of a request to an HTTP API.
func Request(method, path, body string) string {
	raw, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": map[string]string{"accept": "*/*"}, "body": body,
		"isBase64Encoded": false, "requestContext": map[string]any{
			"domainName": "r3pmxmplak.execute-api.us-east-1.amazonaws.com", "stage": "$default", "requestId": "JKJaXmPLvHcESHA=",
			"http": map[string]string{"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "curl/8.5.0"},
		},
	})
	if err != nil {
		panic(err) // of strings
	}
	return string(raw)
}

// An Answer is what a function answers to a Request.
type Answer struct {
	StatusCode int
	Headers    map[string]string
	Body       string
}

// HTTP sends a request to a function.
func (f Function) HTTP(t testing.TB, method, path, body string) (a Answer) {
	t.Helper()
	if err := json.Unmarshal([]byte(f.Must(t, Request(method, path, body))), &a); err != nil {
		t.Fatal(err)
	}
	return a
}
