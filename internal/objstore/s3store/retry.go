package s3store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// Waits between attempts are random up to these (full jitter), doubled each time, and never above the last.
const (
	firstWait     = 50 * time.Millisecond
	firstThrottle = 500 * time.Millisecond // after an answer that asks to slow down
	longestWait   = 20 * time.Second
)

// maxLessons is how often a request is repeated at once because its answer said what was wrong with it.
const maxLessons = 2

// do makes a request until it succeeds, fails for good or has had its attempts. It keeps to the limit of requests in
// flight, which answers that ask to slow down make smaller.
func (c *client) do(ctx context.Context, r request, use func(resp *http.Response, body io.Reader) error) error {
	most := r.attempts
	if most == 0 {
		most = c.attempts
	}
	lessons := 0
	for n := 1; ; n++ {
		turn, err := c.limit.acquire(ctx)
		if err != nil {
			return err
		}
		err = c.attempt(ctx, r, use)
		judged := judge(err)
		c.limit.release(turn, err == nil, judged == throttled)
		if err == nil {
			return nil
		}
		if r.failed != nil {
			r.failed(err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if lessons < maxLessons && c.learn(ctx, err) {
			lessons++
			n--
			continue
		}
		if judged == final || n >= most {
			if judged != final {
				err = unreachable{err, judged == throttled}
			}
			if n > 1 {
				err = fmt.Errorf("%w (attempt %d)", err, n)
			}
			return err
		}
		c.log.DebugContext(ctx, "request to S3 is tried again", "method", r.method, "key", r.key, "attempt", n, "error", err)
		wait := firstWait
		if judged == throttled {
			wait = firstThrottle
		}
		if err := c.sleep(ctx, min(wait<<min(n-1, 16), longestWait)); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, most time.Duration) error {
	timer := time.NewTimer(rand.N(most))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unreachable is what a request ended with that was tried as often as may be.
type unreachable struct {
	error
	throttled bool // the last answer asked to slow down
}

func (e unreachable) Unwrap() error { return e.error }

func (e unreachable) Is(target error) bool {
	return target == objstore.ErrUnreachable || e.throttled && target == objstore.ErrThrottled
}

// A verdict is what to do about an error.
type verdict int

const (
	final     verdict = iota // nothing: it would come again
	again                    // try again
	throttled                // try again, later and with fewer at once
)

// errFinal is an answer that another attempt would not better.
type errFinal struct{ error }

func (e errFinal) Unwrap() error { return e.error }

func judge(err error) verdict {
	var (
		answer      *apiError
		creds       *noCredentials
		certificate *tls.CertificateVerificationError
		given       errFinal
	)
	switch {
	case errors.As(err, &answer):
		return answer.verdict()
	case err == nil, errors.As(err, &creds), errors.As(err, &certificate), errors.As(err, &given):
		return final
	default: // connections that are refused, reset, or break off; stalls; answers cut short
		return again
	}
}

// learn puts right what an answer says is wrong: the region, or the clock.
func (c *client) learn(ctx context.Context, err error) bool {
	var answer *apiError
	if !errors.As(err, &answer) {
		return false
	}
	if region := answer.region(); region != "" && region != answer.asked {
		// Else another request has been quicker.
		if c.place.Load().region != region {
			c.log.DebugContext(ctx, "the bucket is in another region", "asked", answer.asked, "region", region)
			return c.move(ctx, region) == nil
		}
		return true
	}
	if answer.code == "RequestTimeTooSkewed" {
		if now, err := http.ParseTime(answer.header.Get("Date")); err == nil {
			c.skew.Store(int64(time.Until(now)))
			return true
		}
	}
	return false
}
