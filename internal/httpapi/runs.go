package httpapi

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/oklog/ulid/v2"

	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/stac"
)

// Pages of Runs.
const (
	usualRuns = 20
	mostRuns  = 100
)

// A runAnswer is a Run as the API tells it.
type runAnswer struct {
	refresh.Run
	DurationSeconds *float64    `json:"duration_seconds"` // that it held the Lease; null until it has ended, or if it never did
	Links           []stac.Link `json:"links"`
}

func (l links) run(r refresh.Run) runAnswer {
	out := runAnswer{Run: r, Links: []stac.Link{l.to("self", stac.TypeJSON, "", "refresh", "runs", r.ID)}}
	if r.Started != nil && r.Ended != nil {
		seconds := r.Seconds()
		out.DurationSeconds = &seconds
	}
	if r.State == refresh.Successful {
		out.Links = append(out.Links, l.to("rejects", stac.TypeJSON, "", "refresh", "runs", r.ID, "rejects"))
	}
	return out
}

type runsAnswer struct {
	Runs  []runAnswer `json:"runs"` // newest first
	Links []stac.Link `json:"links"`
}

func (s *server) runs(w http.ResponseWriter, r *http.Request) error {
	q, err := params(r, "limit", "before")
	if err != nil {
		return err
	}
	limit, err := limitOf(q, usualRuns, mostRuns)
	if err != nil {
		return err
	}
	before, err := param(q, "before", func(s string) (string, error) {
		if _, err := ulid.ParseStrict(s); err != nil {
			return "", errors.New("expected the id of a run")
		}
		return s, nil
	})
	if err != nil {
		return err
	}
	l := s.links(r)
	self := l.href("refresh", "runs")
	out := runsAnswer{
		Runs:  []runAnswer{},
		Links: []stac.Link{{Rel: "self", Type: stac.TypeJSON, Href: withQuery(self, q)}, l.root()},
	}
	for run, err := range s.Desk.Runs(r.Context(), before) {
		if err != nil {
			return err
		}
		if len(out.Runs) == limit {
			q.Set("before", out.Runs[limit-1].ID)
			out.Links = append(out.Links, stac.Link{Rel: "next", Type: stac.TypeJSON, Href: withQuery(self, q)})
			break
		}
		out.Runs = append(out.Runs, l.run(run))
	}
	w.Header().Set("Cache-Control", "no-store")
	return answer(w, http.StatusOK, out)
}

func withQuery(href string, q url.Values) string {
	if len(q) == 0 {
		return href
	}
	return href + "?" + q.Encode()
}

// lookUp finds the Run that the path names.
func (s *server) lookUp(r *http.Request) (refresh.Run, error) {
	run, err := s.Desk.Run(r.Context(), r.PathValue("run"))
	if errors.Is(err, refresh.ErrNotFound) {
		return run, refuse("not_found", "there is no run %q, or it is no longer remembered", r.PathValue("run"))
	}
	return run, err
}

func (s *server) run(w http.ResponseWriter, r *http.Request) error {
	run, err := s.lookUp(r)
	if err != nil {
		return err
	}
	s.Snapshots.Published(run.Snapshot) // whoever read this will find it
	w.Header().Set("Cache-Control", "no-store")
	if run.Ended == nil {
		w.Header().Set("Retry-After", strconv.Itoa(pollAfter))
	}
	return answer(w, http.StatusOK, s.links(r).run(run))
}

// cancel asks that a Run be dismissed: one that waits is at once, one that runs soon.
func (s *server) cancel(w http.ResponseWriter, r *http.Request) error {
	err := s.Desk.Cancel(r.Context(), r.PathValue("run"))
	if err != nil && !errors.Is(err, refresh.ErrNoRun) {
		return err
	}
	run, lerr := s.lookUp(r)
	if lerr != nil {
		return lerr
	}
	if err != nil {
		return refuse("run_ended", "run %s has ended: it is %s", run.ID, run.State)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", links{s.base(r).EscapedPath()}.href("refresh", "runs", run.ID))
	return answer(w, http.StatusAccepted, s.links(r).run(run))
}
