package lambdafn

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// endings say what happened to an execution that did not end by itself, and what to do. Who stopped one by hand is why it ended,
// whatever a step had recorded before; one that took too long may have done so for what a step recorded.
var endings = map[string]refresh.Problem{
	"TIMED_OUT": {Code: refresh.CodeWorkflow,
		Message: "the workflow took longer than it may; refresh again, what was scanned is kept, or deploy with a larger ScanConcurrency"},
	"ABORTED": {Code: "workflow_aborted", Message: "the workflow was stopped by hand; refresh again, what was scanned is kept"},
}

// Sentences for errors that say the same.
const (
	lambdaDown = "Lambda did not work for a while; refresh again, what was scanned is kept"
	tooLong    = "a step took longer than it may; refresh again, what was scanned is kept"
	noMemory   = "a function ended early, most often because it ran out of memory; give it more memory, the logs tell which one"
	misfit     = "the workflow and its functions do not fit together; deploy the stack again"
	notAllowed = "the workflow may not do what it has to; deploy the stack again, so that its role may"
)

// platform says what errors of Lambda and of Step Functions mean, and what to do ("Error names" in the Step Functions developer
// guide, the errors of Lambda's Invoke, and the types of those that Lambda makes itself).
var platform = map[string]string{
	"Lambda.TooManyRequestsException": "Lambda would not run as many functions at once; raise the account's concurrency quota or the functions' " +
		"reserved concurrency, or deploy with a smaller ScanConcurrency",
	"Lambda.ServiceException":                lambdaDown,
	"Lambda.AWSLambdaException":              lambdaDown,
	"Lambda.SdkClientException":              lambdaDown,
	"Lambda.ClientExecutionTimeoutException": lambdaDown,
	"Lambda.Unknown":                         lambdaDown,
	"Lambda.ResourceNotFoundException":       misfit,
	"Lambda.AccessDeniedException":           notAllowed,
	"Sandbox.Timedout": "a function ran out of its time; refresh a part of the source at a time with prefixes, or give the function " +
		"more time and memory",
	"Runtime.ExitError":   noMemory,
	"Runtime.OutOfMemory": noMemory,
	"States.Timeout":      tooLong,
	"States.ExceedToleratedFailureThreshold": "scanning a part of the source failed; the log of the function scan tells why, or has nothing " +
		"where Lambda would not run as many functions at once: then deploy with a smaller ScanConcurrency, or raise the account's concurrency quota; " +
		"the next refresh takes over what was scanned",
	"States.ItemReaderFailed":  "Step Functions could not read the list of what is to be scanned from the catalog's bucket; deploy the stack again, so that its role may",
	"States.DataLimitExceeded": "a step's answer was larger than Step Functions takes; that is a mistake in Cairn, please report it",
	"States.Permissions":       notAllowed,
	"States.Runtime":           misfit,
}

// code is how the stable code of a Problem is written.
var code = regexp.MustCompile(`^[a-z][a-z_]{0,63}$`)

// problemOf says why a workflow stopped, by what it caught: what a step said, or what happened to the step. What only says that
// something failed has the code refresh.CodeWorkflow, for which Settle looks for what the step recorded. nil is none.
func problemOf(e *WorkflowError) *refresh.Problem {
	if e == nil || *e == (WorkflowError{}) {
		return nil
	}
	var cause struct { // as Lambda tells an error
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	_ = json.Unmarshal([]byte(e.Cause), &cause) // else it is a sentence, or nothing
	for _, name := range []string{e.Error, cause.Type} {
		switch name {
		case "FinalError", "TransientError":
			if c, sentence, ok := strings.Cut(cause.Message, ": "); ok && code.MatchString(c) {
				return &refresh.Problem{Code: c, Message: clip(sentence)}
			}
		case "DeadlineError":
			return workflowFailed("scans stopped at their functions' deadline too often; deploy the function scan with more time and memory")
		}
	}
	for _, name := range []string{cause.Type, e.Error} {
		if sentence, ok := platform[name]; ok {
			return workflowFailed(sentence)
		}
	}
	what := strings.Join(strings.Fields(cause.Message), " ")
	if what == "" {
		what = strings.Join(strings.Fields(e.Cause), " ")
	}
	return workflowFailed(fmt.Sprintf("the workflow stopped with %s (%.300s); the log of the step's function has more, and the next refresh "+
		"takes over what was scanned", name(e.Error), what))
}

func name(errorName string) string {
	if errorName == "" {
		return "an error"
	}
	return fmt.Sprintf("the error %.100q", errorName)
}

func workflowFailed(sentence string) *refresh.Problem {
	return &refresh.Problem{Code: refresh.CodeWorkflow, Message: clip(sentence)}
}
