package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// previewed is what refresh --dry-run --json says.
func previewed(t *testing.T, args ...string) dryRunLine {
	t.Helper()
	var got dryRunLine
	if err := json.Unmarshal([]byte(must(t, append([]string{"refresh", "--dry-run", "--json"}, args...)...)), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestDryRun(t *testing.T) {
	p := newPlace(t)
	want := refresh.Preview{Objects: 8, Ignored: 1, Rasters: 6, Shards: 2}
	if got := previewed(t, p.source, "--catalog", p.catalog); got.Preview != want || got.estimate != (estimate{}) {
		t.Errorf("before the first refresh: %+v; want %+v, for nothing", got, want)
	}
	if _, err := os.Stat(p.catalog); err == nil {
		t.Error("a catalog folder was made")
	}
	refreshed(t, p.source, "--catalog", p.catalog)
	put(t, p.source, "ortho/a9_20240102.tif", raster(t, 9))
	if err := os.Remove(filepath.Join(p.source, "dem", "b1_20240304.tif")); err != nil {
		t.Fatal(err)
	}
	before := listing(t, p.catalog)
	want = refresh.Preview{Objects: 8, Ignored: 1, Unchanged: 6, Rasters: 1, Removed: 1, Shards: 2}
	if got := previewed(t, p.source, "--catalog", p.catalog); got.Preview != want {
		t.Errorf("after a change: %+v; want %+v", got.Preview, want)
	}
	out := must(t, p.args("refresh", "--dry-run")...)
	if !contains(out, "8 files, of them 1 ignored and 6 unchanged; 1 gone", "1 raster, for 2 parts", "both are folders", "nothing was written") {
		t.Errorf("for people it says:\n%s", out)
	}
	if after := listing(t, p.catalog); after != before {
		t.Errorf("the catalog was\n%s and is\n%s", before, after)
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(p.source, "dem")), os.RemoveAll(filepath.Join(p.source, "ortho"))); err != nil {
		t.Fatal(err)
	}
	if out := must(t, p.args("refresh", "--dry-run")...); !contains(out, "refused   this run would drop", "--allow-mass-delete") {
		t.Errorf("of a source without files it says:\n%s", out)
	}
	if code, _, stderr := cairn(t, p.args("refresh", "--dry-run", "--prefix", "/x")...); code != exitUsage {
		t.Errorf("a wrong prefix: exit code %d, %s", code, stderr)
	}
}

// It needs no Lease, so it works beside a refresh.
func TestDryRunBesideARefresh(t *testing.T) {
	p := newPlace(t)
	other := startHeld(t, "runs/", p.args("refresh")...)
	if got := previewed(t, p.source, "--catalog", p.catalog); got.Rasters != 6 {
		t.Errorf("%+v; want 6 rasters", got)
	}
	other.stdin.Close()
	if code := other.wait(); code != 0 {
		t.Errorf("the refresh exits with %d: %s", code, other.stderr.String())
	}
}

// What it estimates for buckets is what a refresh then asks for.
func TestDryRunEstimatesRequests(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	b.upload(t, p.source)
	args := []string{bucketSource, "--catalog", bucketCatalog}
	for _, run := range []string{"first", "unchanged"} {
		b.Reset()
		got := previewed(t, args...)
		if n := b.Stats(s3test.Put | s3test.Delete).Requests; n != 0 {
			t.Fatalf("%s: %d writes", run, n)
		}
		b.Reset()
		refreshed(t, args...)
		lists, gets, puts := b.Stats(s3test.List).Requests, b.Stats(s3test.Get).Requests, b.Stats(s3test.Put).Requests
		t.Logf("%s: %+v; asked for %d LIST, %d GET, %d PUT", run, got.estimate, lists, gets, puts)
		r := got.Requests
		if gets > r.GetMost || gets < r.GetLeast/2 || puts > r.Put || lists > r.List {
			t.Errorf("%s: %d LIST, %d GET and %d PUT; estimated are %+v", run, lists, gets, puts, r)
		}
		if want := float64(r.List+r.Put)*0.000005 + float64(r.GetMost)*0.0000004; got.USDMost < want*0.999 || got.USDMost > want*1.001 || got.USDLeast > got.USDMost {
			t.Errorf("%s: %g to %g USD; want at most %g", run, got.USDLeast, got.USDMost, want)
		}
	}
	// Each prefix is a listing of its own.
	var prefixes []string
	for i := range 30 {
		prefixes = append(prefixes, "--prefix", fmt.Sprintf("none%d/", i))
	}
	b.Reset()
	got := previewed(t, append(prefixes, args...)...)
	b.Reset()
	refreshed(t, append(prefixes, args...)...)
	if lists := b.Stats(s3test.List).Requests; lists < 30 || lists > got.Requests.List {
		t.Errorf("%d LIST for 30 prefixes; estimated are %d", lists, got.Requests.List)
	}
	if out := must(t, append([]string{"refresh", "--dry-run", "--request-payer"}, args...)...); !contains(out, "USD", "S3 Standard", "charged to you", "GET") || strings.Contains(out, "the owner") {
		t.Errorf("for people it says:\n%s", out)
	}
}

func TestUSD(t *testing.T) {
	for amount, want := range map[float64]string{0: "0.00", 0.000123: "0.00012", 0.04: "0.04", 1.239: "1.24", 1234.5: "1234.50"} {
		if got := usd(amount); got != want {
			t.Errorf("%g is %s; want %s", amount, got, want)
		}
	}
}
