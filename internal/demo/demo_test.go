package demo

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/geotiff"
)

// Every sample must be what it is shown as: a Cloud Optimized GeoTIFF with a CRS and a place. One is broken.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	n, err := Write(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	good, broken := 0, 0
	codes := map[uint16]bool{}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".tif" {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		h, err := geotiff.Read(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			broken++
			return nil
		}
		good++
		if !h.COG.Valid || h.Transform == nil || h.Geo == nil || len(h.Warnings) > 0 {
			t.Errorf("%s: COG %+v, transform %v, keys %v, warnings %v", path, h.COG, h.Transform, h.Geo, h.Warnings)
			return nil
		}
		codes[h.Geo.ProjectedCRS|h.Geo.GeodeticCRS] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if good+broken != n || broken != 1 || good < 29 {
		t.Errorf("%d good and %d broken rasters of %d; want at least 29 and 1", good, broken, n)
	}
	for _, want := range []uint16{32632, 32718, 32701, 4326, 3857} {
		if !codes[want] {
			t.Errorf("no sample is in EPSG:%d", want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(Sample))); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(Added))); err == nil {
		t.Errorf("%s is there; it is for the user to add", Added)
	}
}

// The pixels show something: neither one colour, nor cut off at either end.
func TestPixelsAreVisible(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenes() {
		name, _, _ := strings.Cut(s.key, "/")
		if seen[name] {
			continue
		}
		seen[name] = true
		s.width, s.height, s.pixel = s.width/4, s.height/4, s.pixel*4
		values := map[uint16]int{}
		pixels := s.pixels()
		for _, v := range pixels {
			values[v]++
		}
		if len(values) < 5 {
			t.Errorf("%s has %d different values", s.key, len(values))
		}
		for v, n := range values {
			if s.bands == 3 && n > len(pixels)/2 {
				t.Errorf("%s: %d of %d values are %d", s.key, n, len(pixels), v)
			}
		}
	}
}

func TestWriteStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Write(ctx, t.TempDir()); err == nil {
		t.Error("no error though the context had ended")
	}
}

// A second demo in one folder changes nothing, so that a refresh opens nothing again.
func TestFilesThatAreThereStay(t *testing.T) {
	dir := t.TempDir()
	for _, body := range []string{"one", "two"} {
		if err := write(dir, "a/b.tif", text(body)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, "a", "b.tif")); err != nil || string(got) != "one" {
		t.Errorf("content is %q, %v", got, err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "a")); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v; want one file", left, err)
	}
}

func TestConfigIsValidAndKept(t *testing.T) {
	if _, err := config.Parse([]byte(catalogConfig)); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "catalog")
	if err := WriteConfig(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "cairn.yaml")
	if err := os.WriteFile(path, []byte("title: mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WriteConfig(dir); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "title: mine\n" {
		t.Errorf("the user's config became %q", got)
	}
}
