package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strconv"

	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
	"github.com/cairn-stac/cairn/internal/stac"
)

// Pages of Rejects.
const (
	usualRejects = 1000
	mostRejects  = 10_000
	// mostRejectParts are read for one page, so that none takes for ever. It may then have fewer Rejects, or none, and a next link.
	mostRejectParts = 100
)

type rejectsAnswer struct {
	RunID    string         `json:"run_id"`
	Snapshot uint64         `json:"snapshot"`
	Total    int            `json:"total"` // of the Snapshot, whatever the filter
	Codes    map[string]int `json:"codes"` // of the Snapshot: how many have each
	Rejects  []rejectEntry  `json:"rejects"`
	Links    []stac.Link    `json:"links"`
}

type rejectEntry struct {
	Key     string `json:"key"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// rejects tells the Rejects of the Snapshot that a successful Run left published, page by page. Other Runs found none that
// anybody could see: 409.
func (s *server) rejects(w http.ResponseWriter, r *http.Request) error {
	q, err := params(r, "limit", "offset", "code")
	if err != nil {
		return err
	}
	limit, err := limitOf(q, usualRejects, mostRejects)
	if err != nil {
		return err
	}
	offset, err := param(q, "offset", func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return 0, errors.New("expected the place of a reject, from 0")
		}
		return n, nil
	})
	if err != nil {
		return err
	}
	code, err := param(q, "code", func(s string) (string, error) {
		if s == "" {
			return "", errors.New("expected the code of rejects, such as not_tiff")
		}
		return s, nil
	})
	if err != nil {
		return err
	}
	run, err := s.lookUp(r)
	if err != nil {
		return err
	}
	if run.State != refresh.Successful {
		return refuse("run_not_successful", "run %s is %s: rejects are those of a successful run", run.ID, run.State)
	}
	snap, err := s.Snapshots.At(r.Context(), run.Snapshot)
	if err != nil {
		return err
	}
	m := snap.Manifest()
	l := s.links(r)
	self := l.href("refresh", "runs", run.ID, "rejects")
	out := rejectsAnswer{RunID: run.ID, Snapshot: m.Fence, Total: countRejects(m), Codes: m.RejectCodes()}
	out.Links = []stac.Link{
		{Rel: "self", Type: stac.TypeJSON, Href: withQuery(self, q)},
		l.root(),
		l.to("up", stac.TypeJSON, "", "refresh", "runs", run.ID),
	}
	q.Set("offset", strconv.Itoa(out.Total))
	next := stac.Link{Rel: "next", Type: stac.TypeJSON, Href: withQuery(self, q)} // the longest that there may be
	room, err := s.room(out, next)
	if err != nil {
		return err
	}
	var place int
	if out.Rejects, place, err = s.Snapshots.rejects(r.Context(), m, offset, limit, code, room); err != nil {
		return fmt.Errorf("rejects of run %s: %w", run.ID, err)
	}
	if place < out.Total {
		q.Set("offset", strconv.Itoa(place))
		next.Href = withQuery(self, q)
		out.Links = append(out.Links, next)
	}
	return answer(w, http.StatusOK, out)
}

// room tells of each Reject of a page, in order, whether the answer still has the room for it; nil where it may have any size.
func (s *server) room(out rejectsAnswer, next stac.Link) (func(rejectEntry) bool, error) {
	if s.MaxAnswer == 0 {
		return nil, nil
	}
	out.Rejects, out.Links = []rejectEntry{}, append(slices.Clone(out.Links), next)
	empty, err := encode(out)
	size := len(empty)
	return func(e rejectEntry) bool {
		b, err := encode(e)
		size += len(b) + len(",")
		return err == nil && size <= s.MaxAnswer
	}, err
}

// rejects reads a page of the Rejects of a Snapshot: those with the code, or all if it is "", from a place in the list of all on.
// A page ends before a Reject that room, unless it is nil, has none for; the first one comes anyway. next is the place where the
// following page begins. It reads only Parts that have any such.
func (s *Snapshots) rejects(ctx context.Context, m *snapshot.Manifest, from, limit int, code string, room func(rejectEntry) bool) (page []rejectEntry, next int, err error) {
	page = []rejectEntry{}
	parts := 0
	for _, row := range m.Rows {
		n, codes := row.Counts.Rejects, row.Counts.RejectCodes
		if next+n <= from || code != "" && codes != nil && codes[code] == 0 {
			next += n
			continue
		}
		if parts++; parts > mostRejectParts || len(page) == limit {
			return page, max(next, from), nil
		}
		scenes, err := snapshot.ReadObjects(ctx, s.catalog, row)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, 0, fmt.Errorf("%w (%v)", snapshot.ErrExpired, err)
		} else if err != nil {
			return nil, 0, err
		}
		at := next
		for _, sc := range scenes {
			for _, rej := range sc.Rejects {
				if at >= from && (code == "" || rej.Code == code) {
					if len(page) == limit {
						return page, at, nil
					}
					e := rejectEntry{rej.Key, rej.Code, rej.Message}
					if room != nil && !room(e) && len(page) > 0 {
						return page, at, nil
					}
					page = append(page, e)
				}
				at++
			}
		}
		next += n
	}
	return page, next, nil
}

func countRejects(m *snapshot.Manifest) int {
	n := 0
	for _, row := range m.Rows {
		n += row.Counts.Rejects
	}
	return n
}
