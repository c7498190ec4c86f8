package httpapi

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/snapshot"
)

func TestTokenRoundTrip(t *testing.T) {
	want := token{fence: 1 << 60, query: queryHash(snapshot.Query{Collection: "a"}), at: snapshot.Position{Row: 7, Item: 2047}}
	got, err := parseToken(want.String())
	if err != nil || *got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestParseTokenIsStrict(t *testing.T) {
	enc := base64.RawURLEncoding.EncodeToString
	good := token{fence: 3, query: "0123", at: snapshot.Position{Row: 1}}.String()
	for _, s := range []string{"", "x", "!!!", good + "=", good + "A", " " + good, enc([]byte("3:0123")), enc([]byte("03:0123:1.0")),
		enc([]byte("-3:0123:1.0")), enc([]byte("3:0123:1.0:")), enc([]byte("3:0123:01.0")), enc([]byte("99999999999999999999:0123:1.0")),
		enc([]byte("3:0123:1.0\n"))} {
		if got, err := parseToken(s); err == nil {
			t.Errorf("parseToken(%q) = %+v", s, got)
		}
	}
}

// Each part of a query is in its hash, but not the size of its pages.
func TestQueryHash(t *testing.T) {
	a, b := day, day.Add(time.Nanosecond)
	seen := map[string]int{}
	for i, q := range []snapshot.Query{
		{}, {Collection: "a"}, {BBox: &[4]float64{1, 2, 3, 4}}, {BBox: &[4]float64{1, 2, 3, 4.0000001}}, {Start: &a}, {End: &a},
		{Start: &b}, {Start: &a, End: &a}, {Start: &a, End: &b}, {Collection: `a" bbox [1 2 3 4]`},
		{Collection: "a", BBox: &[4]float64{1, 2, 3, 4}},
	} {
		h := queryHash(q)
		if j, ok := seen[h]; ok {
			t.Errorf("queries %d and %d have one hash", i, j)
		}
		seen[h] = i
		q.Limit = 99
		if queryHash(q) != h {
			t.Errorf("the limit changes the hash of query %d", i)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(token{fence: 3, query: "0123456789ab", at: snapshot.Position{Row: 1, Item: 5}}.String())
	f.Add("MzowMTIz")
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := parseToken(s); err == nil && got.String() != s {
			t.Errorf("parseToken(%q) = %+v, which is %q", s, got, got)
		}
	})
}
