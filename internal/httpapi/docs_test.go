package httpapi

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The table of problems in the documentation has every code, with its status.
func TestProblemsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "\n## Problems\n")
	if !ok {
		t.Fatal("docs/api.md has no section on problems")
	}
	got := map[string]int{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d{3}) \| (.*) \|$`).FindAllStringSubmatch(table, -1) {
		for _, code := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[2], -1) {
			if fmt.Sprint(statuses[code[1]]) != row[1] {
				t.Errorf("%s is documented with status %s; it is %d", code[1], row[1], statuses[code[1]])
			}
			got[code[1]]++
		}
	}
	for code := range statuses {
		if got[code] != 1 {
			t.Errorf("%s is documented %d times", code, got[code])
		}
	}
}
