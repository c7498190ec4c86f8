package s3store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
)

// patience of a test that waits for a stall.
const patience = 60 * time.Millisecond

func TestGetAgain(t *testing.T) {
	srv := s3test.New(t)
	b := srv.CreateBucket("bucket")
	body := []byte(strings.Repeat("0123456789", 500))
	b.Set(s3test.Object{Key: "a.tif", Body: body})
	s := open(t, srv, "s3://bucket")
	s.client.patience = patience
	for name, f := range map[string]s3test.Fault{
		"500": {Status: 500, Code: "InternalError"}, "502": {Status: 502}, "503": {Status: 503, Code: "SlowDown"},
		"503 without a code": {Status: 503}, "504": {Status: 504}, "408": {Status: 408}, "429": {Status: 429},
		"RequestTimeout": {Status: 400, Code: "RequestTimeout"}, "reset": {Reset: true}, "cut short": {Truncate: 100},
		"no answer": {Stall: true}, "stalls": {Stall: true, Truncate: 100}, "307": {Status: 307, Code: "TemporaryRedirect"},
		"clock": {Status: 403, Code: "RequestTimeTooSkewed"},
	} {
		t.Run(name, func(t *testing.T) {
			srv.Reset()
			fired := srv.Fault(s3test.Match{Op: s3test.Get, First: 2}, f)
			got, o, err := s.Get(t.Context(), "a.tif", 1000, 2000, s3test.ETag(body))
			if err != nil || string(got) != string(body[1000:3000]) || o.Size != 5000 {
				t.Fatalf("got %d bytes, %+v, %v", len(got), o, err)
			}
			if fired() != 2 {
				t.Errorf("the fault was met %d times", fired())
			}
		})
	}
	for name, f := range map[string]s3test.Fault{
		"500": {Status: 500, Code: "InternalError"}, "throttled": {Status: 503, Code: "SlowDown"}, "reset": {Reset: true},
		"cut short": {Truncate: 100}, "stalls": {Stall: true, Truncate: 100},
	} {
		t.Run(name+" for ever", func(t *testing.T) {
			srv.Reset()
			srv.Fault(s3test.Match{Op: s3test.Get}, f)
			_, _, err := s.Get(t.Context(), "a.tif", 0, -1, "")
			if err == nil || isAny(err, fs.ErrNotExist, fs.ErrPermission, objstore.ErrPrecondition, objstore.ErrNoStore) {
				t.Errorf("got %v, want an error that says nothing of the Object", err)
			}
			if !errors.Is(err, objstore.ErrUnreachable) || errors.Is(err, objstore.ErrThrottled) != (name == "throttled") {
				t.Errorf("got %v: unreachable %v, throttled %v", err, errors.Is(err, objstore.ErrUnreachable), errors.Is(err, objstore.ErrThrottled))
			}
			if n := srv.Stats(s3test.Get).Requests; n < s.client.attempts {
				t.Errorf("%d requests, want %d", n, s.client.attempts)
			}
		})
	}
}

