package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the documentation shows of cairn inspect is what it says of the demo's rasters. A line of "…" stands for any lines.
func TestInspectExamples(t *testing.T) {
	if filepath.Separator != '/' {
		t.Skip("the examples have paths with slashes")
	}
	pages := map[string]int{"../../README.md": 1, "../../docs/inspect.md": 5} // and how many examples there are at least
	texts := map[string]string{}
	for page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		texts[page] = string(text)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	must(t, "demo", "--dir", "demo", "--no-serve")
	for page, least := range pages {
		examples := 0
		for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(texts[page], -1) {
			for example := range strings.SplitSeq("\n"+block[1], "\n$ ") {
				command, want, _ := strings.Cut(example, "\n")
				args := strings.Fields(strings.ReplaceAll(command, "'", ""))
				if len(args) < 2 || args[0] != "cairn" || args[1] != "inspect" {
					continue
				}
				examples++
				got := strings.ReplaceAll(must(t, args[1:]...), dir, "/home/you")
				if pattern := examplePattern(want); !pattern.MatchString(likely(got)) {
					t.Errorf("%s: %s says\n%s; want\n%s", page, command, got, want)
				}
			}
		}
		if examples < least {
			t.Errorf("%s has %d examples of cairn inspect", page, examples)
		}
	}
}

// sizes differ with the version of Go that compresses the demo's rasters.
var sizes = regexp.MustCompile(`\d+(\.\d+)? kB|"file:size": \d+`)

func likely(text string) string { return sizes.ReplaceAllString(strings.TrimSpace(text), "some kB") }

func examplePattern(want string) *regexp.Regexp {
	lines := strings.Split(likely(want), "\n")
	for i, line := range lines {
		if lines[i] = regexp.QuoteMeta(line); line == "…" {
			lines[i] = "(?s:.*)"
		}
	}
	return regexp.MustCompile(`^` + strings.Join(lines, "\n") + `$`)
}
