package s3store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// Get implements objstore.Reader. It is one request, and one more where there is nothing at the offset.
func (s *Store) Get(ctx context.Context, key string, off, n int64, ifMatch string) ([]byte, objstore.Object, error) {
	full, err := s.full(key)
	if err == nil && off < 0 {
		err = fmt.Errorf("negative offset %d", off)
	}
	if err != nil {
		return nil, objstore.Object{}, fail("get", key, err)
	}
	g := getting{key: key, off: off, n: n, ifMatch: ifMatch}
	for range 3 {
		err = s.client.do(ctx, request{method: http.MethodGet, key: full, header: g.header()}, g.use)
		if errors.Is(err, errGrown) {
			g.past, g.empty = false, false
			continue
		}
		var answer *apiError
		if !errors.As(err, &answer) || answer.status != http.StatusRequestedRangeNotSatisfiable {
			break
		}
		// Nothing lies there. Which Object that is true of only another request tells, for its first byte if it has any.
		_, size, _ := strings.Cut(answer.header.Get("Content-Range"), "/")
		g.past, g.empty = true, size == "" || size == "0" || size == "*"
	}
	if err != nil {
		return nil, objstore.Object{}, fail("get", key, err)
	}
	return g.body, g.object, nil
}

// errGrown: at the offset lies something by now. It is asked for again, from the start.
var errGrown = errors.New("it has grown while it was read")

// getting is a Get under way.
type getting struct {
	key         string
	off, n      int64
	ifMatch     string
	past, empty bool // the offset is known to lie at or past the end, and the Object to be empty

	body   []byte
	object objstore.Object
}

func (g *getting) header() http.Header {
	h := make(http.Header, 2)
	if g.ifMatch != "" {
		h["If-Match"] = []string{quote(g.ifMatch)}
	}
	r := "bytes=" + strconv.FormatInt(g.off, 10) + "-"
	switch last := g.off + g.n - 1; {
	case g.past && g.empty, !g.past && g.off == 0 && g.n < 0:
		return h
	case g.past, g.n == 0: // a range cannot be empty
		r = "bytes=0-0"
	case g.n > 0 && last >= g.off: // else it has no end, or the sum has run over
		r += strconv.FormatInt(last, 10)
	}
	h["Range"] = []string{r}
	return h
}

// use reads an answer.
func (g *getting) use(resp *http.Response, body io.Reader) error {
	o, err := objectOf(g.key, resp.Header)
	if err != nil {
		return errFinal{err}
	}
	if g.ifMatch != "" && g.ifMatch != o.ETag {
		return errFinal{fmt.Errorf("%w: the ETag is %q in spite of If-Match", objstore.ErrPrecondition, o.ETag)}
	}
	var first, promised int64
	switch resp.StatusCode {
	case http.StatusPartialContent:
		var last int64
		if first, last, o.Size, err = contentRange(resp.Header.Get("Content-Range")); err != nil {
			return errFinal{err}
		}
		promised = last - first + 1
	case http.StatusOK:
		if resp.ContentLength < 0 {
			return errFinal{errors.New("the answer does not tell the size")}
		}
		o.Size, promised = resp.ContentLength, resp.ContentLength
	default:
		return errFinal{fmt.Errorf("status %d to a read", resp.StatusCode)}
	}
	g.object, g.body = o, nil
	if g.n == 0 || g.off >= o.Size {
		return nil
	}
	if g.past {
		return errFinal{errGrown}
	}
	want := o.Size - g.off
	if g.n > 0 {
		want = min(want, g.n)
	}
	if first != g.off || promised < want {
		return errFinal{fmt.Errorf("asked for %d bytes from %d of %d, answered with %d from %d", want, g.off, o.Size,
			promised, first)}
	}
	g.body, err = readBody(body, want)
	return err
}

// objectOf reads the headers that every answer of an Object has.
func objectOf(key string, h http.Header) (objstore.Object, error) {
	o := objstore.Object{Key: key, ETag: unquote(h.Get("ETag")), Class: className(h.Get("X-Amz-Storage-Class"))}
	if o.ETag == "" {
		return o, errors.New("the answer has no ETag")
	}
	modified, err := http.ParseTime(h.Get("Last-Modified"))
	if err != nil {
		return o, fmt.Errorf("the answer's Last-Modified is %.40q", h.Get("Last-Modified"))
	}
	o.Modified = modified.UTC()
	return o, nil
}

// readBody reads n bytes. What they take is only allocated as they come.
func readBody(r io.Reader, n int64) ([]byte, error) {
	const most = 1 << 20
	if n <= most {
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, fmt.Errorf("read body of %d bytes: %w", n, noEOF(err))
		}
		return b, nil
	}
	var b bytes.Buffer
	b.Grow(most)
	if got, err := io.CopyN(&b, r, n); err != nil {
		return nil, fmt.Errorf("read body of %d bytes, at %d: %w", n, got, noEOF(err))
	}
	return b.Bytes(), nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// contentRange reads "bytes first-last/size" (RFC 9110, section 14.4).
func contentRange(header string) (first, last, size int64, err error) {
	span, total, _ := strings.Cut(strings.TrimPrefix(header, "bytes "), "/")
	from, to, _ := strings.Cut(span, "-")
	for _, part := range []struct {
		text string
		into *int64
	}{{from, &first}, {to, &last}, {total, &size}} {
		v, err := strconv.ParseUint(part.text, 10, 63)
		if err != nil {
			return 0, 0, 0, fmt.Errorf("the answer's Content-Range is %.60q", header)
		}
		*part.into = int64(v)
	}
	if first > last || last >= size {
		return 0, 0, 0, fmt.Errorf("the answer's Content-Range is %.60q", header)
	}
	return first, last, size, nil
}

func quote(etag string) string { return `"` + etag + `"` }

// unquote takes an ETag's quotes and its mark of weakness off.
func unquote(etag string) string { return strings.Trim(strings.TrimPrefix(etag, "W/"), `"`) }

const standard = "STANDARD"

// className is the storage class as objstore has it.
func className(class string) string {
	if class == standard {
		return ""
	}
	return class
}

// listedTime is the time of a listing, in the whole seconds that Get tells.
func listedTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC().Truncate(time.Second), err
}
