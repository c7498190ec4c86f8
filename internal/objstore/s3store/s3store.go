// Package s3store keeps Objects in a bucket of Amazon S3 or of a server that speaks its protocol.
//
// Configuration, credentials, endpoint rules and signatures are those of the AWS SDK. The few requests that the port needs
// are made here instead of by the SDK's client: that takes a third of the CPU time a read and a tenth of it a listed key, and
// retries, timeouts and lost replies are decided in one place (see client.do).
package s3store

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// maxKey is the longest key that S3 holds, in bytes.
const maxKey = 1024

// Options say how a bucket is reached.
type Options struct {
	Anonymous     bool              // requests are not signed, and no credentials are looked for
	RequesterPays bool              // the requester pays for requests and transfer
	Parallel      int               // most requests at once, and the size of the connection pool; 0: 128
	Log           *slog.Logger      // retries and throttling at level Debug; nil: none
	Config        func(*aws.Config) // changes the AWS configuration once it is loaded; nil: none
}

// A Store is an objstore.Store in a bucket. Keys are relative to its Location's prefix; what has no such key (the prefix
// itself, a second slash right behind it) is not seen. Modified has whole seconds.
type Store struct {
	at     Location
	client *client
}

var _ objstore.Store = (*Store)(nil)

// Open returns the Store at a Location, by the standard AWS configuration: environment, profiles, SSO, container and
// instance roles, AWS_ENDPOINT_URL. Where no region is configured it asks for the bucket's.
func Open(ctx context.Context, at Location, opt Options) (*Store, error) {
	if opt.Parallel <= 0 {
		opt.Parallel = 128
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	c, err := newClient(ctx, at, opt)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", at.URL(), err)
	}
	return &Store{at, c}, nil
}

// HTTPS is the URL under which the Objects are reached over https, or over whatever a configured endpoint speaks, with the
// prefix and without a closing slash. A wrong region in it is put right by the first answer, so call Check before.
func (s *Store) HTTPS() string {
	base := s.client.place.Load().base
	return join(base.Scheme+"://"+base.Host+strings.TrimSuffix(base.EscapedPath(), "/"), s.at.Prefix)
}

// full is the key in the bucket.
func (s *Store) full(key string) (string, error) {
	switch full := s.at.Prefix + key; {
	case key == "" || len(full) > maxKey:
		return "", fmt.Errorf("%w: its length is %d with the prefix, not %d to %d", objstore.ErrKey, len(full),
			len(s.at.Prefix)+1, maxKey)
	case key[0] == '/':
		return "", fmt.Errorf("%w: leading slash", objstore.ErrKey)
	case !utf8.ValidString(full):
		return "", fmt.Errorf("%w: not UTF-8", objstore.ErrKey)
	default:
		return full, nil
	}
}

// fail names the call and the thing.
func fail(call, key string, err error) error {
	if len(key) > 200 {
		key = key[:200] + "…"
	}
	if quoted := fmt.Sprintf("%q", key); quoted[1:len(quoted)-1] != key || key == "" {
		key = quoted
	}
	return fmt.Errorf("%s %s: %w", call, key, err)
}

// Delete implements objstore.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	full, err := s.full(key)
	if err == nil {
		err = s.client.do(ctx, request{method: http.MethodDelete, key: full}, drop)
	}
	if err != nil && !isCode(err, "NoSuchKey") {
		return fail("delete", key, err)
	}
	return nil
}

// Sync implements objstore.Store. What S3 has answered for lasts.
func (s *Store) Sync(ctx context.Context) error { return ctx.Err() }
