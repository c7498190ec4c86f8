package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/s3store"
	"github.com/cairn-stac/cairn/internal/refresh"
)

var lastModified = regexp.MustCompile(`("cairn:datetime_source":"last_modified",(?:"cairn:[^,]*,)*)"datetime":"[^"]*",`)

// TestElsewhere uses a server that the AWS_* environment leads to, below s3://bucket/prefix: make e2e runs it against one that this
// project did not write. Source and Catalog are each a folder or a bucket, and what comes out is the same.
func TestElsewhere(t *testing.T) {
	url := os.Getenv("CAIRN_S3_TEST_URL")
	if url == "" {
		t.Skip("CAIRN_S3_TEST_URL is not set")
	}
	ctx := context.Background()
	url = strings.TrimSuffix(url, "/") + "/" + refresh.NewRunID(time.Now())
	p := newPlace(t)
	for i, name := range []string{"a b", "c+d", "50%", "%41", "ünïcode", "~tilde", "a&b=c"} {
		put(t, p.source, "odd names/"+name+"_20240506.tif", raster(t, 20+i))
	}
	if corpus := os.Getenv("CAIRN_TEST_FILES"); corpus != "" {
		if err := os.CopyFS(filepath.Join(p.source, "corpus"), os.DirFS(corpus)); err != nil {
			t.Fatal(err)
		}
	}
	upload(t, p.source, url+"/source")

	var want map[string]string
	for i, c := range []struct{ source, catalog string }{
		{p.source, p.catalog}, {p.source, url + "/catalog1"}, {url + "/source", p.catalog + "2"}, {url + "/source", url + "/catalog2"},
	} {
		first := refreshed(t, c.source, "--catalog", c.catalog)
		got := itemsOf(t, c.catalog)
		for id, line := range got { // an upload has a time of its own
			got[id] = lastModified.ReplaceAllString(line, "$1")
		}
		if i == 0 {
			want = got
		}
		if len(got) != len(want) || len(got) != first.Items || first.Items < 12 {
			t.Errorf("%v: %+v, and %d items; want %d", c, first, len(got), len(want))
		}
		for id, line := range want {
			if got[id] != line {
				t.Errorf("%v: item %s is\n%s; want\n%s", c, id, got[id], line)
			}
		}
		if second := refreshed(t, c.source, "--catalog", c.catalog); second.Scanned != 0 || second.Snapshot != first.Snapshot {
			t.Errorf("%v: the second refresh %+v; want none scanned and the same snapshot", c, second)
		}
	}
	t.Run("many starts, one run", func(t *testing.T) {
		var wg sync.WaitGroup
		codes := make([]int, 6)
		for i := range codes {
			wg.Go(func() { codes[i], _, _ = cairn(t, "refresh", "--full", url+"/source", "--catalog", url+"/catalog2") })
		}
		wg.Wait()
		for _, code := range codes {
			if code != 0 && code != exitBusy {
				t.Errorf("exit codes %v; want only %d and %d", codes, 0, exitBusy)
			}
		}
		if got := itemsOf(t, url+"/catalog2"); len(got) != len(want) {
			t.Errorf("%d items; want %d", len(got), len(want))
		}
	})
	at, err := s3store.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	s, err := s3store.Open(ctx, at, s3store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for o, err := range s.List(ctx, objstore.Range{}) {
		if err == nil {
			err = s.Delete(ctx, o.Key)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// upload stores the files of a folder below a URL.
func upload(t *testing.T, dir, url string) {
	t.Helper()
	at, err := s3store.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	s, err := s3store.Open(t.Context(), at, s3store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if _, err = s.Put(t.Context(), filepath.ToSlash(rel), body, objstore.PutOptions{}); err != nil {
			return fmt.Errorf("upload %s: %w", rel, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
