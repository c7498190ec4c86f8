package refresh

import (
	"cmp"
	"iter"
	"slices"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// A section is a key range that a Run cuts anew for one Collection. It begins and ends where Shards do, so that a partial
// Run makes the same Shards as a whole one.
type section struct {
	collection string
	keys       objstore.Range
}

func (s section) compare(o section) int {
	return cmp.Or(cmp.Compare(s.collection, o.collection), cmp.Compare(s.keys.Start, o.keys.Start))
}

// sections are what a Run looks at.
type sections struct {
	asked []objstore.Range           // key ranges that were asked for, sorted and apart
	by    map[string][]section       // of the published Collections
	coll  map[string]item.Collection // the published Collections
}

var everything = objstore.Range{}

// newSections finds, for each prefix and the scene of each key of the scope and each published Collection that may hold such keys,
// the range between the Shard boundaries around it. Without any, or after a change of what shapes Items, it is all keys.
func newSections(scope Scope, rows []snapshot.Row, rules *item.Rules) *sections {
	s := &sections{by: map[string][]section{}, coll: map[string]item.Collection{}}
	var known []item.Collection
	rowsOf := map[string][]snapshot.Row{}
	for _, row := range rows {
		if _, seen := s.coll[row.Collection]; !seen {
			c := item.Collection{ID: row.Collection, Prefix: row.Prefix}
			s.coll[row.Collection] = c
			known = append(known, c)
		}
		rowsOf[row.Collection] = append(rowsOf[row.Collection], row)
	}
	// Rows of another config may be grouped otherwise: then nothing less than everything will do.
	shaping := rules.Shaping()
	regrouped := slices.ContainsFunc(rows, func(r snapshot.Row) bool { return r.Shaping != shaping })
	if scope.whole() || regrouped {
		s.asked = []objstore.Range{everything}
		for _, c := range known {
			s.by[c.ID] = []section{{c.ID, everything}}
		}
		return s
	}
	ranges := map[string][]objstore.Range{}
	prefixes := slices.Clone(scope.Prefixes)
	for _, key := range scope.Keys {
		prefixes = append(prefixes, rules.SceneKey(key))
	}
	for _, prefix := range outermost(prefixes) {
		r := objstore.Prefixed(prefix)
		s.asked = append(s.asked, r)
		for _, c := range rules.CollectionsUnder(prefix, known) {
			ranges[c.ID] = append(ranges[c.ID], widen(r, rowsOf[c.ID]))
		}
	}
	s.asked = joined(s.asked)
	for id, rs := range ranges {
		for _, r := range joined(rs) {
			s.by[id] = append(s.by[id], section{id, r})
		}
	}
	return s
}

// widen moves the ends of r outwards to the next boundaries of the rows, which are sorted.
func widen(r objstore.Range, rows []snapshot.Row) objstore.Range {
	out := everything
	for _, row := range rows {
		for _, at := range []string{row.Start, row.End} {
			if at == "" {
				continue // no boundary: the first row's start, the last one's end
			}
			if at <= r.Start && at > out.Start {
				out.Start = at
			}
			if r.End != "" && at >= r.End && (out.End == "" || at < out.End) {
				out.End = at
			}
		}
	}
	return out
}

// joined sorts ranges and joins those that overlap.
func joined(rs []objstore.Range) []objstore.Range {
	rs = slices.Clone(rs)
	slices.SortFunc(rs, func(a, b objstore.Range) int { return cmp.Compare(a.Start, b.Start) })
	var out []objstore.Range
	for _, r := range rs {
		if n := len(out); n > 0 && (out[n-1].End == "" || r.Start <= out[n-1].End) {
			if out[n-1].End != "" && (r.End == "" || r.End > out[n-1].End) {
				out[n-1].End = r.End
			}
			continue
		}
		out = append(out, r)
	}
	return out
}

// listings are the key ranges to list, sorted and apart.
func (s *sections) listings() []objstore.Range {
	all := slices.Clone(s.asked)
	for id, secs := range s.by {
		within := objstore.Prefixed(s.coll[id].Prefix)
		for _, sec := range secs {
			if r, ok := intersect(sec.keys, within); ok {
				all = append(all, r)
			}
		}
	}
	return joined(all)
}

func intersect(a, b objstore.Range) (objstore.Range, bool) {
	if !overlaps(a, b) {
		return objstore.Range{}, false
	}
	out := objstore.Range{Start: max(a.Start, b.Start), End: a.End}
	if out.End == "" || (b.End != "" && b.End < out.End) {
		out.End = b.End
	}
	return out, true
}

// find returns the section that a listed key belongs to. A Collection that is not yet published has one over all keys, for
// the keys that were asked for.
func (s *sections) find(collection, key string) (section, bool) {
	if _, published := s.coll[collection]; !published {
		ok := slices.ContainsFunc(s.asked, func(r objstore.Range) bool { return r.Contains(key) })
		return section{collection, everything}, ok
	}
	for _, sec := range s.by[collection] {
		if sec.keys.Contains(key) {
			return sec, true
		}
	}
	return section{}, false
}

// covers tells whether the Run cuts the row's range anew.
func (s *sections) covers(row snapshot.Row) bool {
	return slices.ContainsFunc(s.by[row.Collection], func(sec section) bool { return overlaps(sec.keys, rowKeys(row)) })
}

// known yields the sections of the published Collections.
func (s *sections) known() iter.Seq2[section, item.Collection] {
	return func(yield func(section, item.Collection) bool) {
		for id, secs := range s.by {
			for _, sec := range secs {
				if !yield(sec, s.coll[id]) {
					return
				}
			}
		}
	}
}
