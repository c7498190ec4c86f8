package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store"
	"github.com/cairn-stac/cairn/internal/objstore/s3store/s3test"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// buckets are a server with an empty bucket for a Source and one for a Catalog, which the AWS_* environment leads to.
type buckets struct {
	*s3test.Server
	source, catalog *s3test.Bucket
}

const (
	bucketSource  = "s3://imagery/all"
	bucketCatalog = "s3://catalogs/all"
)

func newBuckets(t testing.TB) *buckets {
	s := s3test.New(t)
	s.Setenv(t)
	return &buckets{s, s.CreateBucket("imagery"), s.CreateBucket("catalogs")}
}

// put stores a file below the Source's prefix.
func (b *buckets) put(key string, body []byte) {
	b.source.Set(s3test.Object{Key: "all/" + key, Body: body})
}

// upload stores the files of a folder there.
func (b *buckets) upload(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		b.put(filepath.ToSlash(rel), body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// published opens what is published in a Catalog, wherever it lies.
func published(t *testing.T, catalog string) *snapshot.Reader {
	t.Helper()
	ctx := context.Background()
	at, err := catalogLocation(catalog)
	if err != nil {
		t.Fatal(err)
	}
	store, err := openReader(ctx, at, s3store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := snapshot.Open(ctx, store, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// itemsOf are the published Items without the URL of their Source, by Collection and id.
func itemsOf(t *testing.T, catalog string) map[string]string {
	t.Helper()
	r := published(t, catalog)
	m := r.Manifest()
	out := map[string]string{}
	for _, row := range m.Rows {
		for it, err := range r.Items(context.Background(), row) {
			if err != nil {
				t.Fatal(err)
			}
			line := it.JSON
			var decoded struct {
				ID     string
				Assets map[string]struct{ Href string }
			}
			if err := json.Unmarshal(line, &decoded); err != nil {
				t.Fatal(err)
			}
			for name, a := range decoded.Assets {
				if !strings.HasPrefix(a.Href, m.Source+"/") && !strings.HasPrefix(a.Href, "s3://imagery/all/") {
					t.Errorf("asset %s of %s is %s, not below %s", name, decoded.ID, a.Href, m.Source)
				}
				line = bytes.ReplaceAll(line, []byte(a.Href), nil)
			}
			out[row.Collection+"/"+decoded.ID] = string(line)
		}
	}
	return out
}

// A Source and a Catalog are each a folder or a bucket, and what comes out is the same.
func TestAllCombinations(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	for i, name := range []string{"a b", "c+d", "50%", "%41", "ünïcode", "x#y?z", "~tilde", "a&b=c"} {
		if i == 5 && os.PathSeparator == '\\' {
			continue // no name for a file of Windows
		}
		put(t, p.source, "odd names/"+name+"_20240506.tif", raster(t, 20+i))
	}
	b.upload(t, p.source)
	var want map[string]string
	for i, c := range []struct{ source, catalog string }{
		{p.source, p.catalog}, {p.source, bucketCatalog}, {bucketSource, p.catalog + "2"}, {bucketSource, bucketCatalog + "2"},
	} {
		first := refreshed(t, c.source, "--catalog", c.catalog)
		got := itemsOf(t, c.catalog)
		if i == 0 {
			want = got
		}
		if len(got) != first.Items || first.Items < 12 || first.Rejects != 1 || first.Sidecars != 1 {
			t.Errorf("%v: %+v, and %d items", c, first, len(got))
		}
		for id, line := range want {
			if got[id] != line {
				t.Errorf("%v: item %s is\n%s; want\n%s", c, id, got[id], line)
			}
		}
		second := refreshed(t, c.source, "--catalog", c.catalog)
		if second.Scanned != 0 || second.Snapshot != first.Snapshot {
			t.Errorf("%v: the second refresh %+v; want none scanned and the same snapshot", c, second)
		}
		if out := must(t, "status", "--catalog", c.catalog); !strings.Contains(out, "1 not_tiff") || strings.Count(out, "successful") != 2 {
			t.Errorf("%v: status says:\n%s", c, out)
		}
	}
}

// Keys that no folder can hold.
func TestKeysOfBuckets(t *testing.T) {
	b := newBuckets(t)
	long := "deep/" + strings.Repeat("ü", (1024-len("all/deep/.tif"))/2)
	long += strings.Repeat("x", 1024-len("all/")-len(long)-len(".tif")) + ".tif"
	keys := []string{"ortho/a.tif", "ortho//b.tif", "ortho/../c.tif", "ortho/./d.tif", "ortho/e\x01f.tif", "ortho/a.tif/g.tif", long}
	for i, key := range keys {
		b.put(key, raster(t, i))
	}
	b.put("ortho/", nil)
	b.put("ortho/marker.tif/", nil)
	got := refreshed(t, bucketSource, "--catalog", bucketCatalog)
	if got.Items != len(keys) || got.Rejects != 0 || got.Ignored != 2 || got.Objects != len(keys)+2 {
		t.Errorf("%+v; want an item for each of %d keys, and 2 ignored", got, len(keys))
	}
	if again := refreshed(t, bucketSource, "--catalog", bucketCatalog); again.Scanned != 0 || again.Items != len(keys) {
		t.Errorf("again: %+v", again)
	}
	s := startServer(t, "serve", bucketSource, "--catalog", bucketCatalog, "--addr", "127.0.0.1:0")
	defer s.end()
	s.settled("")
	var items featureCollection
	s.call("GET", "/collections/ortho/items?limit=100", &items)
	if len(items.Features) != len(keys)-1 {
		t.Errorf("%d items are served; want %d", len(items.Features), len(keys)-1)
	}
	for _, f := range items.Features {
		for _, a := range f.Assets {
			if !strings.HasPrefix(a.Href, "s3://imagery/all/ortho/") {
				t.Errorf("asset %s is not the bucket's", a.Href)
			}
		}
	}
}

// cog is the bytes of a cloud optimized raster of which only the beginning is needed.
func cog(t testing.TB, column int) []byte {
	t.Helper()
	r := tiffwrite.Raster{Width: 256, Height: 256, Keys: tiffwrite.Projected(32633)}
	r.NorthUp(400000+float64(column)*2560, 5100000, 10, 10)
	body, err := r.Optimized().Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// What a refresh costs: a GET a COG and no other request but the listing's to the Source.
func TestRequestsToTheSource(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	const files = 40
	for i := range files {
		b.put(fmt.Sprintf("ortho/c%02d_20240102.tif", i), cog(t, i))
	}
	for _, want := range []struct{ gets, added int }{{files, files}, {0, 0}, {1, 0}} {
		b.Reset()
		if want.gets == 1 { // one is replaced
			b.put("ortho/c00_20240102.tif", append(cog(t, 0), 0))
		}
		got := refreshed(t, bucketSource, "--catalog", p.catalog)
		if n := b.Stats(s3test.Get).Requests; n != want.gets || got.Added != want.added || got.Items != files {
			t.Errorf("%d GETs, %+v; want %d GETs and %d added", n, got, want.gets, want.added)
		}
		if n := b.Stats(s3test.List | s3test.Head | s3test.HeadBucket).Requests; n > 3 {
			t.Errorf("%d requests to check and list; want at most 3", n)
		}
		if n := b.Stats(s3test.Put | s3test.Delete).Requests; n != 0 {
			t.Errorf("%d writes to the source", n)
		}
	}
}

// What a refresh costs at the Catalog, which does not grow with how long it takes.
func TestRequestsToTheCatalog(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	put(t, p.catalog, "c.yaml", []byte("static: none\n"))
	args := []string{p.source, "--catalog", bucketCatalog, "--config", filepath.Join(p.catalog, "c.yaml")}
	b.SetLatency(5 * time.Millisecond)
	for _, run := range []string{"first", "unchanged"} {
		b.Reset()
		refreshed(t, args...)
		gets, puts, lists := b.Stats(s3test.Get).Requests, b.Stats(s3test.Put).Requests, b.Stats(s3test.List).Requests
		t.Logf("%s: %d GET, %d PUT, %d LIST, %d DELETE", run, gets, puts, lists, b.Stats(s3test.Delete).Requests)
		shards := 2
		if run == "unchanged" {
			shards = 0
		}
		if gets > catalogGets+partGets*shards || puts > catalogPuts+partPuts*shards || lists > catalogLists {
			t.Errorf("%s: %d GET, %d PUT, %d LIST; want at most %d, %d and %d", run, gets, puts, lists,
				catalogGets+partGets*shards, catalogPuts+partPuts*shards, catalogLists)
		}
	}
}

// Files that may not be read, or must be restored first, are Rejects until that is mended; nothing else about them changes.
func TestDeniedAndArchivedObjects(t *testing.T) {
	b := newBuckets(t)
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	objects := []s3test.Object{
		{Key: "all/ortho/a.tif", Body: raster(t, 0), Modified: at},
		{Key: "all/ortho/denied.tif", Body: raster(t, 1), Modified: at, Denied: true},
		{Key: "all/ortho/archived.tif", Body: raster(t, 2), Modified: at, Class: "GLACIER", Archived: true},
	}
	b.source.Set(objects...)
	if got := refreshed(t, bucketSource, "--catalog", bucketCatalog); got.Items != 1 || got.Rejects != 2 {
		t.Fatalf("%+v; want 1 item and 2 rejects", got)
	}
	out := must(t, "status", "--rejects", "--catalog", bucketCatalog)
	for _, want := range []string{"ortho/archived.tif: archived: ", "ortho/denied.tif: denied: "} {
		if !strings.Contains(out, want) {
			t.Errorf("rejects lack %q:\n%s", want, out)
		}
	}
	objects[1].Denied, objects[2].Archived = false, false
	b.source.Set(objects...)
	if got := refreshed(t, bucketSource, "--catalog", bucketCatalog); got.Items != 3 || got.Rejects != 0 || got.Added != 2 {
		t.Errorf("after it was mended: %+v; want 3 items", got)
	}
}

// What is wrong with a bucket is told before anything is written, in a line that says what to do.
func TestBucketsThatCannotBeUsed(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	b.upload(t, p.source)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no source bucket":  {[]string{"refresh", "s3://nowhere", "--catalog", p.catalog}, "nowhere"},
		"no catalog bucket": {[]string{"refresh", p.source, "--catalog", "s3://nowhere/x"}, "nowhere"},
		"no status bucket":  {[]string{"status", "--catalog", "s3://nowhere/x"}, "nowhere"},
		"no inspect bucket": {[]string{"inspect", "s3://nowhere/x.tif"}, "nowhere"},
		"no object":         {[]string{"inspect", "s3://imagery/all/none.tif"}, "no such object"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := cairn(t, c.args...)
			if code != exitFailed || stdout != "" || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, stdout %q, stderr %q; want %d and %q", code, stdout, stderr, exitFailed, c.want)
			}
		})
	}
	if _, err := os.Stat(p.catalog); err == nil {
		t.Error("a catalog folder was made")
	}
	if n := b.Stats(s3test.Put).Requests; n != 0 {
		t.Errorf("%d writes", n)
	}
}

func TestCatalogThatMayOnlyBeRead(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	b.Fault(s3test.Match{Op: s3test.Put}, s3test.Fault{Status: 403, Code: "AccessDenied"})
	code, stdout, stderr := cairn(t, "refresh", p.source, "--catalog", bucketCatalog)
	if code != exitFailed || stdout != "" || !strings.Contains(stderr, "the catalog "+bucketCatalog+" cannot be written: ") {
		t.Errorf("exit code %d, stdout %q, stderr %q; want %d", code, stdout, stderr, exitFailed)
	}
	if got := previewed(t, p.source, "--catalog", bucketCatalog); got.Rasters != 6 {
		t.Errorf("a dry run says %+v; want 6 rasters", got)
	}
}

func TestPublicBuckets(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	b.upload(t, p.source)
	b.Demand(s3test.Demand{Unsigned: true})
	if got := refreshed(t, bucketSource, "--no-sign-request", "--catalog", p.catalog); got.Items != 5 {
		t.Errorf("%+v; want 5 items", got)
	}
	b.Demand(s3test.Demand{Signed: true, RequesterPays: true})
	if code, _, stderr := cairn(t, "refresh", bucketSource, "--catalog", p.catalog); code != exitFailed {
		t.Errorf("without --request-payer: exit code %d, %s", code, stderr)
	}
	if got := refreshed(t, bucketSource, "--request-payer", "--catalog", p.catalog); got.Items != 5 {
		t.Errorf("%+v; want 5 items", got)
	}
}

// A bucket that vanishes, or credentials that end, in the middle of a Run is no Reject and drops nothing.
func TestBucketThatVanishes(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	b.upload(t, p.source)
	first := refreshed(t, bucketSource, "--catalog", p.catalog)
	b.put("ortho/a9_20240102.tif", raster(t, 9))
	b.Fault(s3test.Match{Op: s3test.Get}, s3test.Fault{Status: 404, Code: "NoSuchBucket"})
	if code, _, stderr := cairn(t, "refresh", bucketSource, "--catalog", p.catalog); code != exitFailed {
		t.Errorf("exit code %d, stderr %q; want %d", code, stderr, exitFailed)
	}
	b.RemoveBucket("imagery")
	if code, _, stderr := cairn(t, "refresh", bucketSource, "--catalog", p.catalog); code != exitFailed || !strings.Contains(stderr, "imagery") {
		t.Errorf("exit code %d, stderr %q; want %d", code, stderr, exitFailed)
	}
	if got := published(t, p.catalog).Manifest().Fence; got != first.Snapshot {
		t.Errorf("snapshot %d is published; want %d still", got, first.Snapshot)
	}
}

func TestConfigInABucket(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	b.upload(t, p.source)
	set := func(text string) { b.catalog.Set(s3test.Object{Key: "all/" + configName, Body: []byte(text)}) }
	set("collections:\n  depth: 0\nasset_href: https\n")
	if got := refreshed(t, bucketSource, "--catalog", bucketCatalog); got.Collections != 1 {
		t.Errorf("%d collections; want the 1 of the config", got.Collections)
	}
	for it, err := range published(t, bucketCatalog).Items(context.Background(), published(t, bucketCatalog).Manifest().Rows[0]) {
		if err != nil || !bytes.Contains(it.JSON, []byte(`"`+b.URL()+"/imagery/all/")) {
			t.Errorf("the hrefs of %s are not those of the server: %v", it.JSON, err)
		}
	}
	set("collections:\n  depth: many\n")
	code, _, stderr := cairn(t, "refresh", bucketSource, "--catalog", bucketCatalog)
	if want := bucketCatalog + "/cairn.yaml:2: "; code != exitFailed || !strings.Contains(stderr, want) {
		t.Errorf("exit code %d, stderr %q; want %d and %q", code, stderr, exitFailed, want)
	}
}

func TestInspectBuckets(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	put(t, p.source, "ortho/a b+c%_20240102.tif", raster(t, 4))
	b.upload(t, p.source)
	whole := inspectLines(t, must(t, "inspect", "--json", bucketSource+"/"))
	if len(whole) != 7 {
		t.Errorf("%d lines; want one for each of 7 rasters", len(whole))
	}
	lines := strings.Split(strings.TrimSpace(must(t, "inspect", "--json", bucketSource)), "\n")
	var files []string
	for _, line := range lines {
		var f inspected
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		files = append(files, f.File)
	}
	if !slices.IsSorted(files) || len(files) != len(whole) {
		t.Errorf("files are %q; want all in key order", files)
	}
	for _, file := range files { // the name that is shown finds it again
		if alone := inspectLines(t, must(t, "inspect", "--json", file)); (alone[file].Item == nil) != (whole[file].Item == nil) {
			t.Errorf("%s alone: %+v; want %+v", file, alone[file], whole[file])
		}
	}
	b.put("ortho/cog_20240102.tif", cog(t, 1))
	b.Reset()
	out := must(t, "inspect", bucketSource+"/ortho/cog_20240102.tif")
	if !strings.Contains(out, "cloud optimized (COG)") || !strings.Contains(out, bucketSource+"/ortho/cog_20240102.tif\n") {
		t.Errorf("inspect says:\n%s", out)
	}
	if n := b.Stats(s3test.Get).Requests; n != 2 {
		t.Errorf("%d GETs; want one to see what it is and one for the header", n)
	}
	for i := range 4 {
		b.put(fmt.Sprintf("cogs/%d.tif", i), cog(t, i))
	}
	b.Reset()
	out = must(t, "inspect", bucketSource+"/cogs")
	if n := b.Stats(s3test.Get).Requests; n != 5 || !strings.Contains(out, "\n4 items, ") {
		t.Errorf("%d GETs; want one to see whether there is an object of that name and one a file; it says\n%s", n, out)
	}
}

// What belongs to a scene comes out together, as soon as the next key shows that it is complete.
func TestByScene(t *testing.T) {
	stem := func(key string) string { return key[:strings.LastIndexByte(key, '.')+1] }
	list := func(keys ...string) func(func(objstore.Object, error) bool) {
		return func(yield func(objstore.Object, error) bool) {
			for _, k := range keys {
				if !yield(objstore.Object{Key: k}, nil) {
					return
				}
			}
		}
	}
	var got []string
	for scene, err := range byScene(list("a.aux", "a.b.tif", "a.c.prj", "a.c.tif", "a.tif", "b.tif"), stem) {
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, o := range scene {
			text += o.Key + " "
		}
		got = append(got, text)
	}
	if want := []string{"a.b.tif ", "a.c.prj a.c.tif ", "a.aux a.tif ", "b.tif "}; !slices.Equal(got, want) {
		t.Errorf("scenes are %q; want %q", got, want)
	}
}

// The Catalog may lie in the Source's bucket, beside it or in it.
func TestCatalogInTheBucketOfItsSource(t *testing.T) {
	b := newBuckets(t)
	p := newPlace(t)
	b.upload(t, p.source)
	for _, catalog := range []string{"s3://imagery/stac", bucketSource + "/out/stac"} {
		for range 2 {
			if got := refreshed(t, bucketSource, "--catalog", catalog); got.Objects != 8 || got.Items != 5 {
				t.Errorf("%s: %+v; want the 8 objects of the source", catalog, got)
			}
		}
	}
	if got := refreshed(t, "s3://imagery/all", "--catalog", bucketCatalog); got.State != refresh.Successful {
		t.Errorf("%+v", got)
	}
}
