package dynamotest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cairn-stac/cairn/internal/dynamostate/dynamotest"
)

func TestFaults(t *testing.T) {
	ctx := context.Background()
	client, table, db := dynamotest.Open(t)
	key := func(sk string) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "p"}, "sk": &types.AttributeValueMemberS{Value: sk},
		}
	}
	for name, c := range map[string]struct {
		kind    dynamotest.Fault
		applied bool
		says    string
	}{
		"refused":   {dynamotest.Refused, false, "EOF"},
		"lost":      {dynamotest.LostReply, true, "EOF"},
		"throttled": {dynamotest.Throttled, false, "ProvisionedThroughputExceeded"},
		"internal":  {dynamotest.Internal, false, "500"},
	} {
		put := &dynamodb.PutItemInput{TableName: &table, Item: key(name)}
		db.Reset()
		db.Fail("PutItem", -1, c.kind)
		if _, err := client.PutItem(ctx, put); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: PutItem = %v; want an error with %q", name, err, c.says)
		}
		if n := db.Count("PutItem"); n != 4 {
			t.Errorf("%s: %d requests; want 4, as the client tries again", name, n)
		}
		out, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key(name)})
		if err != nil || (len(out.Item) > 0) != c.applied || (db.ItemsRead() == 1) != c.applied {
			t.Errorf("%s: GetItem = %v, %v, %d items read; applied should be %v", name, out.Item, err, db.ItemsRead(), c.applied)
		}
		db.Reset()
		db.Fail("", 1, c.kind)
		if _, err := client.PutItem(ctx, put); err != nil || db.Count("") != 2 {
			t.Errorf("%s, once: %v after %d requests; want none after 2", name, err, db.Count(""))
		}
	}
	db.Fail("", 1, dynamotest.Conflict)
	_, err := client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems: []types.TransactWriteItem{{Put: &types.Put{TableName: &table, Item: key("t")}}},
	})
	var gone *types.TransactionCanceledException
	if !errors.As(err, &gone) || len(gone.CancellationReasons) != 1 || *gone.CancellationReasons[0].Code != "TransactionConflict" {
		t.Errorf("TransactWriteItems = %v; want a conflict", err)
	}
}
