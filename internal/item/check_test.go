package item

import (
	"bytes"
	"slices"
	"testing"

	"github.com/cairn-stac/cairn/internal/stac"
	"github.com/cairn-stac/cairn/internal/stac/stactest"
)

// checkItem holds an Item against the schemas and returns its line. The schemas of eo, view and sat are not among those beside
// the repository: of these it is checked that they are declared where they are used, and TestExtensions knows their bounds.
func checkItem(t *testing.T, it *stac.Item) []byte {
	t.Helper()
	line, err := it.Line()
	if err != nil {
		t.Fatalf("%s: %v", it.ID, err)
	}
	for prefix, ext := range map[string]string{
		`"proj:`: stac.ExtProjection, `"file:`: stac.ExtFile, `"raster:`: stac.ExtRaster, `"eo:`: stac.ExtEO, `"view:`: stac.ExtView,
	} {
		if bytes.Contains(line, []byte(prefix)) != slices.Contains(it.Extensions, ext) {
			t.Errorf("%s lists the extensions %v", line, it.Extensions)
		}
	}
	core := *it
	core.Extensions = slices.DeleteFunc(slices.Clone(it.Extensions), func(e string) bool {
		return e == stac.ExtEO || e == stac.ExtView || e == stac.ExtSat
	})
	coreLine, err := core.Line()
	if err != nil {
		t.Fatal(err)
	}
	stactest.ValidateLine(t, coreLine)
	return line
}
