package httpapi

import (
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// full is a page that has everything, each text of which is hostile.
func full(hostile string) *pageView {
	p := &pageView{Published: true, Items: 3, Manages: true, Starts: true, Refreshed: &hostile,
		Collections: make([]pageCollection, 2), Runs: []pageRun{{Ended: true, Counts: refresh.Counts{Added: 1}}, {}}, Rejects: make([]pageCode, 2)}
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			fill(v.Elem())
		case reflect.Slice:
			for i := range v.Len() {
				fill(v.Index(i))
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Field(i).CanSet() {
					fill(v.Field(i))
				}
			}
		case reflect.String:
			v.SetString(hostile)
		}
	}
	fill(reflect.ValueOf(p))
	return p
}

// elements are the tags of a page with the names of their attributes, in order, without what is between them.
func elements(t *testing.T, page []byte) []string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(page)))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var out []string
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%v in %s", err, page)
		}
		if e, ok := tok.(xml.StartElement); ok {
			name := e.Name.Local
			for _, a := range e.Attr {
				name += " " + a.Name.Local
			}
			out = append(out, name)
		}
	}
}

func TestNothingOfACatalogIsMarkup(t *testing.T) {
	script := regexp.MustCompile(`(?s)<script nonce="[^"]*">.*?</script>`)
	strip := func(p *pageView) []byte { return script.ReplaceAll(p.html(), []byte("<script></script>")) }
	plain := full("x")
	want := elements(t, strip(plain))
	if len(want) < 40 {
		t.Fatalf("the page has only %d elements", len(want))
	}
	for _, hostile := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onload='x`, `{{script}}{{nonce}}`, `</title><b>`,
		`</script><b>`, `%s%d%[1]s`, "&lt;b&gt;"} {
		page := strip(full(hostile))
		if got := elements(t, page); !reflect.DeepEqual(got, want) {
			t.Errorf("%s changes the page to %v", hostile, got)
		}
		if n := strings.Count(string(plain.html()), "{{"); n > 0 {
			t.Errorf("%d places are left open", n)
		}
	}
	for _, bad := range []string{"%!", "EXTRA", "MISSING"} {
		if strings.Contains(string(plain.html()), bad) {
			t.Errorf("the page has %s: a format does not fit", bad)
		}
	}
}
