package geotiff

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
)

// readTexts fills in what the file says in words.
func (rd *reader) readTexts() {
	h, f := rd.h, &rd.main.fields
	h.Description = f[slotDescription].text()
	h.Software = f[slotSoftware].text()
	h.DateTime = f[slotDateTime].text()
	h.Nodata = f[slotNodata].text()
	b := f[slotMetadata].bytes()
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	if b = bytes.TrimSpace(b); len(b) == 0 {
		return
	}
	items, err := parseMetadata(toUTF8(b))
	if err != nil {
		rd.warn("%v: %v; %d items were read", slotMetadata, err, len(items))
	}
	h.Metadata = items
}

// parseMetadata reads the XML of GDAL_METADATA:
//
//	<GDALMetadata><Item name="scale" sample="0" role="scale">0.01</Item>…</GDALMetadata>
//
// It is as forgiving as GDAL's own parser, and what comes before an error stays.
func parseMetadata(text string) ([]Meta, error) {
	dec := xml.NewDecoder(strings.NewReader(text))
	dec.Strict = false
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // it is UTF-8 by now
	var items []Meta
	var value []byte
	inItem := false
	for depth := 0; ; {
		token, err := dec.RawToken()
		if err == io.EOF && depth > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err == io.EOF {
			return items, nil
		} else if err != nil {
			return items, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth > maxXMLDepth {
				return items, errors.New("XML elements are nested too deep")
			}
			if depth == 2 && t.Name.Local == "Item" {
				if len(items) == maxItems {
					return items, errors.New("too many items")
				}
				items = append(items, metaOf(t.Attr))
				inItem, value = true, value[:0]
			}
		case xml.CharData:
			if inItem && depth == 2 {
				value = append(value, t...)
			}
		case xml.EndElement:
			if inItem && depth == 2 {
				items[len(items)-1].Value = unescape.Replace(strings.TrimLeft(string(value), " \t\r\n"))
				inItem = false
			}
			depth = max(depth-1, 0)
		}
	}
}

// unescape undoes GDAL's own escaping: it writes values escaped into a tree that is escaped again when it becomes a text.
// That its parser drops leading white space is GDAL's doing as well.
var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&")

func metaOf(attrs []xml.Attr) Meta {
	m := Meta{Sample: -1}
	for _, a := range attrs {
		switch a.Name.Local {
		case "name":
			m.Name = a.Value
		case "domain":
			m.Domain = a.Value
		case "role":
			m.Role = a.Value
		case "sample":
			if n, err := strconv.ParseUint(strings.TrimSpace(a.Value), 10, 16); err == nil {
				m.Sample = int(n)
			}
		}
	}
	return m
}
