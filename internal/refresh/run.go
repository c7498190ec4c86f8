package refresh

import "time"

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
	ID       string    `json:"run_id"` // ULID
	State    RunState  `json:"state"`
	Scope    Scope     `json:"scope"`
	Events   bool      `json:"events,omitempty"` // started by itself: by events of the Source, the clock, or a server that started
	Fence    uint64    `json:"fence,omitempty"`
	Accepted time.Time `json:"accepted"`
	// NotBefore is until when one that waits is made to, because its like has failed.
	NotBefore *time.Time `json:"not_before,omitempty"`
	Started   *time.Time `json:"started,omitempty"` // when it got the Lease
	Ended     *time.Time `json:"ended,omitempty"`
	Error     *Problem   `json:"error,omitempty"`
	Snapshot  uint64     `json:"snapshot,omitempty"` // the published one at its end
	Counts    Counts     `json:"counts"`
	// RejectCodes counts the Rejects of the published Snapshot by code. Of a partial Run the sum is not Counts.Rejects.
	RejectCodes map[string]int `json:"reject_codes,omitempty"`
	Warnings    []string       `json:"warnings,omitempty"` // of a successful Run: what could not be tidied up
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
