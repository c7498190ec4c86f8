package httpapi

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/stac"
)

const browser = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

func TestPageOrJSON(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct {
		path, accept string
		html         bool
	}{
		{"/", browser, true},
		{"/", "Accept: text/html", true},
		{"/", "Accept: TEXT/HTML;level=1;q=0.5, */*;q=0.1", true},
		{"/", "Accept: */*", false},
		{"/", "Accept: ", false},
		{"/", "Accept: application/json, text/html", false},
		{"/", "Accept: application/json;q=0.2, text/html;q=0.3", true},
		{"/", "Accept: text/html;q=0", false},
		{"/", "Accept: ;;;,text/html;q=x,/", false},
		{"/?f=json", browser, false},
		{"/?f=html", "Accept: application/json", true},
		{"/?utm_source=mail", browser, true},
	} {
		r := w.do("GET", c.path, "", c.accept)
		if got := strings.HasPrefix(r.header.Get("Content-Type"), "text/html"); r.status != 200 || got != c.html || r.header.Get("Vary") != "Accept" {
			t.Errorf("%s with %s: %d %v", c.path, c.accept, r.status, r.header)
		}
	}
}

func TestPage(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.BasePath = "/x" })
	r := w.do("GET", "/x/", "", browser)
	if !strings.Contains(string(r.body), "Nothing published yet") {
		t.Errorf("before the first snapshot: %s", r.body)
	}
	w.publish(1, 3, "a", "b")
	r = w.do("GET", "/x/", "", browser)
	page := string(r.body)
	for _, want := range []string{"Ortho &lt;photos&gt;", "All &amp; sundry", `href="/x/collections/a"`, `href="/x/collections/b/items">3<`,
		"180.00° W to 177.50° W, 0.00° N to 0.50° N", "2024-03-01 to 2024-03-03", "6 items in 2 collections", "Refresh now", "Cairn 1.2.3"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(page, "<photos>") {
		t.Error("the title is not escaped")
	}
	if found := regexp.MustCompile(`(src|href|action)="?(https?:)?//`).FindString(page); found != "" {
		t.Errorf("the page needs %s from elsewhere", found)
	}
	nonce := regexp.MustCompile(`script-src 'nonce-([A-Z2-7]{26})'`).FindStringSubmatch(r.header.Get("Content-Security-Policy"))
	if nonce == nil || !strings.Contains(page, `<script nonce="`+nonce[1]+`">`) || !strings.Contains(page, `<style nonce="`+nonce[1]+`">`) {
		t.Errorf("policy %s", r.header.Get("Content-Security-Policy"))
	}
	if again := w.do("GET", "/x/", "", browser); nonce != nil && strings.Contains(string(again.body), nonce[1]) {
		t.Error("a nonce came twice")
	}
	if regexp.MustCompile(` (on[a-z]+|style)=`).MatchString(page) {
		t.Error("the page has attributes that its policy forbids")
	}
}

func TestPageTellsOfRuns(t *testing.T) {
	w := newWorld(t, nil)
	w.withRejects(1, 5, "a", "n")
	w.desk.history = history(12)
	ended := w.desk.history[1].Ended.Add(123 * time.Millisecond)
	w.desk.state.LastRefresh = &ended
	w.desk.history[0] = refresh.Run{ID: w.desk.history[0].ID, State: refresh.Running, Accepted: day}
	w.desk.history[1].State, w.desk.history[1].Error = refresh.Failed, &refresh.Problem{Code: "x", Message: "<it> failed"}
	w.desk.history[2].Counts = refresh.Counts{Added: 1001, Updated: 1002, Removed: 1003, Rejects: 1004}
	page := string(w.do("GET", "/", "", browser).body)
	good := "/refresh/runs/" + w.desk.history[2].ID
	for _, want := range []string{`data-refreshed="` + ended.Format(time.RFC3339Nano) + `"`, "<td>running", "<td>failed", "&lt;it&gt; failed", "<td>successful",
		">1.5s<", ">1001<", ">1002<", ">1003<", `<a href="` + good + `/rejects">1004</a>`, `<a href="` + good + `">`,
		`datetime="` + w.desk.history[2].Ended.Format(time.RFC3339)[:16],
		`<a href="` + good + `/rejects?code=not_tiff">not_tiff</a></td><td class="n">8<`,
		`<a href="` + good + `/rejects?code=denied">denied</a></td><td class="n">2<`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s in %s", want, page)
		}
	}
	if n := strings.Count(page, "<time "); n != pageRunsShown {
		t.Errorf("%d runs are shown", n)
	}
	if strings.Index(page, ">not_tiff<") > strings.Index(page, ">denied<") {
		t.Error("the most frequent code is not the first")
	}
	for _, link := range regexp.MustCompile(`href="(/[^"]*)"`).FindAllStringSubmatch(page, -1) {
		if r := w.do("GET", strings.ReplaceAll(link[1], "&amp;", "&"), ""); r.status != 200 {
			t.Errorf("%s: %d", link[1], r.status)
		}
	}
	// Without the history, and before the first refresh, the page is there all the same.
	w.desk.err = errors.New("boom")
	page = string(w.do("GET", "/", "", browser).body)
	if !strings.Contains(page, "/collections/a") || strings.Contains(page, "data-refreshed") || strings.Contains(page, "boom") || !strings.Contains(w.log.String(), "boom") {
		t.Error(page)
	}
	w = newWorld(t, nil)
	if page = string(w.do("GET", "/", "", browser).body); !strings.Contains(page, `data-refreshed=""`) || strings.Contains(page, "Last refreshes") {
		t.Error(page)
	}
}

func TestExtentTexts(t *testing.T) {
	end := day.AddDate(0, 1, 0)
	for _, c := range []struct {
		extent     stac.Extent
		bbox, when string
	}{
		{stac.Extent{}, "", ""},
		{stac.Extent{BBoxes: [][]float64{{170, -10, -170, 10}}}, "170.00° E to 170.00° W, 10.00° S to 10.00° N", ""},
	} {
		if b, tm := bboxText(c.extent), timeText(c.extent); b != c.bbox || tm != c.when {
			t.Errorf("%+v: %q, %q", c.extent, b, tm)
		}
	}
	var x stac.Extent
	x.Intervals = append(x.Intervals, [2]*time.Time{&day, &end})
	if got := timeText(x); got != "2024-03-01 to 2024-04-01" {
		t.Error(got)
	}
	x.Intervals[0] = [2]*time.Time{&day, nil}
	if got := timeText(x); got != "2024-03-01 to …" {
		t.Error(got)
	}
	x.Intervals[0] = [2]*time.Time{&day, &day}
	if got := timeText(x); got != "2024-03-01" {
		t.Error(got)
	}
}
