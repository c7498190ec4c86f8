package s3store

import (
	"context"
	"iter"
	"math"
	"slices"
	"sort"
	"sync"

	"github.com/cairn-stac/cairn/internal/objstore"
)

const (
	// listers is how many pages are asked for at once.
	listers = 32
	// stride is how many pages a segment is to have. Cutting one off costs half a page that two segments list; a longer
	// one has more of its pages waiting while those before it are listed.
	stride = 4
	// window is how many pages may wait or be on their way: some 25 MB.
	window = listers * stride
	// mostBold bounds the segments cut off that have not yet shown a key. It keeps pages coming for all listers, and is
	// what is lost where the keys turn out to end, or to go on differently.
	mostBold = listers / stride
	// maxBlank is how many pages in a row may be empty and say that there are more.
	maxBlank = 1000
)

// List implements objstore.Reader.
//
// S3 lists by pages, each of which begins where the one before ends. To list a flat prefix in parallel all the same, the
// key range is cut into segments, at keys that are guessed from the keys seen so far (see odometer), and each segment is
// listed page by page. A guess that is far off costs a request or leaves a segment that is cut again; it is never wrong,
// because every page is cut to its segment.
func (s *Store) List(ctx context.Context, r objstore.Range) iter.Seq2[objstore.Object, error] {
	return func(yield func(objstore.Object, error) bool) {
		whole := objstore.Range{Start: s.at.Prefix + r.Start, End: objstore.Prefixed(s.at.Prefix).End}
		if r.End != "" {
			whole.End = s.at.Prefix + r.End
		}
		err := s.client.list(ctx, boundsOf(s.at.Prefix, whole), func(o objstore.Object) bool {
			o.Key = o.Key[len(s.at.Prefix):]
			return o.Key == "" || o.Key[0] == '/' || yield(o, nil)
		})
		if err != nil {
			yield(objstore.Object{}, fail("list", s.at.URL(), err))
		}
	}
}

// list visits the Objects within bounds in order until visit says no.
func (c *client) list(ctx context.Context, b bounds, visit func(objstore.Object) bool) error {
	if b.End != "" && b.Start >= b.End {
		return ctx.Err()
	}
	inner, cancel := context.WithCancel(ctx)
	l := &lister{client: c, ctx: inner, bounds: b, atOnce: min(listers, int(c.limit.most)), bold: 1, news: make(chan struct{}, 1)}
	defer l.pages.Wait()
	defer cancel()
	l.segments = []*segment{{at: b.after, end: b.End, left: math.Inf(1)}}
	for {
		objects, err := l.next()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || objects == nil {
			return err
		}
		for _, o := range objects {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if !visit(o) {
				return nil
			}
		}
	}
}

// A lister is a listing under way.
type lister struct {
	*client
	ctx    context.Context
	bounds bounds
	atOnce int
	pages  sync.WaitGroup // requests on their way
	news   chan struct{}  // something has changed for next

	mu       sync.Mutex
	segments []*segment // in order; the last one has the end of the listing
	past     []*segment // a few that have been given out
	inFlight int
	waiting  int // pages
	bold     int // how many segments that have not shown a key there may be
	err      error
}

// A segment is a key range that is listed page by page.
type segment struct {
	start string // it begins behind this key
	end   string // and ends before this one; "": nowhere
	at    string // listed so far
	token string // continues there; "": at itself does
	pages [][]objstore.Object
	count int      // keys listed
	some  []string // of the keys of the latest page
	left  float64  // pages that are likely to be left
	blank int      // empty pages in a row

	guessed, begun, busy, done bool
}

// next waits for the next page in order. It returns nil behind the last one.
func (l *lister) next() ([]objstore.Object, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.err != nil {
			return nil, l.err
		}
		if len(l.segments) == 0 {
			return nil, nil
		}
		s := l.segments[0]
		if len(s.pages) > 0 {
			objects := s.pages[0]
			s.pages[0] = nil
			s.pages = s.pages[1:]
			l.waiting--
			l.start()
			return objects, nil
		}
		if s.done && !s.busy {
			const kept = 8 // two of them tell as much as a guess asks for
			l.past = append(l.past[max(0, len(l.past)-kept):], s)
			l.segments = l.segments[1:]
			continue
		}
		l.start()
		l.mu.Unlock()
		select {
		case <-l.news:
		case <-l.ctx.Done():
		}
		l.mu.Lock()
		if l.ctx.Err() != nil {
			return nil, l.ctx.Err()
		}
	}
}

// start asks for as many pages as there may be.
func (l *lister) start() {
	for l.err == nil && l.inFlight < l.atOnce {
		s := l.pick()
		if s == nil {
			return
		}
		s.busy = true
		l.inFlight++
		after, token := s.at, s.token
		l.pages.Go(func() {
			p, err := l.fetch(l.ctx, l.bounds.prefix, after, token, pageKeys, 0)
			l.mu.Lock()
			defer l.mu.Unlock()
			s.busy = false
			l.inFlight--
			if err == nil {
				err = l.arrived(s, p)
			}
			if err != nil && l.err == nil {
				l.err = err
			}
			l.start()
			select {
			case l.news <- struct{}{}:
			default:
			}
		})
	}
}

