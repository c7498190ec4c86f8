// Package s3store keeps Objects in a bucket of Amazon S3 or of a server that speaks its protocol.
package s3store

import (
	"context"
	"errors"
	"iter"
	"log/slog"

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
	Log           *slog.Logger      // nil: none
	Config        func(*aws.Config) // changes the AWS configuration once it is loaded; nil: none
}

// A Store is an objstore.Store in a bucket. Keys are relative to its Location's prefix.
type Store struct {
	at Location
}

var _ objstore.Store = (*Store)(nil)

var errSoon = errors.New("being written")

// Open returns the Store at a Location.
func Open(ctx context.Context, at Location, opt Options) (*Store, error) { return &Store{at}, errSoon }

// Location is where the Store is.
func (s *Store) Location() Location { return s.at }

// HTTPS is the URL under which the Objects are reached over https.
func (s *Store) HTTPS() string { return "" }

// Check asks whether the location can be listed.
func (s *Store) Check(ctx context.Context) error { return errSoon }

// List implements objstore.Reader.
func (s *Store) List(ctx context.Context, r objstore.Range) iter.Seq2[objstore.Object, error] {
	return nil
}

// Get implements objstore.Reader.
func (s *Store) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	return nil, objstore.Object{}, errSoon
}

// Put implements objstore.Store.
func (s *Store) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	return "", errSoon
}

// Delete implements objstore.Store.
func (s *Store) Delete(ctx context.Context, key string) error { return errSoon }

// Sync implements objstore.Store.
func (s *Store) Sync(ctx context.Context) error { return ctx.Err() }
