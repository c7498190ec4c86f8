package refresh_test

import (
	"context"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore/s3store"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// newBucketRig is a rig of two buckets of one S3 server.
func newBucketRig(t *testing.T) (*rig, *s3test.Server) {
	t.Helper()
	server := s3test.New(t)
	open := func(bucket string) *s3store.Store {
		server.CreateBucket(bucket)
		s, err := s3store.Open(t.Context(), s3store.Location{Bucket: bucket}, s3store.Options{Parallel: 8, Config: server.Config})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return newRigOver(t, open("source"), open("catalog")), server
}

// bucketFaults are what a bucket that works again in a moment does.
var bucketFaults = map[string]s3test.Fault{
	"slow down":         {Status: http.StatusServiceUnavailable, Code: "SlowDown"},
	"internal error":    {Status: http.StatusInternalServerError, Code: "InternalError"},
	"reset":             {Reset: true},
	"reply lost":        {Reset: true, Applied: true},
	"error but applied": {Status: http.StatusInternalServerError, Code: "InternalError", Applied: true},
	"truncated":         {Truncate: 7},
}

// TestBucketFaultAtEveryRequest lets each request of a Run go wrong once, in each way. The Run succeeds all the same, and says
// just what one without faults says.
func TestBucketFaultAtEveryRequest(t *testing.T) {
	for i, name := range keysOf(bucketFaults) {
		fault := bucketFaults[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step, first := 8, i+1 // a different one of eight for each fault; all of them with CAIRN_TEST_EVERY_REQUEST
			if os.Getenv("CAIRN_TEST_EVERY_REQUEST") != "" {
				step, first = 1, 1
			}
			for n := first; ; n += step {
				r, server := newBucketRig(t)
				r.survey(2)
				r.refresh(incremental)
				r.put("a/r00.tif", raster(90))
				r.put("b/new.tif", raster(91))
				r.remove("c/r01.tif")
				want := keysAndLines(r.expected())
				server.Reset()
				fired := server.Fault(s3test.Match{Nth: n}, fault)
				run, opened := r.refresh(incremental)
				if c := run.Counts; c.Added != 1 || c.Updated != 1 || c.Removed != 1 || c.Vanished != 0 || c.Rejects != 1 {
					t.Fatalf("request %d: %s", n, show(c))
				}
				if len(opened) != 2 {
					t.Fatalf("request %d: opened %v", n, opened)
				}
				if got := keysAndLines(r.published()); !slices.Equal(got, want) {
					t.Fatalf("request %d: published %v\nwant %v", n, got, want)
				}
				if c := r.control(); c.Lease != nil || c.Last.ID != run.ID || c.Last.State != refresh.Successful {
					t.Fatalf("request %d: control record %s", n, show(c))
				}
				r.checkTree()
				if fired() == 0 {
					if n < 20 {
						t.Fatalf("a run made only %d requests", n)
					}
					return
				}
			}
		})
	}
}

// TestBucketThatStaysBroken: a Run over a bucket that cannot be used fails and says why, readers keep what they have, and the next
// Run with a bucket that works makes it right.
func TestBucketThatStaysBroken(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		break_     func(r *rig, server *s3test.Server)
		code, says string
	}{
		"listing is denied": {
			func(_ *rig, s *s3test.Server) {
				s.Fault(s3test.Match{Op: s3test.List}, s3test.Fault{Status: http.StatusForbidden, Code: "AccessDenied"})
			}, "source_unavailable", ""},
		"token has expired": {
			func(_ *rig, s *s3test.Server) {
				s.Fault(s3test.Match{Op: s3test.Get, Key: "a/r00.tif"}, s3test.Fault{Status: http.StatusBadRequest, Code: "ExpiredToken"})
			}, "source_unavailable", "expired"},
		"source bucket vanishes while it is read": {
			func(r *rig, s *s3test.Server) {
				s.Fault(s3test.Match{Op: s3test.Get, Key: "a/r00.tif"}, s3test.Fault{Status: http.StatusNotFound, Code: "NoSuchBucket"})
			}, "source_unavailable", "nosuchbucket"},
		"source bucket is gone": {
			func(_ *rig, s *s3test.Server) { s.RemoveBucket("source") }, "source_unavailable", "nosuchbucket"},
	} {
		t.Run(name, func(t *testing.T) {
			r, server := newBucketRig(t)
			r.survey(3)
			r.refresh(incremental)
			before := keysAndLines(r.published())
			r.put("a/r00.tif", raster(90))
			want := keysAndLines(r.expected())
			c.break_(r, server)
			run, err := r.start().run(ctx, incremental)
			if err != nil || run.State != refresh.Failed || run.Error.Code != c.code || !strings.Contains(strings.ToLower(run.Error.Message), c.says) {
				t.Fatalf("run: %+v %+v, %v", run, run.Error, err)
			}
			if got := keysAndLines(r.published()); !slices.Equal(got, before) {
				t.Fatalf("published %v\nwant %v", got, before)
			}
			if name == "source bucket is gone" {
				return
			}
			server.Reset()
			r.refresh(incremental)
			if got := keysAndLines(r.published()); !slices.Equal(got, want) {
				t.Fatalf("published %v\nwant %v", got, want)
			}
		})
	}
}

