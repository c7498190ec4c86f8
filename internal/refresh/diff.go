package refresh

import (
	"bytes"
	"slices"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// compare counts what differs between the published scenes of a Shard and the new ones.
func compare(old, now []snapshot.Scene) change {
	var c change
	items := map[string][]byte{}
	keys, denied := map[string]bool{}, map[string]bool{}
	for _, s := range now {
		for _, it := range s.Items {
			items[it.ID] = it.JSON
		}
		for _, o := range s.Objects {
			keys[o.Key] = true
		}
		for _, r := range s.Rejects {
			denied[r.Key] = r.Code == item.CodeDenied
		}
	}
	c.Added = len(items)
	for _, s := range old {
		for _, it := range s.Items {
			line, still := items[it.ID]
			switch {
			case !still:
				c.Removed++
			case !bytes.Equal(line, it.JSON):
				c.Updated++
				c.Added--
			default:
				c.Added--
			}
		}
		lost := func(o snapshot.Object) bool { return o.Role == snapshot.Asset && denied[o.Key] }
		all := slices.ContainsFunc(s.Objects, lost) &&
			!slices.ContainsFunc(s.Objects, func(o snapshot.Object) bool { return o.Role == snapshot.Asset && !denied[o.Key] })
		for _, o := range s.Objects {
			c.Held++
			switch {
			case !keys[o.Key]:
				c.Dropped++
			case lost(o), all: // sidecars are of no use without their rasters
				c.Denied++
			}
		}
	}
	return c
}
