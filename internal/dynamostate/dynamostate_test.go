package dynamostate_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/cairn-stac/cairn/internal/dynamostate"
	"github.com/cairn-stac/cairn/internal/dynamostate/dynamotest"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/refresh/refreshtest"
)

// homes opens one table for each test, however often it is asked.
func homes(open func(t *testing.T) (*dynamodb.Client, string)) func(*testing.T) refresh.State {
	type home struct {
		client *dynamodb.Client
		table  string
	}
	known := map[*testing.T]home{}
	return func(t *testing.T) refresh.State {
		h, ok := known[t]
		if !ok {
			client, table := open(t)
			h = home{client, table}
			known[t] = h
		}
		return dynamostate.New(h.client, h.table, time.Now)
	}
}

func TestContract(t *testing.T) {
	refreshtest.TestState(t, homes(func(t *testing.T) (*dynamodb.Client, string) {
		client, table, _ := dynamotest.Open(t)
		return client, table
	}))
}

// The contract holds while every fourth request fails: before it is done, after it was, or because the server is busy or broken.
func TestContractOverABadNetwork(t *testing.T) {
	refreshtest.TestState(t, homes(func(t *testing.T) (*dynamodb.Client, string) {
		_, table, db := dynamotest.Open(t)
		var n atomic.Int64
		db.Before(func(string) {
			kinds := []dynamotest.Fault{dynamotest.LostReply, dynamotest.Refused, dynamotest.LostReply, dynamotest.Throttled, dynamotest.Internal}
			if i := int(n.Add(1)); i%4 == 0 {
				db.Fail("", 1, kinds[i/4%len(kinds)])
			}
		})
		return dynamotest.Client(db.URL, func(o *dynamodb.Options) {
			o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { // more patient: many at once may meet many faults in a row
				o.MaxAttempts = 20
				o.RateLimiter = ratelimit.None
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		}), table
	}))
}

// TestContractElsewhere runs against the DynamoDB server at an endpoint, in tables of its own, which it removes.
func TestContractElsewhere(t *testing.T) {
	url := os.Getenv("CAIRN_DYNAMODB_TEST_URL")
	if url == "" {
		t.Skip("CAIRN_DYNAMODB_TEST_URL is not set")
	}
	client := dynamotest.Client(url)
	started := time.Now().UTC().Format("20060102T150405.000")
	n := 0
	refreshtest.TestState(t, homes(func(t *testing.T) (*dynamodb.Client, string) {
		n++
		table := fmt.Sprintf("cairn-test-%s-%d", started, n)
		if err := dynamotest.CreateTable(t.Context(), client, table); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if _, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &table}); err != nil {
				t.Error(err)
			}
		})
		return client, table
	}))
}
