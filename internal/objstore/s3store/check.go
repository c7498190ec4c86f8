package s3store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// checkAttempts are few: somebody waits, and a wrong name does not get better.
const checkAttempts = 3

// Check asks whether the location can be listed, by one request for one key. Its errors are for people and say what to
// do; they are objstore.ErrNoStore, objstore.ErrCredentials or fs.ErrPermission where they are that.
func (s *Store) Check(ctx context.Context) error {
	_, err := s.client.fetch(ctx, s.at.Prefix, "", "", 1, checkAttempts)
	if err == nil {
		return nil
	}
	var (
		answer *apiError
		signed = s.client.creds != nil
		place  = s.client.place.Load()
		host   = place.base.Scheme + "://" + place.base.Host
		advice string
	)
	switch errors.As(err, &answer); {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, objstore.ErrNoStore):
		advice = fmt.Sprintf("there is no bucket %q at %s: check its name, AWS_PROFILE and AWS_ENDPOINT_URL", s.at.Bucket, host)
	case errors.Is(err, objstore.ErrCredentials):
		advice = "the credentials are not good for it" // and what to do is in err
	case errors.Is(err, fs.ErrPermission) && signed:
		advice = "these credentials may not list it: they need s3:ListBucket on the bucket; " +
			"a public bucket may take --no-sign-request, one whose readers pay --request-payer"
	case errors.Is(err, fs.ErrPermission):
		advice = "it may not be listed without credentials: leave out --no-sign-request"
	case answer != nil && answer.status/100 == 3:
		advice = fmt.Sprintf("the bucket is not in region %s: set AWS_REGION to its own", place.region)
	case answer != nil && answer.verdict() == throttled:
		advice = "the server asks to slow down: try again later"
	case answer == nil && judge(err) == again && !errors.Is(err, errPage):
		advice = fmt.Sprintf("no connection to %s: check the network and AWS_ENDPOINT_URL", host)
	default:
		advice = fmt.Sprintf("%s does not answer as S3 does", host)
	}
	return fmt.Errorf("%s: %s: %w", s.at.URL(), advice, err)
}
