package config

import (
	"os"
	"strings"
	"testing"
)

// The example in the documentation is a config that means what it says.
func TestDocumentedExample(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("docs/configuration.md has no example")
	}
	c, err := Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if c.Title == "" || c.AssumeCRS != 25832 || len(c.Collections.List) != 1 || c.Collections.List[0].ID != "elevation-2m" ||
		len(c.Datetime.Patterns) != 1 || len(c.Properties.FromPath) != 1 {
		t.Errorf("the example reads as %+v", c)
	}
}
