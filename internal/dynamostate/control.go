package dynamostate

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// Format of the control record. A record of a newer one is refused.
const format = 1

// trailLength is how many of the last writes the control record names.
const trailLength = 16

var controlKey = key("control", "control")

// An edition is which writing of the control record one has seen. Its text is the Token.
type edition struct {
	version int
	trail   []string // names of the writes that made this version and those before it, newest first
}

func editionOf(item attributes) edition {
	return edition{item.number("version"), strings.Fields(item.text("trail"))}
}

func (e edition) token() refresh.Token {
	return refresh.Token(fmt.Sprint(e.version, " ", strings.Join(e.trail, " ")))
}

func parseToken(t refresh.Token) (edition, error) {
	words := strings.Fields(string(t))
	if len(words) == 0 {
		return edition{}, nil
	}
	v, err := strconv.Atoi(words[0])
	if err != nil {
		return edition{}, fmt.Errorf("token %q is not of this state", t)
	}
	return edition{v, words[1:]}, nil
}

// next is the edition that follows, made by a write of its own name.
func (e edition) next() edition {
	trail := append([]string{rand.Text()[:13]}, e.trail...)
	return edition{e.version + 1, trail[:min(len(trail), trailLength)]}
}

// Load reads the control record.
func (s *State) Load(ctx context.Context) (refresh.Control, refresh.Token, error) {
	item, err := s.get(ctx, "control record", controlKey)
	if err != nil || len(item) == 0 {
		return refresh.Control{}, "", err
	}
	if f := item.number("format"); f > format {
		return refresh.Control{}, "", fmt.Errorf("control record in table %s has format %d, this cairn understands %d: %w", s.table, f, format,
			refresh.ErrNewerFormat)
	}
	var c refresh.Control
	if err := json.Unmarshal([]byte(item.text("body")), &c); err != nil {
		return refresh.Control{}, "", fmt.Errorf("decode control record in table %s: %w", s.table, err)
	}
	return c, editionOf(item).token(), nil
}

// Swap writes the control record if it is still the loaded one.
func (s *State) Swap(ctx context.Context, loaded refresh.Token, next refresh.Control) error {
	old, err := parseToken(loaded)
	if err != nil {
		return fmt.Errorf("write control record in table %s: %w", s.table, err)
	}
	body, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("encode control record: %w", err)
	}
	e := old.next()
	put := &dynamodb.PutItemInput{TableName: &s.table, Item: attributes{
		"pk": controlKey["pk"], "sk": controlKey["sk"],
		"version": number(e.version), "trail": text(strings.Join(e.trail, " ")), "format": number(format), "body": text(string(body)),
	}}
	condition := "attribute_not_exists(#pk)"
	if loaded != "" {
		condition = "#version = :version"
		put.ExpressionAttributeValues = attributes{":version": number(old.version)}
	}
	put.ConditionExpression, put.ExpressionAttributeNames = &condition, names(condition)
	_, err = s.client.PutItem(ctx, put)
	var changed *types.ConditionalCheckFailedException
	if errors.As(err, &changed) {
		return s.made(ctx, e)
	}
	if err != nil {
		return s.explain("write control record", err)
	}
	return nil
}

// made finds out, after the condition of a write did not hold, whether the write was done all the same: if a first try's reply
// is lost the SDK tries again, and then meets what it wrote itself, or what others have made of it since. The trail tells who made
// each of the last versions, so the answer is definite.
func (s *State) made(ctx context.Context, e edition) error {
	item, err := s.get(ctx, "control record", controlKey)
	if err != nil {
		return fmt.Errorf("write control record in table %s: whether it was written is unknown: %w", s.table, err)
	}
	now := editionOf(item)
	switch since := now.version - e.version; {
	case since < 0: // it is gone, or an older one was put back
		return refresh.ErrConflict
	case since >= len(now.trail):
		return fmt.Errorf("write control record in table %s: whether it was written is unknown: it changed %d times meanwhile", s.table, since)
	case now.trail[since] == e.trail[0]:
		return nil
	}
	return refresh.ErrConflict
}
