package item

import (
	"slices"
	"testing"
)

// checkReject holds a Reject against the table.
func checkReject(t *testing.T, r Reject) {
	t.Helper()
	i := slices.IndexFunc(RejectCodes, func(c RejectCode) bool { return c.Code == r.Code })
	if i < 0 {
		t.Fatalf("%+v has a code that is in no table", r)
	}
	if c := RejectCodes[i]; r.Retry != c.Retry || len(r.Message) <= len(c.Advice) || r.Key == "" {
		t.Errorf("%+v does not go with %+v", r, c)
	}
}
