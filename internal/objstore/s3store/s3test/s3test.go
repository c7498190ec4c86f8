// Package s3test is an S3 server within a test or a benchmark: buckets in memory or made up as they are read, S3's answers
// and errors for what Cairn asks of it, faults on request, and a count of everything. It does not verify signatures. It
// must not be linked into a binary.
//
//	srv := s3test.New(t)
//	srv.CreateBucket("imagery").Set(s3test.Object{Key: "a.tif", Body: body})
//	srv.Setenv(t) // or s3store.Options{Config: srv.Config}
//	srv.Fault(s3test.Match{Op: s3test.Get, Key: "a.tif", Nth: 1}, s3test.Fault{Status: 503, Code: "SlowDown"})
package s3test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// An Op is a set of operations.
type Op uint8

// The operations.
const (
	Get Op = 1 << iota
	Head
	Put
	Delete
	List
	HeadBucket

	Any Op = 1<<iota - 1
)

// A Demand is what requests must be like; others are refused as S3 does it.
type Demand struct {
	Signed        bool
	Unsigned      bool
	RequesterPays bool
	Region        string // signed for this one; "": any
}

// Stats are counts since the start or the last Reset.
type Stats struct {
	Requests    int   // of the operations asked for
	MostAtOnce  int   // requests that were being answered at the same time, of any operation
	Connections int   // opened
	BytesOut    int64 // in the bodies of answers
}

// A Server is an S3 server. It may be used by many goroutines.
type Server struct {
	http    *httptest.Server
	closing chan struct{}
	closed  sync.Once
	latency atomic.Int64

	mu      sync.Mutex
	buckets map[string]*Bucket
	demand  Demand
	instead http.HandlerFunc
	rules   []*rule

	requests                       [8]atomic.Int64 // by bit of Op
	atOnce, most, connections, out atomic.Int64
}

// New starts a Server, which ends with the test. With a nil t, Close ends it.
func New(t testing.TB) *Server {
	s := &Server{closing: make(chan struct{}), buckets: map[string]*Bucket{}}
	s.http = httptest.NewUnstartedServer(s)
	s.http.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.http.Start()
	if t != nil {
		t.Cleanup(s.Close)
	}
	return s
}

// Close ends the Server. Nobody answers at its URL from then on.
func (s *Server) Close() {
	s.closed.Do(func() {
		close(s.closing)
		s.http.CloseClientConnections()
		s.http.Close()
	})
}

// URL is its endpoint.
func (s *Server) URL() string { return s.http.URL }

const region, accessKey, secretKey = "us-east-1", "s3test", "secret"

// Setenv sets the AWS_* environment of a test such that the standard configuration finds the Server and nothing else.
func (s *Server) Setenv(t testing.TB) {
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": s.URL(), "AWS_ENDPOINT_URL_S3": "", "AWS_REGION": region, "AWS_DEFAULT_REGION": "",
		"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

// Config points a configuration to the Server.
func (s *Server) Config(cfg *aws.Config) {
	cfg.ConfigSources = nil // an endpoint of the environment would come first
	cfg.BaseEndpoint = aws.String(s.URL())
	cfg.Region = region
	if !aws.IsCredentialsProvider(cfg.Credentials, aws.AnonymousCredentials{}) {
		cfg.Credentials = credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")
	}
}

// CreateBucket makes a bucket, empty also where there was one.
func (s *Server) CreateBucket(name string) *Bucket {
	b := &Bucket{objects: map[string]Object{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets[name] = b
	return b
}

// RemoveBucket removes it with all that it holds.
func (s *Server) RemoveBucket(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.buckets, name)
}

func (s *Server) bucket(name string) *Bucket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buckets[name]
}

// Demand refuses requests that are not as it says, from now on.
func (s *Server) Demand(d Demand) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.demand = d
}

// Answer has every request answered by h instead, to play a server that is none. A nil h ends it.
func (s *Server) Answer(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instead = h
}

// SetLatency delays every answer.
func (s *Server) SetLatency(d time.Duration) { s.latency.Store(int64(d)) }

// Stats counts the requests of some operations.
func (s *Server) Stats(op Op) Stats {
	stats := Stats{
		MostAtOnce: int(s.most.Load()), Connections: int(s.connections.Load()), BytesOut: s.out.Load(),
	}
	for i := range s.requests {
		if op&(1<<i) != 0 {
			stats.Requests += int(s.requests[i].Load())
		}
	}
	return stats
}

// Reset sets the counts to zero and removes the faults.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
	for i := range s.requests {
		s.requests[i].Store(0)
	}
	s.most.Store(0)
	s.connections.Store(0)
	s.out.Store(0)
}
