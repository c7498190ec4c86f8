package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
)

// Whatever a file and its sidecars hold, there is a report, in characters that no terminal obeys.
func FuzzInspectReport(f *testing.F) {
	imagery(f)
	for _, file := range []string{"city/city_20240102.tif", "pacific.tif", "s2/T33KWP_20240105T101301_B02.tif", "scan/nowhere.tif", "scan/turned.tif",
		"scan/points.tif", "beside/map_20230401.tif", "README.txt"} {
		body, err := os.ReadFile(filepath.Join("imagery", filepath.FromSlash(file)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, []byte("10\n0\n0\n-10\n400005\n5099995\n"), []byte("<PAMDataset><SRS>EPSG:23033</SRS></PAMDataset>"))
	}
	f.Fuzz(func(t *testing.T, tiff, world, aux []byte) {
		store := memstore.New()
		for key, body := range map[string][]byte{"x/a_B02.tif": tiff, "x/a_B02.tfw": world, "x/a_B02.tif.aux.xml": aux, "x/a_B03.tif": tiff} {
			if _, err := store.Put(t.Context(), key, body, objstore.PutOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		at := location{folder: "/in"}
		rules, err := item.New(config.Default(), aboutSource(at, store))
		if err != nil {
			t.Fatal(err)
		}
		for _, named := range []map[string]bool{nil, {"x/a_B02.tif": true}, {"x/a_B02.tfw": true}} {
			for _, asJSON := range []bool{false, true} {
				var out bytes.Buffer
				report := newReporter(&out, asJSON)
				report.alone = named != nil
				target := &target{openedSource: &openedSource{at, store, rules}, parallel: 1, named: named}
				for l, err := range target.looks(t.Context()) {
					if err == nil {
						err = report.look(l)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				if err := report.end(); err != nil {
					t.Fatal(err)
				}
				odd := func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 && !asJSON }
				if i := strings.IndexFunc(out.String(), odd); i >= 0 {
					t.Errorf("a control character at %d of\n%q", i, &out)
				}
			}
		}
	})
}
