package sidecar_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/cairn-stac/cairn/internal/sidecar"
)

// utf16Of encodes a text as Windows does.
func utf16Of(text string, order binary.AppendByteOrder) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return out
}

func TestText(t *testing.T) {
	const text = "GEOGCS[\"Zürich 🏔\"]\r\n"
	for name, b := range map[string][]byte{
		"UTF-8": []byte(text), "UTF-8 with a mark": []byte("\ufeff" + text), "UTF-8 and NULs": []byte(text + "\x00\x00"),
		"UTF-16 LE": utf16Of("\ufeff"+text, binary.LittleEndian), "UTF-16 BE": utf16Of("\ufeff"+text, binary.BigEndian),
		"UTF-16 LE without a mark": utf16Of(text, binary.LittleEndian), "UTF-16 BE without a mark": utf16Of(text, binary.BigEndian),
		"UTF-16 with two marks": utf16Of("\ufeff\ufeff"+text, binary.LittleEndian),
		"UTF-16 and a NUL":      utf16Of(text+"\x00", binary.LittleEndian),
		"half a character":      append(utf16Of(text, binary.LittleEndian), 'x'),
	} {
		if got, err := sidecar.Text(b); err != nil || got != text {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for in, want := range map[string]string{"Z\xfcrich": "Zürich", "": "", "a": "a", "\x00": "", "\xff": "ÿ"} {
		if got, err := sidecar.Text([]byte(in)); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	if _, err := sidecar.Text(make([]byte, sidecar.MaxBytes+1)); err == nil || !strings.Contains(err.Error(), "4194305 bytes") {
		t.Errorf("too long: %v", err)
	}
}
