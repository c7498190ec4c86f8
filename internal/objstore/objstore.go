// Package objstore is the port to where Objects lie: a bucket or a folder. It is small on purpose, so that every adapter
// can keep all of it; the contract suite in objstoretest is run on each of them.
package objstore

import (
	"context"
	"errors"
	"iter"
	"time"
)

// An Object is a key with what a listing tells of it.
type Object struct {
	Key      string    // path with forward slashes, never empty, no leading slash
	Size     int64     // bytes
	ETag     string    // opaque validator, changes whenever the bytes do
	Modified time.Time // last modification, UTC
	Class    string    // storage class; "" for the standard one and for folders
}

// A Range is the half-open key range [Start, End) in byte order. An empty End has no upper bound.
type Range struct{ Start, End string }

// Contains tells whether key lies in r.
func (r Range) Contains(key string) bool { return key >= r.Start && (r.End == "" || key < r.End) }

// Prefixed is the Range of the keys that begin with prefix; an empty prefix gives every key.
func Prefixed(prefix string) Range {
	end := []byte(prefix)
	for len(end) > 0 && end[len(end)-1] == 0xff {
		end = end[:len(end)-1]
	}
	if len(end) == 0 {
		return Range{Start: prefix}
	}
	end[len(end)-1]++
	return Range{Start: prefix, End: string(end)}
}

// Errors of a store. A missing Object is fs.ErrNotExist and a refused one fs.ErrPermission, in every adapter (errors.Is).
var (
	// ErrPrecondition: the Object is not, or no longer, the one that IfMatch or IfAbsent asked for. Nothing was done.
	ErrPrecondition = errors.New("precondition failed")
	// ErrArchived: the Object's storage class must be restored before it can be read.
	ErrArchived = errors.New("object is archived")
	// ErrKey: the key cannot be held by this store (empty, a ".." in it, too long …). Retrying is of no use.
	ErrKey = errors.New("invalid key")
	// ErrNoStore: the bucket or folder itself is not there, or no longer. Says nothing of the Object: it is not fs.ErrNotExist.
	ErrNoStore = errors.New("no such bucket or folder")
	// ErrUnreachable: the store did not answer, or only with failures of its own, however often it was asked.
	ErrUnreachable = errors.New("store is out of reach")
	// ErrThrottled: as ErrUnreachable, and the store's last answer asked for fewer requests.
	ErrThrottled = errors.New("store asks to slow down")
	// ErrCredentials: there are no credentials, or they are wrong or have expired. Says nothing of the Object: it is not
	// fs.ErrPermission.
	ErrCredentials = errors.New("credentials are missing, wrong or expired")
)

// A Reader reads Objects. All methods may be called at once from many goroutines. Adapters retry what is worth it; an
// error that comes out is final for the caller, except that it may be asked again later.
type Reader interface {
	// List yields the Objects of r in byte order of their keys, each once. An Object created or deleted meanwhile may or
	// may not be seen. On an error it yields it once and ends. What is no Object (a directory, a socket) is left out.
	List(ctx context.Context, r Range) iter.Seq2[Object, error]
	// Get reads up to n bytes from offset off, to the end if n < 0, and tells the Object they belong to. Fewer bytes come
	// back only where the Object ends; at or past its end there are none, and that is no error. With ifMatch set, an
	// Object with another ETag is ErrPrecondition.
	Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, Object, error)
}

// PutOptions say when a Put may happen and how lasting it must be.
type PutOptions struct {
	IfMatch  string // only over the Object with this ETag; an absent one is ErrPrecondition
	IfAbsent bool   // only where there is no Object
	// Relaxed lets the store return before the bytes would survive a power cut. The Object is still seen whole or not
	// at all by every reader. Call Sync before something durable is made to depend on it.
	Relaxed bool
}

// A Store is a Reader that can be written to.
type Store interface {
	Reader
	// Put writes the whole Object and returns its ETag. It is atomic: readers see the old bytes or the new ones. Two
	// conditional Puts on one key, from any processes, are ordered, and just one of two on the same ETag succeeds. (An ETag
	// may stand for the bytes, as S3's does: who puts back bytes that were there before brings back their ETag.) After an
	// error other than ErrPrecondition, ErrKey and fs.ErrPermission it is unknown whether it was applied.
	Put(ctx context.Context, key string, body []byte, opt PutOptions) (etag string, err error)
	// Delete removes the Object; one that is not there is no error.
	Delete(ctx context.Context, key string) error
	// Sync returns once every earlier relaxed Put of this process would survive a power cut.
	Sync(ctx context.Context) error
}
