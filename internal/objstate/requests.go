package objstate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// requestKey is where the Reservation of a client's key lies. The key may hold anything, so that only its hash is in it.
func requestKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return requestPrefix + hex.EncodeToString(sum[:]) + ".json"
}

// reserveTries bounds how often a Reservation is tried against others. Who loses reads the winner's.
const reserveTries = 10

// Reserve records r under a client's key, unless there is a Reservation that has not expired.
func (s *State) Reserve(ctx context.Context, key string, r refresh.Reservation, now time.Time) (refresh.Reservation, error) {
	at := requestKey(key)
	body, err := json.Marshal(r)
	if err != nil {
		return r, fmt.Errorf("encode %s: %w", at, err)
	}
	for range reserveTries {
		kept, etag, gerr := s.reservation(ctx, at)
		switch {
		case gerr == nil && (kept.Run == r.Run || kept.Expires.After(now)):
			return kept, nil // or, after a lost reply, this one itself
		case gerr != nil && !errors.Is(gerr, fs.ErrNotExist):
			return r, errors.Join(err, gerr)
		}
		_, err = s.store.Put(ctx, at, body, objstore.PutOptions{IfMatch: etag, IfAbsent: etag == ""})
		if err == nil {
			return r, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return r, fmt.Errorf("write %s: %w", at, err)
}

// reservation reads a Reservation. One that is not whole, after a power cut, has expired.
func (s *State) reservation(ctx context.Context, at string) (r refresh.Reservation, etag string, err error) {
	body, o, err := s.store.Get(ctx, at, 0, -1, "")
	if err != nil {
		return r, "", fmt.Errorf("read %s: %w", at, err)
	}
	if json.Unmarshal(body, &r) != nil {
		r = refresh.Reservation{}
	}
	return r, o.ETag, nil
}

// Resolve writes the answer into the Reservation of a key.
func (s *State) Resolve(ctx context.Context, key string, r refresh.Reservation) error {
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode %s: %w", requestKey(key), err)
	}
	_, err = s.store.Put(ctx, requestKey(key), body, objstore.PutOptions{})
	return err
}

// pruneRequests removes Reservations that have expired.
func (s *State) pruneRequests(ctx context.Context) error {
	for o, err := range s.store.List(ctx, objstore.Prefixed(requestPrefix)) {
		if err != nil {
			return fmt.Errorf("list %s: %w", requestPrefix, err)
		}
		if s.now().Sub(o.Modified) < refresh.KeyLife {
			continue
		}
		// It may have been reserved anew since it was listed.
		if r, _, err := s.reservation(ctx, o.Key); err != nil || r.Expires.After(s.now()) {
			continue
		}
		if err := s.store.Delete(ctx, o.Key); err != nil {
			return fmt.Errorf("prune %s: %w", o.Key, err)
		}
	}
	return nil
}
