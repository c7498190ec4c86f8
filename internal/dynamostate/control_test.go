package dynamostate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cairn-stac/cairn/internal/dynamostate"
	"github.com/cairn-stac/cairn/internal/dynamostate/dynamotest"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/refresh/refreshtest"
)

func open(t *testing.T) (*dynamostate.State, *dynamotest.Server) {
	t.Helper()
	client, table, db := dynamotest.Open(t)
	return dynamostate.New(client, table, time.Now), db
}

// another is a State of another process on the same table.
func another(db *dynamotest.Server) *dynamostate.State {
	return dynamostate.New(dynamotest.Client(db.URL), db.Table, time.Now)
}

// swap loads the control record and writes it with the next fence.
func swap(t *testing.T, s refresh.State) error {
	t.Helper()
	c, token, err := s.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	c.Fence++
	return s.Swap(context.Background(), token, c)
}

// A transition costs one read and one conditional write, the first one too.
func TestTransitionRequestsAreCounted(t *testing.T) {
	s, db := open(t)
	for range 3 {
		db.Reset()
		if err := swap(t, s); err != nil {
			t.Fatal(err)
		}
		if db.Count("GetItem") != 1 || db.Count("PutItem") != 1 || db.Count("") != 2 {
			t.Errorf("requests: %v; want one GetItem and one PutItem", db.Counts())
		}
	}
}

// Where a reply is lost the SDK repeats the write, which then meets itself.
func TestSwapWithLostReplies(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		lost    int // replies
		others  int // swaps of others before the repetition
		reads   int // that fail after it
		applied bool
		err     func(error) bool
	}{
		"one":                    {lost: 1, applied: true, err: is(nil)},
		"three":                  {lost: 3, applied: true, err: is(nil)},
		"all":                    {lost: 4, applied: true, err: unknown},
		"one, then others write": {lost: 1, others: 3, applied: true, err: is(nil)},
		"one, then many write":   {lost: 1, others: 16, applied: true, err: unknown},
		"none, others write":     {others: 2, err: is(refresh.ErrConflict)},
		"one, and no answer":     {lost: 1, reads: 4, applied: true, err: unknown},
		"none, and no answer":    {others: 1, reads: 4, err: unknown},
	} {
		t.Run(name, func(t *testing.T) {
			s, db := open(t)
			if err := swap(t, s); err != nil {
				t.Fatal(err)
			}
			loaded, token, err := s.Load(ctx)
			if err != nil {
				t.Fatal(err)
			}
			db.Fail("PutItem", c.lost, dynamotest.LostReply)
			puts, busy := 0, false
			db.Before(func(op string) {
				if busy || op != "PutItem" {
					return
				}
				if puts++; puts == c.lost+1 {
					busy = true // the others' requests come through here too
					for range c.others {
						if err := swap(t, another(db)); err != nil {
							t.Error(err)
						}
					}
					busy = false
					db.Fail("GetItem", c.reads, dynamotest.Internal)
				}
			})
			mine := loaded
			mine.Published.Items = 77
			mine.Fence++
			if err := s.Swap(ctx, token, mine); !c.err(err) {
				t.Errorf("Swap = %v", err)
			}
			db.Before(nil)
			db.Reset()
			got, _, err := s.Load(ctx)
			if err != nil || (got.Published.Items == 77) != c.applied {
				t.Errorf("then Load = %+v, %v; applied should be %v", got, err, c.applied)
			}
		})
	}
}

func is(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }

// unknown: an error that does not say that nothing was written.
func unknown(err error) bool { return err != nil && !errors.Is(err, refresh.ErrConflict) }

// A record that was put back from a backup is no longer the loaded one.
func TestSwapOverARestoredRecord(t *testing.T) {
	ctx := context.Background()
	s, db := open(t)
	if err := swap(t, s); err != nil {
		t.Fatal(err)
	}
	c, token, err := s.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	key := map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "control"}, "sk": &types.AttributeValueMemberS{Value: "control"},
	}
	if _, err := dynamotest.Client(db.URL).DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &db.Table, Key: key}); err != nil {
		t.Fatal(err)
	}
	if err := s.Swap(ctx, token, c); !errors.Is(err, refresh.ErrConflict) {
		t.Errorf("Swap of what is gone = %v; want ErrConflict", err)
	}
	if err := s.Swap(ctx, "what is this", c); !unknown(err) {
		t.Errorf("Swap of a foreign token = %v", err)
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	ctx := context.Background()
	s, db := open(t)
	if err := swap(t, s); err != nil {
		t.Fatal(err)
	}
	c, token, err := s.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	item := map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "control"}, "sk": &types.AttributeValueMemberS{Value: "control"},
		"version": &types.AttributeValueMemberN{Value: "2"}, "format": &types.AttributeValueMemberN{Value: "2"},
		"body": &types.AttributeValueMemberS{Value: `["something else"]`},
	}
	if _, err := dynamotest.Client(db.URL).PutItem(ctx, &dynamodb.PutItemInput{TableName: &db.Table, Item: item}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Load(ctx); !errors.Is(err, refresh.ErrNewerFormat) {
		t.Errorf("Load = %v; want ErrNewerFormat", err)
	}
	if err := s.Swap(ctx, token, c); err == nil {
		t.Error("a newer record was written over")
	}
}

// DynamoDB takes items of up to 400 KB, their names included.
func TestLargestControlFits(t *testing.T) {
	ctx := context.Background()
	s, db := open(t)
	if err := s.Swap(ctx, "", refreshtest.LargestControl()); err != nil {
		t.Fatal(err)
	}
	for range 16 { // the trail is at its longest, too
		if err := swap(t, s); err != nil {
			t.Fatal(err)
		}
	}
	out, err := dynamotest.Client(db.URL).Scan(ctx, &dynamodb.ScanInput{TableName: &db.Table})
	if err != nil || len(out.Items) != 1 {
		t.Fatal(out, err)
	}
	size := 0
	for name, v := range out.Items[0] {
		size += len(name)
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			size += len(v.Value)
		case *types.AttributeValueMemberN:
			size += len(v.Value)
		default:
			t.Fatalf("attribute %s is a %T", name, v)
		}
	}
	if size < 250_000 || size > 350_000 { // what is left is for the sentences of errors and warnings
		t.Errorf("the item has %d bytes", size)
	}
	t.Logf("the largest control record has %d bytes", size)
}

func TestErrorsSayWhatToDo(t *testing.T) {
	ctx := context.Background()
	s, db := open(t)
	missing := dynamostate.New(dynamotest.Client(db.URL), "elsewhere", time.Now)
	_, _, err := missing.Load(ctx)
	if err == nil || !strings.Contains(err.Error(), "read control record in table elsewhere: there is no such table in this account and region") {
		t.Errorf("without a table: %v", err)
	}
	db.Fail("", -1, dynamotest.Throttled)
	for op, err := range map[string]error{
		"write control record": s.Swap(ctx, "", refresh.Control{}),
		"record run":           func() error { _, err := s.PutRun(ctx, refresh.Run{ID: refreshtest.RunID(1)}); return err }(),
		"write progress":       s.Begin(ctx, refreshtest.RunID(1), refresh.Planning, refresh.Totals{}),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), op) || !strings.Contains(err.Error(), "try again in a few minutes") {
			t.Errorf("%s while the table is busy = %v", op, err)
		}
	}
	db.Reset()
	db.Fail("", -1, dynamotest.Denied)
	if _, _, err := s.Load(ctx); err == nil || !strings.Contains(err.Error(), "the role in use may not do this on the table: deploy the stack again") {
		t.Errorf("denied: %v", err)
	}
}
