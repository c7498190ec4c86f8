package dynamostate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// requestKey is where the Reservation of a client's key is. The key may hold anything, so that only its hash is in it.
func requestKey(client string) attributes {
	sum := sha256.Sum256([]byte(client))
	return key("request#"+hex.EncodeToString(sum[:]), "request")
}

// reserving writes r as the Reservation of a client's key on a condition.
func reserving(client string, r refresh.Reservation, condition string, values attributes) (change, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return change{}, fmt.Errorf("encode idempotency key of run %s: %w", r.Run, err)
	}
	c := change{
		key: requestKey(client), condition: condition,
		update: "SET #run = :run, #until = :until, #body = :body, #expires = :expires",
		values: attributes{":run": text(r.Run), ":until": millis(r.Expires), ":body": text(string(body)),
			":expires": epoch(r.Expires.Add(time.Second))},
	}
	for name, v := range values {
		c.values[name] = v
	}
	return c, nil
}

// Reserve records r under a client's key, unless there is a Reservation that has not expired. After a lost reply that is r itself.
func (s *State) Reserve(ctx context.Context, client string, r refresh.Reservation, now time.Time) (refresh.Reservation, error) {
	c, err := reserving(client, r, "attribute_not_exists(#pk) OR #until <= :now", attributes{":now": millis(now)})
	if err != nil {
		return r, err
	}
	held, err := s.change(ctx, "idempotency key", c)
	if err != nil || held == nil {
		return r, err
	}
	var kept refresh.Reservation
	if err := json.Unmarshal([]byte(held.text("body")), &kept); err != nil {
		return r, fmt.Errorf("decode idempotency key in table %s: %w", s.table, err)
	}
	return kept, nil
}

// Resolve writes the answer into the Reservation of a key, unless that is another Run's by now.
func (s *State) Resolve(ctx context.Context, client string, r refresh.Reservation) error {
	c, err := reserving(client, r, "#run = :run", nil)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, "idempotency key", c)
	return err
}
