package refresh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// CodeWorkflow is the code of a Problem that says only that the workflow gave up: a state failed, or the execution
// timed out. What a step recorded of itself (Blame) says more.
const CodeWorkflow = "workflow_failed"

// A blame is a work file: the last Problem that a step of the Run recorded. The error of a step may get lost on its way through a
// workflow, as that of one of many parallel scans does.
type blame struct {
	Phase   Phase   `json:"phase,omitempty"` // what the Run was at; "": unknown
	Problem Problem `json:"problem"`
}

func blameKey(run string, fence uint64) string { return workKey(run, fence, "problem.json") }

// Blame records why a step of the Run failed, for Settle. The last one stays. A Run that has lost its Lease has nothing to record:
// ErrLeaseLost.
func (w *Worker) Blame(ctx context.Context, run string, p *Problem) error {
	if p == nil {
		return nil
	}
	c, _, err := w.State.Load(ctx)
	if err != nil {
		return fmt.Errorf("record the problem of run %s: %w", run, err)
	}
	l, err := c.Holds(run, 0)
	if err != nil {
		return fmt.Errorf("record the problem of run %s: %w", run, err)
	}
	at, _ := w.State.Progress(ctx, run) // else the phase is unknown
	if err := w.putWork(ctx, blameKey(run, l.Fence), blame{at.Phase, *p}, objstore.PutOptions{}); err != nil {
		return fmt.Errorf("record the problem of run %s: %w", run, err)
	}
	return nil
}

// why is the Problem of a failed Run whose driver gave this cause. A cause that says nothing gives way to what a step recorded, unless
// the Run has come further since: then the step was repeated and went well.
func (d *Desk) why(ctx context.Context, l Lease, cause *Problem) *Problem {
	if cause != nil && cause.Code != CodeWorkflow {
		return cause
	}
	var b blame
	switch err := getJSON(ctx, d.Catalog, blameKey(l.Run, l.Fence), &b); {
	case err == nil:
		at, err := d.State.Progress(ctx, l.Run)
		if err != nil || b.Phase == "" || at.Phase == b.Phase {
			return &b.Problem
		}
	case !errors.Is(err, fs.ErrNotExist):
		d.Log.WarnContext(ctx, "the problem that a step recorded cannot be read", "run", l.Run, "error", err)
	}
	if cause != nil {
		return cause
	}
	return &Problem{Code: "interrupted", Message: "the run ended before it published anything"}
}
