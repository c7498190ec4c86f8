package item

import (
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/sharedtest"
)

// TestCorpus makes an Item or a Reject of every file of the corpus, valid by the schemas; and an Item of every one that is a
// raster where the config wants those without a footprint too. What they say is held against GDAL in internal/fidelity.
func TestCorpus(t *testing.T) {
	dir, ok := sharedtest.Dir("corpus/files")
	if !ok {
		t.Skip("the corpus is not beside the repository")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.tif"))
	if err != nil || len(files) < 400 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	strict, lenient := rulesOf(t, ""), rulesOf(t, "without_footprint: item")
	placed, items := 0, 0
	for _, path := range files {
		key, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		key = filepath.ToSlash(key)
		a, b := buildFile(t, strict, path, key), buildFile(t, lenient, path, key)
		placed, items = placed+len(a.Items), items+len(b.Items)
		for _, r := range b.Rejects {
			switch r.Code {
			case CodeNoTransform, CodeNoCRS, CodeUnsupportedCRS, CodeNotEarth, CodeOffEarth:
				t.Errorf("%s: %s, though an Item without a footprint was wanted", key, r.Code)
			}
		}
		if len(a.Items) > len(b.Items) {
			t.Errorf("%s is an Item only where those without a footprint are not wanted", key)
		}
	}
	t.Logf("%d files, %d of them Items, %d with those without a footprint", len(files), placed, items)
	if placed < 200 || items < 400 {
		t.Errorf("only %d and %d files became Items", placed, items)
	}
}

// buildFile makes an Item or a Reject of one file, and checks it.
func buildFile(t *testing.T, r *Rules, path, key string) Result {
	t.Helper()
	f, size := sharedtest.Open(t, path)
	defer f.Close()
	o := objstore.Object{Key: key, Size: size, Modified: time.Unix(1.7e9, 0)}
	res, err := r.Build(r.Collection(key), []objstore.Object{o}, func(objstore.Object) io.ReaderAt { return f })
	if err != nil || len(res.Items)+len(res.Rejects) != 1 {
		t.Fatalf("%s: %d items and %d rejects, %v", key, len(res.Items), len(res.Rejects), err)
	}
	for _, reject := range res.Rejects {
		checkReject(t, reject)
	}
	for _, it := range res.Items {
		checkItem(t, it)
	}
	return res
}
