package refresh

import (
	"context"

	"github.com/cairn-stac/cairn/internal/snapshot"
)

// aboveHead raises the fence of a record to what Head has seen, so that the next Lease is above that, where another record may have
// granted it: a Catalog's state can move from its objects to a table and back. The first Lease of a record is such a case. Where
// a process drives Runs every one is, since a read is little there and the record may be one that was left behind; to one
// of a workflow Settle does the same, when its first Run has failed for it.
func (d *Desk) aboveHead(ctx context.Context, c Control, g Grant) (Control, error) {
	if c.Lease != nil || c.Fence > 0 && g.Holder == (Holder{}) {
		return c, nil
	}
	h, _, err := snapshot.LoadHead(ctx, d.Catalog)
	if err != nil {
		return c, err
	}
	c.Fence = max(c.Fence, h.Claim)
	return c, nil
}
