package stac

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// The decoder takes what encoding/json takes, and gives the same.
func FuzzDecode(f *testing.F) {
	for _, v := range []string{`{"a":[1,-0.5e+7,{"":null}],"b":"\ud83d\ude00\n","c":true}`, ` [ ] `, "-", "0.", "01", `"\x"`,
		"1E5", "nul", "\"\xff\"", "[1,]", `{"a":1,}`, `{"a" 1}`, `"\ud800"`, "1 2", "123456789012345678901234567890", `"\`} {
		f.Add([]byte(v))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if n := strings.Count(string(data), "[") + strings.Count(string(data), "{"); n > maxDepth {
			return // may be deeper than is taken
		}
		var want, got any
		wantErr := json.Unmarshal(data, &want)
		err := decode(data, func(d *decoder) { got = d.value() })
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, encoding/json says %v", data, err, wantErr)
		}
		if err != nil {
			return
		}
		e := &encoder{}
		e.value(got)
		var again any
		if err := json.Unmarshal(e.buf, &again); e.err != nil || err != nil || !sameText(again, want) {
			t.Fatalf("%q: %#v, encoding/json gives %#v (%v, %v)", data, again, want, e.err, err)
		}
	})
}

// sameText compares, but for how many U+FFFD stand for a run of bad bytes.
func sameText(a, b any) bool {
	squeeze := func(v any) any {
		data, _ := json.Marshal(v)
		text := string(data)
		for strings.Contains(text, "\ufffd\ufffd") {
			text = strings.ReplaceAll(text, "\ufffd\ufffd", "\ufffd")
		}
		return text
	}
	return reflect.DeepEqual(a, b) || squeeze(a) == squeeze(b)
}

func TestEncodeTooDeep(t *testing.T) {
	loop := map[string]any{}
	loop["again"] = loop
	it := Item{ID: "a", Properties: loop}
	if _, err := it.Line(); err == nil || !strings.Contains(err.Error(), "nested more than 200 deep") {
		t.Fatal(err)
	}
}
