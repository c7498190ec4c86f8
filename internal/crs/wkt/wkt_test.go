package wkt

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	n, err := Parse("\ufeff PROJCS [\"a \"\"b\"\" [c]\", GEOGCS(\"x\",UNIT[\"deg\",1.5e-2]) ,\r\n AXIS[\"E\",EAST], PARAMETER[\"p\",-3.5]],VERTCS[\"v\"]")
	want := &Node{Keyword: "PROJCS", Values: []string{`a "b" [c]`}, Children: []*Node{
		{Keyword: "GEOGCS", Values: []string{"x"}, Children: []*Node{{Keyword: "UNIT", Values: []string{"deg", "1.5e-2"}}}},
		{Keyword: "AXIS", Values: []string{"E", "EAST"}},
		{Keyword: "PARAMETER", Values: []string{"p", "-3.5"}},
	}}
	if err != nil || !reflect.DeepEqual(n, want) {
		t.Fatalf("%+v, %v", n, err)
	}
	if v, ok := n.Child("X", "PARAMETER").Number(1); !ok || v != -3.5 {
		t.Errorf("PARAMETER is %v, %v", v, ok)
	}
	if c := n.Child("NONE"); c != nil || c.Child("NONE") != nil || c.Text(0) != "" {
		t.Errorf("a child that is not there: %+v", c)
	}
	for _, i := range []int{0, 7} {
		if v, ok := n.Number(i); ok {
			t.Errorf("value %d is the number %v", i, v)
		}
	}
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]bool{"1": true, "-1.5E+3": true, ".5": true, "1e999": false, "inf": false, "NaN": false,
		"0x1p4": false, "1_0": false, "": false, "1,5": false} {
		if _, ok := (&Node{Values: []string{text}}).Number(0); ok != want {
			t.Errorf("%q is a number: %v", text, ok)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"EPSG:4326":                             "byte 9: a keyword and a bracket are wanted",
		"[1]":                                   "byte 1: a bracket without a keyword",
		`GEOGCS["x`:                             "byte 7: a quote is not closed",
		`GEOGCS["x",DATUM["y"]`:                 "byte 21: ends within GEOGCS",
		`GEOGCS["x" "y"]`:                       "byte 11: a comma or a closing bracket is wanted",
		strings.Repeat("A[", 100):               "nested too deep",
		"A[" + strings.Repeat("B[],", MaxItems): "too many items",
		"A[" + strings.Repeat(" ", MaxBytes):    "more than 65536",
	} {
		if n, err := Parse(text); n != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%.20q) = %v, %v: want %q", text, n, err, want)
		}
	}
	for _, text := range []string{"", " \r\n", "\x00\x00"} {
		if _, err := Parse(text); !errors.Is(err, ErrEmpty) {
			t.Errorf("Parse(%q): %v, want ErrEmpty", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]`)
	f.Add(`A["a""b",(),B(1),]]`)
	f.Fuzz(func(t *testing.T, text string) {
		n, err := Parse(text)
		if (n == nil) == (err == nil) {
			t.Fatalf("%v, %v", n, err)
		}
		nodes, bytes := 0, 0
		var walk func(n *Node, depth int)
		walk = func(n *Node, depth int) {
			nodes++
			bytes += len(n.Keyword)
			for _, v := range n.Values {
				bytes += len(v)
			}
			if depth >= MaxDepth || n.Keyword == "" {
				t.Fatalf("%+v at depth %d", n, depth)
			}
			for _, c := range n.Children {
				walk(c, depth+1)
			}
		}
		if n != nil {
			walk(n, 0)
		}
		// Upper case may take more bytes than lower case, not more than three times as many.
		if nodes > MaxItems || bytes > 3*len(text) {
			t.Fatalf("%d nodes of %d bytes out of %d", nodes, bytes, len(text))
		}
	})
}
