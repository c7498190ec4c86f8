// Package startup looks at package crs from a program that uses it. It is apart, for crs's own tests have variables of their own.
package startup

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/crs"
)

// A program that starts pays nothing for the tables and the methods: the variables of package crs are all set by the compiler.
func TestCostsNothing(t *testing.T) {
	if _, err := crs.ByCode(4326); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "init testing ") && !strings.Contains(string(out), "init runtime ") {
		t.Fatalf("%v: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "init github.com/cairn-stac/cairn/internal/crs") {
			t.Errorf("work is done at the start: %s", line)
		}
	}
}
