package deployment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// How long a table may take to answer.
const (
	dialTime   = 5 * time.Second
	answerTime = 10 * time.Second
)

// Client reaches the table with the standard AWS configuration: credentials, profile, endpoint. Where the table
// cannot be used the errors of its requests say what to do, and are objstore.ErrNoStore, ErrCredentials or ErrUnreachable.
func (d Deployment) Client(ctx context.Context, log *slog.Logger) (*dynamodb.Client, error) {
	pool := awshttp.NewBuildableClient().WithTimeout(answerTime).WithDialerOptions(func(n *net.Dialer) { n.Timeout = dialTime })
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(d.Region), config.WithHTTPClient(pool),
		config.WithLogger(logging.LoggerFunc(func(_ logging.Classification, format string, args ...any) {
			log.DebugContext(ctx, fmt.Sprintf(format, args...))
		})))
	if err != nil {
		return nil, fmt.Errorf("load AWS configuration: %w", err)
	}
	cfg.Credentials = aws.NewCredentialsCache(credentials{cfg.Credentials})
	return dynamodb.NewFromConfig(cfg, dynamodb.WithAPIOptions(func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("cairn:explain",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				out, meta, err := next.HandleInitialize(ctx, in)
				return out, meta, d.explain(ctx, err)
			}), middleware.Before)
	})), nil
}

// credentials tell apart that there are none from what goes wrong with a request.
type credentials struct{ aws.CredentialsProvider }

type noCredentials struct{ error }

func (c credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	creds, err := c.CredentialsProvider.Retrieve(ctx)
	if err != nil && ctx.Err() == nil {
		err = &noCredentials{err}
	}
	return creds, err
}

func (e *noCredentials) Unwrap() error { return e.error }

// A tableError: the table cannot be used. It says what to do, and is objstore.ErrNoStore, ErrCredentials or ErrUnreachable, as an
// error of the Catalog's own store would be.
type tableError struct {
	Deployment
	advice string
	kind   error
	cause  string
}

func (e *tableError) Error() string {
	return fmt.Sprintf("the table %s in %s, which holds the state of this catalog, %s (%.300s)", e.Table, e.Region, e.advice, e.cause)
}

func (e *tableError) Unwrap() error { return e.kind }

// Actions are what a command line needs to be allowed on the table: to tell of a Catalog the first two, to refresh it all.
const Actions = "dynamodb:GetItem, Query, PutItem, UpdateItem, DeleteItem"

// advice is what to do about DynamoDB's errors that are none of a single request's.
var advice = map[string]tableError{
	"ResourceNotFoundException": {kind: objstore.ErrNoStore, advice: "is not there for the account of these credentials; set AWS_PROFILE to the account " +
		"of the deployment or, if that is gone for good, delete " + Key + " from the catalog, which keeps its state itself then"},
	"AccessDeniedException": {kind: objstore.ErrCredentials, advice: "may not be used with these credentials; set AWS_PROFILE to others, or allow them " +
		Actions + " on it"},

	"UnrecognizedClientException": expired, "InvalidSignatureException": expired, "IncompleteSignatureException": expired,
	"MissingAuthenticationTokenException": expired, "ExpiredTokenException": expired, "InvalidClientTokenId": expired,

	"ThrottlingException": busy, "ProvisionedThroughputExceededException": busy, "RequestLimitExceeded": busy,
	"InternalServerError": busy, "ServiceUnavailable": busy,
}

var (
	expired = tableError{kind: objstore.ErrCredentials, advice: "does not take these credentials; sign in again (aws sso login, or new AWS_* " +
		"variables), and check this computer's clock"}
	none = tableError{kind: objstore.ErrCredentials, advice: "is not open without credentials; sign in with aws sso login, or set AWS_PROFILE or AWS_ACCESS_KEY_ID"}
	busy = tableError{kind: objstore.ErrUnreachable, advice: "is too busy to answer; try again in a moment"}
	mute = tableError{kind: objstore.ErrUnreachable, advice: "does not answer; try again, and check the network and AWS_ENDPOINT_URL*"}
)

// explain says what to do about an error that is none of the request's own, as a condition that does not hold is.
func (d Deployment) explain(ctx context.Context, err error) error {
	var (
		answer smithy.APIError
		unsent *smithyhttp.RequestSendError
		unable *noCredentials
		e      tableError
	)
	switch ok := false; {
	case err == nil, ctx.Err() != nil:
		return err
	case errors.As(err, &answer):
		if e, ok = advice[answer.ErrorCode()]; !ok {
			return err
		}
		e.cause = answer.ErrorCode() + ": " + answer.ErrorMessage() // without the ids of the request
	case errors.As(err, &unable):
		e = none
		e.cause = unable.Error()
	case errors.As(err, &unsent):
		e = mute
		e.cause = unsent.Err.Error()
	default:
		return err
	}
	e.Deployment = d
	return &e
}
