package refresh

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"time"
)

// ErrConflict: the control record is no longer the one that was loaded. Nothing was written.
var ErrConflict = errors.New("control record changed meanwhile")

// ErrNotFound: no such Run is recorded. It is fs.ErrNotExist too.
var ErrNotFound error = &notFoundError{}

type notFoundError struct{}

func (*notFoundError) Error() string        { return "run not found" }
func (*notFoundError) Is(target error) bool { return target == fs.ErrNotExist }

// A Token is a State's proof of what was loaded; only the State looks inside. The zero Token stands for "no record yet".
type Token string

// State keeps the control record, the records of ended Runs, and the progress of the running one. All methods may be
// called from many goroutines and processes at once, and retry what is worth it.
type State interface {
	// Load reads the control record; before the first Swap it is the zero Control and the zero Token.
	Load(ctx context.Context) (Control, Token, error)
	// Swap writes the control record if it is still the loaded one, durably, and else is ErrConflict. After another error
	// it is unknown whether it was written: load again and look.
	Swap(ctx context.Context, loaded Token, next Control) error

	// PutRun records an ended Run. The first record of a Run stays: a second one changes nothing. It returns the one that
	// is kept.
	PutRun(ctx context.Context, r Run) (Run, error)
	// Run reads the record of an ended Run; ErrNotFound if there is none.
	Run(ctx context.Context, id string) (Run, error)
	// Runs yields the records of ended Runs, newest id first, those with ids below before if it is not empty.
	Runs(ctx context.Context, before string) iter.Seq2[Run, error]
	// PruneRuns removes all but the newest keep records, and progress that belongs to none of them.
	PruneRuns(ctx context.Context, keep int) error

	// Reserve records r under a client's key unless there is a Reservation that has not expired by now, and returns the one that
	// is kept. Of many that reserve one key at once, all get the same one.
	Reserve(ctx context.Context, key string, r Reservation, now time.Time) (Reservation, error)
	// Resolve writes the answer into the Reservation of a key.
	Resolve(ctx context.Context, key string, r Reservation) error

	Tracker
}

// A Tracker keeps the Progress of Runs. It is for people's eyes: its writes may be late, merged or lost in a crash, and no
// step depends on them.
type Tracker interface {
	// Begin notes that a Run entered a phase; total is the number of listed Objects once that is known.
	Begin(ctx context.Context, run string, phase Phase, p Totals) error
	// Shard notes how far the scan of a Shard is. It may be called often; a repeated scan starts again from 0 and never
	// counts twice.
	Shard(ctx context.Context, run, shard string, t Tally) error
	// Progress reads what is known of a Run; the zero Progress if nothing is.
	Progress(ctx context.Context, run string) (Progress, error)
}

// LaunchState is what a Workflow knows of a Run.
type LaunchState int

// The states of a launch.
const (
	LaunchUnknown LaunchState = iota // nothing can be said: ask again later
	LaunchRunning
	LaunchAbsent // never started, or nobody remembers
	LaunchEnded  // it ended, without having settled the Run if the Lease is still held
)

// A Workflow drives Runs: it calls the steps in order, outside of the caller's request.
type Workflow interface {
	// Launch starts driving the Run that holds the Lease. Launching a Run again is no error and has no effect. An error that
	// is a *RefusedError is definite; after any other it is unknown whether the Run was launched, and the call may be
	// repeated.
	Launch(ctx context.Context, l Lease) error
	// Describe tells what is known of the Run.
	Describe(ctx context.Context, l Lease) (LaunchState, error)
	// Stop asks whoever drives the Run to end it before its time; its Lease says already that it is to be cancelled. The Run is
	// over only once it is settled. Stopping one that does not run, or again, is no error.
	Stop(ctx context.Context, l Lease) error
	// Gone tells, at once and without a remote call, that the process that drives the Run has surely ended. False where
	// that cannot be known so cheaply.
	Gone(l Lease) bool
	// Closing tells whether this process takes up no Run any more: those that wait are left for another one.
	Closing() bool
	// Holder is what a Lease granted by this process says of it.
	Holder() Holder
}

// A RefusedError is a definite no of a Workflow: the Run will not start, and repeating it is of no use.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return "workflow refused to start: " + e.Reason }
