package snapshot

import (
	"context"
	"fmt"
	"time"
)

// A Query selects Items of a Snapshot.
type Query struct {
	Collection string      // "": all
	BBox       *[4]float64 // west, south, east, north in degrees; west > east over the antimeridian; nil: everywhere
	Start, End *time.Time  // interval, both ends in it; nil: open
	Limit      int         // Items a page, at least 1; at most MaxLimit come
	// Fits is asked of each line that the page is to have, in order; false ends the page before it, unless it is the first: that
	// one comes alone. nil: all fit.
	Fits  func(line []byte) bool
	After Position // where the page begins: zero, or the Next of the page before
}

// MaxLimit bounds the Items of a page.
const MaxLimit = 10_000

// A Page is some of a Query's Items.
type Page struct {
	Lines   [][]byte  // their JSON, in order of Collection and key; "links":[] is the last member of each
	Next    *Position // where the next page begins, which is not empty; nil after the last
	Matched int       // Items of the whole Query; -1 where counting them would mean to read them
}

// Reading ahead within a Part: frames closer than maxGap bytes come in one read, of at most maxRead bytes unless a single
// frame is larger; maxReads of them at once.
const (
	maxGap   = 64 << 10
	maxRead  = 4 << 20
	maxReads = 8
	maxBatch = 1024 // Items, where it is not known how many fit
)

// Page gives the Items that the Query selects, from After on. The bbox of an Item has to share a point with BBox, and its
// start_datetime to end_datetime, else its datetime, an instant with the interval. Reads: the indexes of the Parts that are
// gone through, unless cached, and the frames that may hold an Item of the page, neighbours in one read.
func (r *Reader) Page(ctx context.Context, q Query) (Page, error) {
	if q.Limit < 1 {
		return Page{}, fmt.Errorf("page of %d items", q.Limit)
	}
	q.Limit = min(q.Limit, MaxLimit)
	f := q.filter()
	s := &search{r: r, q: &q, filter: &f, page: Page{Matched: -1}}
	p := prefetch{r: r, rows: r.rows(&q)}
	if f.exact() {
		s.page.Matched = r.items(q.Collection)
	}
	for s.page.Next == nil {
		i, x, err := p.next(ctx)
		if err != nil {
			return Page{}, err
		}
		if x == nil {
			break
		}
		if err := s.row(ctx, i, x); err != nil {
			return Page{}, err
		}
	}
	if s.page.Next == nil && q.After == (Position{}) {
		s.page.Matched = len(s.page.Lines)
	}
	return s.page, nil
}

// rows lists the rows that may hold an Item of the Query.
func (r *Reader) rows(q *Query) []int {
	var out []int
	for i := q.After.Row; i < len(r.manifest.Rows); i++ {
		row := &r.manifest.Rows[i]
		if (q.Collection == "" || row.Collection == q.Collection) && row.Counts.Items > 0 && q.mayMeet(&row.Summary) {
			out = append(out, i)
		}
	}
	return out
}

func (r *Reader) items(collection string) int {
	n := 0
	for _, row := range r.manifest.Rows {
		if collection == "" || row.Collection == collection {
			n += row.Counts.Items
		}
	}
	return n
}

// A search fills one page.
type search struct {
	r      *Reader
	q      *Query
	filter *filter
	page   Page
}

// row goes through the Items of a row.
func (s *search) row(ctx context.Context, i int, x *index) error {
	from := 0
	if i == s.q.After.Row {
		from = s.q.After.Item
	}
	for s.page.Next == nil {
		// Enough for the page if all of them are right, and one to know that there is a next page.
		var may []int
		most := s.q.Limit + 1 - len(s.page.Lines)
		if s.q.Fits != nil {
			most = min(most, maxBatch)
		}
		for ; from < x.len() && len(may) < most; from++ {
			if x.passes(from, s.filter) {
				may = append(may, from)
			}
		}
		if len(may) == 0 {
			return nil
		}
		if s.filter.exact() && len(may) > s.q.Limit-len(s.page.Lines) {
			last := len(may) - 1 // surely there: no need to read it
			s.page.Next = &Position{i, may[last]}
			may = may[:last]
		}
		if err := s.read(ctx, i, x, may); err != nil {
			return err
		}
	}
	return nil
}

// read reads Items and takes those that the Query selects.
func (s *search) read(ctx context.Context, i int, x *index, may []int) error {
	row := s.r.manifest.Rows[i]
	runs := x.runs(may)
	got := make([][][][]byte, len(runs))
	err := parallel(len(runs), maxReads, func(n int) (err error) {
		got[n], err = readFrames(ctx, s.r.store, row, x, runs[n])
		return err
	})
	if err != nil {
		return expired(err)
	}
	lines := map[int][][]byte{} // by frame
	for n, run := range runs {
		for k, f := range run {
			lines[f] = got[n][k]
		}
	}
	for _, item := range may {
		line := lines[item/frameItems][item%frameItems]
		if !s.filter.exact() {
			e, err := extentOf(line)
			if err != nil {
				return fmt.Errorf("item %d of part %s: %w", item, row.Part, err)
			}
			if !s.q.meets(e) {
				continue
			}
		}
		full := len(s.page.Lines) == s.q.Limit
		if s.q.Fits != nil && !full { // asked even of the first, so that it is counted
			full = !s.q.Fits(line) && len(s.page.Lines) > 0
		}
		if full {
			s.page.Next = &Position{i, item}
			return nil
		}
		s.page.Lines = append(s.page.Lines, line)
	}
	return nil
}

// runs groups the frames of the Items, which ascend, into as few reads as is reasonable.
func (x *index) runs(items []int) [][]int {
	var out [][]int
	for _, item := range items {
		f := item / frameItems
		if n := len(out) - 1; n >= 0 {
			first, last := out[n][0], out[n][len(out[n])-1]
			if f == last {
				continue
			}
			if x.offsets[f]-x.offsets[last+1] <= maxGap && x.offsets[f+1]-x.offsets[first] <= maxRead {
				out[n] = append(out[n], f)
				continue
			}
		}
		out = append(out, []int{f})
	}
	return out
}
