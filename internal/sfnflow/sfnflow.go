// Package sfnflow drives Runs with a state machine of AWS Step Functions. An execution has its Run's id as its name, and nothing
// but that id in its input, so that starting it again is the same request, byte for byte, whoever makes it.
package sfnflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// A Flow is a refresh.Workflow over one state machine.
type Flow struct {
	// Now is the clock by which a process that holds a Lease counts as ended; time.Now unless it is set.
	Now func() time.Time

	client  *sfn.Client
	machine string
}

var _ refresh.Workflow = (*Flow)(nil)

// New returns a Flow that starts executions of the state machine with this ARN.
func New(client *sfn.Client, stateMachineARN string) *Flow {
	return &Flow{Now: time.Now, client: client, machine: stateMachineARN}
}

// input of an execution, and all of it.
type input struct {
	Run string `json:"run_id"`
}

// Launch starts the Run's execution, with one StartExecution. One that runs or has ended was started. A Lease that a process
// holds is left to it.
func (f *Flow) Launch(ctx context.Context, l refresh.Lease) error {
	if l.Holder != (refresh.Holder{}) {
		return nil
	}
	body, err := json.Marshal(input{l.Run})
	if err != nil {
		return err
	}
	_, err = f.client.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: aws.String(f.machine), Name: aws.String(l.Run), Input: aws.String(string(body)),
	})
	var there *types.ExecutionAlreadyExists
	if err == nil || errors.As(err, &there) {
		return nil
	}
	if no := refusal(err); no != nil {
		err = errors.Join(no, err)
	}
	return fmt.Errorf("start execution %s: %w", l.Run, err)
}

// refusals are the codes of StartExecution ("Errors" of the Step Functions API reference, and its common errors) that say no for good,
// with what to do. Any other error may have come after the execution was started, or may pass.
var refusals = map[string]string{
	"StateMachineDoesNotExist":  "the state machine is not there: deploy the stack again",
	"StateMachineDeleting":      "the state machine is being deleted: deploy the stack again, and refresh then",
	"AccessDeniedException":     "starting the state machine is denied: allow states:StartExecution on it, or deploy the stack again",
	"KmsAccessDeniedException":  "the state machine's key may not be used: allow kms:GenerateDataKey and kms:Decrypt on it",
	"KmsInvalidStateException":  "the state machine's key is disabled or is being deleted: enable it",
	"InvalidArn":                "CAIRN_STATE_MACHINE is not the ARN of a state machine: deploy the stack again",
	"InvalidName":               "Step Functions does not take the run's id as a name",
	"InvalidExecutionInput":     "Step Functions does not take the run's input",
	"ValidationException":       "Step Functions does not take the request: check that CAIRN_STATE_MACHINE is the ARN of a state machine",
	"UnknownOperationException": "the endpoint is not one of Step Functions: check AWS_ENDPOINT_URL_SFN",
}

// refusal tells what a definite no says; nil if err is none.
func refusal(err error) error {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		if reason, ok := refusals[answer.ErrorCode()]; ok {
			return &refresh.RefusedError{Reason: reason}
		}
	}
	return nil
}

// processPatience is how long after the end of its Lease a process counts as living: several of the spans for which processes
// renew theirs.
const processPatience = 2 * time.Minute

// Describe tells what became of the Run's execution. It may be behind: one that was started within the last moments may be absent.
// Of a process that holds the Lease nothing is known here, until its Lease has run out for long.
func (f *Flow) Describe(ctx context.Context, l refresh.Lease) (refresh.LaunchState, error) {
	over := refresh.LaunchAbsent
	if l.Launched {
		over = refresh.LaunchEnded
	}
	if l.Holder != (refresh.Holder{}) {
		if f.Now().Sub(l.Expires) < processPatience {
			return refresh.LaunchUnknown, nil
		}
		return over, nil
	}
	out, err := f.client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: f.execution(l.Run)})
	var absent *types.ExecutionDoesNotExist
	switch {
	case errors.As(err, &absent):
		return over, nil
	case err != nil:
		return refresh.LaunchUnknown, fmt.Errorf("describe execution %s: %w", l.Run, err)
	}
	switch out.Status {
	case types.ExecutionStatusRunning, types.ExecutionStatusPendingRedrive:
		return refresh.LaunchRunning, nil
	case types.ExecutionStatusSucceeded, types.ExecutionStatusFailed, types.ExecutionStatusTimedOut, types.ExecutionStatusAborted:
		return refresh.LaunchEnded, nil
	}
	return refresh.LaunchUnknown, nil
}

// Stop aborts the Run's execution. A step that runs at that moment goes on until it sees that it is cancelled or fenced off.
func (f *Flow) Stop(ctx context.Context, l refresh.Lease) error {
	if l.Holder != (refresh.Holder{}) {
		return nil // it sees at its next renewal that it is to be cancelled
	}
	_, err := f.client.StopExecution(ctx, &sfn.StopExecutionInput{
		ExecutionArn: f.execution(l.Run), Error: aws.String("RunCancelled"), Cause: aws.String("somebody asked to cancel this run"),
	})
	var absent *types.ExecutionDoesNotExist
	if err == nil || errors.As(err, &absent) {
		return nil
	}
	return fmt.Errorf("stop execution %s: %w", l.Run, err)
}

// execution is the ARN of a Run's execution: arn:<partition>:states:<region>:<account>:execution:<state machine>:<run>.
func (f *Flow) execution(run string) *string {
	parts := strings.SplitN(f.machine, ":", 8) // the last one would be a version or an alias
	if len(parts) >= 7 {
		parts = parts[:7]
		parts[5] = "execution"
	}
	return aws.String(strings.Join(append(parts, run), ":"))
}

// Gone is false: only Describe can tell.
func (*Flow) Gone(refresh.Lease) bool { return false }

// Closing is false: any function may start what waits.
func (*Flow) Closing() bool { return false }

// Holder is nobody: no process drives the Run.
func (*Flow) Holder() refresh.Holder { return refresh.Holder{} }