// TestBucketRejects: denied and archived Objects are Rejects for as long as they are.
func TestBucketRejects(t *testing.T) {
	r, server := newBucketRig(t)
	r.survey(3)
	denied := server.Fault(s3test.Match{Op: s3test.Get, Key: "a/r00.tif"}, s3test.Fault{Status: http.StatusForbidden, Code: "AccessDenied"})
	server.Fault(s3test.Match{Op: s3test.Get, Key: "b/r00.tif"}, s3test.Fault{Status: http.StatusForbidden, Code: "InvalidObjectState"})
	for range 2 {
		run, _ := r.refresh(incremental)
		if c := run.Counts; c.Rejects != 3 || c.Items != 7 {
			t.Fatalf("counts: %s", show(c))
		}
		if codes := run.RejectCodes; codes[item.CodeDenied] != 1 || codes[item.CodeArchived] != 1 {
			t.Errorf("codes: %v", codes)
		}
	}
	if denied() != 2 {
		t.Errorf("the denied object was asked for %d times by two runs", denied())
	}
	server.Reset()
	run, opened := r.refresh(incremental)
	if c := run.Counts; c.Rejects != 1 || c.Items != 9 || !slices.Equal(opened, []string{"a/r00.tif", "b/r00.tif"}) {
		t.Errorf("counts: %s, opened %v", show(c), opened)
	}
}

// TestOddKeys: every key that S3 holds and that can be a raster becomes an Item under an id of its own, and is found unchanged
// by the next Run.
func TestOddKeys(t *testing.T) {
	r, _ := newBucketRig(t)
	keys := []string{
		"plain.tif", "a b/c d.tif", "a+b/c+d.tif", "a%20b/c%2fd.tif", "100%/50%.tif", "ü/日本 語.tif", "q?x=1&y=2.tif", "h#ash/#.tif",
		"..tif", "./dot.tif", "../up.tif", "a//double.tif", "tab\tnew\nline.tif", "quote\"'<>.tif", "emoji/🛰️.tif", "UPPER/CASE.TIF",
		"long/" + strings.Repeat("é", (1024-5-4)/2) + ".tif",
		"a/" + strings.Repeat("b/", 500) + "deep.tif",
	}
	for i, key := range keys {
		r.put(key, raster(i))
	}
	r.put("folder/", nil) // what consoles make for a folder
	r.put("folder.tif/", nil)
	run, _ := r.refresh(incremental)
	if c := run.Counts; c.Assets != len(keys) || c.Ignored != 2 || c.Items != len(keys) {
		t.Fatalf("counts: %s", show(c))
	}
	if n := len(r.published()); n != len(keys) {
		t.Errorf("%d ids for %d keys", n, len(keys))
	}
	if run, opened := r.refresh(incremental); run.Counts.Unchanged != len(keys) || len(opened) != 0 {
		t.Errorf("second run: %s, opened %v", show(run.Counts), opened)
	}
	for _, key := range keys {
		if run, _ := r.refresh(refresh.Scope{Keys: []string{key}, Mode: refresh.Full}); run.Counts.Scanned < 1 {
			t.Errorf("a run of the key %.60q alone: %s", key, show(run.Counts))
		}
	}
}

// TestTwoLaptopsOnOneBucket: of many starts from two places just one has the Lease.
func TestTwoLaptopsOnOneBucket(t *testing.T) {
	r, _ := newBucketRig(t)
	r.survey(2)
	laptops := []*proc{r.start(), r.start()}
	answers := make(chan refresh.Answer)
	const starts = 40
	for i := range starts {
		go func() {
			ans, err := laptops[i%2].desk.Start(context.Background(), refresh.Request{})
			if err != nil {
				t.Error(err)
			}
			answers <- ans
		}()
	}
	kinds, runs := map[refresh.AnswerKind]int{}, map[string]bool{}
	for range starts {
		ans := <-answers
		kinds[ans.Kind]++
		runs[ans.Run] = true
	}
	if kinds[refresh.Started] != 1 || kinds[refresh.Busy] != starts-1 || len(runs) != 1 {
		t.Errorf("answers %v of runs %v", kinds, runs)
	}
	if c := r.control(); c.Fence != 1 {
		t.Errorf("fence %d", c.Fence)
	}
}
