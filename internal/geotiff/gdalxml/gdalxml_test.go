package gdalxml

import (
	"encoding/xml"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// tokens words a text, skipping the elements called skip.
func tokens(text string) (string, error) {
	var out strings.Builder
	for r := NewReader(text); ; {
		token, err := r.Token()
		if err == io.EOF {
			return out.String(), nil
		} else if err != nil {
			return out.String(), err
		}
		switch t := token.(type) {
		case xml.StartElement:
			fmt.Fprintf(&out, "<%s %d>", t.Name.Local, len(t.Attr))
			if t.Name.Local == "skip" {
				if err := r.Skip("skip"); err != nil {
					return out.String(), err
				}
			}
		case xml.EndElement:
			fmt.Fprintf(&out, "</%s>", t.Name.Local)
		case xml.CharData:
			fmt.Fprintf(&out, "%s", t)
		}
	}
}

func TestReader(t *testing.T) {
	attributes := func(bytes int) string { return "<a " + strings.Repeat("b ", (bytes-len("<a >"))/2) + ">" }
	for _, c := range []struct{ text, want, err string }{
		{`<?xml version="1.0" encoding="EBCDIC"?><a b="1" c=2>x&lt;y<d/></A>`, "<a 2>x<y<d 0></d></A>", ""},
		{`<!DOCTYPE a [<!ENTITY b 'boom'>]><a>&b;</a>`, "<a 0>&b;</a>", ""},
		{"<a>" + strings.Repeat("x", 2*maxTag) + "</a>", "<a 0>" + strings.Repeat("x", 2*maxTag) + "</a>", ""},
		{"<!--" + strings.Repeat("x", 2*maxTag) + "--><?p " + strings.Repeat("x", 2*maxTag) + "?><a/>", "<a 0></a>", ""},
		{attributes(maxTag), "<a 8190>", ""},
		{attributes(maxTag + 2), "", "XML tag of more than 16384 bytes"},
		{"<a>" + "<" + strings.Repeat("b", maxTag) + ">", "<a 0>", "XML tag of more than 16384 bytes"},
		{"<a><skip/>1<skip a='/'/>2<skip></skip>3<skip b='1'><c>4</skipped></c></skip >5</a>",
			"<a 0><skip 0>1<skip 1>2<skip 0>3<skip 1></c></skip>5</a>", ""},
		{"<a><skip><b></b>", "<a 0><skip 0>", `XML element "skip" is not closed`},
		{"<a><skip></skip", "<a 0><skip 0>", "XML syntax error on line 1: unexpected EOF"},
		{"<a>x\x01\x1f\ufffe\uffff\ufffd\t</a>", "<a 0>x\ufffd\t</a>", ""},
		{"", "", ""},
	} {
		if got, err := tokens(c.text); got != c.want || fmt.Sprint(err) != c.err && (err != nil || c.err != "") {
			t.Errorf("%.100q:\n got %.200q, %v\nwant %.200q, %s", c.text, got, err, c.want, c.err)
		}
	}
}

// TestAttributesAreBounded reads a text that is one tag: what its attributes take does not grow with it.
func TestAttributesAreBounded(t *testing.T) {
	text := "<a " + strings.Repeat("b ", 1<<20) + ">"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := tokens(text)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; err == nil || got > 4<<20 {
		t.Errorf("%d bytes allocated, %v", got, err)
	}
}

func FuzzReader(f *testing.F) {
	for _, text := range []string{"<a b='c'>x<skip/><skip>y</skip>&lt;</a>", "<skip", "<skip><skip></skip>", "<!DOCTYPE <", "<a =/>", "\xff<\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, _ := tokens(text); len(got) > 64*(len(text)+1) {
			t.Fatalf("%d bytes of %d", len(got), len(text))
		}
	})
}
