package lambdafn

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// ScanMargin is how long before its function's deadline a scan takes up no more scenes: what is being read then has the time for a
// few retries of S3's at their longest waits of 20 s, and what was read for being saved. Functions have 15 minutes.
const ScanMargin = time.Minute

// A Blamer records why a step of a Run failed. A *refresh.Worker is one, and the contracts of the following are there.
type Blamer interface {
	Blame(ctx context.Context, run string, p *refresh.Problem) error
}

// A Renewer moves the expiry of a Run's Lease. A *refresh.Desk is one.
type Renewer interface {
	Renew(ctx context.Context, run string, fence uint64) (refresh.Lease, error)
}

// A Planner plans a Run.
type Planner interface {
	Blamer
	Plan(ctx context.Context, run string) (refs []string, err error)
	PutShards(ctx context.Context, run string, refs any) (key string, err error)
}

// A Scanner scans a Shard of a Run.
type Scanner interface {
	Blamer
	Scan(ctx context.Context, run, ref string) error
}

// A Publisher publishes a Run.
type Publisher interface {
	Blamer
	Publish(ctx context.Context, run string) error
}

// Plan is the step that begins a Run: it notes that the workflow has begun, and plans.
type Plan struct {
	Desk   Renewer
	Worker Planner
	// Deployed makes the Catalog tell where its state is, so that nobody refreshes it beside this workflow.
	Deployed func(context.Context) error
	// Bucket and Prefix of the Catalog's keys, for the Map that reads the Shards.
	Bucket, Prefix string
	Concurrency    int // scans at once
	Log            *slog.Logger
}

// Handle plans the Run of a Task. Its errors are those that the workflow matches on, as with the other steps.
func (p *Plan) Handle(ctx context.Context, t Task) (Planned, error) {
	out := Planned{Run: t.Run, Concurrency: p.Concurrency}
	err := step(ctx, p.Log, "plan", t.Run, p.Worker, func(ctx context.Context) error {
		if _, err := p.Desk.Renew(ctx, t.Run, 0); err != nil {
			return err
		}
		if err := p.Deployed(ctx); err != nil {
			return err
		}
		names, err := p.Worker.Plan(ctx, t.Run)
		if err != nil || len(names) == 0 {
			return err
		}
		key, err := p.Worker.PutShards(ctx, t.Run, refsTo(names))
		out.Shards, out.Bucket, out.Key = len(names), p.Bucket, p.Prefix+key
		return err
	}, func() []any { return []any{"shards", out.Shards} })
	return out, err
}

// maxRefs is how many children the workflow's Map has at most. They answer nothing, but the Map makes an array of their answers, with
// three bytes for each, and more than 256 KiB would fail it. So many come only of a Source with as many folders.
const maxRefs = 50_000

// refsTo names Shards for the Map: one each, or as many as it takes for the Map to bear them.
func refsTo(names []string) []ShardRef {
	each := max(1, (len(names)+maxRefs-1)/maxRefs)
	refs := make([]ShardRef, 0, (len(names)+each-1)/each)
	for some := range slices.Chunk(names, each) {
		refs = append(refs, ShardRef{strings.Join(some, " ")})
	}
	return refs
}

// Scan is the step that scans the Shards of a ShardRef.
type Scan struct {
	Worker Scanner
	Log    *slog.Logger
}

// Handle scans the Shards of a Task, one after the other; those that were scanned before cost a few reads. A scan that its function's
// deadline stops is a *DeadlineError.
func (s *Scan) Handle(ctx context.Context, t Task) error {
	names := strings.Fields(t.Shard)
	if len(names) == 0 {
		return &FinalError{"bad_task", "the workflow gave no shard"}
	}
	return step(ctx, s.Log, "scan", t.Run, s.Worker, func(ctx context.Context) error {
		for _, name := range names {
			if err := s.Worker.Scan(ctx, t.Run, name); err != nil {
				return err
			}
		}
		return nil
	}, func() []any { return []any{"shard", t.Shard} })
}

// Publish is the step that publishes what was scanned.
type Publish struct {
	Worker Publisher
	Log    *slog.Logger
}

// Handle publishes the Run of a Task.
func (p *Publish) Handle(ctx context.Context, t Task) error {
	return step(ctx, p.Log, "publish", t.Run, p.Worker, func(ctx context.Context) error {
		return p.Worker.Publish(ctx, t.Run)
	}, func() []any { return nil })
}

// reserve is what a step leaves of its function's time to tell why it did not succeed: a function that its deadline kills tells
// nobody.
const reserve = 5 * time.Second

// step takes a step of a Run, logs how it ended with its counts, and gives the workflow an error that it matches on. What failed is
// recorded too, for the workflow forgets it where it happens within a Map.
func step(ctx context.Context, log *slog.Logger, name, run string, b Blamer, do func(context.Context) error, counts func() []any) error {
	started := time.Now()
	if !isRun(run) {
		return &FinalError{"bad_task", "the workflow gave no run_id"}
	}
	ctx = withRun(ctx, run)
	work, cancel := early(ctx)
	defer cancel()
	cause := do(work)
	args := append([]any{"step", name, "elapsed_seconds", time.Since(started).Seconds()}, counts()...)
	if cause == nil {
		log.InfoContext(ctx, "step done", args...)
		return nil
	}
	problem, err := failure(cause)
	log.WarnContext(ctx, "step not done", append(args, "error", cause)...)
	if problem == nil {
		return err
	}
	tell, cancel := context.WithTimeout(context.WithoutCancel(ctx), reserve-time.Second)
	defer cancel()
	if err := b.Blame(tell, run, problem); err != nil {
		log.WarnContext(ctx, "why the step failed is not recorded", "error", err)
	}
	return err
}

// early ends a context the reserve before its deadline, unless there is not much more until then.
func early(ctx context.Context) (context.Context, context.CancelFunc) {
	if at, ok := ctx.Deadline(); ok && time.Until(at) > 2*reserve {
		return context.WithDeadline(ctx, at.Add(-reserve))
	}
	return context.WithCancel(ctx)
}

func isRun(id string) bool {
	_, err := ulid.ParseStrict(id)
	return err == nil
}
