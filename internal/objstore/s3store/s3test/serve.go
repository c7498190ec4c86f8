package s3test

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"math/bits"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxBody is the largest body that a PUT may have.
const maxBody = 256 << 20

type answer struct {
	status int
	header http.Header
	body   []byte
}

func problem(status int, code, message string) answer {
	var b strings.Builder
	fmt.Fprintf(&b, xml.Header+"<Error><Code>%s</Code><Message>", code)
	_ = xml.EscapeText(&b, []byte(message))
	b.WriteString("</Message><RequestId>s3test</RequestId></Error>")
	return answer{status, http.Header{"Content-Type": {"application/xml"}}, []byte(b.String())}
}

var (
	noSuchKey  = problem(404, "NoSuchKey", "The specified key does not exist.")
	noBucket   = problem(404, "NoSuchBucket", "The specified bucket does not exist")
	denied     = problem(403, "AccessDenied", "Access Denied")
	failed     = problem(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	archived   = problem(403, "InvalidObjectState", "The operation is not valid for the object's storage class")
	notAllowed = problem(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
)

func opOf(method, key string) Op {
	switch {
	case key == "" && method == "GET":
		return List
	case key == "" && method == "HEAD":
		return HeadBucket
	case key == "":
		return 0
	}
	return map[string]Op{"GET": Get, "HEAD": Head, "PUT": Put, "DELETE": Delete}[method]
}

// ServeHTTP answers one request, addressed in path style.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := s.atOnce.Add(1)
	defer s.atOnce.Add(-1)
	for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	op := opOf(r.Method, key)
	if op != 0 {
		s.requests[bits.TrailingZeros8(uint8(op))].Add(1)
	}
	var body []byte
	if r.ContentLength != 0 {
		var err error
		if body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	if d := time.Duration(s.latency.Load()); d > 0 {
		time.Sleep(d)
	}
	s.mu.Lock()
	instead := s.instead
	s.mu.Unlock()
	if instead != nil {
		instead(w, r)
		return
	}
	on := key
	if op == List {
		on = r.URL.Query().Get("prefix")
	}
	f := s.fault(op, on)
	if f.Gate != nil {
		select {
		case <-f.Gate:
		case <-s.closing:
		}
	}
	apart := f.Status != 0 || f.Reset || f.Stall && f.Truncate == 0 // nothing of the true answer is seen
	var a answer
	if !apart || f.Applied {
		a = s.answer(r, op, bucket, key, body)
	}
	switch {
	case f.Status != 0:
		a = problem(f.Status, f.Code, "as the test wants it")
	case f.Reset:
		panic(http.ErrAbortHandler)
	case apart:
		s.stall(r)
	}
	s.write(w, r, a, f)
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, a answer, f Fault) {
	maps.Copy(w.Header(), a.header)
	w.Header().Set("X-Amz-Request-Id", "s3test")
	if f.ETag != "" {
		w.Header().Set("ETag", f.ETag)
	}
	if a.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if r.Method == "HEAD" {
		return
	}
	short := f.Truncate > 0 && f.Truncate < len(a.body)
	if short {
		a.body = a.body[:f.Truncate]
	}
	n, _ := w.Write(a.body)
	s.out.Add(int64(n))
	if short {
		_ = http.NewResponseController(w).Flush()
		if f.Stall {
			s.stall(r)
		}
		panic(http.ErrAbortHandler)
	}
}

func (s *Server) answer(r *http.Request, op Op, bucket, key string, body []byte) answer {
	s.mu.Lock()
	demand := s.demand
	s.mu.Unlock()
	auth := r.Header.Get("Authorization")
	b := s.bucket(bucket)
	switch {
	case b == nil:
		return noBucket
	case demand.Region != "" && (op == HeadBucket || auth != "" && !strings.Contains(auth, "/"+demand.Region+"/s3/")):
		a := problem(301, "PermanentRedirect", "The bucket you are attempting to access must be addressed elsewhere")
		a.header.Set("X-Amz-Bucket-Region", demand.Region)
		return a
	case demand.Signed && auth == "", demand.Unsigned && auth != "",
		demand.RequesterPays && r.Header.Get("X-Amz-Request-Payer") != "requester":
		return denied
	case len(key) > 1024:
		return problem(400, "KeyTooLongError", "Your key is too long")
	case !utf8.ValidString(key):
		return problem(400, "InvalidURI", "Couldn't parse the specified URI.")
	}
	switch op {
	case Get, Head:
		return b.serveGet(r, key)
	case Put:
		return b.servePut(r, key, body)
	case Delete:
		if o, ok := b.Get(key); ok && o.Denied {
			return denied
		}
		b.Delete(key)
		return answer{status: http.StatusNoContent}
	case List:
		return b.serveList(r.URL.Query())
	case HeadBucket:
		return answer{status: 200, header: http.Header{"X-Amz-Bucket-Region": {region}}}
	}
	return notAllowed
}

func (b *Bucket) serveGet(r *http.Request, key string) answer {
	o, ok := b.Get(key)
	switch ifMatch := r.Header.Get("If-Match"); {
	case !ok:
		return noSuchKey
	case o.Denied:
		return denied
	case ifMatch != "" && !matches(ifMatch, o.ETag):
		return failed
	case o.Archived && r.Method == "GET":
		return archived
	}
	a := answer{200, http.Header{
		"Etag": {`"` + o.ETag + `"`}, "Last-Modified": {o.Modified.UTC().Format(http.TimeFormat)},
		"Content-Type": {"application/octet-stream"}, "Accept-Ranges": {"bytes"},
	}, o.body()}
	maps.Copy(a.header, o.Meta)
	if o.Class != "" {
		a.header.Set("X-Amz-Storage-Class", o.Class)
	}
	if first, last, ok := byteRange(r.Header.Get("Range"), o.Size); ok {
		if first >= o.Size {
			a = problem(416, "InvalidRange", "The requested range is not satisfiable")
			a.header.Set("Content-Range", fmt.Sprintf("bytes */%d", o.Size))
			return a
		}
		a.status, a.body = 206, a.body[first:last+1]
		a.header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, o.Size))
	}
	return a
}

// byteRange reads "bytes=first-last" or "bytes=first-" (RFC 9110, section 14.1.2); anything else is no range.
func byteRange(header string, size int64) (first, last int64, ok bool) {
	from, to, ok := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	if !ok || !strings.HasPrefix(header, "bytes=") {
		return 0, 0, false
	}
	first, err := strconv.ParseInt(from, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	if last, err = strconv.ParseInt(to, 10, 64); to != "" && (err != nil || last < first) {
		return 0, 0, false
	}
	if to == "" || last >= size {
		last = size - 1
	}
	return first, last, true
}

func (b *Bucket) servePut(r *http.Request, key string, body []byte) answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, ok := b.get(key)
	ifMatch, ifNone := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	switch {
	case ok && old.Denied:
		return denied
	case ifMatch != "" && !ok:
		return noSuchKey
	case ifMatch != "" && !matches(ifMatch, old.ETag), ifNone != "" && ok:
		return failed
	}
	o := Object{Key: key, Body: body, Class: r.Header.Get("X-Amz-Storage-Class"), Meta: http.Header{}}
	for name, values := range r.Header {
		if strings.HasPrefix(name, "X-Amz-Meta-") {
			o.Meta[name] = values
		}
	}
	return answer{status: 200, header: http.Header{"Etag": {`"` + b.set(o).ETag + `"`}}}
}
