package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// asset answers a file of the Source, or a range of it. Only keys that a Run would take up are there at all.
func (s *server) asset(w http.ResponseWriter, r *http.Request) error {
	key := r.PathValue("key")
	if !s.Served(key) {
		return noAsset(key)
	}
	f, err := openAsset(r.Context(), s.Source, key)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, objstore.ErrKey):
		return noAsset(key)
	case isGone(err):
		return fmt.Errorf("%w (%v)", refuse("source_unavailable", "the folder of the files cannot be reached at the moment"), err)
	case err != nil:
		return err
	}
	h := w.Header()
	h.Set("Content-Type", assetType(key))
	h.Set("ETag", `"`+url.PathEscape(strings.Trim(f.object.ETag, `"`))+`"`)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox") // a browser shows it, at most
	http.ServeContent(&rangeRefusal{ResponseWriter: w}, r, "", f.object.Modified.Truncate(time.Second), f)
	if f.err != nil && r.Context().Err() == nil {
		s.Log.ErrorContext(r.Context(), "serve asset", "key", key, "error", f.err)
		panic(http.ErrAbortHandler) // the answer is under way: cut it short, so that it does not look whole
	}
	return nil
}

// A rangeRefusal makes a problem of http.ServeContent's plain 416.
type rangeRefusal struct {
	http.ResponseWriter
	refused bool
}

func (w *rangeRefusal) WriteHeader(status int) {
	if status != http.StatusRequestedRangeNotSatisfiable {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.refused = true
	body, err := encode(refuse("bad_range", "the Range header asks for bytes that the file does not have"))
	if err != nil {
		panic(err) // a struct of strings
	}
	write(w.ResponseWriter, status, "application/problem+json", body)
}

func (w *rangeRefusal) Write(p []byte) (int, error) {
	if w.refused {
		return len(p), nil // ServeContent's own words
	}
	return w.ResponseWriter.Write(p)
}

func noAsset(key string) error { return refuse("not_found", "there is no asset %q", key) }

// assetTypes by the end of the name in lower case. Nothing that a browser would run.
var assetTypes = map[string]string{
	".tif":  "image/tiff",
	".tiff": "image/tiff",
	".ovr":  "image/tiff",
	".msk":  "image/tiff",
	".jpg":  "image/jpeg",
	".jpeg": "image/jpeg",
	".png":  "image/png",
	".json": "application/json",
	".xml":  "application/xml",
	".txt":  "text/plain; charset=utf-8",
	".prj":  "text/plain; charset=utf-8",
	".tfw":  "text/plain; charset=utf-8",
}

func assetType(key string) string {
	if t, ok := assetTypes[strings.ToLower(path.Ext(key))]; ok {
		return t
	}
	return "application/octet-stream"
}

// Chunks that an assetReader reads: small first, for clients that want a header, doubled while they read on.
const (
	firstChunk = 64 << 10
	mostChunk  = 1 << 20
)

// An assetReader reads one Object as http.ServeContent wants it. All reads are of the Object that was opened: should it change
// meanwhile, they fail.
type assetReader struct {
	ctx    context.Context
	source objstore.Reader
	object objstore.Object
	off    int64
	chunk  []byte // what was read ahead, from off on
	next   int64  // size of the next chunk
	err    error  // first that was not io.EOF
}

func openAsset(ctx context.Context, source objstore.Reader, key string) (*assetReader, error) {
	_, o, err := source.Get(ctx, key, 0, 0, "")
	if err != nil {
		return nil, err
	}
	return &assetReader{ctx: ctx, source: source, object: o, next: firstChunk}, nil
}

// Read implements io.Reader.
func (f *assetReader) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	if len(f.chunk) == 0 {
		left := f.object.Size - f.off
		if left <= 0 {
			return 0, io.EOF
		}
		want := min(f.next, left)
		f.chunk, _, f.err = f.source.Get(f.ctx, f.object.Key, f.off, want, f.object.ETag)
		if f.err == nil && int64(len(f.chunk)) != want {
			f.err = fmt.Errorf("read %d bytes at %d of %s: %w", want, f.off, f.object.Key, io.ErrUnexpectedEOF)
		}
		if f.err != nil {
			return 0, f.err
		}
		f.next = min(2*f.next, mostChunk)
	}
	n := copy(p, f.chunk)
	f.chunk = f.chunk[n:]
	f.off += int64(n)
	return n, nil
}

// Seek implements io.Seeker.
func (f *assetReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.off
	case io.SeekEnd:
		offset += f.object.Size
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek to %d of %s: before its beginning", offset, f.object.Key)
	}
	if offset != f.off {
		f.off, f.chunk, f.next = offset, nil, firstChunk
	}
	return offset, nil
}
