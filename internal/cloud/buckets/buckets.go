// Package buckets opens the Source and the Catalog for functions on AWS. Opening makes no request.
package buckets

import (
	"context"
	"path"

	"github.com/cairn-stac/cairn/internal/cloud"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore/s3store"
)

// catalogRequests is how many requests to the Catalog's bucket are made at once.
const catalogRequests = 16

// Catalog opens the Catalog's bucket.
func Catalog(ctx context.Context, e *cloud.Env) (*s3store.Store, error) {
	return s3store.Open(ctx, e.Catalog, s3store.Options{Parallel: catalogRequests, Log: e.Log})
}

// Source opens the Source's bucket, and tells how the Source is called in Items. The region in its URL may be wrong until the
// first answer.
func Source(ctx context.Context, e *cloud.Env) (*s3store.Store, item.Source, error) {
	s, err := s3store.Open(ctx, e.Source, s3store.Options{Parallel: e.Reads, RequesterPays: e.RequesterPays, Log: e.Log})
	if err != nil {
		return nil, item.Source{}, err
	}
	about := item.Source{URL: e.Source.URL(), Name: e.Source.Bucket, HTTPS: s.HTTPS()}
	if e.Source.Prefix != "" {
		about.Name = path.Base(e.Source.Prefix)
	}
	return s, about, nil
}
