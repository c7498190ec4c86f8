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
	// thrift is how many requests there may be for as many pages of keys. Past it nothing is cut, so that keys which cannot
	// be guessed are listed one page after the other instead of at any price.
	thrift = 1.27
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
		b := boundsOf(s.at.Prefix, whole)
		fetch := func(ctx context.Context, after, token string) (page, error) {
			return s.client.fetch(ctx, b.prefix, after, token, pageKeys, 0)
		}
		err := listAll(ctx, b, fetch, min(listers, int(s.client.limit.most)), func(o objstore.Object) bool {
			o.Key = o.Key[len(s.at.Prefix):]
			return o.Key == "" || o.Key[0] == '/' || yield(o, nil)
		})
		if err != nil {
			yield(objstore.Object{}, fail("list", s.at.URL(), err))
		}
	}
}

// listAll visits the Objects within bounds in order until visit says no. fetch is asked for the page behind a key, or where
// a token that is not empty says, by up to atOnce goroutines.
func listAll(ctx context.Context, b bounds, fetch func(ctx context.Context, after, token string) (page, error), atOnce int,
	visit func(objstore.Object) bool) error {
	if b.End != "" && b.Start >= b.End {
		return ctx.Err()
	}
	inner, cancel := context.WithCancel(ctx)
	l := &lister{ctx: inner, bounds: b, fetch: fetch, atOnce: atOnce, bold: 1, news: make(chan struct{}, 1)}
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
	ctx    context.Context
	bounds bounds
	fetch  func(ctx context.Context, after, token string) (page, error)
	atOnce int
	pages  sync.WaitGroup // requests on their way
	news   chan struct{}  // something has changed for next

	mu       sync.Mutex
	segments []*segment // in order; the last one has the end of the listing
	past     []*segment // a few that have been given out
	inFlight int
	waiting  int // pages
	bold     int // how many segments that have not shown a key there may be
	asked    int // requests
	seen     int // keys
	err      error
}

// A segment is a key range that is listed page by page.
type segment struct {
	end   string // it ends before this key; "": nowhere
	at    string // listed up to here
	token string // continues there; "": at itself does
	pages [][]objstore.Object
	first string   // key seen in it
	count int      // keys seen
	some  []string // of the keys of the latest page
	left  float64  // pages that are likely to be left
	over  bool     // it has far more keys than was guessed
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
			const kept = 6 // for guess
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
		l.asked++
		after, token := s.at, s.token
		l.pages.Go(func() {
			p, err := l.fetch(l.ctx, after, token)
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
	dear := float64(l.asked-l.inFlight) > thrift*float64(l.seen)/pageKeys+mostBold
	ahead := 0.0
	for i, s := range l.segments {
		if ahead >= window || i > 0 && l.waiting+l.inFlight >= window {
			return nil
		}
		switch {
		case s.done:
		case !s.busy:
			return s
		case s.left > 1.5*stride && unproven < l.bold && !dear:
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
		if s.count == 0 {
			s.first = kept[0].Key
		}
		s.count += len(kept)
		l.seen += len(kept)
		s.some = sample(kept)
		l.estimate(s)
	}
	s.begun = s.begun || len(kept) > 0 || s.done
	return nil
}

// sample is some of the keys of a page, the last among them, at distances that go round no common number of digits.
func sample(objects []objstore.Object) []string {
	const apart = 13
	keys := make([]string, 0, len(objects)/apart+1)
	for i := len(objects) - 1; i >= 0; i -= apart {
		keys = append(keys, objects[i].Key)
	}
	return keys
}

// far is how many times more or less densely keys must lie than was guessed for the guess to be given up.
const far = 16

// estimate guesses how many pages a segment has left: what it was cut for, unless it holds more than that, or what it
// shows is altogether different.
func (l *lister) estimate(s *segment) {
	if s == l.segments[len(l.segments)-1] {
		return // and nobody knows where it ends
	}
	s.left = max(0, s.left-1)
	m := newOdometer(append([]string{s.first}, s.some...))
	from := min(differ(s.first, s.at), differ(s.at, s.end))
	seen := m.distance(s.first, s.at, from)
	left := m.distance(s.at, s.end, from) / seen * float64(s.count) / pageKeys
	if seen > 0 && (s.left == 0 || left > far*stride) {
		s.left, s.over = left, true
	}
	s.left = max(1, s.left)
}

// cut makes two of segment i and returns the new one behind it, or nil where no guess is to be had.
func (l *lister) cut(i int) *segment {
	s := l.segments[i]
	key, pages := l.guess(i)
	if key <= s.at || s.end != "" && key+"\x00" >= s.end || !holds(key) {
		return nil
	}
	behind := &segment{end: s.end, at: key, left: s.left - pages, guessed: true, over: s.over}
	s.end, s.left, s.over = key+"\x00", pages, false
	l.segments = slices.Insert(l.segments, i+1, behind)
	return behind
}

// guess says which key lies about a stride of pages behind what segment i has listed, by how densely keys lie in it and in
// those before it. Of these the middle one counts, so that a leap in the keys (from the end of a month to the next one)
// does not lead astray, and only those of several pages if there are such: one page may be all of one folder, and says
// nothing of the way to the next.
func (l *lister) guess(i int) (key string, pages float64) {
	const most = 6
	var (
		near []*segment // to segment i, in the same kind of keys, itself first
		keys []string
		base = l.segments[i].at
		from = len(base)
	)
	for _, s := range slices.Backward(append(slices.Clone(l.past), l.segments[:i+1]...)) {
		if s.count < 2 {
			continue
		}
		if d := differ(s.first, s.at); alike(s.at, base, d) {
			near = append(near, s)
			keys = append(append(keys, s.first, s.at), s.some...)
			from = min(from, d)
		}
		if len(near) == most {
			break
		}
	}
	if len(near) == 0 {
		return "", 0
	}
	m := newOdometer(keys)
	apart := func(s *segment) float64 { return m.distance(s.first, s.at, from) / float64(s.count-1) } // key from key
	own, count, long := apart(near[0]), 0, 0
	for _, s := range near {
		count += s.count
		long = max(long, s.count)
	}
	var all []float64
	for _, s := range near {
		if s.count > pageKeys || long <= pageKeys {
			all = append(all, apart(s))
		}
	}
	slices.Sort(all)
	usual := all[len(all)/2]
	if l.segments[i].over || usual > own*far || usual < own/far {
		usual = own
	}
	// A little less than whole pages, so that the last one is not followed by a page of a few keys.
	step := min(stride*pageKeys, 2*float64(count)) * 0.96
	if usual <= 0 {
		return "", 0
	}
	return m.add(base, from, usual*step), step / pageKeys
}

// alike tells whether two keys are built in the same way up to a position: words where there are words, and whatever
// stands between them.
func alike(a, b string, to int) bool {
	if len(a) <= to || len(b) <= to {
		return false
	}
	for i := range to {
		if a[i] != b[i] && !(isWord(a[i]) && isWord(b[i])) {
			return false
		}
	}
	return true
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
