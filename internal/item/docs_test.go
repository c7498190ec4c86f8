package item

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var updateDocs = flag.Bool("update-docs", false, "write docs/rejects.md")

// docs/rejects.md says what the table in the code says.
func TestRejectsAreDocumented(t *testing.T) {
	const path = "../../docs/rejects.md"
	var b strings.Builder
	b.WriteString(`# Rejects

A raster that cannot be catalogued, or a file beside one that may not be read, is a Reject: it has a stable code and a sentence that says what to do, and it stops nothing else. See them
with ` + "`cairn inspect FOLDER`, `cairn status --rejects` or `GET /refresh/runs/{id}/rejects`" + `.

| code | what is the matter | what to do |
| --- | --- | --- |
`)
	for _, c := range RejectCodes {
		advice := strings.ToUpper(c.Advice[:1]) + c.Advice[1:]
		fmt.Fprintf(&b, "| `%s` | %s | %s. |\n", c.Code, c.Meaning, advice)
	}
	b.WriteString(`
Those that may end without the file changing (`)
	var again []string
	for _, c := range RejectCodes {
		if c.Retry {
			again = append(again, "`"+c.Code+"`")
		}
	}
	b.WriteString(strings.Join(again, ", ") + ") are tried again by each refresh; the others when the file, its sidecars, the config or the scanner changes.\n")
	if *updateDocs {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != b.String() {
		t.Errorf("%s is not what the code says (%v); run go test ./internal/item -run Documented -update-docs", path, err)
	}
}
