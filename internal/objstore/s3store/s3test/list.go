package s3test

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// serveList is ListObjectsV2.
func (b *Bucket) serveList(q url.Values) answer {
	if q.Get("list-type") != "2" {
		return problem(501, "NotImplemented", "only ListObjectsV2 is")
	}
	most := 1000
	if v := q.Get("max-keys"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return problem(400, "InvalidArgument", "max-keys")
		}
		most = min(n, most)
	}
	prefix, delimiter, after := q.Get("prefix"), q.Get("delimiter"), q.Get("start-after")
	if token := q.Get("continuation-token"); token != "" {
		last, err := base64.StdEncoding.DecodeString(token)
		if err != nil {
			return problem(400, "InvalidArgument", "The continuation token provided is incorrect")
		}
		after = string(last)
	}
	encoded := q.Get("encoding-type") == "url"
	page := &xmlText{encoded: encoded}
	var folders xmlText
	folders.encoded = encoded
	count, last, truncated := 0, "", false
	b.mu.RLock()
	defer b.mu.RUnlock()
	from := prefix
	if after >= prefix {
		from = after + "\x00"
	}
	b.walk(from, func(o Object) (string, bool) {
		if !strings.HasPrefix(o.Key, prefix) {
			return "", false
		}
		folder := ""
		if i := strings.Index(o.Key[len(prefix):], delimiter); delimiter != "" && i >= 0 {
			folder = o.Key[:len(prefix)+i+len(delimiter)]
			if strings.HasPrefix(after, folder) { // was on the page before
				return folder[:len(folder)-1] + string(folder[len(folder)-1]+1), true
			}
		}
		if count == most {
			truncated = most > 0
			return "", false
		}
		count++
		if folder != "" {
			last = folder
			folders.element("CommonPrefixes", func() { folders.name("Prefix", folder) })
			return folder[:len(folder)-1] + string(folder[len(folder)-1]+1), true
		}
		last = o.Key
		page.contents(o)
		return "", true
	})
	head := xmlText{encoded: encoded}
	head.Builder.WriteString(xml.Header + `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`)
	head.name("Prefix", prefix)
	head.text("KeyCount", strconv.Itoa(count))
	head.text("MaxKeys", strconv.Itoa(most))
	head.text("IsTruncated", strconv.FormatBool(truncated))
	if encoded {
		head.text("EncodingType", "url")
	}
	if truncated {
		head.text("NextContinuationToken", base64.StdEncoding.EncodeToString([]byte(last)))
	}
	body := head.String() + page.String() + folders.String() + "</ListBucketResult>"
	return answer{200, http.Header{"Content-Type": {"application/xml"}}, []byte(body)}
}

// xmlText is XML being written.
type xmlText struct {
	strings.Builder
	encoded bool // names are encoded as in a URL
}

func (x *xmlText) element(tag string, inner func()) {
	x.WriteString("<" + tag + ">")
	inner()
	x.WriteString("</" + tag + ">")
}

func (x *xmlText) text(tag, value string) {
	x.element(tag, func() { _ = xml.EscapeText(x, []byte(value)) })
}

// name writes a key. S3 leaves slashes as they are.
func (x *xmlText) name(tag, key string) {
	if x.encoded {
		key = strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
	}
	x.text(tag, key)
}

func (x *xmlText) contents(o Object) {
	x.element("Contents", func() {
		x.name("Key", o.Key)
		x.text("LastModified", o.Modified.UTC().Format("2006-01-02T15:04:05.000Z"))
		x.text("ETag", `"`+o.ETag+`"`)
		x.text("Size", strconv.FormatInt(o.Size, 10))
		x.text("StorageClass", o.class())
	})
}
