package fidelity

import (
	"encoding/json"
	"io"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/geotiff"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/sharedtest"
	"github.com/cairn-stac/cairn/internal/stac"
	"github.com/cairn-stac/cairn/internal/stac/stactest"
)

// A subject is one file: what GDAL says of it and what Cairn makes of it.
type subject struct {
	truth
	header *geotiff.Header // nil where it cannot be read
	made   *stac.Item      // nil where the file became a Reject
	item   *published      // as its readers get it
	reject item.Reject
	bare   *published // what a Reject becomes with without_footprint: item; nil where it is a Reject all the same
	reads  int
	bytes  int64
	took   time.Duration
}

// published is an Item as its readers get it.
type published struct {
	BBox       []float64
	Geometry   *struct{ Type string }
	Properties map[string]any
	Assets     map[string]asset
}

type asset struct {
	Type      string
	Roles     []string
	Shape     []int64   `json:"proj:shape"`
	Transform []float64 `json:"proj:transform"`
	Bands     []band
}

type band struct {
	DataType          string `json:"data_type"`
	Nodata            any
	Unit, Description string
	Scale             *float64 `json:"raster:scale"`
	Offset            *float64 `json:"raster:offset"`
	Statistics        map[string]any
}

// data is the asset that is the raster; an empty one where the file becomes none.
func (s *subject) data() asset {
	for _, p := range []*published{s.item, s.bare} {
		if p == nil {
			continue
		}
		for _, a := range p.Assets {
			if len(a.Shape) == 2 {
				return a
			}
		}
	}
	return asset{}
}

// newRules makes the rules of a cairn.yaml over the folder.
func newRules(t *testing.T, dir, yaml string) *item.Rules {
	t.Helper()
	cfg, err := config.Parse([]byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	r, err := item.New(cfg, item.Source{URL: "file:///corpus", Name: filepath.Base(dir)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// study reads a file with those beside it that GDAL may have read, and validates what it becomes: by rules, and where that is a
// Reject by lenient too, which take what has no place on the Earth.
func study(t *testing.T, rules, lenient *item.Rules, dir string, row truth) *subject {
	t.Helper()
	s := &subject{truth: row}
	var objs []objstore.Object
	counts := map[string]*counter{}
	for _, key := range append([]string{row.File}, beside(row)...) {
		f, size := sharedtest.Open(t, filepath.Join(dir, filepath.FromSlash(key)))
		defer f.Close()
		counts[key] = &counter{r: f}
		objs = append(objs, objstore.Object{Key: key, Size: size, Modified: time.Unix(1.7e9, 0)})
	}
	s.header, _ = geotiff.Read(counts[row.File].r, objs[0].Size)
	build := func(r *item.Rules) (*stac.Item, item.Reject) {
		res, err := r.Build(r.Collection(row.File), objs, func(o objstore.Object) io.ReaderAt { return counts[o.Key] })
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case len(res.Items) == 1 && len(res.Rejects) == 0:
			return res.Items[0], item.Reject{}
		case len(res.Items) == 0 && len(res.Rejects) == 1:
			return nil, res.Rejects[0]
		}
		t.Fatalf("%s became %d Items and %d Rejects", row.File, len(res.Items), len(res.Rejects))
		return nil, item.Reject{}
	}
	start := time.Now()
	s.made, s.reject = build(rules)
	s.took = time.Since(start)
	s.reads, s.bytes = counts[row.File].reads, counts[row.File].bytes
	if s.made != nil {
		s.item = publish(t, s.made)
	} else if it, _ := build(lenient); it != nil {
		s.bare = publish(t, it)
	}
	return s
}

func publish(t *testing.T, it *stac.Item) *published {
	t.Helper()
	line, err := it.Line()
	if err != nil {
		t.Fatalf("%s: %v", it.ID, err)
	}
	stactest.ValidateLine(t, line)
	p := &published{}
	if err := json.Unmarshal(line, p); err != nil {
		t.Fatal(err)
	}
	return p
}

// beside are the keys of the files beside a raster, where the truth was made with them.
func beside(row truth) (keys []string) {
	for _, name := range row.Beside {
		keys = append(keys, path.Join(path.Dir(row.File), name))
	}
	return keys
}

// hasBeside tells whether a file with one of the endings lay beside the raster when its truth was made.
func (s *subject) hasBeside(endings ...string) bool {
	for _, name := range s.Beside {
		for _, ending := range endings {
			if strings.HasSuffix(strings.ToLower(name), ending) {
				return true
			}
		}
	}
	return false
}

// A counter counts what is read through it.
type counter struct {
	r     io.ReaderAt
	reads int
	bytes int64
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.reads++
	c.bytes += int64(n)
	return n, err
}
