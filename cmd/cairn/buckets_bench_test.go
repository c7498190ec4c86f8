package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
)

// benchCOG is a small file with the layout of a COG, so that one read tells all of it.
func benchCOG(b *testing.B) []byte {
	b.Helper()
	r := tiffwrite.Raster{Width: 64, Height: 64, Keys: tiffwrite.Projected(32633)}
	r.NorthUp(500_000, 5_500_000, 10, 10)
	body, err := r.Bytes()
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// generate fills the Source with n of them in flat prefixes of up to 250,000.
func (s *buckets) generate(b *testing.B, n int) {
	body := benchCOG(b)
	s.source.Generate(n, func(i int) s3test.Object {
		return s3test.Object{Key: fmt.Sprintf("all/survey%d/tile_%07d_20240501.tif", i/250_000, i), Body: body, ETag: fmt.Sprintf("%032x", i)}
	})
}

// A ran is what a cairn process came to.
type ran struct {
	summaryLine
	wall time.Duration
	peak int64 // bytes of memory
}

// benchMark, as the first argument, makes the test binary a process that is measured: a command of cairn, or the bare listing.
const (
	benchMark = "-cairn-bench"
	listMark  = "list-only"
)

func benchMain(args []string) int {
	if args[0] != listMark {
		return run(context.Background(), args, os.Stdin, os.Stdout, os.Stderr)
	}
	if err := listOnly(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// benchProcess runs the test binary as such a process.
func benchProcess(b *testing.B, args ...string) (string, ran) {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(exe, append([]string{benchMark}, args...)...)
	cmd.Stderr = os.Stderr
	start := time.Now()
	out, err := cmd.Output()
	r := ran{wall: time.Since(start), peak: peakMemory(cmd.ProcessState)}
	if err != nil {
		b.Fatalf("cairn %s: %v", strings.Join(args, " "), err)
	}
	return string(out), r
}

func benchRefresh(b *testing.B, args ...string) ran {
	b.Helper()
	out, r := benchProcess(b, append([]string{"refresh", bucketSource, "--json", "--quiet"}, args...)...)
	if err := json.Unmarshal([]byte(out), &r.summaryLine); err != nil {
		b.Fatalf("%v in %s", err, out)
	}
	return r
}

const mib = 1 << 20

// BenchmarkBucketLatency is a first refresh of COGs on a server that adds 50 ms to each answer, 128 at once, by a process of its
// own, from its start to its end. The ratio is to the time that the reads would take if all 128 were always under way.
func BenchmarkBucketLatency(b *testing.B) {
	const n, latency, parallel = 12_800, 50 * time.Millisecond, 128
	s := newBuckets(b)
	s.generate(b, n)
	s.SetLatency(latency)
	for b.Loop() {
		s.Reset()
		r := benchRefresh(b, "--catalog", filepath.Join(b.TempDir(), "catalog"))
		if r.Items != n {
			b.Fatalf("%+v", r.summaryLine)
		}
		ideal := n * latency / parallel
		b.ReportMetric(float64(r.wall)/float64(ideal), "ratio")
		b.ReportMetric(float64(s.Stats(s3test.Get).Requests)/n, "gets/cog")
		b.ReportMetric(float64(s.Stats(s3test.Any).Connections)/parallel, "connections/128")
		b.ReportMetric(float64(s.Stats(s3test.List).Requests), "lists")
	}
}

// BenchmarkBucketToBucket is the same with the Catalog in a bucket of that server, too.
func BenchmarkBucketToBucket(b *testing.B) {
	const n, latency, parallel = 12_800, 50 * time.Millisecond, 128
	s := newBuckets(b)
	s.generate(b, n)
	s.SetLatency(latency)
	for b.Loop() {
		s.catalog = s.CreateBucket("catalogs")
		s.Reset()
		r := benchRefresh(b, "--catalog", bucketCatalog)
		if r.Items != n {
			b.Fatalf("%+v", r.summaryLine)
		}
		b.ReportMetric(float64(r.wall)/float64(n*latency/parallel), "ratio")
		b.ReportMetric(float64(s.Stats(s3test.Put).Requests), "puts")
		u := benchRefresh(b, "--catalog", bucketCatalog)
		if u.Scanned != 0 {
			b.Fatalf("%+v", u.summaryLine)
		}
		b.ReportMetric(u.wall.Seconds(), "unchanged-s")
	}
}

// BenchmarkBucketFirst100k is a first refresh of 100,000 COGs in a bucket without delay.
func BenchmarkBucketFirst100k(b *testing.B) {
	const n = 100_000
	s := newBuckets(b)
	s.generate(b, n)
	for b.Loop() {
		r := benchRefresh(b, "--catalog", filepath.Join(b.TempDir(), "catalog"))
		if r.Items != n {
			b.Fatalf("%+v", r.summaryLine)
		}
		b.ReportMetric(float64(r.peak)/mib, "peak-MiB")
		b.ReportMetric(r.wall.Seconds(), "s")
	}
}

// listOnly lists the Source and does nothing else.
func listOnly(w io.Writer) error {
	ctx := context.Background()
	at, err := s3store.ParseURL(bucketSource)
	if err != nil {
		return err
	}
	s, err := s3store.Open(ctx, at, s3store.Options{})
	if err != nil {
		return err
	}
	n := 0
	for _, err := range s.List(ctx, objstore.Range{}) {
		if err != nil {
			return err
		}
		n++
	}
	_, err = fmt.Fprintln(w, n)
	return err
}

// BenchmarkBucketUnchangedMillion is a refresh of 1,000,000 COGs of which none has changed, against the bare listing of them. Both are
// processes of their own. The Snapshot is made first, in this process, which takes a minute or more.
func BenchmarkBucketUnchangedMillion(b *testing.B) {
	const n = 1_000_000
	s := newBuckets(b)
	s.generate(b, n)
	catalog := filepath.Join(b.TempDir(), "catalog")
	first := benchRefresh(b, "--catalog", catalog)
	if first.Items != n {
		b.Fatalf("%+v", first.summaryLine)
	}
	var bare, whole time.Duration
	for b.Loop() {
		s.Reset()
		out, r := benchProcess(b, listMark)
		if strings.TrimSpace(out) != fmt.Sprint(n) {
			b.Fatalf("listed %s", out)
		}
		bare += r.wall
		b.ReportMetric(float64(s.Stats(s3test.List).Requests), "bare-lists")
		s.Reset()
		u := benchRefresh(b, "--catalog", catalog)
		if u.Scanned != 0 || u.Unchanged != n || s.Stats(s3test.Get).Requests != 0 {
			b.Fatalf("%+v", u.summaryLine)
		}
		whole += u.wall
		b.ReportMetric(float64(s.Stats(s3test.List).Requests), "lists")
		b.ReportMetric(float64(u.peak)/mib, "peak-MiB")
	}
	b.ReportMetric(float64(first.peak)/mib, "first-peak-MiB")
	b.ReportMetric(first.wall.Seconds(), "first-s")
	b.ReportMetric(bare.Seconds()/float64(b.N), "bare-s")
	b.ReportMetric(float64(whole)/float64(bare), "ratio")
}
