package s3store

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/cairn-stac/cairn/internal/objstore"
)

const scheme = "s3://"

// A Location is a bucket and the prefix in it under which everything lies.
type Location struct {
	Bucket string
	Prefix string // "" or ends in "/"
}

// bucketName follows "General purpose bucket naming rules" of the Amazon S3 user guide, with the upper case and the
// underscores that buckets from before 2018 and other servers have.
var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$`)

// ParseURL reads s3://bucket, s3://bucket/ and s3://bucket/a/b with or without a closing slash. Percent-encoding is
// undone; everything else, "?", "#" and "+" too, is a plain character of the prefix.
func ParseURL(raw string) (Location, error) {
	fail := func(format string, args ...any) (Location, error) {
		return Location{}, fmt.Errorf("%.200q: "+format, append([]any{raw}, args...)...)
	}
	if len(raw) < len(scheme) || !strings.EqualFold(raw[:len(scheme)], scheme) {
		return fail("not an s3:// URL")
	}
	bucket, prefix, _ := strings.Cut(raw[len(scheme):], "/")
	switch {
	case bucket == "":
		return fail("names no bucket; write s3://bucket/prefix")
	case strings.HasPrefix(strings.ToLower(bucket), "arn:"):
		return fail("is an ARN; write the bucket's name or the access point's alias")
	case !bucketName.MatchString(bucket) || strings.Contains(bucket, ".."):
		return fail("%q is no bucket name (3 to 63 letters, digits, dots and hyphens)", bucket)
	case strings.HasSuffix(bucket, "--x-s3"):
		return fail("is a directory bucket, which lists in no order; use a general purpose bucket")
	}
	if _, err := netip.ParseAddr(bucket); err == nil {
		return fail("%q is an address and no bucket name; set AWS_ENDPOINT_URL_S3 to the server", bucket)
	}
	prefix, err := url.PathUnescape(prefix)
	if err != nil {
		return fail("%v; write %%25 for a percent sign", err)
	}
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	if !utf8.ValidString(prefix) {
		return fail("its prefix is not UTF-8")
	}
	if strings.HasPrefix(prefix, "/") || len(prefix) >= maxKey {
		return fail("%w: a prefix has no leading slash and fewer than %d bytes", objstore.ErrKey, maxKey)
	}
	return Location{bucket, prefix}, nil
}

// URL is the location as s3://bucket/prefix, percent-encoded and without a closing slash. ParseURL undoes it.
func (l Location) URL() string {
	url := join(scheme+l.Bucket, l.Prefix)
	if strings.HasSuffix(url, "/") { // one of two that the prefix ends in, which would be taken for the closing one
		url += "/"
	}
	return url
}

// join puts a prefix behind base.
func join(base, prefix string) string {
	if prefix == "" {
		return base
	}
	return base + "/" + escape(strings.TrimSuffix(prefix, "/"))
}

// escape percent-encodes what is not unreserved (RFC 3986, section 2.3), as AWS does it, but for slashes.
func escape(key string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
