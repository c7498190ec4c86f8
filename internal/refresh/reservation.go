package refresh

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A Reservation is what is remembered of a Request under its key, so that asking again changes nothing.
type Reservation struct {
	Run     string    `json:"run_id"`  // id for the Request's Run
	Digest  string    `json:"digest"`  // of what was asked
	Expires time.Time `json:"expires"` // when the key is free again
	Answer  *Answer   `json:"answer,omitempty"`
}

// KeyLife is how long a Request's key is remembered.
const KeyLife = 24 * time.Hour

// ErrKeyReused: the Request's key was used for another request within a day.
var ErrKeyReused = errors.New("idempotency key was used for another request")

// digest of what a Request asks for.
func (r Request) digest() (string, error) {
	raw, err := json.Marshal(struct {
		Prefixes, Keys             []string
		Full, Allow, Queue, Events bool
	}{r.Scope.Prefixes, r.Scope.Keys, r.Scope.full(), r.Scope.AllowMassDelete, r.Queue, r.Events})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16]), nil
}

// startOnce answers a Request with a key. The first one reserves the key for its Run, and asking again is about the same Run,
// whatever became of the first answer. An answer that had no effect (Busy, QueueFull) is not remembered.
func (d *Desk) startOnce(ctx context.Context, r Request) (Answer, error) {
	digest, err := r.digest()
	if err != nil {
		return Answer{}, err
	}
	res, err := d.State.Reserve(ctx, r.Key, Reservation{Run: r.Run, Digest: digest, Expires: d.now().Add(KeyLife)}, d.now())
	if err != nil {
		return Answer{}, fmt.Errorf("reserve idempotency key: %w", err)
	}
	switch {
	case res.Digest != digest:
		return Answer{}, ErrKeyReused
	case res.Answer != nil:
		return *res.Answer, nil
	}
	r.Run = res.Run
	if ans, err := d.known(ctx, r.Run); err != nil || ans.Kind != "" {
		return ans, err
	}
	ans, err := d.start(ctx, r)
	if err != nil || ans.Kind != Started && ans.Kind != Queued {
		return ans, err
	}
	res.Answer = &ans
	if err := d.State.Resolve(ctx, r.Key, res); err != nil {
		d.Log.WarnContext(ctx, "answer to an idempotency key is not remembered", "run", ans.Run, "error", err)
	}
	return ans, nil
}

// known answers for a Run that was started by an earlier, equal Request whose answer is not remembered; the zero Answer if there
// is no such Run.
func (d *Desk) known(ctx context.Context, run string) (Answer, error) {
	c, _, err := d.State.Load(ctx)
	if err != nil {
		return Answer{}, fmt.Errorf("start run: %w", err)
	}
	if l := c.Lease; l != nil && l.Run == run {
		ans := Answer{Kind: Started, Run: run}
		return ans, d.answered(ctx, c, ans)
	}
	if i := c.position(run); i > 0 {
		return Answer{Kind: Queued, Run: run, Position: i}, nil
	}
	switch _, err := d.State.Run(ctx, run); {
	case errors.Is(err, ErrNotFound):
		return Answer{}, nil
	case err != nil:
		return Answer{}, fmt.Errorf("start run: %w", err)
	}
	return Answer{Kind: Started, Run: run}, nil
}
