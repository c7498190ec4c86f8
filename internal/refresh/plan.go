package refresh

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// A plan says what a Run makes of the Source: which rows of the base Snapshot stay and which Shards are scanned. It is kept
// as a work file of the Run.
type plan struct {
	Run     string    `json:"run_id"`
	At      time.Time `json:"at"`
	Fence   uint64    `json:"fence"`
	Base    uint64    `json:"base"` // Snapshot that Head named when it was claimed; 0: none
	Scope   Scope     `json:"scope"`
	Config  []byte    `json:"config,omitempty"` // cairn.yaml as it was
	Shaping string    `json:"shaping"`
	Source  string    `json:"source"`
	Entries []entry   `json:"entries"`
	Listed  int       `json:"listed"`  // Objects
	Ignored int       `json:"ignored"` // of them, those that are neither rasters nor their sidecars
	Totals  Totals    `json:"totals"`
}

// refs names the plan's Shards.
func (p plan) refs() []string {
	var out []string
	for _, e := range p.Entries {
		if e.Ref != "" {
			out = append(out, e.Ref)
		}
	}
	return out
}

// An entry is a row of the base Snapshot that stays, or a Shard that is scanned.
type entry struct {
	Row        int            `json:"row"`           // in the base manifest; -1 for a Shard
	Ref        string         `json:"ref,omitempty"` // names the Shard
	Collection string         `json:"collection"`
	Keys       objstore.Range `json:"keys"`
	Outside    bool           `json:"outside,omitempty"` // not listed by this partial Run
	Shard      int            `json:"shard,omitempty"`
	Scan       string         `json:"scan,omitempty"` // names the Shard's scan record
}

// A shard is a work file: what a Scan needs to know.
type shard struct {
	Collection  item.Collection   `json:"collection"`
	Keys        objstore.Range    `json:"keys"`
	Fingerprint string            `json:"fingerprint"`
	Scan        string            `json:"scan"`
	Shaping     string            `json:"shaping"`
	Config      []byte            `json:"config,omitempty"`
	Full        bool              `json:"full,omitempty"`
	Base        []snapshot.Row    `json:"base,omitempty"` // published rows that overlap it
	Objects     []objstore.Object `json:"objects"`
}

