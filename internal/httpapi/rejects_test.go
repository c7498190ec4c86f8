package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

func TestRejects(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 2, "a", "b", "c")
	w.desk.history = history(1)
	path := "/refresh/runs/" + w.desk.history[0].ID + "/rejects"
	var got []string
	for next := path + "?limit=2"; next != ""; {
		var page rejectsAnswer
		w.get(next, &page)
		if page.Total != 3 || page.Snapshot != 1 || page.RunID != w.desk.history[0].ID || fmt.Sprint(page.Codes) != "map[not_tiff:3]" {
			t.Errorf("page %+v", page)
		}
		for _, r := range page.Rejects {
			got = append(got, fmt.Sprintf("%s %s %s", r.Key, r.Code, r.Message))
		}
		next = href(page.Links, "next")
	}
	want := "[a/zz.tif not_tiff it is no TIFF b/zz.tif not_tiff it is no TIFF c/zz.tif not_tiff it is no TIFF]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	var page rejectsAnswer
	if w.get(path+"?limit=3", &page); len(page.Rejects) != 3 || href(page.Links, "next") != "" {
		t.Errorf("all of them on a page: %+v", page)
	}
	if r := w.get(path+"?offset=9", nil); !strings.Contains(string(r.body), `"rejects":[]`) || strings.Contains(string(r.body), `"next"`) {
		t.Errorf("past the end: %s", r.body)
	}
	for _, q := range []string{"offset=-1", "offset=x", "limit=0", "x=1", "code="} {
		w.refused(w.do("GET", path+"?"+q, ""), "bad_parameter")
	}
	w.desk.history[0].Snapshot = 7
	w.refused(w.do("GET", path, ""), "snapshot_expired")
}

// withRejects publishes Collections of one Item and so many Rejects; each third is denied, but in collections that begin with n.
func (w *world) withRejects(fence uint64, each int, collections ...string) {
	w.rejects = func(collection string) []snapshot.Reject {
		var out []snapshot.Reject
		for i := range each - 1 { // the fixture makes one
			code := "not_tiff"
			if i%3 == 0 && collection[0] != 'n' {
				code = "denied"
			}
			out = append(out, snapshot.Reject{Key: fmt.Sprintf("%s/zzz %04d.tif", collection, i), Code: code, Message: "it cannot be read"})
		}
		return out
	}
	w.publish(fence, 1, collections...)
}

// Whatever the filter and the size of the pages, they are together what the Snapshot has, and reading them opens what is needed.
func TestRejectsByCode(t *testing.T) {
	w := newWorld(t, nil)
	w.withRejects(1, 10, "a", "b", "n1", "n2", "z")
	w.desk.history = history(1)
	path := "/refresh/runs/" + w.desk.history[0].ID + "/rejects"
	all := map[string]string{}
	for _, code := range []string{"", "denied", "not_tiff", "none"} {
		for _, limit := range []int{1, 3, 7, 100} {
			got := map[string]string{}
			last := ""
			w.catalog.gets.Store(0)
			pages := 0
			for next := fmt.Sprintf("%s?limit=%d&code=%s", path, limit, code); next != ""; pages++ {
				var page rejectsAnswer
				w.get(strings.TrimSuffix(next, "&code="), &page)
				for _, r := range page.Rejects {
					if got[r.Key] = r.Code; r.Key <= last || code != "" && r.Code != code {
						t.Errorf("%s after %s in pages of %d of code %q", r.Key, last, limit, code)
					}
					last = r.Key
				}
				if len(page.Rejects) > limit || page.Total != 50 {
					t.Errorf("page %+v", page)
				}
				next = href(page.Links, "next")
			}
			if code == "" {
				all = got
			}
			want := 0
			for key, c := range all {
				if code == "" || c == code {
					if want++; got[key] != c {
						t.Errorf("%s is missing in pages of %d of code %q", key, limit, code)
					}
				}
			}
			if len(got) != want || len(all) != 50 {
				t.Errorf("%d of code %q in pages of %d, want %d", len(got), code, limit, want)
			}
			parts := map[string]int64{"": 5, "denied": 3, "not_tiff": 5, "none": 0}[code]
			// Each page reads the Parts that it shows something of, and at most one more; the Snapshot is opened once, by two reads.
			if n := w.catalog.gets.Load() - 2; n > parts+2*int64(pages) || limit == 100 && n > parts {
				t.Errorf("%d reads for %d pages of %d of code %q in %d parts", n, pages, limit, code, parts)
			}
		}
	}
}

// A page never reads all Parts of a large Catalog. It may be short, and tells how to go on.
func TestRejectsReadFewParts(t *testing.T) {
	w := newWorld(t, nil)
	var names []string
	for i := range 2*mostRejectParts + 5 {
		names = append(names, fmt.Sprintf("c%04d", i))
	}
	w.withRejects(1, 1, names...)
	w.desk.history = history(1)
	next, pages, n := "/refresh/runs/"+w.desk.history[0].ID+"/rejects", 0, 0
	for ; next != ""; pages++ {
		w.catalog.gets.Store(0)
		var page rejectsAnswer
		w.get(next, &page)
		n += len(page.Rejects)
		if reads := w.catalog.gets.Load(); reads > mostRejectParts+2 {
			t.Errorf("page %d: %d reads", pages, reads)
		}
		next = href(page.Links, "next")
	}
	if pages != 3 || n != len(names) {
		t.Errorf("%d rejects on %d pages", n, pages)
	}
}

// Rejects of an earlier Run are there as long as its Snapshot is.
func TestRejectsOfEarlierRuns(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 1, "a")
	w.publish(2, 1, "a", "b")
	w.desk.history = history(2)
	w.desk.history[0].Snapshot = 2
	for i, want := range []int{2, 1} {
		var page rejectsAnswer
		if w.get("/refresh/runs/"+w.desk.history[i].ID+"/rejects", &page); page.Total != want || len(page.Rejects) != want {
			t.Errorf("run %d: %+v", i, page)
		}
	}
	old := "/refresh/runs/" + w.desk.history[1].ID + "/rejects"
	if err := w.catalog.Delete(t.Context(), w.part(1, "a")); err != nil {
		t.Fatal(err)
	}
	w.refused(w.do("GET", old, ""), "snapshot_expired")
	if err := w.catalog.Delete(t.Context(), snapshot.ManifestKey(1)); err != nil {
		t.Fatal(err)
	}
	w.opt.Snapshots.Gone(1)
	w.refused(w.do("GET", old, ""), "snapshot_expired")
	w.desk.history[1].State = refresh.Failed
	w.refused(w.do("GET", old, ""), "run_not_successful")
}
