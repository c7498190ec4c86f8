package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

// inspectLines decodes the lines of inspect --json, by file.
func inspectLines(t *testing.T, out string) map[string]inspected {
	t.Helper()
	files := map[string]inspected{}
	for line := range strings.Lines(out) {
		dec := json.NewDecoder(strings.NewReader(line))
		dec.DisallowUnknownFields()
		var f inspected
		if err := dec.Decode(&f); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if (f.Item == nil) == (f.Reject == nil) {
			t.Errorf("not either an item or a reject: %s", line)
		}
		files[f.File] = f
	}
	return files
}

func TestInspectFolderAsJSON(t *testing.T) {
	p := newPlace(t)
	files := inspectLines(t, must(t, "inspect", "--json", p.source))
	if len(files) != 6 {
		t.Errorf("%d lines; want one for each of 6 rasters", len(files))
	}
	broken := files[filepath.Join(p.source, "dem", "broken.tif")]
	if broken.Reject == nil || broken.Reject.Code != "not_tiff" || broken.Reject.Message == "" {
		t.Errorf("the broken file: %+v", broken)
	}
	// What a refresh catalogues is what inspect shows.
	refreshed(t, p.source, "--catalog", p.catalog)
	s := startServer(t, p.args("serve", "--addr", "127.0.0.1:0")...)
	defer s.end()
	var shown, catalogued struct {
		ID         string         `json:"id"`
		BBox       []float64      `json:"bbox"`
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(files[filepath.Join(p.source, "ortho", "a1_20240102.tif")].Item, &shown); err != nil {
		t.Fatal(err)
	}
	s.call("GET", "/collections/ortho/items/"+shown.ID, &catalogued)
	a, _ := json.Marshal(shown)
	b, _ := json.Marshal(catalogued)
	if string(a) != string(b) {
		t.Errorf("inspect shows %s; the catalog has %s", a, b)
	}
}

func TestInspectForPeople(t *testing.T) {
	p := newPlace(t)
	out := must(t, "inspect", p.source)
	for _, want := range []string{
		"5 items, 1 reject (1 not_tiff), 1 sidecar, 1 ignored",
		"a1_20240102 in collection ortho", "16 x 16 pixels, 1 band of uint8", "EPSG:32633 (WGS 84 / UTM zone 33N), pixels of 10 m",
		"not cloud optimized: ", "2024-01-02T00:00:00Z, from the file's name", "reject     not_tiff: ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
}

func TestInspectSingleFiles(t *testing.T) {
	p := newPlace(t)
	r := tiffwrite.Raster{Width: 300, Height: 300, Keys: tiffwrite.Geographic(4326)}
	r.NorthUp(179.9, 10, 0.001, 0.001)
	body, err := r.Optimized().Bytes()
	if err != nil {
		t.Fatal(err)
	}
	put(t, p.source, "x.tif", body)
	put(t, p.source, "x.y.tif", body)
	for file, want := range map[string][]string{
		"x.tif":               {"cloud optimized (COG), 1 overview", "(across the antimeridian)", "last modified"},
		"dem/broken.tif":      {"reject     not_tiff: "},
		"README.txt":          {"reject     ignored: "},
		"dem/b0_20240304.tfw": {"reject     sidecar: ", "item       b0_20240304"},
	} {
		out := must(t, "inspect", filepath.Join(p.source, filepath.FromSlash(file)))
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: it lacks %q:\n%s", file, w, out)
			}
		}
		if strings.Contains(out, "x.y") {
			t.Errorf("%s: another file is shown:\n%s", file, out)
		}
	}
}

func TestInspectTakesAConfig(t *testing.T) {
	p := newPlace(t)
	config := filepath.Join(t.TempDir(), "c.yaml")
	put(t, filepath.Dir(config), "c.yaml", []byte("exclude: ['dem/**']\n"))
	if files := inspectLines(t, must(t, "inspect", "--json", "--config", config, p.source)); len(files) != 3 {
		t.Errorf("%d files; want the 3 that are not excluded", len(files))
	}
}

func TestInspectRefuses(t *testing.T) {
	p := newPlace(t)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"inspect"}, exitUsage, "one FILE or FOLDER"},
		{[]string{"inspect", "gs://bucket/x.tif"}, exitUsage, "does not read"},
		{[]string{"inspect", p.source, "--no-sign-request"}, exitUsage, "is a folder"},
		{[]string{"inspect", p.source + "x"}, exitFailed, "imageryx: "},
	} {
		if code, stdout, stderr := cairn(t, c.args...); code != c.code || !strings.Contains(stderr, c.want) || stdout != "" {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q; want %d and %q", c.args, code, stdout, stderr, c.code, c.want)
		}
	}
}
