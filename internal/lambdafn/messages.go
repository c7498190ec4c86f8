// Package lambdafn answers Lambda's events: those of the HTTP API, of the queue of Source events, of the clock, of the workflow
// and of its end. Its functions take what they call as interfaces; the mains in functions/ give them the adapters.
package lambdafn

// A Task is what the workflow gives the functions plan, scan and publish.
type Task struct {
	Run   string `json:"run_id"`
	Shard string `json:"shard,omitempty"` // for scan: as in a ShardRef
}

// A Planned is what the function plan answers, and what the workflow works on from then on. The Shards are an array in an object of
// the Catalog, for the Map's ItemReader, so that the workflow's data stays small however many there are.
type Planned struct {
	Run         string `json:"run_id"`
	Shards      int    `json:"shards"` // to be scanned; 0: none is, and Bucket and Key are empty
	Bucket      string `json:"bucket"`
	Key         string `json:"key"`         // of [{"shard": "…"}, …]
	Concurrency int    `json:"concurrency"` // scans at once
}

// A ShardRef is an element of that array, which one function scans: the name of a Shard or, where there are very many, the names
// of some, with spaces in between.
type ShardRef struct {
	Shard string `json:"shard"`
}

// An Ending is what the function settle is given by the workflow's last states. The events of an execution that ended otherwise
// and of the clock have shapes of their own.
type Ending struct {
	Run   string         `json:"run_id"`
	Error *WorkflowError `json:"error,omitempty"` // why the workflow stopped early
}

// A WorkflowError is what a Catch of the workflow puts into its data: for an error of a function, its Go type and the JSON that
// Lambda makes of it.
type WorkflowError struct {
	Error string `json:"Error"`
	Cause string `json:"Cause"`
}

// A Settled is what the function settle answers to the workflow.
type Settled struct {
	Run   string `json:"run_id"`
	State string `json:"state"` // of the Run: successful, failed, dismissed
}

// The errors that the workflow matches on, by the names of their types, so they are returned outermost. Each message is the stable
// code of a refresh.Problem, ": ", and its sentence.
type (
	// A FinalError: repeating the step is of no use.
	FinalError struct{ Code, Message string }
	// A DeadlineError: a scan stopped before its function's deadline with what it had saved. Repeated at once it goes on.
	DeadlineError struct{ Message string }
	// A TransientError may pass: the step is repeated after a while.
	TransientError struct{ Code, Message string }
)

func (e *FinalError) Error() string     { return e.Code + ": " + e.Message }
func (e *DeadlineError) Error() string  { return "deadline: " + e.Message }
func (e *TransientError) Error() string { return e.Code + ": " + e.Message }
