package refresh

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// RunState is a Run's state, in the words of OGC API Processes.
type RunState string

// The states of a Run. The last three are final.
const (
	Accepted   RunState = "accepted"   // waiting for the Lease
	Running    RunState = "running"    // holds the Lease
	Successful RunState = "successful" // its Snapshot was published, or nothing had changed
	Failed     RunState = "failed"
	Dismissed  RunState = "dismissed" // cancelled
)

// Phase is what a running Run is at.
type Phase string

// The phases of a running Run, in order.
const (
	Planning   Phase = "planning"
	Scanning   Phase = "scanning"
	Publishing Phase = "publishing"
)

// A Mode says how much a Run trusts what is published.
type Mode string

// The modes of a Run.
const (
	Incremental Mode = "incremental" // open only what changed
	Full        Mode = "full"        // open every raster again
)

// A Scope is what a Run was asked to do.
type Scope struct {
	Prefixes        []string `json:"prefixes,omitempty"` // only keys that begin with one of them; none: the whole Source
	Mode            Mode     `json:"mode,omitempty"`     // "": Incremental
	AllowMassDelete bool     `json:"allow_mass_delete,omitempty"`
}

// Equal tells whether two Scopes ask for the same.
func (s Scope) Equal(o Scope) bool {
	return slices.Equal(s.Prefixes, o.Prefixes) && s.full() == o.full() && s.AllowMassDelete == o.AllowMassDelete
}

// Limits of a Scope.
const (
	maxPrefixes   = 200
	maxPrefixSize = 1024 // bytes, as S3 allows in a key
)

// A ScopeError says what is wrong with a Scope.
type ScopeError struct{ Reason string }

func (e *ScopeError) Error() string { return e.Reason }

func (s Scope) validate() error {
	if s.Mode != "" && s.Mode != Incremental && s.Mode != Full {
		return &ScopeError{fmt.Sprintf("mode is %q; it must be %q or %q", s.Mode, Incremental, Full)}
	}
	if len(s.Prefixes) > maxPrefixes {
		return &ScopeError{fmt.Sprintf("%d prefixes are given; at most %d may be", len(s.Prefixes), maxPrefixes)}
	}
	for _, p := range s.Prefixes {
		if p == "" || len(p) > maxPrefixSize || strings.HasPrefix(p, "/") || !utf8.ValidString(p) {
			return &ScopeError{fmt.Sprintf("prefix %q: it must be the beginning of a key, without a leading slash", p)}
		}
	}
	return nil
}

func (s Scope) full() bool { return s.Mode == Full }

// Counts of a Run. Objects is the sum of the five that follow it: each listed Object ends as exactly one of them.
type Counts struct {
	Objects  int `json:"objects"`
	Assets   int `json:"assets"`
	Sidecars int `json:"sidecars"`
	Rejects  int `json:"rejects"`
	Ignored  int `json:"ignored"`
	Vanished int `json:"vanished"` // listed, but gone when they were to be read

	Unchanged int `json:"unchanged"` // Objects that were not opened, because what is known of them still holds
	Scanned   int `json:"scanned"`   // Objects of the scenes that were read

	Items       int `json:"items"` // in the Snapshot
	Added       int `json:"added"`
	Updated     int `json:"updated"`
	Removed     int `json:"removed"`
	Collections int `json:"collections"` // in the Snapshot
}

// A Run is the record of a refresh.
type Run struct {
	ID       string     `json:"run_id"` // ULID
	State    RunState   `json:"state"`
	Scope    Scope      `json:"scope"`
	Fence    uint64     `json:"fence,omitempty"`
	Accepted time.Time  `json:"accepted"`
	Started  *time.Time `json:"started,omitempty"` // when it got the Lease
	Ended    *time.Time `json:"ended,omitempty"`
	Error    *Problem   `json:"error,omitempty"`
	Snapshot uint64     `json:"snapshot,omitempty"` // the published one at its end
	Counts   Counts     `json:"counts"`
	Warnings []string   `json:"warnings,omitempty"` // of a successful Run: what could not be tidied up
}

// Duration is the time that an ended Run held the Lease.
func (r Run) Duration() time.Duration {
	if r.Started == nil || r.Ended == nil {
		return 0
	}
	return r.Ended.Sub(*r.Started)
}

// Seconds is Duration in seconds, to the millisecond.
func (r Run) Seconds() float64 { return float64(r.Duration().Milliseconds()) / 1000 }

// A Problem is why a Run failed: a stable code for programs and a sentence for people.
type Problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}
