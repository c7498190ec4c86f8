package s3store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cairn-stac/cairn/internal/objstore"
)

const (
	pageKeys = 1000     // most keys of a page
	maxPage  = 16 << 20 // most bytes of one; a thousand keys of the longest kind, encoded, take 4 MB
)

// A page is an answer of ListObjectsV2.
type page struct {
	objects []objstore.Object // with whole keys
	more    bool
	token   string // continues behind it
}

// fetch lists one page: what begins with prefix, behind the key after or where token says, if it is set.
func (c *client) fetch(ctx context.Context, prefix, after, token string, keys, attempts int) (page, error) {
	q := url.Values{"list-type": {"2"}, "encoding-type": {"url"}, "max-keys": {strconv.Itoa(keys)}}
	if prefix != "" {
		q.Set("prefix", prefix)
	}
	switch {
	case token != "":
		q.Set("continuation-token", token)
	case after != "":
		q.Set("start-after", after)
	}
	var p page
	r := request{method: http.MethodGet, query: q, attempts: attempts}
	err := c.do(ctx, r, func(resp *http.Response, body io.Reader) error {
		text, err := readPage(resp, body)
		if err == nil {
			p, err = parsePage(text)
		}
		return err
	})
	return p, err
}

func readPage(resp *http.Response, body io.Reader) ([]byte, error) {
	if n := resp.ContentLength; n >= 0 && n <= maxPage {
		return readBody(body, n)
	}
	text, err := io.ReadAll(io.LimitReader(body, maxPage+1))
	if err == nil && len(text) > maxPage {
		err = errFinal{fmt.Errorf("a page has more than %d bytes", maxPage)}
	}
	return text, err
}

// parsePage reads a ListBucketResult. Its own reader because encoding/xml takes ten times as long, and a listing is all
// about this. It knows elements, text and references and passes over attributes, comments and the declaration.
func parsePage(text []byte) (page, error) {
	var (
		p       page
		encoded bool
		told    bool // whether there is more
		o       listed
		path    [8][]byte // of open elements
		depth   int
		err     error
	)
	if n := bytes.Count(text, []byte("<Contents")); n > 0 {
		p.objects = make([]objstore.Object, 0, min(n, pageKeys))
	}
	for len(text) > 0 && err == nil {
		open := bytes.IndexByte(text, '<')
		if open < 0 {
			break
		}
		value := text[:open]
		text = text[open+1:]
		if bytes.HasPrefix(text, []byte("!--")) {
			if _, text, _ = bytes.Cut(text, []byte("-->")); text == nil {
				return page{}, errPage
			}
			continue
		}
		end := bytes.IndexByte(text, '>')
		if end <= 0 {
			return page{}, errPage
		}
		tag := text[:end]
		text = text[end+1:]
		switch tag[0] {
		case '?':
			continue
		case '!': // a document type, or CDATA: S3 has neither
			return page{}, errPage
		case '/':
			if depth--; depth < 0 || !bytes.Equal(path[depth], tag[1:]) {
				return page{}, errPage
			}
			switch {
			case depth == 0:
				if string(tag[1:]) != "ListBucketResult" {
					return page{}, fmt.Errorf("%w: it is a %.40q", errPage, tag[1:])
				}
				if !told || !p.more && p.token != "" {
					return page{}, fmt.Errorf("%w: it does not tell whether there is more", errPage)
				}
				return p, p.finish(encoded)
			case depth == 1 && string(tag[1:]) == "Contents":
				var object objstore.Object
				if object, err = o.object(); err == nil {
					p.objects = append(p.objects, object)
				}
				if len(p.objects) > pageKeys { // the memory for what waits is reckoned by them
					return page{}, errFinal{fmt.Errorf("%w: it has more than the %d keys that were asked for", errPage, pageKeys)}
				}
				o = listed{}
			case depth == 1:
				switch string(tag[1:]) {
				case "IsTruncated":
					switch string(bytes.TrimSpace(value)) {
					case "true":
						p.more, told = true, true
					case "false":
						p.more, told = false, true
					default:
						return page{}, errPage
					}
				case "NextContinuationToken":
					var token []byte
					token, err = unescape(nil, value)
					p.token = string(token)
				case "EncodingType":
					encoded = string(bytes.TrimSpace(value)) == "url"
				}
			case depth == 2 && string(path[1]) == "Contents":
				o.set(tag[1:], value)
			}
		default:
			name, empty := tag, tag[len(tag)-1] == '/'
			for i, c := range tag {
				if c <= ' ' || c == '/' {
					name = tag[:i]
					break
				}
			}
			if depth == len(path) {
				return page{}, errPage
			}
			if path[depth] = name; !empty {
				depth++
			}
		}
	}
	if err == nil {
		err = errPage
	}
	return page{}, err
}

