package item

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
)

// TestWorkedExamples makes the files of each example in the documentation and holds the Items against what it says.
func TestWorkedExamples(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n## Scenes\n")
	examples := 0
	block := func(kind string) string {
		_, after, ok := strings.Cut(rest, "```"+kind+"\n")
		if !ok {
			return ""
		}
		body, after, _ := strings.Cut(after, "```")
		rest = after
		return body
	}
	for yaml := block("yaml"); yaml != ""; yaml = block("yaml") {
		examples++
		r := rulesOf(t, yaml)
		scenes := map[string]map[string]any{}
		for _, key := range strings.Fields(block("files")) {
			scene := r.SceneKey(key)
			if scenes[scene] == nil {
				scenes[scene] = map[string]any{}
			}
			switch {
			case r.Kind(key) == Raster:
				scenes[scene][key] = with(func(r *tiffwrite.Raster) { *r = at(30, 0) })
			case strings.HasSuffix(key, "MTL.txt"):
				scenes[scene][key] = mtl
			default:
				scenes[scene][key] = "<a><CLOUDY_PIXEL_PERCENTAGE>12.5</CLOUDY_PIXEL_PERCENTAGE></a>"
			}
		}
		var got []string
		for _, scene := range slices.Sorted(maps.Keys(scenes)) {
			res, err := files(t, scenes[scene]).build(r)
			if err != nil || len(res.Rejects) != 0 {
				t.Errorf("%s: %+v, %v", scene, res, err)
			}
			for _, it := range res.Items {
				checkItem(t, it)
				line := it.ID + ": " + strings.Join(slices.Sorted(maps.Keys(it.Assets)), " ")
				if it.Properties["cairn:datetime_source"] != "last_modified" {
					line += fmt.Sprintf(", %v", it.Properties["datetime"])
				}
				got = append(got, line)
				if strings.Contains(yaml, "eo:cloud_cover") && len(scenes[scene]) > 4 && it.Properties["eo:cloud_cover"] == nil {
					t.Errorf("%s has no cloud cover: %v", it.ID, it.Properties)
				}
			}
		}
		want := strings.Split(strings.TrimSpace(block("items")), "\n")
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("with\n%sthe Items are\n%s\nwant\n%s", yaml, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if examples != 3 {
		t.Errorf("%d examples were found", examples)
	}
}
