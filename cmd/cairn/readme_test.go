package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The README's curl lines work against the demo, in their order, and its PowerShell lines ask for the same addresses.
func TestReadmeExamples(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "demo", "--addr", "127.0.0.1:0", "--dir", t.TempDir())
	defer s.end()
	curl := regexp.MustCompile(`(?m)^curl (-X POST )?"?(http://127\.0\.0\.1:8000[^"\s]*)"?$`)
	asked := map[string]bool{}
	for _, m := range curl.FindAllStringSubmatch(string(text), -1) {
		method := http.MethodGet
		if m[1] != "" {
			method = http.MethodPost
		}
		asked[strings.TrimPrefix(m[2], "http://127.0.0.1:8000")] = true
		req, err := http.NewRequest(method, strings.Replace(m[2], "http://127.0.0.1:8000", s.base, 1), nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode >= 300 {
			t.Errorf("%s: %s %s", m[0], res.Status, body)
		}
		if strings.Contains(m[2], "/items") && !strings.Contains(string(body), `"type":"Feature"`) {
			t.Errorf("%s finds nothing: %s", m[0], body)
		}
	}
	if len(asked) < 6 {
		t.Errorf("the README has only the curl lines %v", asked)
	}
	for _, m := range regexp.MustCompile(`(?m)^\(?Invoke-RestMethod.* http://127\.0\.0\.1:8000([^)\s]*)`).FindAllStringSubmatch(string(text), -1) {
		if !asked[m[1]] {
			t.Errorf("PowerShell asks for %s, which no curl line does", m[1])
		}
	}
}

// Every relative link of the documentation leads to a file of the repository.
func TestDocumentationLinks(t *testing.T) {
	pages, err := filepath.Glob("../../*.md")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for _, page := range append(pages, more...) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`).FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			}
		}
	}
	if links < 5 {
		t.Errorf("only %d links were found", links)
	}
}
