package httpapi

import (
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// A server without a Source tells all there is to know, and changes nothing.
func TestReadOnly(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.ReadOnly, o.Source, o.SourceURL, o.Served = true, nil, "", nil })
	w.publish(1, 2, "a")
	w.desk.history = append([]refresh.Run{{ID: runID, State: refresh.Running}}, history(1)...)
	run := "/refresh/runs/" + w.desk.history[1].ID
	for _, call := range [][2]string{{"POST", "/refresh"}, {"DELETE", "/refresh/runs/" + runID}, {"DELETE", run}} {
		if d := w.refused(w.do(call[0], call[1], "{"), "read_only"); !strings.Contains(d, "source") {
			t.Error(d)
		}
	}
	if w.desk.asked != nil || w.desk.cancelled != nil {
		t.Errorf("asked %v, cancelled %v", w.desk.asked, w.desk.cancelled)
	}
	for _, path := range []string{"/", "/conformance", "/collections", "/collections/a", "/refresh/status", "/refresh/runs", run, run + "/rejects"} {
		w.get(path, nil)
	}
	var page featureCollection
	if w.get("/collections/a/items", &page); page.Features[0].Assets["data"].Href != sourceURL+"/a/img%20000.tif" {
		t.Errorf("asset %s", page.Features[0].Assets["data"].Href)
	}
	w.refused(w.do("GET", "/assets/a/img%20000.tif", ""), "not_found")
	html := string(w.do("GET", "/", "", browser).body)
	if strings.Contains(html, "<button") || !strings.Contains(html, "Last refreshes") || !strings.Contains(html, "<script") {
		t.Error(html)
	}
}
