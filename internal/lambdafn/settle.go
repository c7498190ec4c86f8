package lambdafn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// A Settler ends Runs. A *refresh.Desk is one, and its contract is there.
type Settler interface {
	Settle(ctx context.Context, run string, fence uint64, cause *refresh.Problem) (refresh.Run, error)
	Reap(ctx context.Context) (changed bool, err error)
}

// Settle ends Runs: as the last state of the workflow, for an execution that ended without getting there, and by the clock for what
// neither tells of.
type Settle struct {
	Desk Settler
	Log  *slog.Logger
}

// A settleEvent is one of three: an Ending; a "Step Functions Execution Status Change" of EventBridge, whose input may be null
// (https://docs.aws.amazon.com/step-functions/latest/dg/cw-events.html); and {"cairn":"reap"}.
type settleEvent struct {
	Ending
	Cairn      string `json:"cairn"`
	Source     string `json:"source"`
	DetailType string `json:"detail-type"`
	Detail     struct {
		Name   string `json:"name"` // of the execution, which is the Run's id
		Status string `json:"status"`
		Error  string `json:"error"`
		Cause  string `json:"cause"`
	} `json:"detail"`
}

const statusChange = "Step Functions Execution Status Change"

// Handle takes an event. It answers an Ending with a Settled, and the others with nothing.
func (s *Settle) Handle(ctx context.Context, raw json.RawMessage) (*Settled, error) {
	var e settleEvent
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, fmt.Errorf("decode event: %w", err)
	}
	switch {
	case e.Cairn == "reap":
		changed, err := s.Desk.Reap(ctx)
		s.Log.InfoContext(ctx, "reaped", "changed", changed, "error", err)
		return nil, err
	case e.DetailType == statusChange && e.Source == "aws.states":
		return nil, s.ended(ctx, e)
	case isRun(e.Run):
		return s.settle(ctx, e.Run, problemOf(e.Error))
	}
	return nil, errors.New(`event is none of the workflow's end ({"run_id"}), of an execution's status, and {"cairn":"reap"}`)
}

// ended takes the event of an execution. Such events come late, again, or not at all, and of the executions that a Map makes, whose
// names are no Runs' ids. Settling a Run that is settled changes nothing.
func (s *Settle) ended(ctx context.Context, e settleEvent) error {
	run, d := e.Detail.Name, e.Detail
	if !isRun(run) {
		s.Log.InfoContext(ctx, "execution is not that of a run", "execution", run, "status", d.Status)
		return nil
	}
	var cause *refresh.Problem
	switch d.Status {
	case "SUCCEEDED":
	case "FAILED", "TIMED_OUT", "ABORTED":
		cause = problemOf(&WorkflowError{d.Error, d.Cause})
		if known, ok := endings[d.Status]; ok {
			cause = &known
		}
	default: // it goes on
		return nil
	}
	_, err := s.settle(ctx, run, cause)
	return err
}

// settle settles a Run. One that nobody knows of is no error: it has been settled, and then forgotten.
func (s *Settle) settle(ctx context.Context, run string, cause *refresh.Problem) (*Settled, error) {
	started := time.Now()
	ctx = withRun(ctx, run)
	r, err := s.Desk.Settle(ctx, run, 0, cause)
	switch {
	case errors.Is(err, refresh.ErrNotFound):
		s.Log.WarnContext(ctx, "no such run is known", "error", err)
		return &Settled{Run: run, State: string(refresh.Failed)}, nil
	case err != nil:
		return nil, err
	}
	args := []any{"state", string(r.State), "objects", r.Counts.Objects, "scanned", r.Counts.Scanned, "items", r.Counts.Items,
		"rejects", r.Counts.Rejects, "run_seconds", r.Seconds(), "elapsed_seconds", time.Since(started).Seconds()}
	if r.Error != nil {
		args = append(args, "code", r.Error.Code, "error", r.Error.Message)
	}
	s.Log.InfoContext(ctx, "run ended", args...)
	return &Settled{Run: run, State: string(r.State)}, nil
}
