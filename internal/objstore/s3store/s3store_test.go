package s3store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
)

func TestParseURL(t *testing.T) {
	for raw, want := range map[string]Location{
		"s3://bucket":                   {"bucket", ""},
		"s3://bucket/":                  {"bucket", ""},
		"S3://my.bucket-1/a":            {"my.bucket-1", "a/"},
		"s3://bucket/a/b/":              {"bucket", "a/b/"},
		"s3://bucket/a//b":              {"bucket", "a//b/"},
		"s3://bucket/a b+c?d#e":         {"bucket", "a b+c?d#e/"},
		"s3://bucket/100%25/%C3%A9/%2F": {"bucket", "100%/é//"},
		"s3://bucket/../x":              {"bucket", "../x/"},
		"s3://a-key-s3alias/x":          {"a-key-s3alias", "x/"},
	} {
		got, err := ParseURL(raw)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", raw, got, err, want)
			continue
		}
		if again, err := ParseURL(got.URL()); err != nil || again != got {
			t.Errorf("%s: its URL %s is read as %+v, %v", raw, got.URL(), again, err)
		}
	}
	for raw, why := range map[string]string{
		"": "not an s3://", "bucket": "not an s3://", "https://bucket": "not an s3://", "s3:/bucket": "not an s3://",
		"s3://": "no bucket", "s3:///a": "no bucket", "s3://b": "no bucket name", "s3://a_/x": "no bucket name",
		"s3://buck et/x": "no bucket name", "s3://a..b": "no bucket name", "s3://192.168.0.1/x": "AWS_ENDPOINT_URL",
		"s3://arn:aws:s3:eu-west-1:1:accesspoint/x": "ARN", "s3://x--use1-az4--x-s3/a": "directory bucket",
		"s3://bucket/100%": "%25", "s3://bucket/%zz": "%25", "s3://bucket//a": "leading slash", "s3://bucket/%ff": "UTF-8",
		"s3://bucket/" + strings.Repeat("a", 1024): "1024",
	} {
		if got, err := ParseURL(raw); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: got %+v, %v, want an error with %q", raw, got, err, why)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("s3://bucket/a b/%25/é")
	f.Fuzz(func(t *testing.T, raw string) {
		at, err := ParseURL(raw)
		if err != nil {
			return
		}
		if at.Prefix != "" && !strings.HasSuffix(at.Prefix, "/") {
			t.Errorf("prefix %q", at.Prefix)
		}
		if again, err := ParseURL(at.URL()); err != nil || again != at {
			t.Errorf("%q: its URL %q is read as %+v, %v, want %+v", raw, at.URL(), again, err, at)
		}
	})
}

// isolate keeps the configuration of whoever runs the tests out.
func isolate(t *testing.T) {
	s3test.New(t).Setenv(t)
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(name, "")
	}
}

