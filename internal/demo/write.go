package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// Keys of files for people to play with.
const (
	Sample = "alps/bernina_20250118_a1.tif" // one of the rasters
	Added  = "alps/bernina_20250601_a1.tif" // none of them: what a copy of Sample may be called
)

// Files beside the rasters.
var extras = map[string]string{
	// An error page, saved under the name of what was asked for.
	"alps/bernina_20240714_b4.tif": "<!DOCTYPE html><title>503</title><p>Service unavailable. Try again later.</p>\n",
	"heights/bernina_west_2019-08.tif.aux.xml": `<PAMDataset>
  <PAMRasterBand band="1"><Description>relative height</Description></PAMRasterBand>
</PAMDataset>
`,
	"README.txt": "Invented terrain at real places, made by `cairn demo`. Do with it as you like.\n",
}

// catalogConfig is the cairn.yaml of the Catalog. Each part of it is there to be looked at; none is needed.
const catalogConfig = `title: Cairn demo
description: Invented terrain at real places.
license: CC0-1.0
collections:
  list:
    - {prefix: alps/, title: Bernina from the air}
    - {prefix: fiji/, title: Fiji, description: Islands on both sides of the antimeridian.}
    - {prefix: landcover/, title: Land cover of the world}
datetime:
  patterns:            # dates that are less than a day exact
    - 'landcover_(?P<year>\d{4})'
    - '_(?P<year>\d{4})-(?P<month>\d{2})\.tif$'
`

// Write writes the sample rasters and what lies beside them into a folder, which it makes, and returns how many files end in
// .tif. A file that is there already stays as it is, so that a second call changes nothing.
func Write(ctx context.Context, dir string) (rasters int, err error) {
	all := scenes()
	errs := make([]error, len(all))
	todo := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range todo {
				errs[i] = write(dir, all[i].key, all[i].encode)
			}
		})
	}
	for i := range all {
		if ctx.Err() != nil {
			break
		}
		todo <- i
	}
	close(todo)
	wg.Wait()
	for key, body := range extras {
		errs = append(errs, write(dir, key, text(body)))
		if filepath.Ext(key) == ".tif" {
			rasters++
		}
	}
	return rasters + len(all), errors.Join(append(errs, ctx.Err())...)
}

// WriteConfig writes a cairn.yaml for the samples into the folder of their Catalog, which it makes, unless one is there.
func WriteConfig(catalog string) error { return write(catalog, "cairn.yaml", text(catalogConfig)) }

func text(s string) func() ([]byte, error) { return func() ([]byte, error) { return []byte(s), nil } }

// write writes a file, whole or not at all, unless there is one.
func write(dir, key string, content func() ([]byte, error)) error {
	path := filepath.Join(dir, filepath.FromSlash(key))
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	body, err := content()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write sample: %w", err)
	}
	part := path + ".part"
	if err := os.WriteFile(part, body, 0o644); err != nil {
		return fmt.Errorf("write sample: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("write sample: %w", err)
	}
	return nil
}
