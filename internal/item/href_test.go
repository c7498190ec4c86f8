package item

import (
	"errors"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/stac"
)

func TestHref(t *testing.T) {
	const https, template = "asset_href: https", "asset_href: https://e.com/x/{key}?v=1"
	long := strings.Repeat("日本/", 145) + "été.tif" // 1,024 bytes
	longEncoded := strings.Repeat("%E6%97%A5%E6%9C%AC/", 145) + "%C3%A9t%C3%A9.tif"
	if len(long) != 1024 {
		t.Fatalf("the long key has %d bytes", len(long))
	}
	for _, tt := range []struct {
		yaml      string
		src       Source
		key, want string
	}{
		{"", photos, "a/b.tif", "file:///data/photos/a/b.tif"},
		{"", photos, "a b/100%+é#?.tif", "file:///data/photos/a%20b/100%25%2B%C3%A9%23%3F.tif"},
		{"", photos, "a/\xff.tif", "file:///data/photos/a/%FF.tif"},
		{template, photos, "a b/{key}.tif", "https://e.com/x/a%20b/%7Bkey%7D.tif?v=1"},
		{template, bucket, "a+b;c=d&e/f%2Fg.tif", "https://e.com/x/a%2Bb%3Bc=d&e/f%252Fg.tif?v=1"},

		{"", bucket, "a/b.tif", "s3://imagery/my photos/a/b.tif"},
		{"asset_href: source", bucket, "a b.tif", "s3://imagery/my photos/a b.tif"},
		{"", bucket, "a+b.tif", "s3://imagery/my photos/a+b.tif"},
		{"", bucket, "a%20b.tif", "s3://imagery/my photos/a%20b.tif"},
		{"", bucket, "100%.tif", "s3://imagery/my photos/100%.tif"},
		{"", bucket, "a#b?c.tif", "s3://imagery/my photos/a#b?c.tif"},
		{"", bucket, "日本/été.tif", "s3://imagery/my photos/日本/été.tif"},
		{"", bucket, "a//b.tif", "s3://imagery/my photos/a//b.tif"},
		{"", bucket, "./a.tif", "s3://imagery/my photos/./a.tif"},
		{"", bucket, "{key}/a\tb.tif", "s3://imagery/my photos/{key}/a\tb.tif"},
		{"", bucket, long, "s3://imagery/my photos/" + long},
		{"", Source{URL: "s3://imagery", Name: "imagery"}, "a b.tif", "s3://imagery/a b.tif"},
		{"", Source{URL: "s3://imagery/%7Bkey%7D%2B%25%C3%A9", Name: "x"}, "a.tif", "s3://imagery/{key}+%é/a.tif"},
		{"asset_href: 'S3://copy/x/{key}'", bucket, "a b+c.tif", "S3://copy/x/a b+c.tif"},
		{"asset_href: 'gs://copy/{key}'", photos, "a b.tif", "gs://copy/a b.tif"},

		{https, bucket, "a/b.tif", "https://imagery.s3.example/my%20photos/a/b.tif"},
		{https, bucket, "a b.tif", "https://imagery.s3.example/my%20photos/a%20b.tif"},
		{https, bucket, "a+b.tif", "https://imagery.s3.example/my%20photos/a%2Bb.tif"},
		{https, bucket, "a%20b.tif", "https://imagery.s3.example/my%20photos/a%2520b.tif"},
		{https, bucket, "a#b?c.tif", "https://imagery.s3.example/my%20photos/a%23b%3Fc.tif"},
		{https, bucket, "日本/été.tif", "https://imagery.s3.example/my%20photos/%E6%97%A5%E6%9C%AC/%C3%A9t%C3%A9.tif"},
		{https, bucket, "a//b.tif", "https://imagery.s3.example/my%20photos/a//b.tif"},
		{https, bucket, "a\tb\x7f.tif", "https://imagery.s3.example/my%20photos/a%09b%7F.tif"},
		{https, bucket, "year=2024/a@b:c,d.tif", "https://imagery.s3.example/my%20photos/year=2024/a@b:c%2Cd.tif"},
		{https, bucket, long, "https://imagery.s3.example/my%20photos/" + longEncoded},
	} {
		s := sceneOf(t, tt.key, utm())
		res, err := s.build(rulesAt(t, tt.yaml, tt.src))
		if err != nil || len(res.Items) != 1 {
			t.Fatalf("%s becomes %+v, %v", tt.key, res, err)
		}
		it := res.Items[0]
		if got := it.Assets["data"].Href; got != tt.want {
			t.Errorf("href of %q is %s, want %s", tt.key, got, tt.want)
		}
		checkID(t, it.ID)
		if _, err := url.Parse(tt.want); err == nil {
			checkItem(t, it)
		} // else it is no IRI, as decision 10 has it
		line, err := it.Line()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := stac.DecodeItem(line); err != nil || back.Assets["data"].Href != tt.want {
			t.Errorf("the line of %q gives %+v, %v", tt.key, back, err)
		}
	}
}

// TestHrefsAreApart: an href leads back to its key, so that no two keys have the same.
func TestHrefsAreApart(t *testing.T) {
	for _, yaml := range []string{"", "asset_href: https"} {
		r := rulesAt(t, yaml, bucket)
		for key := range hostileKeys() {
			got := strings.TrimPrefix(r.assets.href(key), r.assets.before)
			if r.assets.raw {
				if got != key {
					t.Errorf("the href of %q ends in %q", key, got)
				}
				continue
			}
			u, err := url.Parse(r.assets.href(key))
			if err != nil {
				t.Errorf("%q: %v", key, err)
			} else if u.Path != "/my photos/"+key || u.RawQuery != "" || u.Fragment != "" {
				t.Errorf("the href of %q is %s", key, u)
			}
			if strings.Contains(got, "+") || !utf8.ValidString(got) {
				t.Errorf("the href of %q ends in %q", key, got)
			}
		}
	}
}

func TestNoHTTPS(t *testing.T) {
	cfg, err := config.Parse([]byte("asset_href: https"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(cfg, photos)
	var bad *config.Error
	if !errors.As(err, &bad) || bad.Path != "asset_href" || err.Error() != "cairn.yaml: asset_href: https is for a bucket, and "+
		"file:///data/photos has no https address; give a URL template instead, such as https://example.com/{key}" {
		t.Errorf("https of a folder is %v", err)
	}
	if _, err := New(cfg, bucket); err != nil {
		t.Error(err)
	}
	if _, err := New(config.Default(), Source{URL: "s3://imagery/100%", Name: "100%"}); err == nil || errors.As(err, &bad) {
		t.Errorf("a URL that is not encoded is %v", err)
	}
}

// The hrefs in docs/configuration.md are what the code makes.
func TestHrefsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	src := Source{URL: "s3://imagery/coast", HTTPS: "https://imagery.s3.eu-central-1.amazonaws.com/coast", Name: "coast"}
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)`[^|]*\\| `(\\S+://[^`]+)` \\|$").FindAllStringSubmatch(string(text), -1)
	for _, row := range rows {
		if got := rulesAt(t, "asset_href: "+row[1], src).assets.href("dem/2m/tile 1+2.tif"); got != row[2] {
			t.Errorf("asset_href %s is said to give %s, and gives %s", row[1], row[2], got)
		}
	}
	if len(rows) != 3 {
		t.Errorf("the documentation has %d hrefs", len(rows))
	}
}