func TestHTTPS(t *testing.T) {
	isolate(t)
	for _, c := range []struct{ url, region, endpoint, want string }{
		{"s3://bucket", "eu-west-3", "", "https://bucket.s3.eu-west-3.amazonaws.com"},
		{"s3://bucket/a b/é", "us-east-1", "", "https://bucket.s3.us-east-1.amazonaws.com/a%20b/%C3%A9"},
		{"s3://my.bucket/a", "eu-west-3", "", "https://s3.eu-west-3.amazonaws.com/my.bucket/a"},
		{"s3://bucket/a", "cn-north-1", "", "https://bucket.s3.cn-north-1.amazonaws.com.cn/a"},
		{"s3://bucket/a", "", "http://127.0.0.1:9000", "http://127.0.0.1:9000/bucket/a"},
		{"s3://bucket/a", "auto", "https://account.example.com/base/", "https://account.example.com/base/bucket/a"},
		{"s3://bucket", "auto", "https://account.example.com", "https://account.example.com/bucket"},
	} {
		at, err := ParseURL(c.url)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("AWS_REGION", c.region)
		t.Setenv("AWS_ENDPOINT_URL_S3", c.endpoint)
		s, err := Open(t.Context(), at, Options{Anonymous: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.HTTPS(); got != c.want {
			t.Errorf("%s in %s of %q: got %s, want %s", c.url, c.region, c.endpoint, got, c.want)
		}
	}
}

// TestEnvironment opens by the environment alone, as the command line does.
func TestEnvironment(t *testing.T) {
	srv := s3test.New(t)
	srv.Setenv(t)
	srv.CreateBucket("bucket").Set(s3test.Object{Key: "x/a", Body: []byte("body")})
	srv.Demand(s3test.Demand{Signed: true, Region: "us-east-1"})
	s, err := Open(t.Context(), Location{"bucket", "x/"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _, err := s.Get(t.Context(), "a", 0, -1, ""); err != nil || string(got) != "body" {
		t.Errorf("%q, %v", got, err)
	}
	if want := srv.URL() + "/bucket/x"; s.HTTPS() != want {
		t.Errorf("got %s, want %s", s.HTTPS(), want)
	}
}

// TestAnonymous asks nobody for credentials, the instance's metadata service least of all.
func TestAnonymous(t *testing.T) {
	srv := s3test.New(t)
	srv.Setenv(t)
	var asked atomic.Int32
	imds := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer imds.Close()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.URL,
	} {
		t.Setenv(name, value)
	}
	srv.CreateBucket("bucket").Set(s3test.Object{Key: "a"})
	srv.Demand(s3test.Demand{Unsigned: true, RequesterPays: true})
	s, err := Open(t.Context(), Location{Bucket: "bucket"}, Options{Anonymous: true, RequesterPays: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Get(t.Context(), "a", 0, -1, ""); err != nil {
		t.Error(err)
	}
	if keys := listKeys(t, s, objstore.Range{}); len(keys) != 1 {
		t.Errorf("listed %q", keys)
	}
	if asked.Load() != 0 {
		t.Errorf("the metadata service was asked %d times", asked.Load())
	}
	// Who wants to sign does ask, and is told what to do.
	s, err = Open(t.Context(), Location{Bucket: "bucket"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Get(t.Context(), "a", 0, -1, "")
	if !errors.Is(err, objstore.ErrCredentials) || errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "--no-sign-request") {
		t.Errorf("without credentials: %v", err)
	}
}

// TestRegion is opened for the wrong one, and finds the right one once.
func TestRegion(t *testing.T) {
	srv := s3test.New(t)
	srv.CreateBucket("bucket").Set(s3test.Object{Key: "a"})
	srv.Demand(s3test.Demand{Region: "eu-west-3"})
	s := open(t, srv, "s3://bucket")
	for range 3 {
		if _, _, err := s.Get(t.Context(), "a", 0, -1, ""); err != nil {
			t.Fatal(err)
		}
	}
	if n := srv.Stats(s3test.Any).Requests; n != 4 {
		t.Errorf("%d requests for three reads, want one more", n)
	}
	s = open(t, srv, "s3://bucket")
	if err := s.client.findRegion(t.Context()); err != nil || s.client.place.Load().region != "eu-west-3" {
		t.Errorf("found %q, %v", s.client.place.Load().region, err)
	}
}

func TestCheck(t *testing.T) {
	srv := s3test.New(t)
	b := srv.CreateBucket("bucket")
	b.Generate(100_000, func(i int) s3test.Object { return s3test.Object{Key: fmt.Sprintf("%09d", i)} })
	s := open(t, srv, "s3://bucket/x")
	if err := s.Check(t.Context()); err != nil || srv.Stats(s3test.Any).Requests != 1 {
		t.Errorf("%v, %d requests", err, srv.Stats(s3test.Any).Requests)
	}
	anonymous := func(o *Options) { o.Anonymous = true }
	for _, c := range []struct {
		name   string
		change []func(*Options)
		url    string
		fault  s3test.Fault
		is     error
		says   string
	}{
		{"no bucket", nil, "s3://elsewhere", s3test.Fault{}, objstore.ErrNoStore, `no bucket "elsewhere"`},
		{"denied", nil, "s3://bucket", s3test.Fault{Status: 403, Code: "AccessDenied"}, fs.ErrPermission, "s3:ListBucket"},
		{"denied to all", []func(*Options){anonymous}, "s3://bucket", s3test.Fault{Status: 403, Code: "AccessDenied"},
			fs.ErrPermission, "leave out --no-sign-request"},
		{"expired", nil, "s3://bucket", s3test.Fault{Status: 400, Code: "ExpiredToken"}, objstore.ErrCredentials, "sign in again"},
		{"elsewhere", nil, "s3://bucket", s3test.Fault{Status: 301, Code: "PermanentRedirect"}, nil, "AWS_REGION"},
		{"busy", nil, "s3://bucket", s3test.Fault{Status: 503, Code: "SlowDown"}, nil, "try again later"},
		{"no S3", nil, "s3://bucket", s3test.Fault{Status: 404, Code: "Huh"}, nil, "as S3 does"},
		{"reset", nil, "s3://bucket", s3test.Fault{Reset: true}, nil, "AWS_ENDPOINT_URL"},
	} {
		srv.Reset()
		if c.fault != (s3test.Fault{}) {
			srv.Fault(s3test.Match{}, c.fault)
		}
		err := open(t, srv, c.url, c.change...).Check(t.Context())
		if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v and %q", c.name, err, c.is, c.says)
		}
	}
	gone := s3test.New(t)
	s = open(t, gone, "s3://bucket")
	s.client.patience = patience
	gone.Close()
	if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "no connection") {
		t.Errorf("nobody there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// TestNoKey leaves out what has no key of the port.
func TestNoKey(t *testing.T) {
	srv := s3test.New(t)
	b := srv.CreateBucket("bucket")
	for _, key := range []string{"x/", "x//y", "x/a", "x/b/", "y", "/z"} {
		b.Set(s3test.Object{Key: key, Class: "STANDARD_IA"})
	}
	for url, want := range map[string]string{"s3://bucket": "x/ x//y x/a x/b/ y", "s3://bucket/x": "a b/", "s3://bucket/x/b": ""} {
		if got := strings.Join(listKeys(t, open(t, srv, url), objstore.Range{}), " "); got != want {
			t.Errorf("%s: listed %q, want %q", url, got, want)
		}
	}
	s := open(t, srv, "s3://bucket/x")
	for o := range s.List(t.Context(), objstore.Range{}) {
		_, read, err := s.Get(t.Context(), o.Key, 0, -1, "")
		if err != nil || read != o || read.Class != "STANDARD_IA" {
			t.Errorf("listed %+v, read %+v, %v", o, read, err)
		}
	}
}

func TestLongestKeys(t *testing.T) {
	srv := s3test.New(t)
	srv.CreateBucket("bucket")
	s := open(t, srv, "s3://bucket/"+strings.Repeat("p", 500))
	long := strings.Repeat("é", 261) + "x" // and 501 bytes of prefix
	if _, err := s.Put(t.Context(), long, nil, objstore.PutOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := s.Put(t.Context(), long+"x", nil, objstore.PutOptions{}); !errors.Is(err, objstore.ErrKey) {
		t.Errorf("got %v, want ErrKey", err)
	}
	for start, want := range map[string]int{long: 1, long + "\x00": 0, long[:20]: 1, long + "more": 0, "\xff": 0, "é\xc3": 1, "é\xc4": 0, "e": 1} {
		if got := listKeys(t, s, objstore.Range{Start: start}); len(got) != want {
			t.Errorf("from %.20q: %d keys, want %d", start, len(got), want)
		}
	}
}