// pick is the segment whose next page is wanted most, the first one in order that nobody lists. One that is being listed
// and has much left is cut. Nothing is listed so far ahead that it would have to wait for more than the window holds.
func (l *lister) pick() *segment {
	unproven := 0
	for _, s := range l.segments {
		if s.guessed && !s.begun {
			unproven++
		}
	}
	ahead := 0.0
	for i, s := range l.segments {
		if ahead >= window || i > 0 && l.waiting+l.inFlight >= window {
			return nil
		}
		switch {
		case s.done:
		case !s.busy:
			return s
		case s.left > 1.5*stride && unproven < l.bold:
			if cut := l.cut(i); cut != nil {
				return cut
			}
		}
		ahead += float64(len(s.pages))
		if !s.done {
			ahead += max(1, s.left)
		}
	}
	return nil
}

// arrived adds a page to its segment.
func (l *lister) arrived(s *segment, p page) error {
	kept := p.objects
	if n := len(kept); n > 0 {
		if kept[0].Key <= s.at {
			return errOrder
		}
		s.at, s.blank = kept[n-1].Key, 0
		kept = kept[sort.Search(n, func(i int) bool { return kept[i].Key >= l.bounds.Start }):]
		if s.end != "" {
			kept = kept[:sort.Search(len(kept), func(i int) bool { return kept[i].Key >= s.end })]
		}
	} else if s.blank++; s.blank > maxBlank {
		return errBlank
	}
	s.token = p.token
	s.done = !p.more || s.end != "" && s.at+"\x00" >= s.end
	if !p.more { // nothing lies in the ones behind either
		for _, other := range l.segments[slices.Index(l.segments, s)+1:] {
			other.done = true
		}
	}
	if s.guessed && !s.begun {
		if len(kept) > 0 {
			l.bold = min(l.bold+1, mostBold)
		} else {
			l.bold = max(l.bold/2, 1)
		}
	}
	if len(kept) > 0 {
		s.pages = append(s.pages, kept)
		l.waiting++
		if s.count += len(kept); !s.guessed && !s.begun {
			s.start = kept[0].Key // before it may be nothing for long
		}
		s.some = sample(kept)
		l.estimate(s)
	}
	s.begun = s.begun || len(kept) > 0 || s.done
	return nil
}

// sample is some of the keys of a page, and the last.
func sample(objects []objstore.Object) []string {
	const most = 64
	step := len(objects)/most + 1
	var keys []string
	for i := len(objects) - 1; i >= 0; i -= step {
		keys = append(keys, objects[i].Key)
	}
	return keys
}

// estimate guesses how many pages a segment has left.
func (l *lister) estimate(s *segment) {
	if s == l.segments[len(l.segments)-1] {
		return // and nobody knows where it ends
	}
	m := newOdometer(append([]string{s.start, s.at, s.end}, s.some...))
	from := min(differ(s.start, s.at), differ(s.at, s.end))
	listed := m.distance(s.start, s.at, from)
	if listed <= 0 {
		s.left = max(1, s.left-1)
		return
	}
	s.left = m.distance(s.at, s.end, from) / listed * float64(s.count) / pageKeys
}

// cut makes two of segment i and returns the new one behind it, or nil where no guess is to be had.
func (l *lister) cut(i int) *segment {
	s := l.segments[i]
	key, pages := l.guess(i)
	if key <= s.at || s.end != "" && key+"\x00" >= s.end || !holds(key) {
		return nil
	}
	behind := &segment{start: key, end: s.end, at: key, left: s.left - pages, guessed: true}
	s.end, s.left = key+"\x00", pages
	l.segments = slices.Insert(l.segments, i+1, behind)
	return behind
}

// guess says which key lies about a stride of pages behind what segment i has listed, by how densely keys lay before: in a
// region that has about as many keys, because what repeats itself (a folder a day) looks even only from far enough.
func (l *lister) guess(i int) (key string, pages float64) {
	type span struct{ start, end string }
	const enough = 2 * stride * pageKeys
	var (
		spans []span
		keys  []string
		count int
		base  = l.segments[i].at
		from  = len(base)
	)
	before := append(slices.Clone(l.past), l.segments[:i+1]...)
	for _, s := range slices.Backward(before) {
		if count >= enough {
			break
		}
		if s.count == 0 && !s.done {
			continue
		}
		end := s.at
		if s.done {
			end = s.end
		}
		if keys == nil {
			keys = s.some
		}
		spans = append(spans, span{s.start, end})
		count += s.count
		from = min(from, differ(s.start, end), differ(end, base))
	}
	keys = append(slices.Clip(keys), base)
	for _, s := range spans {
		keys = append(keys, s.start, s.end)
	}
	m := newOdometer(keys)
	covered := 0.0
	for _, s := range spans {
		covered += max(0, m.distance(s.start, s.end, from))
	}
	if covered <= 0 || count == 0 {
		return "", 0
	}
	// A little less than whole pages, so that the last one is not followed by a page of a few keys.
	step := min(stride*pageKeys, 2*float64(count)) * 0.96
	return m.add(base, from, covered/float64(count)*step), step / pageKeys
}
