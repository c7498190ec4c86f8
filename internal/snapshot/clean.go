package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// ScansRetention is how long the record of a scan is kept, and at least how long a Part that no Snapshot names.
const ScansRetention = 24 * time.Hour

// maxSkew is how far ahead another host's clock may be.
const maxSkew = time.Hour

// AdoptableScan tells whether a Run may take over the Part that a scan record of this age names. The age counts from when
// the record's Part was written. Who adopts it writes a Part and a record of its own: see Clean for why the old ones may go.
func AdoptableScan(age time.Duration) bool { return age > -maxSkew && age < ScansRetention/2 }

// CleanOptions say what a clean-up may remove.
type CleanOptions struct {
	Fence         uint64        // of the Run that cleans; it holds the claim
	Now           time.Time     // no later than the call
	Retention     time.Duration // of a superseded Snapshot, from when it was superseded
	RunsRetention time.Duration // of a Run's work files, from when the last one was written
	// Check is called before each batch of deletions and ends the clean-up with its error. It is a courtesy to a Run that
	// has lost its Lease: nothing depends on it. nil: no check.
	Check func(ctx context.Context) error
}

// CleanStats counts what was deleted, in Objects.
type CleanStats struct{ Manifests, Parts, Scans, WorkFiles int }

// cleanBatch is how many Objects are deleted between two Checks, cleanWidth how many at once.
const (
	cleanBatch = 200
	cleanWidth = 16
)

// Clean deletes what nobody can need any more. A Run calls it when it has published, or found nothing to publish.
// *FencedError, and nothing deleted, if the Run does not hold the claim. It may be repeated, and stopped anywhere. Reads:
// four listings, Head, and the manifests that are kept.
//
// It keeps
//   - Head's Snapshot, those that were superseded less than Retention ago (when the next one was created, found by Base),
//     and every manifest of a fence not below Head's or the Run's own;
//   - the Parts that a kept manifest names, Parts that are younger than Retention or ScansRetention, and Parts of later
//     fences;
//   - scan records younger than ScansRetention, and Run folders in which something is younger than RunsRetention.
//
// Manifests go before Parts, so that no manifest is left that names a deleted Part.
//
// A cleaner may be stalled between deciding and deleting for as long as it likes, while later Runs publish. It decides on
// listings made after Now, and then looks whether the claim is still its own. Let D be a Part that it decided to delete.
// At Now, D was older than ScansRetention and no kept manifest named it. A Run that wants D afterwards would get it from
//
//   - the published Snapshot: that is Head's, which is kept, or a later one; and whoever published a later one got D from
//     somewhere too, so the first to do so did not get it from there;
//   - writing it: keys have the fence of the writer, and D's was not above the cleaner's, so the writer cannot publish;
//   - a scan record: the Run claimed after the cleaner looked, so it read the record after Now. D's record is as old as D,
//     but for the time between the two writes and the difference of two clocks, and a record is adopted only in the first
//     half of ScansRetention. So it does not adopt D, as long as the two together stay below the other half, 12 hours.
//
// So none does. Readers: a Snapshot that was superseded longer than Retention ago at Now stays so.
func Clean(ctx context.Context, store objstore.Store, opt CleanOptions) (CleanStats, error) {
	c := &cleaner{store: store, opt: opt, width: cleanWidth}
	if err := c.clean(ctx); err != nil {
		return c.stats, fmt.Errorf("clean up: %w", err)
	}
	return c.stats, nil
}

type cleaner struct {
	store objstore.Store
	opt   CleanOptions
	width int // of deletions at once
	stats CleanStats
}

