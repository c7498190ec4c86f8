package s3store

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
)

// BenchmarkGet reads the beginnings of Objects from a server that takes 50 ms for each answer, 128 at once. "of-ideal" is
// the time taken over objects × 50 ms / 128.
func BenchmarkGet(b *testing.B) {
	const parallel, latency, objects = 128, 50 * time.Millisecond, 12_800
	srv := s3test.New(b)
	body := make([]byte, 32<<10)
	srv.CreateBucket("bucket").Generate(objects, func(i int) s3test.Object {
		return s3test.Object{Key: fmt.Sprintf("scenes/%06d.tif", i), Body: body, ETag: "e"}
	})
	srv.SetLatency(latency)
	s := open(b, srv, "s3://bucket")
	b.ReportAllocs()
	for b.Loop() {
		srv.Reset()
		start := time.Now()
		var wg sync.WaitGroup
		var next atomic.Int64
		for range parallel {
			wg.Go(func() {
				for i := next.Add(1) - 1; i < objects; i = next.Add(1) - 1 {
					if _, _, err := s.Get(b.Context(), fmt.Sprintf("scenes/%06d.tif", i), 0, int64(len(body)), "e"); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		took := time.Since(start)
		b.ReportMetric(objects/took.Seconds(), "objects/s")
		b.ReportMetric(float64(took)/float64(objects*latency/parallel), "of-ideal")
		b.ReportMetric(float64(srv.Stats(s3test.Get).Requests)/objects, "requests/object")
	}
	b.ReportMetric(float64(srv.Stats(s3test.Any).MostAtOnce), "at-once")
}

// BenchmarkListFlat lists one prefix of a million keys from a server that takes 50 ms for each page.
func BenchmarkListFlat(b *testing.B) {
	const keys, latency = 1_000_000, 50 * time.Millisecond
	for name, key := range map[string]func(i int) string{
		"numbers": func(i int) string { return fmt.Sprintf("flat/img_%08d.tif", i) },
		"random":  func(i int) string { return fmt.Sprintf("flat/%08x%04x.tif", i*4294, i*i%65536) },
	} {
		srv := s3test.New(b)
		srv.CreateBucket("bucket").Generate(keys, func(i int) s3test.Object {
			return s3test.Object{Key: key(i), Size: 1 << 20, ETag: "d41d8cd98f00b204e9800998ecf8427e"}
		})
		srv.SetLatency(latency)
		s := open(b, srv, "s3://bucket")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				srv.Reset()
				start, n := time.Now(), 0
				for _, err := range s.List(b.Context(), objstore.Range{}) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != keys {
					b.Fatalf("%d keys", n)
				}
				b.ReportMetric(float64(srv.Stats(s3test.List).Requests), "requests")
				b.ReportMetric(float64(keys/pageKeys*latency)/float64(time.Since(start)), "times-sequential")
			}
		})
	}
}

// canned answers without a network.
type canned struct {
	status int
	header http.Header
	body   []byte
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: c.status, Header: c.header, Body: io.NopCloser(bytes.NewReader(c.body)), ContentLength: int64(len(c.body)), Request: r,
	}, nil
}

// BenchmarkCPU is what a read and a listed page cost apart from the network.
func BenchmarkCPU(b *testing.B) {
	s := open(b, s3test.New(b), "s3://bucket")
	b.Run("get", func(b *testing.B) {
		s.client.http.Transport = canned{206, http.Header{
			"Etag": {`"e"`}, "Last-Modified": {"Mon, 01 Jan 2024 00:00:00 GMT"}, "Content-Range": {"bytes 0-32767/1000000"},
		}, make([]byte, 32<<10)}
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := s.Get(b.Context(), "a/b/c.tif", 0, 32<<10, "e"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("page", func(b *testing.B) {
		var text strings.Builder
		text.WriteString("<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>")
		for i := range pageKeys {
			text.WriteString(contents(fmt.Sprintf("folder/sub/file%07d.tif", i)))
		}
		text.WriteString("</ListBucketResult>")
		s.client.http.Transport = canned{200, http.Header{}, []byte(text.String())}
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			for range s.List(b.Context(), objstore.Range{}) {
				n++
			}
			if n != pageKeys {
				b.Fatal(n)
			}
		}
	})
}