func isAny(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

func TestErrorsOf(t *testing.T) {
	srv := s3test.New(t)
	b := srv.CreateBucket("bucket")
	b.Set(s3test.Object{Key: "plain"}, s3test.Object{Key: "cold", Class: "GLACIER", Archived: true},
		s3test.Object{Key: "shut", Denied: true})
	s := open(t, srv, "s3://bucket")
	sentinels := []error{fs.ErrNotExist, fs.ErrPermission, objstore.ErrArchived, objstore.ErrNoStore, objstore.ErrCredentials,
		objstore.ErrPrecondition, objstore.ErrKey}
	want := func(t *testing.T, call string, err, target error) {
		t.Helper()
		for _, s := range sentinels {
			if errors.Is(err, s) != (s == target) {
				t.Errorf("%s: %v: is it %q? %v", call, err, s, errors.Is(err, s))
			}
		}
		if err == nil {
			t.Errorf("%s: no error", call)
		}
	}
	get := func(key string) error {
		_, _, err := s.Get(t.Context(), key, 0, 10, "")
		return err
	}
	put := func(key string) error {
		_, err := s.Put(t.Context(), key, nil, objstore.PutOptions{})
		return err
	}
	list := func() (err error) {
		for _, err = range s.List(t.Context(), objstore.Range{}) {
		}
		return err
	}
	want(t, "get missing", get("missing"), fs.ErrNotExist)
	want(t, "get cold", get("cold"), objstore.ErrArchived)
	want(t, "get shut", get("shut"), fs.ErrPermission)
	want(t, "put shut", put("shut"), fs.ErrPermission)
	want(t, "delete shut", s.Delete(t.Context(), "shut"), fs.ErrPermission)
	want(t, "get too long", get(strings.Repeat("x", 1025)), objstore.ErrKey)
	want(t, "put no UTF-8", put("\xff"), objstore.ErrKey)
	for code, f := range map[string]struct {
		status int
		target error
	}{
		"ExpiredToken": {400, objstore.ErrCredentials}, "InvalidAccessKeyId": {403, objstore.ErrCredentials},
		"SignatureDoesNotMatch": {403, objstore.ErrCredentials}, "RequestTimeTooSkewed": {403, objstore.ErrCredentials},
		"InvalidToken": {400, objstore.ErrCredentials}, "AllAccessDisabled": {403, objstore.ErrCredentials},
		"InvalidPayer": {403, objstore.ErrCredentials}, "KMS.DisabledException": {400, fs.ErrPermission},
		"": {403, fs.ErrPermission}, "NoSuchThing": {404, nil}, "InvalidURI": {400, objstore.ErrKey},
		"MalformedXML": {400, nil}, "NoSuchBucket": {404, objstore.ErrNoStore},
	} {
		srv.Reset()
		srv.Fault(s3test.Match{}, s3test.Fault{Status: f.status, Code: code})
		want(t, "get, answered with "+code, get("plain"), f.target)
		want(t, "put, answered with "+code, put("plain"), f.target)
		want(t, "delete, answered with "+code, s.Delete(t.Context(), "plain"), f.target)
		want(t, "list, answered with "+code, list(), f.target)
	}
	// Under a customer's key: to the reader it is denied, to others it says nothing.
	srv.Reset()
	srv.Fault(s3test.Match{}, s3test.Fault{Status: 400, Code: "InvalidRequest"})
	want(t, "get under SSE-C", get("plain"), fs.ErrPermission)
	want(t, "put, answered with InvalidRequest", put("plain"), nil)
	want(t, "list, answered with InvalidRequest", list(), nil)
	srv.Reset()
	srv.RemoveBucket("bucket") // while in use
	want(t, "get without a bucket", get("plain"), objstore.ErrNoStore)
	want(t, "put without a bucket", put("plain"), objstore.ErrNoStore)
	want(t, "delete without a bucket", s.Delete(t.Context(), "plain"), objstore.ErrNoStore)
	want(t, "list without a bucket", list(), objstore.ErrNoStore)
	_, err := s.Put(t.Context(), "plain", nil, objstore.PutOptions{IfMatch: "etag"})
	want(t, "conditional put without a bucket", err, objstore.ErrNoStore)
}

func TestGetHoldsTheETag(t *testing.T) {
	srv := s3test.New(t)
	srv.CreateBucket("bucket").Set(s3test.Object{Key: "a", Body: []byte("body")})
	s := open(t, srv, "s3://bucket")
	for header, want := range map[string]string{`"other"`: "other", `W/"weak"`: "weak", "bare": "bare"} {
		srv.Reset()
		srv.Fault(s3test.Match{}, s3test.Fault{ETag: header})
		if _, o, err := s.Get(t.Context(), "a", 0, -1, ""); err != nil || o.ETag != want {
			t.Errorf("%s: %+v, %v", header, o, err)
		}
		for _, n := range []int64{0, 2, -1} {
			if _, _, err := s.Get(t.Context(), "a", 0, n, s3test.ETag([]byte("body"))); !errors.Is(err, objstore.ErrPrecondition) {
				t.Errorf("%s in spite of If-Match: %v, want ErrPrecondition", header, err)
			}
		}
	}
	if n := srv.Stats(s3test.Get).Requests; n != 4 {
		t.Errorf("%d requests, want 4: such an answer is final", n)
	}
}

// TestGetAsksOnce counts requests and bytes.
func TestGetAsksOnce(t *testing.T) {
	srv := s3test.New(t)
	srv.CreateBucket("bucket").Set(s3test.Object{Key: "a", Body: make([]byte, 5000)}, s3test.Object{Key: "empty"})
	s := open(t, srv, "s3://bucket")
	for _, c := range []struct {
		key      string
		off, n   int64
		requests int
		bytes    int64
	}{
		{"a", 0, 1000, 1, 1000}, {"a", 4000, 9000, 1, 1000}, {"a", 0, -1, 1, 5000}, {"a", 100, -1, 1, 4900}, {"a", 0, 0, 1, 1},
		{"a", 5000, 10, 2, 0}, {"empty", 0, -1, 1, 0}, {"empty", 0, 0, 2, 0}, {"empty", 0, 10, 2, 0}, {"empty", 10, 10, 2, 0},
	} {
		srv.Reset()
		if _, _, err := s.Get(t.Context(), c.key, c.off, c.n, ""); err != nil {
			t.Error(err)
		}
		stats := srv.Stats(s3test.Any)
		const problem = 300 // bytes of a 416, at most
		if stats.Requests != c.requests || stats.BytesOut < c.bytes || stats.BytesOut > c.bytes+int64(c.requests-1)*problem {
			t.Errorf("get %s %d %d: %d requests for %d bytes, want %d for %d", c.key, c.off, c.n, stats.Requests,
				stats.BytesOut, c.requests, c.bytes)
		}
	}
}

// TestPutLostReply loses the answer of each kind of Put in each way, before and after it was carried out.
func TestPutLostReply(t *testing.T) {
	srv := s3test.New(t)
	old, body := []byte("old"), []byte("new")
	for kind, opt := range map[string]objstore.PutOptions{
		"plain": {}, "if absent": {IfAbsent: true}, "if match": {IfMatch: s3test.ETag(old)},
	} {
		for way, f := range map[string]s3test.Fault{
			"reset": {Reset: true}, "500": {Status: 500, Code: "InternalError"}, "503": {Status: 503, Code: "SlowDown"},
			"no answer": {Stall: true}, "timeout": {Status: 400, Code: "RequestTimeout"},
		} {
			for _, applied := range []bool{false, true} {
				for _, lost := range []int{1, 2} {
					t.Run(fmt.Sprintf("%s/%s/applied %v/%d times", kind, way, applied, lost), func(t *testing.T) {
						b := srv.CreateBucket("bucket")
						if opt.IfMatch != "" {
							b.Set(s3test.Object{Key: "k", Body: old})
						}
						s := open(t, srv, "s3://bucket")
						s.client.patience = patience
						srv.Reset()
						f.Applied = applied
						srv.Fault(s3test.Match{Op: s3test.Put, First: lost}, f)
						etag, err := s.Put(t.Context(), "k", body, opt)
						if err != nil || etag != s3test.ETag(body) {
							t.Fatalf("got %q, %v", etag, err)
						}
						if o, _ := b.Get("k"); string(o.Body) != "new" {
							t.Errorf("the bucket holds %q", o.Body)
						}
						if n := srv.Stats(s3test.Head).Requests; (n == 1) != (applied && kind != "plain") {
							t.Errorf("%d looks at what was written", n)
						}
					})
				}
			}
		}
	}
}

// TestPutUnknown has another writer come between a lost reply and the next attempt.
func TestPutUnknown(t *testing.T) {
	srv := s3test.New(t)
	old := []byte("old")
	for kind, opt := range map[string]objstore.PutOptions{"if absent": {IfAbsent: true}, "if match": {IfMatch: s3test.ETag(old)}} {
		for name, meanwhile := range map[string]func(b *s3test.Bucket){
			"overwritten": func(b *s3test.Bucket) { b.Set(s3test.Object{Key: "k", Body: []byte("theirs")}) },
			"denied":      func(b *s3test.Bucket) { b.Set(s3test.Object{Key: "k", Denied: true}) },
			"deleted":     func(b *s3test.Bucket) { b.Delete("k") },
		} {
			if kind == "if absent" && name == "deleted" {
				continue // it is written again, rightly
			}
			t.Run(kind+"/"+name, func(t *testing.T) {
				b := srv.CreateBucket("bucket")
				if opt.IfMatch != "" {
					b.Set(s3test.Object{Key: "k", Body: old})
				}
				s := open(t, srv, "s3://bucket")
				srv.Reset()
				srv.Fault(s3test.Match{Op: s3test.Put, Nth: 1}, s3test.Fault{Reset: true, Applied: true})
				s.client.sleep = func(context.Context, time.Duration) error { meanwhile(b); return nil }
				_, err := s.Put(t.Context(), "k", []byte("mine"), opt)
				if err == nil || isAny(err, objstore.ErrPrecondition, fs.ErrPermission, objstore.ErrKey, fs.ErrNotExist) {
					t.Errorf("got %v, want an error that leaves it open", err)
				}
			})
		}
	}
	// A refusal that follows only refusals is one.
	srv.CreateBucket("bucket").Set(s3test.Object{Key: "k", Body: old})
	s := open(t, srv, "s3://bucket")
	srv.Reset()
	srv.Fault(s3test.Match{Op: s3test.Put, First: 3}, s3test.Fault{Status: 409, Code: "ConditionalRequestConflict"})
	if _, err := s.Put(t.Context(), "k", nil, objstore.PutOptions{IfAbsent: true}); !errors.Is(err, objstore.ErrPrecondition) {
		t.Errorf("got %v, want ErrPrecondition", err)
	}
	if n := srv.Stats(s3test.Head).Requests; n != 0 {
		t.Errorf("%d looks at what was written, want none", n)
	}
}

func TestPutConflict(t *testing.T) {
	srv := s3test.New(t)
	srv.CreateBucket("bucket")
	s := open(t, srv, "s3://bucket")
	fired := srv.Fault(s3test.Match{Op: s3test.Put, First: 3}, s3test.Fault{Status: 409, Code: "ConditionalRequestConflict"})
	if _, err := s.Put(t.Context(), "k", nil, objstore.PutOptions{IfAbsent: true}); err != nil || fired() != 3 {
		t.Errorf("after %d conflicts: %v", fired(), err)
	}
}

func TestPutOneWins(t *testing.T) {
	srv := s3test.New(t)
	b := srv.CreateBucket("bucket")
	s := open(t, srv, "s3://bucket")
	for _, opt := range []objstore.PutOptions{{IfAbsent: true}, {IfMatch: s3test.ETag([]byte("start"))}} {
		if opt.IfMatch != "" {
			b.Set(s3test.Object{Key: "k", Body: []byte("start")})
		}
		srv.Fault(s3test.Match{Op: s3test.Put, First: 40}, s3test.Fault{Reset: true})
		var wg sync.WaitGroup
		var won, lost atomic.Int32
		for i := range 200 {
			wg.Go(func() {
				switch _, err := s.Put(t.Context(), "k", fmt.Append(nil, i), opt); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, objstore.ErrPrecondition):
					lost.Add(1) // its first attempt may have been the winner's, for all it knows
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() > 40 {
			t.Errorf("%+v: %d won, %d do not know", opt, won.Load(), lost.Load())
		}
	}
}

func TestCancelEndsWaits(t *testing.T) {
	srv := s3test.New(t)
	srv.CreateBucket("bucket")
	s := open(t, srv, "s3://bucket")
	ctx, cancel := context.WithCancel(t.Context())
	s.client.sleep = func(ctx context.Context, _ time.Duration) error {
		cancel()
		return sleep(ctx, time.Hour)
	}
	srv.Fault(s3test.Match{}, s3test.Fault{Status: 503, Code: "SlowDown"})
	if _, _, err := s.Get(ctx, "a", 0, -1, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("while it waits: %v", err)
	}
	srv.Reset()
	srv.Fault(s3test.Match{}, s3test.Fault{Stall: true})
	ctx, cancel = context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := s.Put(ctx, "a", make([]byte, 1<<20), objstore.PutOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while there is no answer: %v", err)
	}
}

func TestLimiter(t *testing.T) {
	l := newLimiter(64)
	turns := make([]int, 64)
	for i := range turns {
		turns[i], _ = l.acquire(t.Context())
	}
	for _, turn := range turns {
		l.release(turn, false, true)
	}
	if l.bound != 32 {
		t.Errorf("the bound is %v after one round that was throttled, want 32", l.bound)
	}
	for range 10 {
		turn, _ := l.acquire(t.Context())
		l.release(turn, false, true)
	}
	if l.bound != 1 {
		t.Errorf("the bound is %v, want 1 at the least", l.bound)
	}
	for range 40 {
		turn, _ := l.acquire(t.Context())
		l.release(turn, true, false)
	}
	if l.bound < 7 || l.bound > 10 {
		t.Errorf("the bound is %v after 40 successes, want about √(2×40)", l.bound)
	}
	// Who gives up waiting leaves the turn to others.
	for range int(l.bound) {
		_, _ = l.acquire(t.Context())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.acquire(ctx); !errors.Is(err, context.Canceled) || l.waiting.Len() != 0 {
		t.Errorf("%v, %d wait", err, l.waiting.Len())
	}
}

// TestThrottled reads from a server that asks everybody to slow down at first. Nothing is lost, and fewer ask at once.
func TestThrottled(t *testing.T) {
	srv := s3test.New(t)
	srv.CreateBucket("bucket").Set(s3test.Object{Key: "a"})
	s := open(t, srv, "s3://bucket")
	srv.Fault(s3test.Match{First: 100}, s3test.Fault{Status: 503, Code: "SlowDown"})
	var wg sync.WaitGroup
	for range 128 {
		wg.Go(func() {
			if _, _, err := s.Get(t.Context(), "a", 0, -1, ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s.client.limit.bound > 66 { // half, and what 128 successes add
		t.Errorf("the bound is %v", s.client.limit.bound)
	}
}

// TestConnections reads as a scan does: each Object once, by a pool of connections no larger than asked for.
func TestConnections(t *testing.T) {
	const objects, parallel = 4000, 128
	srv := s3test.New(t)
	body := make([]byte, 1000)
	srv.CreateBucket("bucket").Generate(objects, func(i int) s3test.Object {
		return s3test.Object{Key: fmt.Sprintf("%06d.tif", i), Body: body}
	})
	srv.SetLatency(time.Millisecond)
	s := open(t, srv, "s3://bucket")
	var wg sync.WaitGroup
	var next atomic.Int64
	for range 2 * parallel {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < objects; i = next.Add(1) - 1 {
				if _, _, err := s.Get(t.Context(), fmt.Sprintf("%06d.tif", i), 0, 500, ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	stats := srv.Stats(s3test.Any)
	if stats.Requests != objects || stats.Connections > parallel*11/10 || stats.MostAtOnce > parallel {
		t.Errorf("%+v, want %d requests, at most %d connections and %d at once", stats, objects, parallel*11/10, parallel)
	}
}

// TestBrokenServers gives answers that S3 does not give.
func TestBrokenServers(t *testing.T) {
	srv := s3test.New(t)
	srv.CreateBucket("bucket")
	s := open(t, srv, "s3://bucket")
	ok := func() http.Header {
		return http.Header{"Etag": {`"e"`}, "Last-Modified": {"Mon, 01 Jan 2024 00:00:00 GMT"}}
	}
	for name, answer := range map[string]func(w http.ResponseWriter){
		"no ETag":       func(w http.ResponseWriter) { w.Header().Del("ETag") },
		"no time":       func(w http.ResponseWriter) { w.Header().Del("Last-Modified") },
		"another range": func(w http.ResponseWriter) { w.Header().Set("Content-Range", "bytes 0-9/100"); w.WriteHeader(206) },
		"odd range":     func(w http.ResponseWriter) { w.Header().Set("Content-Range", "bytes 9-5/100"); w.WriteHeader(206) },
		"huge range": func(w http.ResponseWriter) {
			w.Header().Set("Content-Range", "bytes 5-9/99999999999999999999")
			w.WriteHeader(206)
		},
		"no range at all":  func(w http.ResponseWriter) { w.Header().Set("Content-Length", "100") },
		"unknown length":   func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
		"nothing, and 204": func(w http.ResponseWriter) { w.WriteHeader(204) },
	} {
		srv.Answer(func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range ok() {
				w.Header()[name] = values
			}
			answer(w)
		})
		if got, o, err := s.Get(t.Context(), "a", 5, 5, ""); err == nil {
			t.Errorf("%s: got %q, %+v, want an error", name, got, o)
		}
	}
	for name, text := range map[string]string{
		"HTML":         "<html><body>Welcome</body></html>",
		"nothing":      "",
		"cut short":    "<ListBucketResult><IsTruncated>true</IsTruncated>",
		"out of order": "<ListBucketResult>" + contents("b") + contents("a") + "</ListBucketResult>",
		"twice":        "<ListBucketResult>" + contents("a") + contents("a") + "</ListBucketResult>",
		"lost":         "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
		"in a circle":  "<ListBucketResult><IsTruncated>true</IsTruncated>" + contents("a") + "</ListBucketResult>",
		"blank":        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>",
		"no ETag":      "<ListBucketResult><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>",
	} {
		srv.Answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
		var err error
		for _, err = range s.List(t.Context(), objstore.Range{}) {
		}
		if err == nil {
			t.Errorf("%s: is listed without an error", name)
		}
	}
}

func contents(key string) string {
	return "<Contents><Key>" + key + "</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>" +
		"<Size>1</Size><StorageClass>STANDARD</StorageClass></Contents>"
}
