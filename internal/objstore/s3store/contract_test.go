package s3store

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/objstoretest"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
)

// open opens a Store on a Server. It does not sleep.
func open(t testing.TB, srv *s3test.Server, url string, change ...func(*Options)) *Store {
	t.Helper()
	at, err := ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	opt := Options{Config: srv.Config}
	for _, f := range change {
		f(&opt)
	}
	s, err := Open(t.Context(), at, opt)
	if err != nil {
		t.Fatal(err)
	}
	s.client.sleep = func(ctx context.Context, most time.Duration) error { return ctx.Err() }
	t.Cleanup(s.client.http.CloseIdleConnections)
	return s
}

func TestContract(t *testing.T) {
	srv := s3test.New(t)
	for _, prefix := range []string{"", "/some/pre fix+é"} {
		t.Run("prefix "+prefix, func(t *testing.T) {
			objstoretest.Run(t, func(t *testing.T) objstore.Store {
				srv.CreateBucket("bucket")
				return open(t, srv, "s3://bucket"+prefix)
			})
		})
	}
}

// TestContractElsewhere runs against a server that the AWS_* environment leads to, below s3://bucket/prefix.
func TestContractElsewhere(t *testing.T) {
	url := os.Getenv("CAIRN_S3_TEST_URL")
	if url == "" {
		t.Skip("CAIRN_S3_TEST_URL is not set")
	}
	at, err := ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int32
	started := time.Now().UTC().Format("20060102T150405.000")
	objstoretest.Run(t, func(t *testing.T) objstore.Store {
		at := Location{at.Bucket, fmt.Sprintf("%s%s/%d/", at.Prefix, started, n.Add(1))}
		s, err := Open(t.Context(), at, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			for o, err := range s.List(context.Background(), objstore.Range{}) {
				if err == nil {
					err = s.Delete(context.Background(), o.Key)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
		return s
	})
}
