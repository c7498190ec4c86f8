package httpapi

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/cairn-stac/cairn/internal/snapshot"
	"github.com/cairn-stac/cairn/internal/stac"
)

// wantsHTML tells whether the client would rather have a page than JSON (RFC 9110, 12.5.1). The parameter f decides for those
// that cannot say.
func wantsHTML(r *http.Request) bool {
	switch r.URL.Query().Get("f") {
	case "html":
		return true
	case "json":
		return false
	}
	var html, json float64
	for rng := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		t, params, err := mime.ParseMediaType(rng)
		if err != nil {
			continue
		}
		q, err := strconv.ParseFloat(cmp.Or(params["q"], "1"), 64)
		if err != nil {
			continue
		}
		switch t {
		case "text/html", "application/xhtml+xml":
			html = max(html, q)
		case "application/json", "application/geo+json", "application/*":
			json = max(json, q)
		}
	}
	return html > json
}

// A pageView is what the page shows.
type pageView struct {
	Nonce              string
	Title, Description string
	Version            string
	Base               string // path of the root without a slash at the end
	Published          bool
	Items              int
	Source             string
	Collections        []pageCollection

	SignsIn   bool    // the page can ask for the token
	Manages   bool    // whoever asks may see Runs
	Starts    bool    // and start them
	Refreshed *string // last_refresh as the status has it, "" for null; nil: not known
	Runs      []pageRun
	Rejects   []pageCode
}

type pageCollection struct {
	ID, Title, Description string
	Path                   string
	Items                  int
	BBox, Time             string
}

// page answers the root for people. It needs nothing from elsewhere and runs no script but its own.
func (s *server) page(w http.ResponseWriter, r *http.Request, v view, root stac.Catalog) error {
	p := pageView{
		Nonce: rand.Text(), Title: root.Title, Description: root.Description,
		Version: s.Version, Base: s.base(r).EscapedPath(),
	}
	p.SignsIn, p.Manages = s.Token != "", s.manages(r)
	p.Starts = p.Manages && !s.ReadOnly
	items := map[string]int{}
	var m *snapshot.Manifest
	if v.reader != nil {
		m = v.reader.Manifest()
		p.Published = true
		if p.Manages { // a folder of this machine, perhaps
			p.Source = m.Source
		}
		for _, row := range m.Rows {
			items[row.Collection] += row.Counts.Items
			p.Items += row.Counts.Items
		}
	}
	for _, c := range v.collections() {
		p.Collections = append(p.Collections, pageCollection{
			ID: c.ID, Title: cmp.Or(c.Title, c.ID), Description: c.Description, Items: items[c.ID],
			Path: links{p.Base}.href("collections", c.ID), BBox: bboxText(c.Extent), Time: timeText(c.Extent),
		})
	}
	if p.Manages {
		s.tellRuns(r.Context(), &p, m)
	}
	h := w.Header()
	h.Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; style-src 'nonce-%[1]s'; script-src 'nonce-%[1]s'; "+
		"connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", p.Nonce))
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	write(w, http.StatusOK, "text/html; charset=utf-8", p.html())
	return nil
}

// bboxText is the overall extent for people.
func bboxText(x stac.Extent) string {
	if len(x.BBoxes) == 0 || len(x.BBoxes[0]) != 4 {
		return ""
	}
	b := x.BBoxes[0]
	return fmt.Sprintf("%s to %s, %s to %s",
		degrees(b[0], "E", "W"), degrees(b[2], "E", "W"), degrees(b[1], "N", "S"), degrees(b[3], "N", "S"))
}

func degrees(v float64, plus, minus string) string {
	if v < 0 {
		v, plus = -v, minus
	}
	return strconv.FormatFloat(v, 'f', 2, 64) + "° " + plus
}

// timeText is the overall interval for people.
func timeText(x stac.Extent) string {
	if len(x.Intervals) == 0 {
		return ""
	}
	days := [2]string{"…", "…"}
	for i, t := range x.Intervals[0] {
		if t != nil {
			days[i] = t.UTC().Format("2006-01-02")
		}
	}
	if days[0] == days[1] {
		return days[0]
	}
	return days[0] + " to " + days[1]
}
