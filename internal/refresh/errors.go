package refresh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// ErrNewerFormat: the Catalog was written by a newer Cairn.
var ErrNewerFormat = snapshot.ErrNewerFormat

// ErrCancelled: somebody asked to cancel the Run.
var ErrCancelled = errors.New("the run was cancelled")

// A ConfigError says what is wrong with cairn.yaml, and where.
type ConfigError struct{ Err error }

func (e *ConfigError) Error() string { return e.Err.Error() }
func (e *ConfigError) Unwrap() error { return e.Err }

// A SourceError is about the Source: it cannot be listed or read, or is not the Catalog's.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return e.Err.Error() }
func (e *SourceError) Unwrap() error { return e.Err }

// A MassDeleteError stops a Run that would drop much of what is published: more often a wrong or unmounted Source than the
// user's wish.
type MassDeleteError struct {
	Collection    string // "": the whole Source
	Removed, Held int    // Objects
	Denied        int    // of Removed, those that are there but may not be read
}

func (e *MassDeleteError) Error() string {
	what := "the catalog"
	if e.Collection != "" {
		what = fmt.Sprintf("collection %q", e.Collection)
	}
	if e.Denied > 0 {
		return fmt.Sprintf("this run would drop %d of the %d files of %s, %d of them because reading is denied; "+
			"if that is meant to be, refresh with allow_mass_delete", e.Removed, e.Held, what, e.Denied)
	}
	return fmt.Sprintf("this run would drop %d of the %d files of %s; if they are really gone, refresh with allow_mass_delete",
		e.Removed, e.Held, what)
}

// A DeadlineError is a Scan that stopped before its deadline with what it had saved: calling it again goes on from there.
type DeadlineError struct {
	Shard       string
	Done, Total int // scenes
}

func (e *DeadlineError) Error() string {
	return fmt.Sprintf("scan of shard %s stopped before its deadline with %d of %d scenes saved", e.Shard, e.Done, e.Total)
}

// Final tells whether repeating a step after this error is of no use. A bucket or folder that is not there, of the Source or of the
// Catalog, will not come back within a retry.
func Final(err error) bool {
	var (
		cfg  *ConfigError
		mass *MassDeleteError
		src  *SourceError
		fen  *snapshot.FencedError
	)
	return errors.As(err, &cfg) || errors.As(err, &mass) || errors.As(err, &fen) || errors.As(err, &src) && srcFinal(src) ||
		errors.Is(err, objstore.ErrNoStore) || errors.Is(err, ErrLeaseLost) || errors.Is(err, ErrCancelled) || errors.Is(err, ErrNewerFormat) ||
		errors.Is(err, context.Canceled) || errors.Is(err, syscall.ENOSPC)
}

// srcFinal: a Source that is missing or forbidden will not come back within a retry.
func srcFinal(e *SourceError) bool {
	return errors.Is(e.Err, fs.ErrNotExist) || errors.Is(e.Err, fs.ErrPermission) || errors.Is(e.Err, errOtherSource)
}

var errOtherSource = errors.New("catalog belongs to another source")

// ProblemOf gives an error the stable code that the API and the history show.
func ProblemOf(err error) *Problem {
	if err == nil {
		return nil
	}
	var (
		cfg  *ConfigError
		mass *MassDeleteError
		src  *SourceError
		fen  *snapshot.FencedError
	)
	code, advice := "internal", ""
	switch {
	case errors.Is(err, ErrCancelled):
		code = "cancelled"
	case errors.As(err, &cfg):
		code = "bad_config"
	case errors.As(err, &mass):
		code = "mass_delete"
	case errors.Is(err, errOtherSource):
		code = "other_source"
	case errors.As(err, &src):
		code, advice = "source_unavailable", remedy(err, "allow it to be listed and its files to be read")
	case errors.As(err, &fen), errors.Is(err, ErrLeaseLost):
		code = "superseded"
	case errors.Is(err, ErrNewerFormat):
		code = "newer_format"
	case errors.Is(err, syscall.ENOSPC):
		return &Problem{Code: "no_space", Message: "the disk of the catalog is full; free some space and refresh again"}
	default:
		// Of the Source it would be a SourceError, so this is of the Catalog.
		if advice = remedy(err, "allow the catalog's files to be listed, read, written and deleted"); advice != "" {
			code = "catalog_unavailable"
		}
	}
	return &Problem{Code: code, Message: sentence(err.Error() + advice)}
}

// remedy says what to do about a store that cannot be used, in words that go after its error's; "" where the error is about something
// else.
func remedy(err error, allow string) string {
	const resumed = "; the next refresh goes on from what was scanned"
	switch {
	case errors.Is(err, objstore.ErrThrottled):
		return "; it asks for fewer requests: let fewer be made at once (--parallel; on AWS ScanConcurrency), or wait" + resumed
	case errors.Is(err, objstore.ErrUnreachable):
		return "; refresh again when it can be reached" + resumed
	case errors.Is(err, objstore.ErrNoStore):
		return "; check its name, and that it is still there"
	case errors.Is(err, objstore.ErrCredentials):
		return resumed // the error itself says what to do about them
	case errors.Is(err, fs.ErrPermission):
		return "; " + allow + resumed
	}
	return ""
}
