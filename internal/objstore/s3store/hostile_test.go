package s3store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
)

// A signed request, and the session's token with it, goes to the bucket's host and nowhere else.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var asked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer elsewhere.Close()
	srv := s3test.New(t)
	srv.CreateBucket("bucket")
	s := open(t, srv, "s3://bucket")
	for _, status := range []int{301, 302, 303, 307, 308} {
		srv.Answer(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, status)
		})
		if body, _, err := s.Get(t.Context(), "a.tif", 0, 10, ""); err == nil {
			t.Errorf("%d: read %q", status, body)
		}
	}
	if asked.Load() > 0 {
		t.Errorf("the other host was asked %d times", asked.Load())
	}
}

// A page that does not tell whether there is more is none: what is behind it must not be taken for deleted.
func TestPageThatDoesNotTellItsEnd(t *testing.T) {
	const contents = `<Contents><Key>a</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>"x"</ETag><Size>1</Size></Contents>`
	for text, ok := range map[string]bool{
		`<IsTruncated>false</IsTruncated>`:                                                   true,
		` <IsTruncated> true </IsTruncated><NextContinuationToken>t</NextContinuationToken>`: true,
		``:                            false,
		`<IsTruncated></IsTruncated>`: false,
		`<IsTruncated>True</IsTruncated><NextContinuationToken>t</NextContinuationToken>`:  false,
		`<IsTruncated>false</IsTruncated><NextContinuationToken>t</NextContinuationToken>`: false,
	} {
		p, err := parsePage([]byte("<ListBucketResult>" + text + contents + "</ListBucketResult>"))
		if (err == nil) != ok || ok && len(p.objects) != 1 {
			t.Errorf("%s: %+v, %v", text, p, err)
		}
	}
	many := strings.Repeat(contents, pageKeys+1)
	if _, err := parsePage([]byte("<ListBucketResult><IsTruncated>false</IsTruncated>" + many + "</ListBucketResult>")); err == nil {
		t.Errorf("a page of %d keys was taken", pageKeys+1)
	}
}

// An Object that grows after its end was asked for is read at its new size.
func TestObjectThatGrowsBehindItsEnd(t *testing.T) {
	srv := s3test.New(t)
	b := srv.CreateBucket("bucket")
	s := open(t, srv, "s3://bucket")
	b.Set(s3test.Object{Key: "a", Body: []byte("short")})
	var requests atomic.Int32
	s.client.http.Transport = transport(func(r *http.Request) (*http.Response, error) {
		if requests.Add(1) == 2 { // for its first byte, after the first request found nothing at the offset
			b.Set(s3test.Object{Key: "a", Body: []byte("short and more")})
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	body, o, err := s.Get(t.Context(), "a", 5, 10, "")
	if err != nil || string(body) != " and more" || o.Size != 14 || requests.Load() != 3 {
		t.Errorf("%q of %+v in %d requests, %v", body, o, requests.Load(), err)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A body that comes slowly is read to its end; one that trickles without one is not waited for.
func TestSlowBodies(t *testing.T) {
	srv := s3test.New(t)
	srv.CreateBucket("bucket")
	s := open(t, srv, "s3://bucket")
	const patience = 200 * time.Millisecond
	s.client.patience, s.client.attempts = patience, 1
	trickle := func(size int) {
		srv.Answer(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"x"`)
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			w.Header().Set("Content-Length", strconv.Itoa(size))
			for range size {
				if _, err := w.Write([]byte{'x'}); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				select {
				case <-time.After(patience / 4):
				case <-r.Context().Done():
					return
				}
			}
		})
	}
	trickle(8) // in all, twice its patience
	if body, _, err := s.Get(t.Context(), "a", 0, -1, ""); err != nil || len(body) != 8 {
		t.Errorf("a slow body: %d bytes, %v", len(body), err)
	}
	trickle(1000)
	if body, _, err := s.Get(t.Context(), "a", 0, -1, ""); !errors.Is(err, errStalled) || !errors.Is(err, objstore.ErrUnreachable) {
		t.Errorf("a body without end: %d bytes, %v; want errStalled", len(body), err)
	}
}

// A clock that is wrong by more than S3 takes is put right by what S3 says the time is.
func TestSkewedClock(t *testing.T) {
	srv := s3test.New(t)
	srv.CreateBucket("bucket")
	s := open(t, srv, "s3://bucket")
	there := time.Now().Add(5 * time.Hour)
	var signed []time.Time
	srv.Answer(func(w http.ResponseWriter, r *http.Request) {
		at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err != nil {
			t.Error(err)
		}
		signed = append(signed, at)
		w.Header().Set("Date", there.UTC().Format(http.TimeFormat))
		if there.Sub(at).Abs() > 15*time.Minute {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<Error><Code>RequestTimeTooSkewed</Code></Error>")
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	for range 2 {
		if err := s.Delete(t.Context(), "a"); err != nil {
			t.Error(err)
		}
	}
	if len(signed) != 3 { // it is learned once
		t.Errorf("signed at %v", signed)
	}
}

// A turn that is given up goes to the next in line, and no success makes more turns than there may be.
func TestLimiterLosesNoTurn(t *testing.T) {
	l := newLimiter(1)
	turn, err := l.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan error, 2)
		go func() {
			turn, err := l.acquire(ctx)
			if err == nil {
				l.release(turn, true, false)
			}
			got <- err
		}()
		next := make(chan int, 1)
		go func() {
			turn, err := l.acquire(t.Context())
			if err != nil {
				t.Error(err)
			}
			next <- turn
		}()
		go cancel()
		l.release(turn, true, false)
		<-got
		turn = <-next // or the test hangs
	}
	if l.bound > l.most || l.inFlight != 1 || l.waiting.Len() != 0 {
		t.Errorf("bound %v of %v, %d in flight, %d waiting", l.bound, l.most, l.inFlight, l.waiting.Len())
	}
}

// What was refused before, for another reason than the condition, is known not to have been written.
func TestRefusedAfterARedirect(t *testing.T) {
	if !refused(&apiError{status: http.StatusMovedPermanently, code: "PermanentRedirect"}) {
		t.Error("a redirect counts as perhaps written")
	}
	for status, want := range map[int]verdict{500: again, 501: final, 502: again, 503: throttled, 505: final, 522: again, 529: again, 404: final} {
		if got := (&apiError{status: status}).verdict(); got != want {
			t.Errorf("status %d: verdict %d; want %d", status, got, want)
		}
	}
	for _, code := range []string{"KMS.ThrottlingException", "KMS.KMSInternalException", "KMS.DependencyTimeoutException"} {
		e := &apiError{status: 400, code: code}
		if e.verdict() == final || errors.Is(e, fs.ErrPermission) {
			t.Errorf("%s would make a Reject of a file that may be read in a moment", code)
		}
	}
	if judge(&tls.CertificateVerificationError{Err: errors.New("x")}) != final {
		t.Error("a wrong certificate is tried again")
	}
	if !refused(&net.OpError{Op: "dial", Err: errors.New("x")}) || refused(&net.OpError{Op: "read", Err: errors.New("x")}) {
		t.Error("a write is known not to have been made just where there was no connection")
	}
	if err := error(fmt.Errorf("x: %w", unreachable{error: errors.New("reset")})); !errors.Is(err, objstore.ErrUnreachable) {
		t.Error("what was tried in vain is not out of reach")
	}
}
