package sidecar_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/sidecar"
)

// The same of Landsat's MTL in its three forms.
const (
	mtlText = `GROUP = LANDSAT_METADATA_FILE
  GROUP = PRODUCT_CONTENTS
    LANDSAT_PRODUCT_ID = "LC08_L2SP_200024_20200101_20200113_02_T1"
    PROCESSING_LEVEL = "L2SP"
  END_GROUP = PRODUCT_CONTENTS
  GROUP = IMAGE_ATTRIBUTES
    SPACECRAFT_ID = "LANDSAT_8"
    CLOUD_COVER = 12.30
    SCENE_CENTER_TIME = "10:23:45.6789010Z"
  END_GROUP = IMAGE_ATTRIBUTES
END_GROUP = LANDSAT_METADATA_FILE
END
`
	mtlJSON = `{"LANDSAT_METADATA_FILE": {"PRODUCT_CONTENTS": {
 "LANDSAT_PRODUCT_ID": "LC08_L2SP_200024_20200101_20200113_02_T1", "PROCESSING_LEVEL": "L2SP"},
 "IMAGE_ATTRIBUTES": {"SPACECRAFT_ID": "LANDSAT_8", "CLOUD_COVER": "12.30", "SCENE_CENTER_TIME": "10:23:45.6789010Z"}}}`
	mtlXML = `<?xml version="1.0" encoding="UTF-8"?>
<LANDSAT_METADATA_FILE>
  <PRODUCT_CONTENTS>
    <LANDSAT_PRODUCT_ID>LC08_L2SP_200024_20200101_20200113_02_T1</LANDSAT_PRODUCT_ID>
    <PROCESSING_LEVEL>L2SP</PROCESSING_LEVEL>
  </PRODUCT_CONTENTS>
  <IMAGE_ATTRIBUTES>
    <SPACECRAFT_ID>LANDSAT_8</SPACECRAFT_ID>
    <CLOUD_COVER>12.30</CLOUD_COVER>
    <SCENE_CENTER_TIME>10:23:45.6789010Z</SCENE_CENTER_TIME>
  </IMAGE_ATTRIBUTES>
</LANDSAT_METADATA_FILE>`
)

