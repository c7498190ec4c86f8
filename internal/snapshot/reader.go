package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"sync"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/stac"
)

var (
	// ErrNoSnapshot: nothing has been published yet.
	ErrNoSnapshot = errors.New("nothing has been published yet")
	// ErrExpired: the Snapshot was superseded longer ago than it is kept, or never published.
	ErrExpired = errors.New("snapshot is no longer kept")
)

// A Reader shows one Snapshot, whole, whatever is published meanwhile. It is safe for concurrent use. Once its Snapshot
// has been cleaned up its methods fail with ErrExpired.
type Reader struct {
	store    objstore.Reader
	cache    *Cache
	manifest *Manifest
}

// Open opens the published Snapshot; ErrNoSnapshot if there is none. Two reads. A nil Cache gives the Reader its own.
func Open(ctx context.Context, r objstore.Reader, cache *Cache) (*Reader, error) {
	h, _, err := LoadHead(ctx, r)
	if err != nil {
		return nil, err
	}
	if h.Snapshot == 0 {
		return nil, ErrNoSnapshot
	}
	return open(ctx, r, h.Snapshot, cache)
}

// OpenAt opens the Snapshot with this fence, published or superseded; ErrExpired if it is not kept any more, or was never
// published. Two reads.
func OpenAt(ctx context.Context, r objstore.Reader, fence uint64, cache *Cache) (*Reader, error) {
	h, _, err := LoadHead(ctx, r)
	if err != nil {
		return nil, err
	}
	if fence == 0 || fence > h.Snapshot { // written, perhaps, but not published
		return nil, fmt.Errorf("open snapshot %d: %w", fence, ErrExpired)
	}
	return open(ctx, r, fence, cache)
}

func open(ctx context.Context, r objstore.Reader, fence uint64, cache *Cache) (*Reader, error) {
	m, err := ReadManifest(ctx, r, fence)
	if err != nil {
		return nil, expired(err)
	}
	if cache == nil {
		cache = NewCache(DefaultCache)
	}
	return &Reader{store: r, cache: cache, manifest: m}, nil
}

// expired turns the absence of a manifest or a Part into ErrExpired, so that nobody takes it for the absence of an Item.
func expired(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (%v)", ErrExpired, err)
	}
	return err
}

// Manifest is the Snapshot's. It is shared and must not be changed.
func (r *Reader) Manifest() *Manifest { return r.manifest }

// Collections of the Snapshot by id, without links. They are shared and must not be changed.
func (r *Reader) Collections() []stac.Collection { return r.manifest.Collections }

// Collection finds a Collection; fs.ErrNotExist if there is none with this id.
func (r *Reader) Collection(id string) (*stac.Collection, error) {
	c, ok := r.manifest.collection(id)
	if !ok {
		return nil, fmt.Errorf("collection %s: %w", id, fs.ErrNotExist)
	}
	return c, nil
}

// Item reads the line of an Item; fs.ErrNotExist if there is none. The Parts are told apart by their least and greatest
// ids. Reads: the indexes of those that may hold it, unless cached, and a frame.
func (r *Reader) Item(ctx context.Context, collection, id string) ([]byte, error) {
	var rows []int
	for i, row := range r.manifest.Rows {
		if row.Collection == collection && row.Counts.Items > 0 && row.IDs[0] <= id && id <= row.IDs[1] {
			rows = append(rows, i)
		}
	}
	h := idHash(id)
	for p := (prefetch{r: r, rows: rows}); ; {
		i, x, err := p.next(ctx)
		if err != nil {
			return nil, err
		}
		if x == nil {
			return nil, fmt.Errorf("item %s of collection %s: %w", id, collection, fs.ErrNotExist)
		}
		for n, v := range x.columns[colID] {
			if v != h {
				continue
			}
			frames, err := readFrames(ctx, r.store, r.manifest.Rows[i], x, []int{n / frameItems})
			if err != nil {
				return nil, expired(err)
			}
			line := frames[0][n%frameItems]
			var it struct {
				ID string `json:"id"`
			}
			if err := json.Unmarshal(line, &it); err != nil {
				return nil, fmt.Errorf("item %s of collection %s: %w", id, collection, err)
			}
			if it.ID == id { // else another id with the same hash
				return line, nil
			}
		}
	}
}

// Items yields the Items of a row of the manifest, in scene order. One read. An error is yielded once and ends it.
func (r *Reader) Items(ctx context.Context, row Row) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		scenes, err := ReadPart(ctx, r.store, row)
		if err != nil {
			yield(Item{}, expired(err))
			return
		}
		for _, sc := range scenes {
			for _, it := range sc.Items {
				if !yield(it, nil) {
					return
				}
			}
		}
	}
}

// Rejects yields the Rejects of the Snapshot in row order. One read for each Part that has any. An error is yielded once
// and ends it.
func (r *Reader) Rejects(ctx context.Context) iter.Seq2[Reject, error] {
	return func(yield func(Reject, error) bool) {
		for _, row := range r.manifest.Rows {
			if row.Counts.Rejects == 0 {
				continue
			}
			scenes, err := ReadObjects(ctx, r.store, row)
			if err != nil {
				yield(Reject{}, expired(err))
				return
			}
			for _, sc := range scenes {
				for _, rej := range sc.Rejects {
					if !yield(rej, nil) {
						return
					}
				}
			}
		}
	}
}

func (r *Reader) index(ctx context.Context, row Row) (*index, error) {
	if x, ok := r.cache.get(row.Part); ok {
		return x, nil
	}
	x, err := readIndex(ctx, r.store, row)
	if err != nil {
		return nil, expired(err)
	}
	r.cache.put(row.Part, x)
	return x, nil
}

// maxPrefetch is how many indexes are read at once.
const maxPrefetch = 16

// A prefetch hands out the indexes of rows in order. It reads ahead in windows that double, so that a query that ends in
// the first Part reads no other's index, and one that goes through hundreds waits for few round trips.
type prefetch struct {
	r      *Reader
	rows   []int // of the manifest
	window int
	ready  []*index // of the first of rows
}

// next gives a row and its index; a nil index after the last.
func (p *prefetch) next(ctx context.Context) (int, *index, error) {
	if len(p.rows) == 0 {
		return 0, nil, nil
	}
	if len(p.ready) == 0 {
		p.window = min(max(1, 2*p.window), maxPrefetch, len(p.rows))
		p.ready = make([]*index, p.window)
		err := parallel(p.window, maxPrefetch, func(i int) (err error) {
			p.ready[i], err = p.r.index(ctx, p.r.manifest.Rows[p.rows[i]])
			return err
		})
		if err != nil {
			return 0, nil, err
		}
	}
	row, x := p.rows[0], p.ready[0]
	p.rows, p.ready = p.rows[1:], p.ready[1:]
	return row, x, nil
}

// parallel calls do(0) to do(n-1), at most width at once, and returns the first error in that order.
func parallel(n, width int, do func(int) error) error {
	if n == 1 || width == 1 {
		for i := range n {
			if err := do(i); err != nil {
				return err
			}
		}
		return nil
	}
	errs := make([]error, n)
	slots := make(chan struct{}, width)
	var wg sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			errs[i] = do(i)
			<-slots
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
