// Package dynamostate keeps the state of refreshes in one DynamoDB table, for a Catalog that is deployed on AWS.
//
// The table has a partition key pk and a sort key sk, both strings, and expires as its attribute of expiry:
//
//	pk              sk             holds
//	control         control        the control record: version, trail, format, body (JSON)
//	runs            <run>          the record of an ended Run: body (JSON)
//	counts          runs           n, the number of those records
//	request#<hash>  request        a Reservation: run, until (ms), body (JSON); expires
//	progress#<run>  count#<0…7>    sums of the tallies of an eighth of the Shards; count#0 has the phase and Totals too; expires
//	progress#<run>  shard#<shard>  the tally of a Shard; expires
//
// What expires is removed days late, so nothing relies on its being gone. The largest item is the control record: the limits of
// a Scope, and of the sentences in the record of a Run, keep it below the 400 KB of an item.
//
// An item, and a partition key that is busy for a moment, take 1,000 write units a second. The control record is written a few times
// a Run. A Shard's report is a transaction of 4 units, 2 of them on a counter, at most every 2 seconds, which is enough for hundreds
// of scans at once. Where two meet at a counter one is refused: it is left to the next report, or repeated if it is the last one.
package dynamostate

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// A State is a refresh.State in a DynamoDB table.
type State struct {
	client *dynamodb.Client
	table  string
	now    func() time.Time

	mu     sync.Mutex
	run    string // whose Shards this process scans
	shards map[string]*shard
}

var _ refresh.State = (*State)(nil)

// New keeps state in a table. now is the clock for progress and expiry.
func New(client *dynamodb.Client, table string, now func() time.Time) *State {
	return &State{client: client, table: table, now: now, shards: map[string]*shard{}}
}

// attributes are those of an item.
type attributes map[string]types.AttributeValue

func key(pk, sk string) attributes { return attributes{"pk": text(pk), "sk": text(sk)} }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number[N int | int64](n N) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(int64(n), 10)}
}

// millis is a time in an item; epoch one of expiry, which DynamoDB wants in seconds.
func millis(t time.Time) types.AttributeValue { return number(t.UnixMilli()) }
func epoch(t time.Time) types.AttributeValue  { return number(t.Unix()) }

// text is a string of the item, "" if there is none.
func (a attributes) text(name string) string {
	if v, ok := a[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

// number is a number of the item, 0 if there is none.
func (a attributes) number(name string) int {
	if v, ok := a[name].(*types.AttributeValueMemberN); ok {
		n, _ := strconv.Atoi(v.Value) //nolint:errcheck // only this package writes them
		return n
	}
	return 0
}

// time is a time of the item, the zero Time if there is none.
func (a attributes) time(name string) time.Time {
	if _, ok := a[name]; !ok {
		return time.Time{}
	}
	return time.UnixMilli(int64(a.number(name))).UTC()
}

var alias = regexp.MustCompile(`#\w+`)

// names are the attributes that expressions name as #name: hundreds of plain words mean something else there.
func names(expressions ...string) map[string]string {
	out := map[string]string{}
	for _, e := range expressions {
		for _, a := range alias.FindAllString(e, -1) {
			out[a] = a[1:]
		}
	}
	return out
}

// get reads an item as it is now; nil if there is none.
func (s *State) get(ctx context.Context, what string, k attributes) (attributes, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: k, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, s.explain("read "+what, err)
	}
	return out.Item, nil
}

// A change is an update of one item on a condition, "" for none.
type change struct {
	key       attributes
	update    string
	condition string
	values    attributes
}

func (s *State) update(c change) *types.Update {
	u := &types.Update{
		TableName: &s.table, Key: c.key, UpdateExpression: &c.update,
		ExpressionAttributeNames: names(c.update, c.condition), ExpressionAttributeValues: c.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if c.condition != "" {
		u.ConditionExpression = &c.condition
	}
	return u
}

// change makes a change of one item. If its condition does not hold it returns the item as it is, which is not nil, and no error.
func (s *State) change(ctx context.Context, what string, c change) (held attributes, err error) {
	u := s.update(c)
	err = insist(ctx, func() error {
		_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: u.TableName, Key: u.Key, UpdateExpression: u.UpdateExpression, ConditionExpression: u.ConditionExpression,
			ExpressionAttributeNames: u.ExpressionAttributeNames, ExpressionAttributeValues: u.ExpressionAttributeValues,
			ReturnValuesOnConditionCheckFailure: u.ReturnValuesOnConditionCheckFailure,
		})
		return err
	})
	if held, ok := unmet(err, 0); ok {
		return held, nil
	}
	if err != nil {
		return nil, s.explain("write "+what, err)
	}
	return nil, nil
}

// transact makes all of the changes or none.
func (s *State) transact(ctx context.Context, items ...types.TransactWriteItem) error {
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
	return err
}

var runID = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{26}$`)

// checkRun refuses what is no id of a Run.
func checkRun(id string) error {
	if !runID.MatchString(id) {
		return fmt.Errorf("run %q: %w", id, refresh.ErrNotFound)
	}
	return nil
}
