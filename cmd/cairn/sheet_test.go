package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSheetWraps(t *testing.T) {
	var b strings.Builder
	s := sheet{&b, 40}
	s.line("label", "%s", "as many words as it takes to fill more than a line, ü counted as one")
	s.line("", "%s", "a-word-that-is-longer-than-a-line-may-be and more")
	s.row(1234567, "things")
	s.line("much too long a label", "text  with two spaces")
	const want = `  label      as many words as it takes
             to fill more than a line, ü
             counted as one
             a-word-that-is-longer-than-a-line-may-be
             and more
  1,234,567  things
  much too long a label text  with two
                        spaces
`
	if b.String() != want {
		t.Errorf("it is\n%s; want\n%s", &b, want)
	}
}

func TestSheetJSON(t *testing.T) {
	const text = `{"a":[1,2,[3.5,4]],"long":["` + "first of some that do not fit" + `","second of them"],"b":{"c":"x  [y] {z}\n"},` +
		`"empty":[],"none":{},"control":"` + "\u009b2J\u202e\U000e0001ü" + `"}`
	var b bytes.Buffer
	if err := (sheet{&b, 80}).json([]byte(text)); err != nil {
		t.Fatal(err)
	}
	const want = `{
  "a": [
    1,
    2,
    [3.5, 4]
  ],
  "long": [
    "first of some that do not fit",
    "second of them"
  ],
  "b": {
    "c": "x  [y] {z}\n"
  },
  "empty": [],
  "none": {},
  "control": "\u009b2J\u202e\udb40\udc01ü"
}
`
	if b.String() != want {
		t.Errorf("it is\n%s; want\n%s", &b, want)
	}
	if err := (sheet{&b, 80}).json([]byte(`{"a":`)); err == nil {
		t.Error("broken JSON is no error")
	}
}

// Whatever the JSON, it stays the same value, and no control character comes out.
func FuzzSheetJSON(f *testing.F) {
	f.Add([]byte(`{"a": [1, 2, {"b": "\n[\u0007]\n"}], "c": {}}`), 60)
	f.Add([]byte("0  \r"), 40)
	f.Add([]byte("[\"\u009b\", \"[\\n\", [], [[1e9]]]"), 200)
	f.Fuzz(func(t *testing.T, text []byte, width int) {
		var want, got any
		if !utf8.Valid(text) || json.Unmarshal(text, &want) != nil {
			return
		}
		var b bytes.Buffer
		if err := (sheet{&b, width}).json(text); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b.Bytes(), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q becomes %q: %v", text, &b, err)
		}
		if i := strings.IndexFunc(b.String(), func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 }); i >= 0 {
			t.Errorf("%q holds a control character", &b)
		}
	})
}
