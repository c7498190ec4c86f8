package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// statuses are the codes of the API's problems, which stay, and their HTTP statuses.
var statuses = map[string]int{
	"bad_body":            http.StatusBadRequest,
	"bad_parameter":       http.StatusBadRequest,
	"bad_scope":           http.StatusBadRequest,
	"unauthorized":        http.StatusUnauthorized,
	"foreign_origin":      http.StatusForbidden,
	"not_found":           http.StatusNotFound,
	"method_not_allowed":  http.StatusMethodNotAllowed,
	"slow_body":           http.StatusRequestTimeout,
	"read_only":           http.StatusConflict,
	"run_ended":           http.StatusConflict,
	"run_not_successful":  http.StatusConflict,
	"snapshot_expired":    http.StatusGone,
	"token_expired":       http.StatusGone,
	"url_too_long":        http.StatusRequestURITooLong,
	"bad_range":           http.StatusRequestedRangeNotSatisfiable,
	"key_reused":          http.StatusUnprocessableEntity,
	"queue_full":          http.StatusTooManyRequests,
	"too_many_requests":   http.StatusTooManyRequests,
	"answer_too_large":    http.StatusNotImplemented, // which no client tries again
	"internal":            http.StatusInternalServerError,
	"catalog_unavailable": http.StatusServiceUnavailable,
	"source_unavailable":  http.StatusServiceUnavailable,
	"cancelled":           http.StatusServiceUnavailable,
	"newer_format":        http.StatusServiceUnavailable,
	"refused":             http.StatusServiceUnavailable,
	"changing":            http.StatusServiceUnavailable,
}

// A problem is an error that the client is told of (RFC 9457). Its detail is a sentence for people.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (p *problem) Error() string { return p.Code + ": " + p.Detail }

// refuse makes a problem. The code is one of statuses.
func refuse(code, format string, args ...any) *problem {
	status := statuses[code]
	return &problem{"about:blank", http.StatusText(status), status, code, fmt.Sprintf(format, args...)}
}

func tooLarge(size, most int) *problem {
	return refuse("answer_too_large", "the answer would have %d bytes, and at most %d can be sent from here: ask for a part of it, "+
		"or read the catalog's own files, which begin at catalog.json", size, most)
}

// problemOf says what of an error the client is told. What it does not know is "internal", and no word of it.
func problemOf(err error) *problem {
	var (
		p     *problem
		scope *refresh.ScopeError
		no    *refresh.RefusedError
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &scope):
		return refuse("bad_scope", "%s", scope.Reason)
	case errors.As(err, &no):
		return refuse("refused", "refreshes cannot be started at the moment")
	case errors.Is(err, refresh.ErrKeyReused):
		return refuse("key_reused", "this Idempotency-Key stands for another request of the last 24 hours: give each request its own")
	case errors.Is(err, snapshot.ErrNewerFormat):
		return refuse("newer_format", "the catalog was written by a newer version of cairn than this one: upgrade it")
	case errors.Is(err, snapshot.ErrExpired):
		return refuse("snapshot_expired", "this state of the catalog is no longer kept: ask again for the present one")
	case isGone(err):
		return refuse("catalog_unavailable", "the place where the catalog is kept cannot be reached at the moment")
	case errors.Is(err, objstore.ErrPrecondition):
		return refuse("changing", "the file is being written at the moment")
	case errors.Is(err, context.Canceled):
		return refuse("cancelled", "the request was given up before it was answered")
	}
	return refuse("internal", "something went wrong here; the log has it")
}

// isGone tells whether a whole store is out of reach, or too slow to answer in time.
func isGone(err error) bool {
	return errors.Is(err, objstore.ErrNoStore) || errors.Is(err, objstore.ErrCredentials) || errors.Is(err, objstore.ErrUnreachable) ||
		errors.Is(err, context.DeadlineExceeded)
}

// fail answers with an error's problem.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	switch p.Code {
	case "internal":
		id := rand.Text()[:10]
		s.Log.ErrorContext(r.Context(), "request failed", "id", id, "method", r.Method, "path", r.URL.Path, "error", err)
		p.Detail = fmt.Sprintf("something went wrong here; the log has it under %s", id)
	case "catalog_unavailable", "source_unavailable", "newer_format", "refused":
		s.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	w.Header().Set("Cache-Control", "no-store")
	body, err := encode(p)
	if err != nil {
		panic(err) // a struct of strings
	}
	write(w, p.Status, "application/problem+json", body)
}
