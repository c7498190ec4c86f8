// Package s3test is an S3 server in the process of a test.
package s3test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
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

// An Object is what a bucket holds.
type Object struct {
	Key      string
	Body     []byte
	Size     int64     // where Body is nil: that many zeros
	ETag     string    // "": the MD5 of the body
	Modified time.Time // zero: now
	Class    string    // storage class; "": STANDARD
	Archived bool      // to be restored before it is read
	Denied   bool      // listed, but nothing else is allowed
}

// A Match picks requests. Its zero value picks all of them.
type Match struct {
	Op  Op     // any of these; 0: every one
	Key string // just this key; "": every one
	Nth int    // only the nth that matches, from 1, counted since it was set; 0: every one
}

// A Fault is what becomes of a request.
type Fault struct {
	Status   int    // answered without doing anything, with Code
	Code     string // S3's error code
	Reset    bool   // the connection is cut instead of an answer
	Applied  bool   // first the request is carried out
	Truncate int    // the body is cut after so many bytes, and the connection with it; with Stall it just stops
	Stall    bool   // no answer until the client goes away
	ETag     string // the answer has this one, whatever the Object's
}

// A Server is an S3 server.
type Server struct{}

// New starts a Server, which ends with the test. With a nil t, Close ends it.
func New(t testing.TB) *Server { return &Server{} }

// Close ends the Server.
func (s *Server) Close() {}

// URL is its endpoint.
func (s *Server) URL() string { return "" }

// Setenv sets the AWS_* environment of a test such that the standard configuration finds the Server.
func (s *Server) Setenv(t testing.TB) {}

// Config points a configuration to the Server.
func (s *Server) Config(cfg *aws.Config) {}

// A Bucket is one of the Server's.
type Bucket struct{}

// CreateBucket makes a bucket, empty also where there was one.
func (s *Server) CreateBucket(name string) *Bucket { return &Bucket{} }

// RemoveBucket removes it with all that it holds.
func (s *Server) RemoveBucket(name string) {}

// Set stores Objects, over those that have their keys.
func (b *Bucket) Set(objects ...Object) {}

// Delete removes Objects.
func (b *Bucket) Delete(keys ...string) {}

// Keys are those that it holds, in byte order.
func (b *Bucket) Keys() []string { return nil }

// Generate lets the bucket hold n Objects that are made when they are asked for. Their keys must ascend with i. Set and
// Delete go over them.
func (b *Bucket) Generate(n int, object func(i int) Object) {}

// Fault sets a rule. Where several match a request, the first that was set counts.
func (s *Server) Fault(m Match, f Fault) {}

// Stats are counts since the start or the last Reset.
type Stats struct {
	Requests    int // of the operations asked for
	MostAtOnce  int
	Connections int // opened
	BytesOut    int64
}

// Stats counts the requests of some operations.
func (s *Server) Stats(op Op) Stats { return Stats{} }

// Reset sets the counts to zero and removes the faults.
func (s *Server) Reset() {}
