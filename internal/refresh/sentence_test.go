package refresh

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSentence(t *testing.T) {
	for _, short := range []string{"", "list s3://rasters/a: no such bucket", strings.Repeat("x", maxSentence), strings.Repeat("<", maxSentence/6)} {
		if got := sentence(short); got != short {
			t.Errorf("%.50q of %d bytes became %.50q of %d", short, len(short), got, len(got))
		}
	}
	for _, char := range []string{"x", "é", "😀", "<", "\"", "\n", "\x00", "\u2028", "\xff", "a<é\x01"} {
		got := sentence("list the source: " + strings.Repeat(char, maxSentence) + "; allow it to be listed")
		raw, err := json.Marshal(got)
		if err != nil || len(raw)-2 > maxSentence || len(raw) < maxSentence-20 {
			t.Errorf("of %q: %d bytes in JSON, %v", char, len(raw), err)
		}
		if !strings.HasPrefix(got, "list the source: ") || !strings.HasSuffix(got, "; allow it to be listed") || !strings.Contains(got, " … ") {
			t.Errorf("of %q: %.60q … %q", char, got, got[len(got)-60:])
		}
		if char != "\xff" && !utf8.ValidString(got) {
			t.Errorf("of %q: a character is cut in two", char)
		}
	}
}

func TestRecordsAreBounded(t *testing.T) {
	long := strings.Repeat("<", 1<<20)
	r := Run{ID: "R", Error: &Problem{Code: "internal", Message: long}}
	for i := range 1000 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d: %s", i, long))
	}
	raw, err := json.Marshal(r.bounded())
	if err != nil || 100*(len(raw)+maxScopeSize) > 4<<20 { // for a page of the history
		t.Errorf("the record has %d bytes, %v", len(raw), err)
	}
	b := r.bounded()
	if n := len(b.Warnings); n != maxWarnings || !strings.HasPrefix(b.Warnings[0], "0: <") || b.Warnings[n-1] != "997 more; the log has them" {
		t.Errorf("%d warnings, the last %.50q", n, b.Warnings[n-1])
	}
	if len(r.Warnings) != 1000 || len(r.Error.Message) != 1<<20 || len(r.Warnings[0]) < 1<<20 {
		t.Error("the run itself was changed")
	}
	small := Run{ID: "R", Error: &Problem{Code: "c", Message: "m"}, Warnings: []string{"1", "2", "3", "4"}}
	if got := small.bounded(); !reflect.DeepEqual(got, small) {
		t.Errorf("%+v became %+v", small, got)
	}
	if none := (Run{}).bounded(); none.Warnings != nil || none.Error != nil {
		t.Errorf("%+v", none)
	}
}
