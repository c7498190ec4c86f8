package dynamostate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// advice is what to do about an error that the SDK's retries did not outlast, by DynamoDB's code for it.
var advice = map[string]string{
	"ResourceNotFoundException": "there is no such table in this account and region: deploy the stack there, or correct the table's name",
	"AccessDeniedException":     "the role in use may not do this on the table: deploy the stack again, so that it may",

	"ProvisionedThroughputExceededException": busy,
	"ThrottlingException":                    busy,
	"RequestLimitExceeded":                   busy,
	"TransactionConflictException":           contended,
	"TransactionCanceledException":           contended,
}

const (
	busy      = "the table is asked more than it takes at the moment; try again in a few minutes, and raise its limits if that does not help"
	contended = "others write the same item all the time; try again in a moment"
)

// explain says of an error what was done with which table and, where that is known, what to do about it.
func (s *State) explain(op string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) && advice[api.ErrorCode()] != "" {
		return fmt.Errorf("%s in table %s: %s: %w", op, s.table, advice[api.ErrorCode()], err)
	}
	return fmt.Errorf("%s in table %s: %w", op, s.table, err)
}

// unmet tells whether a write, or a transaction's ith, was refused because its condition does not hold, and returns the item as it
// is, which is empty but not nil if there is none.
func unmet(err error, i int) (held attributes, ok bool) {
	var one *types.ConditionalCheckFailedException
	if errors.As(err, &one) {
		return orEmpty(one.Item), true
	}
	var all *types.TransactionCanceledException
	if errors.As(err, &all) && i < len(all.CancellationReasons) {
		if r := all.CancellationReasons[i]; r.Code != nil && *r.Code == "ConditionalCheckFailed" {
			return orEmpty(r.Item), true
		}
	}
	return nil, false
}

func orEmpty(a attributes) attributes {
	if a == nil {
		return attributes{}
	}
	return a
}

// passing tells whether a write was refused, as a whole, for a reason that passes: another transaction had an item of it, or an item
// was asked too much. The SDK does not repeat these.
func passing(err error) bool {
	var one *types.TransactionConflictException
	if errors.As(err, &one) {
		return true
	}
	var all *types.TransactionCanceledException
	if !errors.As(err, &all) {
		return false
	}
	found := false
	for _, r := range all.CancellationReasons {
		if r.Code == nil {
			continue
		}
		switch *r.Code {
		case "None":
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			found = true
		default:
			return false
		}
	}
	return found
}

const (
	insistTries = 8
	insistWait  = 20 * time.Millisecond // before the second try at most; doubled each time
)

// insist repeats a write that others on the same items kept from being done, after waits of random length.
func insist(ctx context.Context, write func() error) error {
	for wait, try := insistWait, 1; ; wait, try = 2*wait, try+1 {
		err := write()
		if !passing(err) || try == insistTries {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(rand.N(wait)):
		}
	}
}
