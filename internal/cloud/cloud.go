package cloud

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/logging"

	"github.com/cairn-stac/cairn/internal/dynamostate"
	"github.com/cairn-stac/cairn/internal/lambdafn"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// leaseTTL is how long a Lease lasts without being renewed. Renewing it is the first thing that a workflow does and then the reaper's
// part; until it has run out, nobody asks what became of a workflow.
const leaseTTL = 2 * time.Minute

// Requests to DynamoDB and Step Functions, which answer within milliseconds: those of a call have to fit into the 20 seconds that an
// answer may take.
const (
	attemptTime = 3 * time.Second
	attempts    = 5
	mostBackOff = time.Second
)

// An Env is the environment of a function, with what its adapters share.
type Env struct {
	Settings
	AWS aws.Config // of the clients of DynamoDB and Step Functions
	Log *slog.Logger
}

// Main runs a function: it reads the environment, lets handler open what it needs, and answers events with what handler returns,
// which is what lambda.Start takes. Where that fails, the log says why, and the function ends.
func Main(handler func(ctx context.Context, e *Env) (any, error), needed ...Name) {
	limitMemory(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
	ctx := context.Background()
	e, err := Open(ctx, os.Getenv, needed...)
	var answer any
	if err == nil {
		answer, err = handler(ctx, e)
	}
	if err != nil {
		lambdafn.NewLog(os.Stderr, slog.LevelInfo).ErrorContext(ctx, "the function cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(answer)
}

// limitMemory makes the garbage collector work before the function's memory, in MB, is used up.
func limitMemory(megabytes string) {
	if n, err := strconv.ParseInt(megabytes, 10, 64); err == nil && n > 0 {
		debug.SetMemoryLimit(n << 20 / 10 * 9)
	}
}

// Open reads the environment, as Read does, and the standard configuration of AWS.
func Open(ctx context.Context, getenv func(string) string, needed ...Name) (*Env, error) {
	s, err := Read(getenv, needed...)
	if err != nil {
		return nil, err
	}
	e := &Env{Settings: s, Log: lambdafn.NewLog(os.Stderr, s.Level)}
	e.AWS, err = config.LoadDefaultConfig(ctx, config.WithLogger(logging.LoggerFunc(e.sdkLog)),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(attemptTime)),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = attempts, mostBackOff })
		}))
	if err != nil {
		return nil, fmt.Errorf("load AWS configuration: %w", err)
	}
	return e, nil
}

// sdkLog takes what the SDK has to say, which goes on by itself.
func (e *Env) sdkLog(kind logging.Classification, format string, args ...any) {
	level := slog.LevelDebug
	if kind == logging.Warn {
		level = slog.LevelWarn
	}
	e.Log.Log(context.Background(), level, fmt.Sprintf(format, args...), "of", "aws sdk")
}

// State is the state in the table.
func (e *Env) State() *dynamostate.State {
	return dynamostate.New(dynamodb.NewFromConfig(e.AWS), e.Table, time.Now)
}

// Desk is a Desk over the table. The Catalog may be nil for one that starts, settles and reaps no Run.
func (e *Env) Desk(flow refresh.Workflow, catalog objstore.Store) *refresh.Desk {
	return &refresh.Desk{State: e.State(), Catalog: catalog, Workflow: flow, TTL: leaseTTL, Now: time.Now, Log: e.Log}
}
