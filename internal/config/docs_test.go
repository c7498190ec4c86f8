package config

import (
	"os"
	"strings"
	"testing"
)

// The examples in the documentation are configs that mean what they say.
func TestDocumentedExamples(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	var configs []*Config
	for rest := string(text); ; {
		_, block, ok := strings.Cut(rest, "```yaml\n")
		if !ok {
			break
		}
		block, rest, _ = strings.Cut(block, "```")
		c, err := Parse([]byte(block))
		if err != nil {
			t.Fatalf("%v in\n%s", err, block)
		}
		configs = append(configs, c)
	}
	if len(configs) != 6 {
		t.Fatalf("docs/configuration.md has %d examples", len(configs))
	}
	c := configs[0]
	if c.Title == "" || c.AssumeCRS != 25832 || len(c.Collections.List) != 1 || c.Collections.List[0].ID != "elevation-2m" ||
		len(c.Datetime.Patterns) != 1 || len(c.Properties.FromPath) != 1 || len(c.Properties.FromSidecar) != 1 ||
		len(c.Scenes.Tokens) != 3 || c.AssetHref != AssetSource {
		t.Errorf("the example reads as %+v", c)
	}
	if configs[1].AssetHref != AssetHTTPS || configs[2].AssetHref != "https://files.example/"+KeyPlaceholder {
		t.Errorf("the hrefs read as %q and %q", configs[1].AssetHref, configs[2].AssetHref)
	}
}
