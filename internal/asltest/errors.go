package asltest

import (
	"math"
	"slices"
	"time"
)

// An Error is what a state or an execution ended with: a name, which retriers and catchers match on, and more.
type Error struct{ Name, Cause string }

func (e *Error) Error() string { return e.Name + ": " + e.Cause }

// Names of errors.
const (
	anyError     = "States.ALL"
	taskFailed   = "States.TaskFailed"
	timeout      = "States.Timeout"
	runtimeError = "States.Runtime"
	tooMuchData  = "States.DataLimitExceeded"
	badResult    = "States.ResultPathMatchFailure"
	tooManyFail  = "States.ExceedToleratedFailureThreshold"
	badReader    = "States.ItemReaderFailed"
)

var knownErrors = []string{anyError, taskFailed, timeout, runtimeError, tooMuchData, badResult, tooManyFail, badReader,
	"States.HeartbeatTimeout", "States.Permissions", "States.ParameterPathFailure", "States.BranchFailed", "States.NoChoiceMatched",
	"States.IntrinsicFailure", "States.ResultWriterFailed", "States.QueryEvaluationError"}

// terminal errors end an execution past all its retriers and catchers: AWS documents that States.ALL does not match them.
func (e *Error) terminal() bool { return e.Name == runtimeError || e.Name == tooMuchData }

// in tells whether ErrorEquals matches the error.
func (e *Error) in(names []string) bool {
	return !e.terminal() && slices.ContainsFunc(names, func(n string) bool {
		return n == e.Name || n == anyError || n == taskFailed && e.Name != timeout
	})
}

// bound is the longest delay before the nth retry.
func (r *retrier) bound(n int) time.Duration {
	interval, rate := 1.0, 2.0
	if r.IntervalSeconds != nil {
		interval = float64(*r.IntervalSeconds)
	}
	if r.BackoffRate != nil {
		rate = *r.BackoffRate
	}
	seconds := interval * math.Pow(rate, float64(n-1))
	if r.MaxDelaySeconds > 0 && n > 1 {
		seconds = min(seconds, float64(r.MaxDelaySeconds))
	}
	return time.Duration(min(seconds, maxDelay) * float64(time.Second))
}

// attempts is how often it retries.
func (r *retrier) attempts() int {
	if r.MaxAttempts == nil {
		return 3
	}
	return *r.MaxAttempts
}
