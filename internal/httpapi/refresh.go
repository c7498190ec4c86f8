package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// Seconds after which a client may look again.
const (
	pollAfter  = 2  // how a Run is
	queueAfter = 30 // whether the queue has room
)

// refreshBurst is how many requests that change something may come at once whatever RefreshRate is.
const refreshBurst = 10

// changes lets a handler do what changes something, as often as it may.
func (s *server) changes(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.ReadOnly {
			return refuse("read_only", "this server only shows the catalog: refresh it where its source is")
		}
		if err := s.pace.take(w, "refreshes are asked for or cancelled too often"); err != nil {
			return err
		}
		return h(w, r)
	}
}

// A startAnswer is what POST /refresh answers. Clients know these members in this order.
type startAnswer struct {
	Status    string `json:"status"`
	Message   string `json:"message"`
	IsRunning bool   `json:"is_running"`
	RunID     string `json:"run_id"`
	Position  int    `json:"position,omitempty"` // of a queued one
}

func (s *server) start(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return refuse("bad_body", "the body is larger than %d bytes", maxBody)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		return refuse("slow_body", "the body did not come in time")
	} else if err != nil {
		return refuse("bad_body", "the body ended early")
	}
	req, err := parseRequest(body)
	if err != nil {
		return err
	}
	if req.Key, err = idempotencyKey(r.Header); err != nil {
		return refuse("bad_parameter", "%v", err)
	}
	// A client that hangs up after it asked has asked all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), answerTime)
	defer cancel()
	ans, err := s.Desk.Start(ctx, req)
	if err != nil {
		return err
	}
	status, out := http.StatusAccepted, startAnswer{IsRunning: true, RunID: ans.Run}
	switch ans.Kind {
	case refresh.Started:
		out.Status = "started"
		out.Message = "Catalog refresh started in background. Use GET /refresh/status to check progress."
	case refresh.Queued:
		out.Status, out.Position = "queued", ans.Position
		out.Message = "Catalog refresh queued behind the one in progress. Use GET /refresh/status to check progress."
	case refresh.Busy:
		status, out.Status, out.Message = http.StatusOK, "running", "Catalog refresh already in progress"
	case refresh.QueueFull:
		w.Header().Set("Retry-After", strconv.Itoa(queueAfter))
		return refuse("queue_full", "%d refreshes wait already", refresh.MaxWaiting)
	}
	w.Header().Set("Location", links{s.base(r).EscapedPath()}.href("refresh", "runs", ans.Run))
	w.Header().Set("Retry-After", strconv.Itoa(pollAfter))
	w.Header().Set("Cache-Control", "no-store")
	return answer(w, status, out)
}

// parseRequest reads the body of POST /refresh: nothing, or a JSON object of known members.
func parseRequest(body []byte) (refresh.Request, error) {
	var req refresh.Request
	if len(bytes.TrimSpace(body)) == 0 {
		return req, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return req, refuse("bad_body", "the body must be empty or one JSON object")
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		var into any
		var want string
		switch name {
		case "prefixes":
			into, want = &req.Scope.Prefixes, "a list of strings"
		case "keys":
			into, want = &req.Scope.Keys, "a list of strings"
		case "mode":
			into, want = &req.Scope.Mode, `"incremental" or "full"`
		case "queue":
			into, want = &req.Queue, "true or false"
		case "allow_mass_delete":
			into, want = &req.Scope.AllowMassDelete, "true or false"
		default:
			return req, refuse("bad_body", "member %q is unknown; known are prefixes, keys, mode, queue, allow_mass_delete", name)
		}
		// null would leave the default, and hide that the client meant something else.
		if err := json.Unmarshal(members[name], into); err != nil || string(members[name]) == "null" {
			return req, refuse("bad_body", "member %q must be %s", name, want)
		}
	}
	return req, nil
}

func (s *server) status(w http.ResponseWriter, r *http.Request) error {
	st, err := s.Desk.Status(r.Context())
	if err != nil {
		return err
	}
	if st.Snapshot != nil { // as in run
		s.Snapshots.Published(*st.Snapshot)
	}
	w.Header().Set("Cache-Control", "no-store")
	return answer(w, http.StatusOK, st)
}
