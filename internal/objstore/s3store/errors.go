package s3store

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// An apiError is an answer of S3 that tells of an error ("Error responses" of the Amazon S3 API reference).
type apiError struct {
	status  int
	code    string // "" where the answer has no body
	message string
	header  http.Header
	asked   string // the region that the request was made for
	named   string // the region that the body tells
	torn    bool   // the body broke off
	object  bool   // a read of an Object was asked for
}

// maxError is as much of an error's body as is read.
const maxError = 64 << 10

func readError(resp *http.Response, body io.Reader, asked string) error {
	var parsed struct{ Code, Message, Region string }
	text, err := io.ReadAll(io.LimitReader(body, maxError))
	_ = xml.Unmarshal(text, &parsed) // a proxy may answer in HTML
	return &apiError{resp.StatusCode, parsed.Code, parsed.Message, resp.Header, asked, parsed.Region, err != nil, false}
}

func (e *apiError) Error() string {
	text := fmt.Sprintf("%s (%s)", e.code, http.StatusText(e.status))
	if e.code == "" {
		text = fmt.Sprintf("status %d %s", e.status, http.StatusText(e.status))
	}
	if e.message != "" {
		text += fmt.Sprintf(": %.300q", e.message)
	}
	if what, ok := badCredentials[e.code]; ok {
		text += "; " + what
	}
	return text
}

// badCredentials are the codes that speak of who asks and not of what is asked for, with what to do.
var badCredentials = map[string]string{
	"ExpiredToken":          "sign in again (aws sso login, or new AWS_* variables)",
	"TokenRefreshRequired":  "sign in again (aws sso login, or new AWS_* variables)",
	"InvalidToken":          "set AWS_SESSION_TOKEN together with the key that it belongs to, or unset it",
	"InvalidAccessKeyId":    "check AWS_ACCESS_KEY_ID or AWS_PROFILE; the server does not know this key",
	"SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY; it does not belong to the key id",
	"RequestTimeTooSkewed":  "set this computer's clock",
	"Unauthorized":          "check AWS_ACCESS_KEY_ID or AWS_PROFILE",
	"NotSignedUp":           "this account has no S3",
	"AccountProblem":        "look at the AWS account; it may not use S3 at the moment",
	"AllAccessDisabled":     "ask the bucket's owner; all access to it is disabled",
	"InvalidPayer":          "look at the AWS account; it may not pay for requests at the moment",
}

// Is maps S3's codes to the errors of objstore. An answer without a code says too little for any but a refusal.
func (e *apiError) Is(target error) bool {
	_, bad := badCredentials[e.code]
	switch target {
	case fs.ErrNotExist:
		return e.code == "NoSuchKey"
	case fs.ErrPermission:
		return !bad && e.status == http.StatusForbidden && e.code != "InvalidObjectState" ||
			strings.HasPrefix(e.code, "KMS.") && e.verdict() == final || // the key is disabled, deleted or another's
			e.object && e.code == "InvalidRequest" // SSE-C: only who has the key may read it
	case objstore.ErrArchived:
		return e.code == "InvalidObjectState"
	case objstore.ErrNoStore:
		return e.code == "NoSuchBucket"
	case objstore.ErrCredentials:
		return bad
	case objstore.ErrPrecondition:
		return e.status == http.StatusPreconditionFailed
	case objstore.ErrKey:
		return slices.Contains(badKeys, e.code)
	}
	return false
}

// badKeys are the codes by which servers refuse a key for good; the last ones are those of servers over a file system.
var badKeys = []string{
	"KeyTooLongError", "InvalidURI", "InvalidObjectName", "XMinioInvalidObjectName", "ObjectParentIsFile",
	"ExistingObjectIsDirectory", "XMinioObjectExistsAsDirectory", "XMinioParentIsObject", "ObjectExistsAsDirectory",
}

func (e *apiError) verdict() verdict {
	switch e.code {
	case "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "BandwidthLimitExceeded",
		"TooManyRequests", "TooManyRequestsException", "KMS.ThrottlingException":
		return throttled
	case "InternalError", "RequestTimeout", "RequestTimeoutException", "IncompleteBody", "KMS.KMSInternalException",
		"KMS.DependencyTimeoutException",
		"ConditionalRequestConflict", "OperationAborted": // the last two: another write was under way
		return again
	}
	switch e.status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return throttled
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return final
	case http.StatusRequestTimeout, http.StatusTemporaryRedirect: // a bucket so new that its name leads elsewhere yet
		return again
	case http.StatusNotFound, http.StatusForbidden, http.StatusBadRequest: // of what, only the code tells
		if e.torn && e.code == "" {
			return again
		}
	}
	if e.status/100 == 5 { // proxies have some of their own
		return again
	}
	return final
}

// region is the bucket's, where an answer tells it.
func (e *apiError) region() string {
	if r := e.header.Get("X-Amz-Bucket-Region"); r != "" {
		return r
	}
	return e.named
}

// refused tells whether the write that err came of was surely not carried out.
func refused(err error) bool {
	var (
		answer *apiError
		creds  *noCredentials
		call   *net.OpError
	)
	if errors.As(err, &creds) || errors.As(err, &call) && call.Op == "dial" {
		return true
	}
	return errors.As(err, &answer) && (answer.status/100 == 4 || answer.status/100 == 3) && answer.status != http.StatusRequestTimeout &&
		answer.code != "RequestTimeout"
}

func isCode(err error, code string) bool {
	var answer *apiError
	return errors.As(err, &answer) && answer.code == code
}

// noCredentials: the configuration leads to none.
type noCredentials struct{ cause error }

func (e *noCredentials) Error() string {
	return fmt.Sprintf("no AWS credentials (sign in with aws sso login, set AWS_PROFILE or AWS_ACCESS_KEY_ID, "+
		"or give --no-sign-request for a public bucket): %v", e.cause)
}

func (e *noCredentials) Unwrap() error { return e.cause }

func (e *noCredentials) Is(target error) bool { return target == objstore.ErrCredentials }
