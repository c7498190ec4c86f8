package s3test

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// An Object is what a bucket holds.
type Object struct {
	Key      string
	Body     []byte
	Size     int64     // where Body is nil: that many zeros
	ETag     string    // without quotes; "": the MD5 of the body, or of the key for what is generated
	Modified time.Time // zero: now, or the start of 2024 for what is generated
	Class    string    // storage class; "": STANDARD
	Archived bool      // must be restored before it is read
	Denied   bool      // is listed, and nothing else is allowed
	Meta     http.Header
}

// A Bucket is one of a Server's.
type Bucket struct {
	mu      sync.RWMutex
	objects map[string]Object
	sorted  []string        // the keys of objects in byte order
	gone    map[string]bool // generated ones that were deleted
	n       int             // generated Objects
	made    func(i int) Object
}

// Set stores Objects, over those that have their keys.
func (b *Bucket) Set(objects ...Object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range objects {
		b.set(o)
	}
}

func (b *Bucket) set(o Object) Object {
	if o.Body != nil {
		o.Size = int64(len(o.Body))
	}
	if o.ETag == "" {
		o.ETag = ETag(o.body())
	}
	if o.Modified.IsZero() {
		o.Modified = time.Now()
	}
	if _, ok := b.objects[o.Key]; !ok {
		i, _ := slices.BinarySearch(b.sorted, o.Key)
		b.sorted = slices.Insert(b.sorted, i, o.Key)
	}
	b.objects[o.Key] = o
	return o
}

// Delete removes Objects.
func (b *Bucket) Delete(keys ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		if _, ok := b.objects[key]; ok {
			delete(b.objects, key)
			i, _ := slices.BinarySearch(b.sorted, key)
			b.sorted = slices.Delete(b.sorted, i, i+1)
		}
		if i := b.search(key); i < b.n && b.made(i).Key == key {
			if b.gone == nil {
				b.gone = map[string]bool{}
			}
			b.gone[key] = true
		}
	}
}

// Get returns the Object with a key, if there is one.
func (b *Bucket) Get(key string) (Object, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.get(key)
}

func (b *Bucket) get(key string) (Object, bool) {
	if o, ok := b.objects[key]; ok {
		return o, true
	}
	if i := b.search(key); i < b.n && !b.gone[key] {
		o := b.generate(i)
		return o, o.Key == key
	}
	return Object{}, false
}

// Keys are those that it holds, in byte order.
func (b *Bucket) Keys() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var keys []string
	b.walk("", func(o Object) (string, bool) {
		keys = append(keys, o.Key)
		return "", true
	})
	return keys
}

// Generate lets the bucket hold n Objects that are made when they are asked for. Their keys must ascend with i, and the
// function be cheap: it is called some twenty times to find a key. Set and Delete go over them.
func (b *Bucket) Generate(n int, object func(i int) Object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n, b.made, b.gone = n, object, nil
}

// search is the first generated Object that is not below key.
func (b *Bucket) search(key string) int {
	return sort.Search(b.n, func(i int) bool { return b.made(i).Key >= key })
}

func (b *Bucket) generate(i int) Object {
	o := b.made(i)
	if o.Body != nil {
		o.Size = int64(len(o.Body))
	}
	if o.ETag == "" {
		o.ETag = ETag([]byte(o.Key))
	}
	if o.Modified.IsZero() {
		o.Modified = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return o
}

// walk visits the Objects from a key on, in order, until visit says no. visit may return where to go on, past the key.
func (b *Bucket) walk(from string, visit func(o Object) (skipTo string, more bool)) {
seek:
	i, j := b.search(from), sort.SearchStrings(b.sorted, from)
	for i < b.n || j < len(b.sorted) {
		var o Object
		if i < b.n {
			o = b.generate(i)
		}
		switch {
		case j < len(b.sorted) && (i == b.n || b.sorted[j] <= o.Key):
			if i < b.n && b.sorted[j] == o.Key {
				i++
			}
			o = b.objects[b.sorted[j]]
			j++
		case b.gone[o.Key]:
			i++
			continue
		default:
			i++
		}
		skipTo, more := visit(o)
		if !more {
			return
		}
		if skipTo != "" {
			from = skipTo
			goto seek
		}
	}
}

func (o Object) body() []byte {
	if o.Body == nil {
		return make([]byte, o.Size)
	}
	return o.Body
}

func (o Object) class() string {
	if o.Class == "" {
		return "STANDARD"
	}
	return o.Class
}

// ETag is what S3 makes of a body: its MD5.
func ETag(body []byte) string {
	sum := md5.Sum(body)
	return hex.EncodeToString(sum[:])
}

// matches compares an If-Match or If-None-Match header with an ETag.
func matches(header, etag string) bool {
	for v := range strings.SplitSeq(header, ",") {
		if v = strings.TrimSpace(v); v == "*" || strings.Trim(v, `"`) == etag {
			return true
		}
	}
	return false
}
