package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"

	"github.com/spf13/pflag"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/dirstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store"
)

// Requests at once to a bucket.
const (
	sourceParallel  = 128 // what hides 50 ms a read
	catalogParallel = 32
)

// bucketOptions say how the bucket that is read is reached: that of the Source, or of the Catalog where a command has no Source.
// A Catalog beside a Source is the user's own, so these do not hold for it.
type bucketOptions struct {
	anonymous, requesterPays bool
	parallel                 int
}

func bucketFlags(f *pflag.FlagSet, o *bucketOptions, what string) {
	f.BoolVar(&o.anonymous, "no-sign-request", false, "read the bucket of "+what+" without credentials, as anybody")
	f.BoolVar(&o.requesterPays, "request-payer", false, "pay for the requests and the traffic, where the bucket of "+what+" asks for that")
	f.IntVar(&o.parallel, "parallel", sourceParallel, "at most `N` requests at once to the bucket of "+what)
}

// check refuses options that are wrong, or that have nothing to be about.
func (o bucketOptions) check(l location) error {
	switch {
	case o.parallel < 1 || o.parallel > 10_000:
		return usagef("--parallel %d: give a number from 1 to 10000", o.parallel)
	case !l.isBucket() && o.anonymous:
		return usagef("--no-sign-request is about a bucket, and %s is a folder", l)
	case !l.isBucket() && o.requesterPays:
		return usagef("--request-payer is about a bucket, and %s is a folder", l)
	}
	return nil
}

func (o bucketOptions) s3(log *slog.Logger) s3store.Options {
	return s3store.Options{Anonymous: o.anonymous, RequesterPays: o.requesterPays, Parallel: o.parallel, Log: log}
}

// openBucket opens a bucket that can be listed.
func openBucket(ctx context.Context, l location, opt s3store.Options) (*s3store.Store, error) {
	s, err := s3store.Open(ctx, l.bucket, opt)
	if err != nil {
		return nil, err
	}
	return s, s.Check(ctx)
}

// openReader opens a location to read it. A folder that is not there is fs.ErrNotExist.
func openReader(ctx context.Context, l location, opt s3store.Options) (objstore.Reader, error) {
	if l.isBucket() {
		return openBucket(ctx, l, opt)
	}
	if _, err := os.Stat(l.folder); err != nil {
		return nil, fmt.Errorf("folder %s: %w", l.folder, plain(err))
	}
	return dirstore.OpenReader(l.folder)
}

// lookAtCatalog opens a Catalog without making anything; in place of a folder that is not there stands one that is empty.
func lookAtCatalog(ctx context.Context, l location, log *slog.Logger) (objstore.Reader, error) {
	r, err := openReader(ctx, l, s3store.Options{Parallel: catalogParallel, Log: log})
	if errors.Is(err, fs.ErrNotExist) {
		return nothing{}, nil
	}
	return r, err
}

// openToLook opens a Catalog that is there, only to read it.
func openToLook(ctx context.Context, arg string, o bucketOptions, log *slog.Logger) (location, objstore.Reader, error) {
	at, err := catalogLocation(arg)
	if err != nil {
		return at, nil, err
	}
	if err := o.check(at); err != nil {
		return at, nil, err
	}
	r, err := openReader(ctx, at, o.s3(log))
	if err == nil {
		return at, r, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return at, nil, fmt.Errorf("catalog %s: there is no such folder; cairn refresh makes one, --catalog gives another", arg)
	}
	return at, nil, fmt.Errorf("catalog %s: %w", at, err)
}

// openCatalog makes the Catalog that was looked at one that can be written to.
func openCatalog(l location, looked objstore.Reader) (objstore.Store, error) {
	if s, ok := looked.(objstore.Store); ok {
		return s, nil
	}
	return dirstore.Open(l.folder)
}

// nothing is a Reader that holds nothing.
type nothing struct{}

func (nothing) List(context.Context, objstore.Range) iter.Seq2[objstore.Object, error] {
	return func(func(objstore.Object, error) bool) {}
}

func (nothing) Get(_ context.Context, key string, _, _ int64, _ string) ([]byte, objstore.Object, error) {
	return nil, objstore.Object{}, fmt.Errorf("get %s: %w", key, fs.ErrNotExist)
}

// readOnly is a Store that nothing can be written to, so that whoever only looks may look at any Catalog.
type readOnly struct{ objstore.Reader }

func (readOnly) Put(_ context.Context, key string, _ []byte, _ objstore.PutOptions) (string, error) {
	return "", fmt.Errorf("put %s: %w", key, fs.ErrPermission)
}

func (readOnly) Delete(_ context.Context, key string) error {
	return fmt.Errorf("delete %s: %w", key, fs.ErrPermission)
}

func (readOnly) Sync(context.Context) error { return nil }
