package s3store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// nonceHeader names the metadata by which a conditional Put knows its own Object again.
const nonceHeader = "X-Amz-Meta-Cairn-Put"

// Put implements objstore.Store.
//
// A conditional Put whose reply is lost is repeated and may then be refused because of its own first attempt. Each
// therefore leaves a nonce in the Object's metadata, and when a refusal follows an attempt that ended unknown, the Object
// that is there tells: with this nonce, the Put has succeeded; else nobody knows, and the error is not ErrPrecondition.
func (s *Store) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	full, err := s.full(key)
	if err != nil {
		return "", fail("put", key, err)
	}
	unsure := false
	r := request{
		method: http.MethodPut, key: full, body: body, header: http.Header{"Content-Type": {"application/octet-stream"}},
		failed: func(err error) { unsure = unsure || !refused(err) },
	}
	if opt.IfAbsent {
		r.header["If-None-Match"] = []string{"*"}
	}
	if opt.IfMatch != "" {
		r.header["If-Match"] = []string{quote(opt.IfMatch)}
	}
	conditional := opt.IfAbsent || opt.IfMatch != ""
	nonce := ""
	if conditional {
		nonce = rand.Text()
		r.header[nonceHeader] = []string{nonce}
	}
	etag := ""
	err = s.client.do(ctx, r, func(resp *http.Response, _ io.Reader) error {
		if etag = unquote(resp.Header.Get("ETag")); etag == "" {
			return errFinal{errors.New("the answer has no ETag")}
		}
		return nil
	})
	if err == nil {
		return etag, nil
	}
	// With If-Match, an Object that is not there is the wrong one.
	lost := conditional && (errors.Is(err, objstore.ErrPrecondition) || isCode(err, "NoSuchKey"))
	if unsure {
		if lost {
			if etag, lookErr := s.written(ctx, full, nonce); lookErr == nil && etag != "" {
				return etag, nil
			}
		}
		// Whatever the last attempt came to, an earlier one may have been carried out: none of the port's errors.
		return "", fail("put", key, fmt.Errorf("it is unknown whether it was written: %w", outcome{err}))
	}
	if lost {
		err = fmt.Errorf("%w (%v)", objstore.ErrPrecondition, err)
	}
	return "", fail("put", key, err)
}

// An outcome is the end of a write of which it is unknown whether it was carried out. It hides what says that it was not.
type outcome struct{ cause error }

func (o outcome) Error() string { return o.cause.Error() }

func (o outcome) Is(target error) bool {
	return target != objstore.ErrPrecondition && target != objstore.ErrKey && target != fs.ErrPermission &&
		target != fs.ErrNotExist && errors.Is(o.cause, target)
}

// written looks for an Object with a nonce and returns its ETag, or "" if it is not the one that is there.
func (s *Store) written(ctx context.Context, full, nonce string) (etag string, err error) {
	err = s.client.do(ctx, request{method: http.MethodHead, key: full}, func(resp *http.Response, _ io.Reader) error {
		if resp.Header.Get(nonceHeader) == nonce {
			etag = unquote(resp.Header.Get("ETag"))
		}
		return nil
	})
	return etag, err
}
