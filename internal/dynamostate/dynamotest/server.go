// Package dynamotest is a DynamoDB server for tests, in the test's own process, which counts what it is asked and can be made to
// fail as networks and busy tables do.
package dynamotest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	minidyn "github.com/truora/minidyn/server"
)

// A Fault is how a request fails.
type Fault int

// The Faults. The SDK repeats a request after all of them but Conflict.
const (
	Refused   Fault = iota + 1 // the connection ends before anything is done
	LostReply                  // it is done, but the connection ends before the answer
	Throttled                  // the table is busy; nothing is done
	Internal                   // 500; nothing is done
	Conflict                   // another transaction works on the item; nothing is done
	Denied                     // the caller's role does not allow it; nothing is done
)

// A Server is a DynamoDB server with one table.
type Server struct {
	URL   string
	Table string

	engine http.Handler

	mu     sync.Mutex // also held while the engine works: its table is not made for many at once
	counts map[string]int
	items  int
	faults []fault
	before func(op string)
}

type fault struct {
	op   string
	left int
	kind Fault
}

// Open starts a Server that ends with the test, and returns a client of it, whose retries do not wait, and the name of its table,
// which is there already.
func Open(t testing.TB) (*dynamodb.Client, string, *Server) {
	t.Helper()
	s := &Server{Table: "cairn", engine: minidyn.NewServer(), counts: map[string]int{}}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.URL = h.URL
	client := Client(s.URL)
	if err := CreateTable(context.Background(), client, s.Table); err != nil {
		t.Fatal(err)
	}
	s.Reset()
	return client, s.Table, s
}

// Client makes a client of a DynamoDB server elsewhere than at AWS, which asks for no real credentials. Its retries do not wait.
func Client(url string, options ...func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: &url,
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = 4 // as the SDK's own for DynamoDB
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		}),
	}, options...)
}

// CreateTable makes a table as the template has it, but for what only AWS does (expiry, recovery).
func CreateTable(ctx context.Context, client *dynamodb.Client, table string) error {
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:   &table,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	})
	return err
}

// Count is how many requests of an operation ("PutItem", …; "": of any) arrived since the last Reset, failed ones included.
func (s *Server) Count(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if op != "" {
		return s.counts[op]
	}
	n := 0
	for _, c := range s.counts {
		n += c
	}
	return n
}

// Counts are the requests since the last Reset by operation.
func (s *Server) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// ItemsRead is how many items were read since the last Reset.
func (s *Server) ItemsRead() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.items
}

// Reset counts from 0 again and takes back the Faults that have not happened.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts, s.items, s.faults = map[string]int{}, 0, nil
}

// Fail makes the next n requests of an operation (of any, if "") fail; n < 0: all.
func (s *Server) Fail(op string, n int, kind Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fault{op, n, kind})
}

// Before calls f before each request is answered; f may send requests of its own. nil: no more.
func (s *Server) Before(f func(op string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	s.mu.Lock()
	before := s.before
	s.mu.Unlock()
	if before != nil {
		before(op)
	}
	s.answer(op, r).write(w)
}

// A reply is what a request gets; none if the connection is to end instead.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (a *reply) write(w http.ResponseWriter) {
	if a == nil {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	w.Write(a.body) //nolint:errcheck // whoever asked is gone
}

func (s *Server) answer(op string, r *http.Request) *reply {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[op]++
	kind := s.fault(op)
	switch kind {
	case Refused:
		return nil
	case Throttled:
		return refusal(http.StatusBadRequest, "ProvisionedThroughputExceededException", "the table is busy", "")
	case Denied:
		return refusal(http.StatusBadRequest, "AccessDeniedException", "User is not authorized to perform this action", "")
	case Internal:
		return refusal(http.StatusInternalServerError, "InternalServerError", "something broke", "")
	case Conflict:
		if strings.HasPrefix(op, "Transact") {
			return refusal(http.StatusBadRequest, "TransactionCanceledException", "Transaction cancelled [TransactionConflict]",
				`,"CancellationReasons":[{"Code":"TransactionConflict","Message":"Transaction is ongoing for the item"}]`)
		}
		return refusal(http.StatusBadRequest, "TransactionConflictException", "Transaction is ongoing for the item", "")
	}
	if tooLarge(body) {
		return refusal(http.StatusBadRequest, "ValidationException", "Item size has exceeded the maximum allowed size", "")
	}
	rec := httptest.NewRecorder()
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.engine.ServeHTTP(rec, r)
	s.items += itemsIn(rec.Body.Bytes())
	if kind == LostReply {
		return nil
	}
	return &reply{rec.Code, rec.Header(), rec.Body.Bytes()}
}

// maxItem is how many bytes an item may have at DynamoDB, its attributes' names included. The engine here takes any.
const maxItem = 400 << 10

// tooLarge tells whether a request writes an item that is too large for DynamoDB. Of an update only what it writes anew is known.
func tooLarge(body []byte) bool {
	type attributes map[string]map[string]json.RawMessage
	type write struct{ Item, ExpressionAttributeValues attributes }
	var a struct {
		write
		TransactItems []struct{ Put, Update write }
	}
	if json.Unmarshal(body, &a) != nil {
		return false // none of those that write large items
	}
	writes := []write{a.write}
	for _, item := range a.TransactItems {
		writes = append(writes, item.Put, item.Update)
	}
	for _, w := range writes {
		size := 0
		for _, of := range []attributes{w.Item, w.ExpressionAttributeValues} {
			for name, value := range of {
				size += len(name)
				for _, v := range value {
					var text string
					_ = json.Unmarshal(v, &text) // a number or a string; of others there are none in this table
					size += len(text)
				}
			}
		}
		if size > maxItem {
			return true
		}
	}
	return false
}

// fault is how the request fails, 0 if it does not.
func (s *Server) fault(op string) Fault {
	for i := range s.faults {
		if f := &s.faults[i]; f.left != 0 && (f.op == "" || f.op == op) {
			f.left--
			return f.kind
		}
	}
	return 0
}

func refusal(status int, kind, message, more string) *reply {
	return &reply{status, http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		[]byte(`{"__type":"com.amazonaws.dynamodb.v20120810#` + kind + `","message":"` + message + `"` + more + `}`)}
}

// itemsIn counts the items that an answer of GetItem, Query, Scan or BatchGetItem holds.
func itemsIn(body []byte) int {
	var a struct {
		Item      map[string]json.RawMessage
		Items     []json.RawMessage
		Responses json.RawMessage
		Type      string `json:"__type"`
	}
	if json.Unmarshal(body, &a) != nil || a.Type != "" {
		return 0
	}
	n := len(a.Items)
	if len(a.Item) > 0 {
		n++
	}
	var tables map[string][]json.RawMessage
	if json.Unmarshal(a.Responses, &tables) == nil {
		for _, items := range tables {
			n += len(items)
		}
	}
	return n
}