func TestMTL(t *testing.T) {
	const image = "LANDSAT_METADATA_FILE.IMAGE_ATTRIBUTES."
	want := sidecar.Fields{
		"LANDSAT_METADATA_FILE.PRODUCT_CONTENTS.LANDSAT_PRODUCT_ID": "LC08_L2SP_200024_20200101_20200113_02_T1",
		"LANDSAT_METADATA_FILE.PRODUCT_CONTENTS.PROCESSING_LEVEL":   "L2SP",
		image + "SPACECRAFT_ID": "LANDSAT_8", image + "CLOUD_COVER": "12.30", image + "SCENE_CENTER_TIME": "10:23:45.6789010Z",
	}
	for name, b := range map[string][]byte{
		"text": []byte(mtlText), "text of Windows": utf16Of("\ufeff"+strings.ReplaceAll(mtlText, "\n", "\r\n"), binary.BigEndian),
		"text without END": []byte(strings.TrimSuffix(mtlText, "END\n")),
		"text cut":         []byte(mtlText[:strings.Index(mtlText, "  END_GROUP = IMAGE")]),
		"JSON":             []byte(mtlJSON), "XML": []byte(mtlXML),
	} {
		if got, err := sidecar.ParseFields(b); err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestFields(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"a": {"b": [1.50, true, null, "", " x ", {"c": "d"}, [2]]}, "e": -1e5, "f": {}}`,
			"map[a.b.0:1.50 a.b.1:true a.b.4:x a.b.5.c:d a.b.6.0:2 e:-1e5]"},
		{`{"a": 1, "a": 2, "b": "A"}`, "map[a.0:1 a.1:2 b:A]"},
		{`[{"a": 1}, 2]`, "map[0.a:1 1:2]"},
		{`{}`, "map[]"},
		{`<r xmlns:n="u" id="7"><n:b n:name="x">1</n:b><b>2</b><c/><d> t <![CDATA[<3]]></d><e>mixed<f>4</f></e></r>`,
			"map[r.b.0:1 r.b.0@name:x r.b.1:2 r.d:t <3 r.e.f:4 r@id:7]"},
		{`<a><b>1</b>tail</a>`, "map[a.b:1]"},
		{`<a>&#176;&lt;&b;</a>`, "map[a:°<&b;]"},
		{"A = 1\nB=two words\r\nC = \"q = <u>\"\n\nno statement\n= 5\nD = \nE = 5.5 <km>\nF = 'x'; \nEND\nG = 1",
			"map[A:1 B:two words C:q = <u> E:5.5 F:x]"},
		{"L = (1, \"a, b\",\n  2.5 <m>, (3, 4))\nM = {x,\ny}\nN = ()\nO = 1", "map[L.0:1 L.1:a, b L.2:2.5 L.3.0:3 L.3.1:4 M.0:x M.1:y O:1]"},
		{"A = \"goes\n   on\" <m>\nB =\n  \"below\"\nC = 2", "map[A:goes on B:below C:2]"},
		{"/* c = 1\n*/\nA = 1\nOBJECT = X\nB = 2\nEND_OBJECT\nC = 3\nEND_GROUP = none\nD = 4", "map[A:1 C:3 D:4 X.B:2]"},
		{"version = \"R\";\nBEGIN_GROUP = BAND_B\n\tabsCalFactor = 1.2e-02;\n\tlist = (\n\t\t1,\n\t\t2 );\nEND_GROUP = BAND_B\nEND;\n",
			"map[BAND_B.absCalFactor:1.2e-02 BAND_B.list.0:1 BAND_B.list.1:2 version:R]"},
		{"A =" + strings.Repeat("\n \r", 1<<20) + "B = 1", "map[B:1]"}, // looked at but once, or this takes minutes
		{"A = (\"x\" <m>, 'y' <m>)\nB = 'z' <a = b>", "map[A.0:x A.1:y B:z]"},
		{"GROUP = A\nX = 1\nEND_GROUP = A\nGROUP = A\nX = 2\nEND_GROUP = A\n", "map[A.0.X:1 A.1.X:2]"},
	} {
		got, err := sidecar.ParseFields([]byte(c.text))
		if text := fmt.Sprint(map[string]string(got)); err != nil || text != c.want {
			t.Errorf("%q:\n got %v, %v\nwant %v", c.text, text, err, c.want)
		}
	}
	long := strings.Repeat("n", 1000)
	for name, c := range map[string]struct{ text, err string }{
		"empty":       {" \n", "metadata: the file is empty"},
		"prose":       {"nothing to see here", "metadata: neither JSON nor XML nor KEY = VALUE lines"},
		"JSON cut":    {`{"a": [1`, "metadata: unexpected EOF"},
		"JSON broken": {`{"a" 1}`, "metadata: invalid character '1' after object key"},
		"JSON deep":   {strings.Repeat("[", 1000), "metadata: JSON nested deeper than 32"},
		"JSON many":   {"[" + strings.Repeat("1,", 30_000) + "1]", "metadata: more than 20000 JSON values"},
		"XML cut":     {"<a><b>", `metadata: XML element "b" is not closed`},
		"groups":      {strings.Repeat("GROUP = A\n", 1000), "metadata: groups nested deeper than 32"},
		"lists":       {"A = " + strings.Repeat("(", 1000), "metadata: lists nested deeper than 32"},
		"list cut":    {"A = (1, 2", "metadata: A: the list does not end"},
		"quote cut":   {"A = \"1, 2", "metadata: A: the quoted text does not end"},
		"many lines":  {strings.Repeat("A=1\n", 30_000), "metadata: more than 20000 KEY = VALUE lines and members of lists"},
		"long paths": {strings.Repeat(`{"`+long+`":`, 30) + "[" + strings.Repeat("1,", 10_000) + "1]",
			"metadata: paths of more than 2097152 bytes"},
		"long elements": {strings.Repeat("<"+long+">", 30) + strings.Repeat("<a>1</a>", 9000) + strings.Repeat("</"+long+">", 30),
			"metadata: paths of more than 2097152 bytes"},
		"long elements without values": {strings.Repeat("<"+long+">", 30) + strings.Repeat("<a/>", 9000) + strings.Repeat("</"+long+">", 30),
			"metadata: paths of more than 2097152 bytes"},
		"too long": {strings.Repeat(" ", 4<<20+1), "metadata: 4194305 bytes, more than the 4194304 that are read"},
	} {
		if c.text[0] == '{' && strings.HasSuffix(c.text, "1]") {
			c.text += strings.Repeat("}", 30)
		}
		if got, err := sidecar.ParseFields([]byte(c.text)); err == nil || err.Error() != c.err || got != nil {
			t.Errorf("%s: %.100v, %v", name, got, err)
		}
	}
}

func TestFind(t *testing.T) {
	f := sidecar.Fields{"A.B.CLOUD": "12", "A.B.TIME": "1", "C.TIME": "2", "D.ID": "x", "E.ID": "x", "F.MYCLOUD": "0", "G@h": "i"}
	for path, want := range map[string]string{
		"A.B.CLOUD": "12", "B.CLOUD": "12", "CLOUD": "12", "ID": "x", "C.TIME": "2", "TIME": "", "LOUD": "", "": "", "A": "", "G@h": "i",
		".CLOUD": "", "cloud": "",
	} {
		if got, ok := f.Find(path); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", path, got, ok)
		}
	}
}
