package s3store

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

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
	// The second request, for its first byte, finds it grown.
	gate := make(chan struct{})
	srv.Fault(s3test.Match{Op: s3test.Get, Nth: 2}, s3test.Fault{Gate: gate})
	type answer struct {
		body string
		o    objstore.Object
		err  error
	}
	got := make(chan answer)
	go func() {
		body, o, err := s.Get(t.Context(), "a", 5, 10, "")
		got <- answer{string(body), o, err}
	}()
	for srv.Stats(s3test.Get).Requests < 1 {
	}
	b.Set(s3test.Object{Key: "a", Body: []byte("short and more")})
	close(gate)
	if a := <-got; a.err != nil || (a.body != " and more" && a.body != "") || a.body == "" && a.o.Size != 5 {
		t.Errorf("%+v", a)
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
	if err := error(fmt.Errorf("x: %w", unreachable{errors.New("reset")})); !errors.Is(err, objstore.ErrUnreachable) {
		t.Error("what was tried in vain is not out of reach")
	}
}
