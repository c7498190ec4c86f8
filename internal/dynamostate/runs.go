package dynamostate

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cairn-stac/cairn/internal/refresh"
)

const runsPartition = "runs"

// runCount is the item that holds how many Runs are recorded, so that nobody has to count them. It changes in one transaction with
// the records.
var runCount = key("counts", "runs")

// runsPage is how many records are read at once.
const runsPage = 50

// PutRun records an ended Run, unless it is recorded already.
func (s *State) PutRun(ctx context.Context, r refresh.Run) (refresh.Run, error) {
	if err := checkRun(r.ID); err != nil {
		return r, err
	}
	body, err := json.Marshal(r)
	if err != nil {
		return r, fmt.Errorf("encode run %s: %w", r.ID, err)
	}
	record := change{
		key: key(runsPartition, r.ID), update: "SET #body = :body", condition: "attribute_not_exists(#pk)",
		values: attributes{":body": text(string(body))},
	}
	err = insist(ctx, func() error {
		return s.transact(ctx, types.TransactWriteItem{Update: s.update(record)}, types.TransactWriteItem{Update: s.count(1)})
	})
	if held, ok := unmet(err, 0); ok {
		return decodeRun(held)
	}
	if err != nil {
		// Unknown whether it was written: what is there counts.
		if kept, gerr := s.Run(ctx, r.ID); gerr == nil {
			return kept, nil
		}
		return r, s.explain("record run "+r.ID, err)
	}
	return r, nil
}

// count changes the number of records.
func (s *State) count(by int) *types.Update {
	return s.update(change{key: runCount, update: "ADD #n :by", values: attributes{":by": number(by)}})
}

// Run reads the record of an ended Run.
func (s *State) Run(ctx context.Context, id string) (refresh.Run, error) {
	if err := checkRun(id); err != nil {
		return refresh.Run{}, err
	}
	item, err := s.get(ctx, "run "+id, key(runsPartition, id))
	if err != nil {
		return refresh.Run{}, err
	}
	if len(item) == 0 {
		return refresh.Run{}, fmt.Errorf("run %s: %w", id, refresh.ErrNotFound)
	}
	return decodeRun(item)
}

func decodeRun(item attributes) (refresh.Run, error) {
	var r refresh.Run
	if err := json.Unmarshal([]byte(item.text("body")), &r); err != nil {
		return r, fmt.Errorf("decode run %s: %w", item.text("sk"), err)
	}
	return r, nil
}

// Runs yields the records of ended Runs, newest first.
func (s *State) Runs(ctx context.Context, before string) iter.Seq2[refresh.Run, error] {
	return func(yield func(refresh.Run, error) bool) {
		if before == "" {
			before = "~" // follows every id
		}
		for {
			condition := "#pk = :pk AND #sk < :before"
			page, err := s.client.Query(ctx, &dynamodb.QueryInput{
				TableName: &s.table, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(false), Limit: aws.Int32(runsPage),
				KeyConditionExpression: &condition, ExpressionAttributeNames: names(condition),
				ExpressionAttributeValues: attributes{":pk": text(runsPartition), ":before": text(before)},
			})
			if err != nil {
				yield(refresh.Run{}, s.explain("list runs", err))
				return
			}
			for _, item := range page.Items {
				before = attributes(item).text("sk")
				if r, err := decodeRun(item); !yield(r, err) || err != nil {
					return
				}
			}
			if len(page.LastEvaluatedKey) == 0 || len(page.Items) == 0 {
				return
			}
		}
	}
}

// PruneRuns removes the oldest records. Progress goes by itself, when it expires. Where there is nothing to remove it reads one item.
func (s *State) PruneRuns(ctx context.Context, keep int) error {
	for {
		item, err := s.get(ctx, "number of runs", runCount)
		excess := item.number("n") - keep
		if err != nil || excess <= 0 {
			return err
		}
		condition := "#pk = :pk"
		oldest, err := s.client.Query(ctx, &dynamodb.QueryInput{
			TableName: &s.table, ConsistentRead: aws.Bool(true), Limit: aws.Int32(int32(min(excess, runsPage))),
			KeyConditionExpression: &condition, ExpressionAttributeNames: names(condition),
			ExpressionAttributeValues: attributes{":pk": text(runsPartition)},
		})
		if err != nil {
			return s.explain("list the oldest runs", err)
		}
		for _, item := range oldest.Items {
			if ok, err := s.pruneRun(ctx, attributes(item).text("sk"), keep); err != nil {
				return err
			} else if !ok {
				break
			}
			excess--
		}
		if excess == 0 || len(oldest.Items) == 0 {
			return nil
		}
	}
}

// pruneRun removes a record while there are more than keep; not ok if somebody else did at the same time: what there is
// has to be looked at again.
func (s *State) pruneRun(ctx context.Context, id string, keep int) (ok bool, err error) {
	there, more := "attribute_exists(#pk)", "#n > :keep"
	fewer := s.count(-1)
	fewer.ConditionExpression = &more
	fewer.ExpressionAttributeNames = names(*fewer.UpdateExpression, more)
	fewer.ExpressionAttributeValues[":keep"] = number(keep)
	err = insist(ctx, func() error {
		return s.transact(ctx, types.TransactWriteItem{Delete: &types.Delete{
			TableName: &s.table, Key: key(runsPartition, id), ConditionExpression: &there, ExpressionAttributeNames: names(there),
		}}, types.TransactWriteItem{Update: fewer})
	})
	_, gone := unmet(err, 0)
	_, few := unmet(err, 1)
	if gone || few {
		return false, nil
	}
	if err != nil {
		return false, s.explain("prune run "+id, err)
	}
	return true, nil
}
