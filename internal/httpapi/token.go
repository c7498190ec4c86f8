package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cairn-stac/cairn/internal/snapshot"
)

// A token says where a page begins. It is bound to a Snapshot, which keeps what is between its pages whatever is published
// meanwhile, and to the query, which its position means nothing without.
type token struct {
	fence uint64
	query string // queryHash
	at    snapshot.Position
}

// queryHash names a query, whatever the size of its pages.
func queryHash(q snapshot.Query) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", q.Collection)
	if q.BBox != nil {
		fmt.Fprintf(&b, " bbox %v", *q.BBox)
	}
	if q.Start != nil {
		fmt.Fprintf(&b, " from %s", q.Start)
	}
	if q.End != nil {
		fmt.Fprintf(&b, " to %s", q.End)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:6])
}

// String is the token as clients see it.
func (t token) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d:%s:%s", t.fence, t.query, t.at))
}

var errToken = errors.New("expected the token of a next link, as it was given, with the parameters it was given for")

// parseToken takes what String gave and nothing else.
func parseToken(s string) (*token, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, errToken
	}
	fence, rest, _ := strings.Cut(string(b), ":")
	query, at, _ := strings.Cut(rest, ":")
	t := token{query: query}
	var err1, err2 error
	t.fence, err1 = strconv.ParseUint(fence, 10, 64)
	t.at, err2 = snapshot.ParsePosition(at)
	if err1 != nil || err2 != nil || t.String() != s {
		return nil, errToken
	}
	return &t, nil
}
