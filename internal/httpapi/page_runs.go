package httpapi

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// pageRunsShown is how many Runs the page shows.
const pageRunsShown = 8

// A pageRun is a line of the page's history.
type pageRun struct {
	Path, Rejects string // paths; Rejects "" where none can be asked for
	State, Error  string
	When          time.Time
	Took          string
	Ended         bool
	Counts        refresh.Counts
}

// A pageCode is a line of the page's table of Rejects.
type pageCode struct {
	Code, Path string
	Count      int
}

// tellRuns adds to the page what is known of Runs, and the Rejects of what is published by code. The page is about the catalog:
// where there is no telling of Runs it does without.
func (s *server) tellRuns(ctx context.Context, p *pageView, m *snapshot.Manifest) {
	if st, err := s.Desk.Status(ctx); err != nil {
		s.Log.WarnContext(ctx, "read the status for the page", "error", err)
	} else if p.Refreshed = new(string); st.LastRefresh != nil {
		*p.Refreshed = st.LastRefresh.Format(time.RFC3339Nano) // as in JSON
	}
	l := links{p.Base}
	publisher := ""
	for r, err := range s.Desk.Runs(ctx, "") {
		if err != nil {
			s.Log.WarnContext(ctx, "read the history for the page", "error", err)
			break
		}
		line := pageRun{Path: l.href("refresh", "runs", r.ID), State: string(r.State), When: r.Accepted, Ended: r.Ended != nil, Counts: r.Counts}
		if r.Ended != nil {
			line.When, line.Took = *r.Ended, tookText(r)
		}
		if r.Error != nil {
			line.Error = r.Error.Message
		}
		if r.State == refresh.Successful {
			line.Rejects = line.Path + "/rejects"
			if m != nil && r.Snapshot == m.Fence {
				publisher = cmp.Or(publisher, r.ID) // or one that left it as it was, which is remembered for longer
			}
		}
		if p.Runs = append(p.Runs, line); len(p.Runs) == pageRunsShown {
			break
		}
	}
	if m == nil {
		return
	}
	counts := m.RejectCodes()
	codes := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, code := range codes {
		path := l.href("refresh", "runs", cmp.Or(publisher, m.Run), "rejects")
		p.Rejects = append(p.Rejects, pageCode{code, withQuery(path, url.Values{"code": {code}}), counts[code]})
	}
}

// tookText is how long an ended Run held the Lease, for people; "" if it never did.
func tookText(r refresh.Run) string {
	if r.Started == nil {
		return ""
	}
	d := r.Duration()
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