func (c *cleaner) clean(ctx context.Context) error {
	manifests := map[uint64]objstore.Object{}
	err := c.list(ctx, snapshotsPrefix, func(o objstore.Object) {
		if fence, ok := manifestFence(o.Key); ok {
			manifests[fence] = o
		}
	})
	if err != nil {
		return err
	}
	var parts []string // old enough
	err = c.list(ctx, partsPrefix, func(o objstore.Object) {
		fence, _, ok := parsePartKey(o.Key)
		if ok && fence <= c.opt.Fence && c.older(o, max(c.opt.Retention, ScansRetention)) {
			parts = append(parts, o.Key)
		}
	})
	if err != nil {
		return err
	}
	// Only now: a Run that claims after this has not looked for anything before.
	head, _, err := LoadHead(ctx, c.store)
	if err != nil {
		return err
	}
	if head.Claim != c.opt.Fence || head.Closed {
		return &FencedError{Fence: c.opt.Fence, Head: head}
	}
	gone, named, err := c.manifests(ctx, head, manifests)
	if err != nil {
		return err
	}
	if err := c.delete(ctx, gone, &c.stats.Manifests); err != nil {
		return err
	}
	var unnamed []string
	for _, key := range parts {
		if _, part, _ := parsePartKey(key); !named[part] {
			unnamed = append(unnamed, key)
		}
	}
	if err := c.delete(ctx, unnamed, &c.stats.Parts); err != nil {
		return err
	}
	if err := c.scans(ctx); err != nil {
		return err
	}
	return c.runs(ctx)
}

// manifests sorts out those that go, and the Parts that the others name.
func (c *cleaner) manifests(ctx context.Context, head Head, all map[uint64]objstore.Object) (gone []string,
	named map[string]bool, err error) {
	named = map[string]bool{}
	kept := map[uint64]bool{}
	read := func(fence uint64) (refs, error) {
		var m refs
		err := readRecord(ctx, c.store, fence, &m)
		for _, row := range m.Rows {
			named[row.Part] = true
		}
		kept[fence] = true
		return m, err
	}
	// From Head back through those that were published, as long as each was superseded lately.
	for fence := head.Snapshot; fence != 0 && !kept[fence]; {
		m, err := read(fence)
		if errors.Is(err, fs.ErrNotExist) && fence != head.Snapshot {
			break
		} else if err != nil {
			return nil, nil, err
		}
		// By either clock: the Run's, or the store's.
		if c.opt.Now.Sub(m.Created) >= c.opt.Retention && c.older(all[fence], c.opt.Retention) {
			break
		}
		fence = m.Base
	}
	for fence, o := range all {
		switch {
		case kept[fence]:
		case fence < min(head.Snapshot, c.opt.Fence) && c.older(o, c.opt.Retention):
			gone = append(gone, o.Key)
		default: // being published, or left behind by a Run that failed to and too young
			if _, err := read(fence); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, nil, err
			}
		}
	}
	return gone, named, nil
}

func (c *cleaner) scans(ctx context.Context) error {
	var old []string
	err := c.list(ctx, scansPrefix, func(o objstore.Object) {
		if c.older(o, ScansRetention) {
			old = append(old, o.Key)
		}
	})
	if err != nil {
		return err
	}
	return c.delete(ctx, old, &c.stats.Scans)
}

// runs deletes the folders of Runs whose last file is old: the first file of a long Run may be, too.
func (c *cleaner) runs(ctx context.Context) error {
	var old, folder []string
	var last string // Run of the folder; the listing has its files together
	young := false
	flush := func() {
		if !young {
			old = append(old, folder...)
		}
		folder, young = nil, false
	}
	err := c.list(ctx, runsPrefix, func(o objstore.Object) {
		run, ok := runOf(o.Key)
		if !ok {
			return
		}
		if run != last {
			flush()
			last = run
		}
		folder = append(folder, o.Key)
		young = young || !c.older(o, c.opt.RunsRetention)
	})
	if err != nil {
		return err
	}
	flush()
	return c.delete(ctx, old, &c.stats.WorkFiles)
}

func (c *cleaner) older(o objstore.Object, age time.Duration) bool {
	return c.opt.Now.Sub(o.Modified) >= age
}

func (c *cleaner) list(ctx context.Context, prefix string, see func(objstore.Object)) error {
	for o, err := range c.store.List(ctx, objstore.Prefixed(prefix)) {
		if err != nil {
			return fmt.Errorf("list %s: %w", prefix, err)
		}
		see(o)
	}
	return nil
}

func (c *cleaner) delete(ctx context.Context, keys []string, count *int) error {
	for len(keys) > 0 {
		if c.opt.Check != nil {
			if err := c.opt.Check(ctx); err != nil {
				return err
			}
		}
		batch := keys[:min(cleanBatch, len(keys))]
		keys = keys[len(batch):]
		err := parallel(len(batch), c.width, func(i int) error { return c.store.Delete(ctx, batch[i]) })
		if err != nil {
			return err
		}
		*count += len(batch)
	}
	return nil
}
