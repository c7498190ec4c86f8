package geotiff

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cairn-stac/cairn/internal/geotiff/gdalxml"
)

var errTooManyItems = errors.New("too many items; the rest is left out")

// parseMetadata reads the XML of GDAL_METADATA:
//
//	<GDALMetadata><Item name="scale" sample="0" role="scale">0.01</Item>…</GDALMetadata>
//
// It takes what GDAL takes: items that have a name, and nothing but a text within; names of elements and attributes in any case;
// none at all where the XML is broken, as the half of a scale and an offset is worse than none.
func parseMetadata(text string) ([]Meta, error) {
	r, p := gdalxml.NewReader(text), metadataParser{}
	for {
		token, err := r.Token()
		if err == io.EOF && p.depth > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err == io.EOF {
			return p.items, nil
		} else if err != nil {
			return nil, fmt.Errorf("%w; ignored", err)
		}
		switch err := p.token(token); {
		case err == errTooManyItems:
			return p.items, err
		case err != nil:
			return nil, err
		}
	}
}

// metadataParser follows the elements of GDAL_METADATA.
type metadataParser struct {
	items []Meta
	depth int
	roots int    // GDALMetadata elements seen; only the first counts
	item  Meta   // the one that is open at depth 2
	value []byte // its text
	open  bool   // whether item may still become one
}

func (p *metadataParser) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		p.depth++
		switch {
		case p.depth == 1:
			if strings.EqualFold(t.Name.Local, "GDALMetadata") {
				p.roots++
			}
		case p.depth == 2:
			p.value = p.value[:0]
			p.open = false
			if p.roots == 1 && strings.EqualFold(t.Name.Local, "Item") {
				p.item, p.open = metaOf(t.Attr)
			}
		default:
			p.open = false
		}
	case xml.Comment:
		if p.depth == 2 {
			p.open = false
		}
	case xml.CharData:
		if p.open && p.depth == 2 {
			p.value = append(p.value, t...)
		}
	case xml.EndElement:
		if p.depth == 0 {
			return errors.New("XML element is closed that was not open; ignored")
		}
		p.depth--
		switch {
		case p.depth == 0 && p.roots > 0:
			p.roots++ // done with the first
		case p.depth == 1 && p.open:
			return p.close()
		}
	}
	return nil
}

// close adds the item that is open. That leading white space is dropped, and a value of nothing else no value, is GDAL's doing.
func (p *metadataParser) close() error {
	p.item.Value = unescape(strings.TrimLeft(string(p.value), " \t\r\n"))
	if p.item.Value == "" {
		return nil
	}
	if len(p.items) == maxItems {
		return errTooManyItems
	}
	p.items = append(p.items, p.item)
	return nil
}

// metaOf reads the attributes of an item; false where GDAL ignores it: it has no name, a sample below -1, or speaks of the
// structure of an image that GDAL tells by itself.
func metaOf(attrs []xml.Attr) (Meta, bool) {
	m, ok := Meta{Sample: -1}, false
	for _, a := range attrs {
		switch strings.ToLower(a.Name.Local) {
		case "name":
			m.Name, ok = a.Value, true
		case "domain":
			m.Domain = a.Value
		case "role":
			m.Role = strings.ToLower(a.Value)
		case "sample":
			n, _ := strconv.Atoi(leadingDigits(strings.TrimSpace(a.Value))) // 0 for no number, as C's atoi has it
			if n < -1 || n > 65535 {
				return m, false
			}
			m.Sample = n
		}
	}
	if m.Sample < 0 {
		m.Role = "" // GDAL looks at roles of bands only
	}
	return m, ok && !strings.EqualFold(m.Domain, "IMAGE_STRUCTURE")
}

// unescape undoes GDAL's own escaping: it writes values escaped into a tree that is escaped again when it becomes a text.
func unescape(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, "&")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		end := strings.IndexByte(after[:min(len(after), 16)], ';')
		char, known := "", false
		if end > 0 {
			char, known = entity(after[:end])
		}
		if !known {
			char, end = "&", -1
		}
		out.WriteString(char)
		s = after[end+1:]
	}
}

// entity is the character of an entity that XML knows by itself.
func entity(name string) (string, bool) {
	switch name {
	case "lt":
		return "<", true
	case "gt":
		return ">", true
	case "amp":
		return "&", true
	case "quot":
		return `"`, true
	case "apos":
		return "'", true
	}
	digits, ok := strings.CutPrefix(name, "#")
	base := 10
	if hex, isHex := strings.CutPrefix(digits, "x"); isHex {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 21)
	if !ok || err != nil || n == 0 {
		return "", false
	}
	return string(rune(n)), true
}