var errPage = errors.New("the listing's answer is no ListBucketResult, or cut short")

// finish decodes the keys, now that it is known whether they are encoded, and checks that they ascend.
func (p *page) finish(encoded bool) error {
	for i := range p.objects {
		o := &p.objects[i]
		if encoded && strings.ContainsAny(o.Key, "%+") {
			key, err := url.QueryUnescape(o.Key)
			if err != nil {
				return fmt.Errorf("%w: key %.80q: %v", errPage, o.Key, err)
			}
			o.Key = key
		}
		if i > 0 && o.Key <= p.objects[i-1].Key {
			return errFinal{fmt.Errorf("%w: %.80q after %.80q", errOrder, o.Key, p.objects[i-1].Key)}
		}
	}
	if p.more && p.token == "" && len(p.objects) == 0 {
		return errFinal{errors.New("the listing has more, but does not say where")}
	}
	return nil
}

var (
	errOrder = errors.New("the server does not list keys in byte order")
	errBlank = fmt.Errorf("%d pages in a row are empty, but say that there are more", maxBlank)
)

// listed is a Contents element as text.
type listed struct{ key, modified, etag, size, class []byte }

func (l *listed) set(name, value []byte) {
	switch string(name) {
	case "Key":
		l.key = value
	case "LastModified":
		l.modified = value
	case "ETag":
		l.etag = value
	case "Size":
		l.size = value
	case "StorageClass":
		l.class = value
	}
}

func (l *listed) object() (o objstore.Object, err error) {
	etag := bytes.TrimSuffix(bytes.TrimPrefix(l.etag, quot), quot)
	text := make([]byte, 0, 256) // the key and the ETag, for one allocation that outlives the page
	if text, err = unescape(text, l.key); err != nil {
		return o, err
	}
	n := len(text)
	if text, err = unescape(text, etag); err != nil {
		return o, err
	}
	both := string(text)
	o = objstore.Object{Key: both[:n], ETag: unquote(both[n:])}
	if string(l.class) != standard {
		o.Class = string(l.class)
	}
	if o.Modified, err = listedTime(string(l.modified)); err != nil {
		return o, fmt.Errorf("%w: %v", errPage, err)
	}
	if o.Size, err = strconv.ParseInt(string(l.size), 10, 64); err != nil || o.Size < 0 || o.Key == "" || o.ETag == "" {
		return o, fmt.Errorf("%w: Object %.80q has size %.20q and ETag %.40q", errPage, o.Key, l.size, o.ETag)
	}
	return o, nil
}

var quot = []byte("&quot;")

// unescape appends text, with the references of XML replaced (XML 1.0, sections 4.1 and 4.6).
func unescape(to, text []byte) ([]byte, error) {
	for {
		next := bytes.IndexByte(text, '&')
		if next < 0 {
			return append(to, text...), nil
		}
		to = append(to, text[:next]...)
		name, rest, ok := bytes.Cut(text[next+1:], []byte(";"))
		c, known := references[string(name)]
		if digits, numeric := bytes.CutPrefix(name, []byte("#")); numeric {
			base := 10
			if len(digits) > 0 && digits[0] == 'x' {
				digits, base = digits[1:], 16
			}
			n, err := strconv.ParseUint(string(digits), base, 21)
			c, known = rune(n), err == nil
		}
		if !ok || !known {
			return nil, fmt.Errorf("%w: reference %.20q", errPage, name)
		}
		to = utf8.AppendRune(to, c)
		text = rest
	}
}

var references = map[string]rune{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}
