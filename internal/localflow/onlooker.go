package localflow

import (
	"context"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// An Onlooker is the Workflow of a process that only tells of a Catalog: it drives no Run and holds no lock, so that it needs
// nothing but to read.
type Onlooker struct{}

var _ refresh.Workflow = Onlooker{}

// Launch refuses.
func (Onlooker) Launch(context.Context, refresh.Lease) error {
	return &refresh.RefusedError{Reason: "this process only looks at the catalog"}
}

// Describe knows nothing: whoever drives Runs sees to them.
func (Onlooker) Describe(context.Context, refresh.Lease) (refresh.LaunchState, error) {
	return refresh.LaunchUnknown, nil
}

// Stop does nothing: who drives the Run reads its Lease.
func (Onlooker) Stop(context.Context, refresh.Lease) error { return nil }

// Gone tells whether the Run's process has surely ended, as a Flow does.
func (Onlooker) Gone(l refresh.Lease) bool { return lives(l.Holder) == dead }

// Closing is true: an Onlooker takes up no Run.
func (Onlooker) Closing() bool { return true }

// Holder is nobody.
func (Onlooker) Holder() refresh.Holder { return refresh.Holder{} }
