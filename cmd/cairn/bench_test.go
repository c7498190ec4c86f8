package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// benchFiles is how many GeoTIFFs the figures are for.
const benchFiles = 1000

// benchSource makes a folder of small GeoTIFFs in four collections.
func benchSource(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	for i := range benchFiles {
		r := tiffwrite.Raster{Width: 64, Height: 64, Keys: tiffwrite.Projected(32633)}
		r.NorthUp(500000+float64(640*(i%40)), 5_500_000+float64(640*(i/40)), 10, 10)
		body, err := r.Bytes()
		if err != nil {
			b.Fatal(err)
		}
		path := filepath.Join(dir, fmt.Sprintf("block%d", i%4), fmt.Sprintf("tile_%04d_20240501.tif", i))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, body, 0o666); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

func benchEngine(b *testing.B, source, catalog string) *engine {
	b.Helper()
	log := slog.New(slog.DiscardHandler)
	s, err := prepare(context.Background(), setupOptions{source: source, catalog: catalog, bucket: bucketOptions{parallel: sourceParallel}}, log)
	if err != nil {
		b.Fatal(err)
	}
	e, err := (&app{stdout: io.Discard, stderr: io.Discard}).openEngine(context.Background(), s, log)
	if err != nil {
		b.Fatal(err)
	}
	return e
}

func (e *engine) benchRun(b *testing.B, want int) {
	b.Helper()
	ctx := context.Background()
	ans, err := e.desk.Start(ctx, refresh.Request{})
	if err != nil {
		b.Fatal(err)
	}
	r, err := e.desk.Wait(ctx, ans.Run, time.Millisecond)
	if err != nil || r.State != refresh.Successful || r.Counts.Items != benchFiles || r.Counts.Scanned != want {
		b.Fatalf("%+v, %v", r, err)
	}
}

// BenchmarkFirstRefresh is a first refresh of 1,000 small GeoTIFFs in a folder, static Items included. Catalogs are removed
// only at the end: ext4 looks at each recently deleted inode before it takes a new one, which makes files many times slower
// to create for half a minute after a thousand were deleted.
func BenchmarkFirstRefresh(b *testing.B) {
	source, catalogs := benchSource(b), b.TempDir()
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		e := benchEngine(b, source, filepath.Join(catalogs, fmt.Sprint(n)))
		b.StartTimer()
		e.benchRun(b, benchFiles)
		b.StopTimer()
		e.Close()
		b.StartTimer()
	}
}

// BenchmarkUnchangedRefresh is a refresh of 1,000 GeoTIFFs of which none has changed.
func BenchmarkUnchangedRefresh(b *testing.B) {
	e := benchEngine(b, benchSource(b), filepath.Join(b.TempDir(), "catalog"))
	defer e.Close()
	e.benchRun(b, benchFiles)
	for b.Loop() {
		e.benchRun(b, 0)
	}
}

// BenchmarkRequestsDuringRefresh asks a served catalog while full refreshes of it go on, one after the other, and reports the
// 99th percentiles.
func BenchmarkRequestsDuringRefresh(b *testing.B) {
	e := benchEngine(b, benchSource(b), filepath.Join(b.TempDir(), "catalog"))
	defer e.Close()
	e.benchRun(b, benchFiles)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- e.serve(ctx, l, access{addr: l.Addr().String()}, freshness{})
	}()
	base := "http://" + l.Addr().String()
	ask := func(method, path string) time.Duration {
		start := time.Now()
		req, _ := http.NewRequest(method, base+path, nil)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode >= 300 {
			b.Fatalf("%s %s: %s, %v", method, path, res.Status, err)
		}
		return time.Since(start)
	}
	took := map[string][]time.Duration{}
	for b.Loop() {
		if _, err := e.desk.Start(ctx, refresh.Request{Scope: refresh.Scope{Mode: refresh.Full}}); err != nil {
			b.Fatal(err)
		}
		took["post"] = append(took["post"], ask("POST", "/refresh"))
		took["items"] = append(took["items"], ask("GET", "/collections/block1/items?limit=100"))
		took["status"] = append(took["status"], ask("GET", "/refresh/status"))
	}
	for name, t := range took {
		slices.Sort(t)
		b.ReportMetric(float64(t[len(t)*99/100].Microseconds())/1000, name+"-p99-ms")
	}
	stop()
	if err := <-served; err != nil {
		b.Fatal(err)
	}
}
