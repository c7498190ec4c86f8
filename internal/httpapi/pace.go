package httpapi

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// A pace bounds how often something may be done: so often a second, and so often at once. nil bounds nothing.
type pace struct {
	limit *rate.Limiter
	now   func() time.Time
}

func newPace(perSecond float64, burst int) *pace {
	return &pace{rate.NewLimiter(rate.Limit(perSecond), burst), time.Now}
}

// take counts a request, or is the problem too_many_requests, with the reason, and Retry-After in the header.
func (p *pace) take(w http.ResponseWriter, reason string) error {
	if p == nil {
		return nil
	}
	now := p.now()
	if p.limit.AllowN(now, 1) {
		return nil
	}
	wait := math.Ceil((1 - p.limit.TokensAt(now)) / float64(p.limit.Limit()))
	w.Header().Set("Retry-After", strconv.FormatFloat(max(wait, 1), 'f', 0, 64))
	return refuse("too_many_requests", "%s", reason)
}
