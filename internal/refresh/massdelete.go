package refresh

import (
	"maps"
	"slices"

	"github.com/cairn-stac/cairn/internal/snapshot"
)

// A Run may drop up to half of a Collection, or fewer files than this of it, without being asked back.
const massDelete = 100

// refuseMassDelete stops a Run that would drop everything, or more than half of a Collection and at least massDelete
// Objects, unless that was allowed. A single file may always go. Files that may not be read any more, as after a mistake in a
// bucket's policy, count as dropped: their Items would be.
func refuseMassDelete(p plan, base []snapshot.Row, results map[string]result) error {
	if p.Scope.AllowMassDelete {
		return nil
	}
	type tally struct{ held, dropped, denied int }
	by := map[string]*tally{}
	of := func(id string) *tally {
		if by[id] == nil {
			by[id] = &tally{}
		}
		return by[id]
	}
	var all tally
	regrouped := false
	for _, row := range base {
		of(row.Collection).held += objects(row)
		all.held += objects(row)
		regrouped = regrouped || row.Shaping != p.Shaping
	}
	kept := 0
	for _, e := range p.Entries {
		if e.Row >= 0 {
			kept += objects(base[e.Row])
			continue
		}
		r := results[e.Ref]
		if r.Row != nil {
			kept += objects(*r.Row)
		}
		kept -= r.Change.Denied
		all.denied += r.Change.Denied
		t := of(e.Collection)
		t.dropped += r.Change.Dropped + r.Change.Denied
		t.denied += r.Change.Denied
	}
	if kept == 0 && all.held > 1 {
		return &MassDeleteError{Removed: all.held, Denied: all.denied, Held: all.held}
	}
	if regrouped {
		// A changed config moves Objects between Collections, which looks like dropping them: only the sum tells.
		if gone := all.held - kept; gone >= massDelete && gone*2 > all.held {
			return &MassDeleteError{Removed: gone, Denied: all.denied, Held: all.held}
		}
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(by)) {
		if t := by[id]; t.dropped >= massDelete && t.dropped*2 > t.held {
			return &MassDeleteError{Collection: id, Removed: t.dropped, Denied: t.denied, Held: t.held}
		}
	}
	return nil
}
