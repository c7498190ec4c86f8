package s3store

import (
	"encoding/xml"
	"strings"
	"testing"
	"unicode/utf8"
)

const pageText = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix/><KeyCount>2</KeyCount>
 <MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated> true </IsTruncated>
 <NextContinuationToken>a&lt;b&#x2F;&#61;</NextContinuationToken><!-- <Contents> --><Contents><Key>a+b%2Bc/%C3%A9&amp;</Key>
 <LastModified>2024-02-03T04:05:06.789Z</LastModified><ETag>&quot;e-2&quot;</ETag><Owner><ID>x</ID><Key>no</Key></Owner>
 <Size>12</Size><StorageClass>GLACIER</StorageClass><RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress></RestoreStatus>
 </Contents><Contents><Key>b</Key><LastModified>2024-02-03T04:05:06Z</LastModified><ETag>"f"</ETag><Size>0</Size>
 <StorageClass>STANDARD</StorageClass></Contents><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>`

func TestParsePage(t *testing.T) {
	p, err := parsePage([]byte(pageText))
	if err != nil || len(p.objects) != 2 || !p.more || p.token != "a<b/=" {
		t.Fatalf("%+v, %v", p, err)
	}
	if o := p.objects[0]; o.Key != "a b+c/é&" || o.Size != 12 || o.ETag != "e-2" || o.Class != "GLACIER" ||
		o.Modified.String() != "2024-02-03 04:05:06 +0000 UTC" {
		t.Errorf("%+v", o)
	}
	if o := p.objects[1]; o.Key != "b" || o.ETag != "f" || o.Class != "" {
		t.Errorf("%+v", o)
	}
	for n := range len(pageText) {
		if _, err := parsePage([]byte(pageText[:n])); err == nil {
			t.Fatalf("cut at %d of %d it is taken for whole", n, len(pageText))
		}
	}
}

// FuzzParsePage holds what is read against encoding/xml.
func FuzzParsePage(f *testing.F) {
	f.Add([]byte(pageText))
	f.Add([]byte("<ListBucketResult>" + contents("a") + "</ListBucketResult>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePage(text)
		if err != nil {
			return
		}
		for i, o := range p.objects {
			if o.Key == "" || o.ETag == "" || o.Size < 0 || i > 0 && p.objects[i-1].Key >= o.Key {
				t.Errorf("Object %d is %+v", i, o)
			}
		}
		var want struct {
			XMLName               xml.Name `xml:"ListBucketResult"`
			IsTruncated           string
			NextContinuationToken string
			EncodingType          string
			Contents              []struct{ Key, ETag string }
		}
		if !utf8.Valid(text) || strings.ContainsAny(string(text), "\r") || xml.Unmarshal(text, &want) != nil {
			return // stricter, and it joins text around comments
		}
		if strings.Contains(string(text), "<!") || strings.Contains(string(text), ":") && want.XMLName.Space != "" {
			return
		}
		if len(want.Contents) != len(p.objects) {
			t.Errorf("%d Objects, encoding/xml has %d", len(p.objects), len(want.Contents))
		}
	})
}

func FuzzContentRange(f *testing.F) {
	f.Add("bytes 0-9/10")
	f.Fuzz(func(t *testing.T, header string) {
		first, last, size, err := contentRange(header)
		if err == nil && (first < 0 || last < first || size <= last) {
			t.Errorf("%q: %d-%d/%d", header, first, last, size)
		}
	})
}

// FuzzOdometer looks for keys that make a guess panic or run away.
func FuzzOdometer(f *testing.F) {
	f.Add("img_0001.tif", "img_0999.tif", "jmg", 0.5)
	f.Add("0", "1", "0", -83.5)
	f.Fuzz(func(t *testing.T, a, b, c string, far float64) {
		m := newOdometer([]string{a, b, c})
		from := differ(a, b)
		_ = m.distance(a, c, from)
		if got := m.add(b, from, far); len(got) > len(b) {
			t.Errorf("%q and %v: %q", b, far, got)
		}
	})
}

func FuzzBefore(f *testing.F) {
	f.Add("a/b", "a/c")
	f.Fuzz(func(t *testing.T, start, key string) {
		low := before(start)
		if !utf8.ValidString(low) || low >= start && start != "" || len(low) > maxKey {
			t.Errorf("before %q lies %q", start, low)
		}
		if utf8.ValidString(key) && len(key) <= maxKey && key != "" && key >= start && key <= low {
			t.Errorf("%q is not below %q, but not above %q", key, start, low)
		}
	})
}
