package refresh_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

var gaveUp = &refresh.Problem{Code: refresh.CodeWorkflow, Message: "the workflow gave up: States.ExceedToleratedFailureThreshold"}

// TestRunSaysWhyAStepFailed: what a step recorded is why the Run failed, unless who settles it knows better, or the Run has come
// further since.
func TestRunSaysWhyAStepFailed(t *testing.T) {
	ctx := context.Background()
	recorded := func(p *proc, run string) {
		t.Helper()
		for _, problem := range []*refresh.Problem{{Code: "first", Message: "was tried again"}, {Code: "source_unavailable", Message: "read a/x.tif: gone"}} {
			if err := p.worker.Blame(ctx, run, problem); err != nil {
				t.Fatal(err)
			}
		}
	}
	torn := func(p *proc, run string) {
		recorded(p, run)
		p.catalog.Set(faultstore.Match{Op: faultstore.Get, Prefix: "runs/"}, faultstore.Fault{Body: func(b []byte) []byte { return b[:len(b)/2] }})
	}
	plan := func(p *proc, run string) {
		t.Helper()
		if _, err := p.worker.Plan(ctx, run); err != nil {
			t.Fatal(err)
		}
	}
	mass := &refresh.Problem{Code: "mass_delete", Message: "half would go"}
	for name, c := range map[string]struct {
		before, after func(p *proc, run string)
		cause         *refresh.Problem
		want          string
	}{
		"the workflow's cause says nothing":   {recorded, nil, gaveUp, "source_unavailable"},
		"there is no cause":                   {recorded, nil, nil, "source_unavailable"},
		"a precise cause":                     {recorded, nil, mass, "mass_delete"},
		"nothing was recorded":                {nil, nil, gaveUp, refresh.CodeWorkflow},
		"nothing was recorded, without cause": {nil, nil, nil, "interrupted"},
		"the record cannot be read":           {torn, nil, gaveUp, refresh.CodeWorkflow},
		"the step was repeated and went well": {recorded, plan, gaveUp, refresh.CodeWorkflow},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.survey(1)
			p := r.start()
			run := p.begin()
			if c.before != nil {
				if err := p.desk.State.Begin(ctx, run, refresh.Planning, refresh.Totals{}); err != nil {
					t.Fatal(err)
				}
				c.before(p, run)
			}
			if c.after != nil {
				c.after(p, run)
			}
			rec, err := p.desk.Settle(ctx, run, 0, c.cause)
			if err != nil || rec.State != refresh.Failed || rec.Error.Code != c.want || rec.Error.Message == "" {
				t.Errorf("%+v %+v, %v; want %s", rec, rec.Error, err, c.want)
			}
		})
	}
	t.Run("successful or cancelled all the same", func(t *testing.T) {
		r := newRig(t)
		r.survey(1)
		p := r.start()
		run := p.begin()
		if err := p.steps(ctx, run); err != nil {
			t.Fatal(err)
		}
		recorded(p, run)
		if rec, err := p.desk.Settle(ctx, run, 0, gaveUp); err != nil || rec.State != refresh.Successful || rec.Error != nil {
			t.Errorf("%+v, %v", rec, err)
		}
		if err := p.worker.Blame(ctx, run, mass); !errors.Is(err, refresh.ErrLeaseLost) {
			t.Errorf("a problem of a Run that was settled = %v; want ErrLeaseLost", err)
		}
		run = p.begin()
		recorded(p, run)
		if err := p.desk.Cancel(ctx, run); err != nil {
			t.Fatal(err)
		}
		if rec, err := p.desk.Settle(ctx, run, 0, gaveUp); err != nil || rec.State != refresh.Dismissed || rec.Error != nil {
			t.Errorf("%+v, %v", rec, err)
		}
	})
}

// The array of Shards for the workflow is a work file of the Run that holds the Lease, and of no other.
func TestPutShards(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.survey(2)
	p := r.start()
	run := p.begin()
	refs, err := p.worker.Plan(ctx, run)
	if err != nil {
		t.Fatal(err)
	}
	type ref struct{ Shard string }
	var want []ref
	for _, s := range refs {
		want = append(want, ref{s})
	}
	key, err := p.worker.PutShards(ctx, run, want)
	if err != nil || !strings.HasPrefix(key, "runs/"+run+"/") {
		t.Fatalf("%q, %v", key, err)
	}
	body, _, err := r.catalog.Get(ctx, key, 0, -1, "")
	if err != nil {
		t.Fatal(err)
	}
	var got []ref
	if err := json.Unmarshal(body, &got); err != nil || len(got) != 3 || show(got) != show(want) {
		t.Errorf("%s, %v", body, err)
	}
	if again, err := p.worker.PutShards(ctx, run, want); err != nil || again != key {
		t.Errorf("again: %q, %v", again, err)
	}
	if _, err := p.desk.Settle(ctx, run, 0, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := p.worker.PutShards(ctx, run, want); !errors.Is(err, refresh.ErrLeaseLost) || !refresh.Final(err) {
		t.Errorf("after the end: %v; want ErrLeaseLost, which is final", err)
	}
}