// Plan claims Head for the Run, lists the Source within the Run's scope, and cuts it into Shards. It returns the names of
// those that are to be scanned, for Scan. The first plan of a Run stays: another call returns the same names.
func (w *Worker) Plan(ctx context.Context, run string) (refs []string, err error) {
	l, err := w.lease(ctx, run)
	if err != nil {
		return nil, err
	}
	key := workKey(run, l.Fence, "plan.json")
	var made plan
	switch err := getJSON(ctx, w.Catalog, key, &made); {
	case err == nil:
		w.progress(ctx, w.State.Begin(ctx, run, Scanning, made.Totals))
		return made.refs(), nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	w.progress(ctx, w.State.Begin(ctx, run, Planning, Totals{}))
	raw, err := w.Config(ctx)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	_, rules, err := w.rules(raw)
	if err != nil {
		return nil, err
	}
	head, err := snapshot.Claim(ctx, w.Catalog, l.Fence, run)
	if err != nil {
		return nil, err
	}
	base, err := baseManifest(ctx, w.Catalog, head.Snapshot)
	if err != nil {
		return nil, err
	}
	if err := w.sameSource(base); err != nil {
		return nil, err
	}
	p := &planner{
		worker: w,
		rules:  rules,
		base:   base,
		plan: plan{Run: run, At: w.Now().UTC(), Fence: l.Fence, Base: head.Snapshot, Scope: l.Scope, Config: raw,
			Shaping: rules.Shaping(), Source: w.About.URL},
	}
	writes, wctx := errgroup.WithContext(ctx)
	writes.SetLimit(planWrites)
	p.found = func(s shard) (string, error) { return w.putShard(wctx, writes, p.plan, p.shards, s) }
	err = p.list(ctx)
	if werr := writes.Wait(); werr != nil {
		err = werr // which is why the listing ended
	}
	if err != nil {
		return nil, err
	}
	if err := p.refuseEmptied(); err != nil {
		return nil, err
	}
	if err := w.putWork(ctx, key, p.plan, objstore.PutOptions{IfAbsent: true}); errors.Is(err, objstore.ErrPrecondition) {
		return w.Plan(ctx, run) // another call was quicker
	} else if err != nil {
		return nil, err
	}
	w.progress(ctx, w.State.Begin(ctx, run, Scanning, p.plan.Totals))
	return p.plan.refs(), nil
}

// planWrites is how many Shards are written at once while the Source is listed.
const planWrites = 8

// baseManifest reads the Snapshot that a Run starts from; an empty one if there is none yet.
func baseManifest(ctx context.Context, r objstore.Reader, fence uint64) (*snapshot.Manifest, error) {
	if fence == 0 {
		return &snapshot.Manifest{}, nil
	}
	return snapshot.ReadManifest(ctx, r, fence)
}

// sameSource refuses a Catalog that was made from another Source.
func (w *Worker) sameSource(base *snapshot.Manifest) error {
	if base.Source == "" || base.Source == w.About.URL {
		return nil
	}
	return &SourceError{Err: fmt.Errorf("%w: it was made from %s, not from %s; give another catalog", errOtherSource,
		base.Source, w.About.URL)}
}

// A planner makes a plan.
type planner struct {
	worker *Worker
	rules  *item.Rules
	base   *snapshot.Manifest
	found  func(shard) (ref string, err error) // is given each Shard that is to be scanned
	plan   plan
	kept   int // rasters and sidecars listed
	shards int
}

// list lists what the scope asks for and cuts it.
func (p *planner) list(ctx context.Context) error {
	s := newSections(p.plan.Scope, p.base.Rows, p.rules)
	for i, row := range p.base.Rows {
		if !s.covers(row) {
			p.plan.Entries = append(p.plan.Entries, entry{Row: i, Collection: row.Collection, Keys: rowKeys(row), Outside: true})
			p.plan.Totals.Items += row.Counts.Items
			p.plan.Totals.Rejects += row.Counts.Rejects
		}
	}
	cutters := newCutters(p.take)
	for o, err := range listRanges(ctx, p.worker.Source, s.listings()) {
		if err != nil {
			return &SourceError{Err: fmt.Errorf("list %s: %w", p.plan.Source, err)}
		}
		if p.worker.isOwn(o.Key) {
			continue
		}
		c := p.rules.Collection(o.Key)
		sec, ok := s.find(c.ID, o.Key)
		if !ok {
			continue
		}
		p.plan.Listed++
		if !utf8.ValidString(o.Key) {
			p.worker.Log.WarnContext(ctx, "key is not UTF-8 and is ignored", "key", fmt.Sprintf("%q", o.Key))
			p.plan.Ignored++ // JSON could not hold its name
			p.plan.Totals.Objects++
			p.plan.Totals.Settled++
			continue
		}
		if err := cutters.add(sec, c, listed{Object: o, scene: p.rules.SceneKey(o.Key), kind: p.rules.Kind(o.Key)}); err != nil {
			return err
		}
	}
	if err := cutters.close(s.known()); err != nil {
		return err
	}
	return ctx.Err()
}

// take enters a cut into the plan: as the published row where it is still right, else as a Shard.
func (p *planner) take(c cut) error {
	ignored := c.listed - len(c.objects)
	p.kept += len(c.objects)
	p.plan.Ignored += ignored
	p.plan.Totals.Objects += c.listed
	p.plan.Totals.Settled += ignored

	over := p.overlapping(c)
	if len(c.objects) == 0 && len(over) == 0 {
		return nil
	}
	fp := fingerprint(p.plan.Shaping, c.collection.ID, c.objects)
	if len(over) == 1 {
		row := p.base.Rows[over[0]]
		if row.Fingerprint == fp && row.Counts.Retry == 0 && !p.plan.Scope.full() {
			p.plan.Entries = append(p.plan.Entries, entry{Row: over[0], Collection: row.Collection, Keys: c.keys})
			p.plan.Totals.Settled += len(c.objects)
			p.plan.Totals.Unchanged += len(c.objects)
			p.plan.Totals.Items += row.Counts.Items
			p.plan.Totals.Rejects += row.Counts.Rejects
			return nil
		}
	}
	s := shard{
		Collection: c.collection, Keys: c.keys, Fingerprint: fp, Scan: fp, Shaping: p.plan.Shaping,
		Config: p.plan.Config, Full: p.plan.Scope.full(), Objects: c.objects,
	}
	retry := false
	for _, i := range over {
		s.Base = append(s.Base, p.base.Rows[i])
		retry = retry || p.base.Rows[i].Counts.Retry > 0
	}
	if s.Full || retry {
		s.Scan = fingerprint(p.plan.Run, fp, nil) // an earlier Run's scan must not be adopted
	}
	ref, err := p.found(s)
	if err != nil {
		return err
	}
	p.shards++
	p.plan.Entries = append(p.plan.Entries, entry{Row: -1, Ref: ref, Collection: c.collection.ID, Keys: c.keys})
	return nil
}

// overlapping returns the base rows, by index, that share keys with a cut. Rows are sorted and apart within a Collection.
func (p *planner) overlapping(c cut) []int {
	before := func(row snapshot.Row) bool {
		if row.Collection != c.collection.ID {
			return row.Collection < c.collection.ID
		}
		return row.End != "" && row.End <= c.keys.Start
	}
	rows := p.base.Rows
	i := sort.Search(len(rows), func(i int) bool { return !before(rows[i]) })
	var out []int
	for ; i < len(rows) && rows[i].Collection == c.collection.ID && overlaps(rowKeys(rows[i]), c.keys); i++ {
		out = append(out, i)
	}
	return out
}

// refuseEmptied stops early where no raster is left at all; publish knows more and checks the rest.
func (p *planner) refuseEmptied() error {
	held := 0
	for _, e := range p.plan.Entries {
		if e.Outside {
			return nil
		}
	}
	for _, row := range p.base.Rows {
		held += objects(row)
	}
	if p.kept == 0 && held > 1 && !p.plan.Scope.AllowMassDelete {
		return &MassDeleteError{Removed: held, Held: held}
	}
	return nil
}

// objects is how many Objects of the Source a row stands for.
func objects(row snapshot.Row) int {
	return row.Counts.Assets + row.Counts.Sidecars + row.Counts.Rejects
}

func (w *Worker) isOwn(key string) bool {
	return w.Own != "" && objstore.Prefixed(w.Own).Contains(key)
}

// putShard writes a Shard's work file, in the background. Its content is in its name, so that two plans of one Run, made at once by
// mistake, do not mix.
func (w *Worker) putShard(ctx context.Context, writes *errgroup.Group, p plan, n int, s shard) (ref string, err error) {
	body, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("encode shard %d: %w", n, err)
	}
	sum := sha256.Sum256(body)
	ref = fmt.Sprintf("%06d-%x", n, sum[:8])
	writes.Go(func() error {
		_, err := w.Catalog.Put(ctx, shardKey(p.Run, p.Fence, ref), body, objstore.PutOptions{Relaxed: true})
		return err
	})
	return ref, context.Cause(ctx)
}

func shardKey(run string, fence uint64, ref string) string {
	return workKey(run, fence, "shards/"+ref+".json")
}

// PutShards writes an array that stands for the Run's Shards, in the words of the workflow that reads it, as a work file, and returns
// the file's key in the Catalog.
func (w *Worker) PutShards(ctx context.Context, run string, refs any) (key string, err error) {
	l, err := w.lease(ctx, run)
	if err != nil {
		return "", err
	}
	key = workKey(run, l.Fence, "shards.json")
	return key, w.putWork(ctx, key, refs, objstore.PutOptions{})
}

func rowKeys(row snapshot.Row) objstore.Range { return objstore.Range{Start: row.Start, End: row.End} }

func overlaps(a, b objstore.Range) bool {
	return (a.End == "" || b.Start < a.End) && (b.End == "" || a.Start < b.End)
}
