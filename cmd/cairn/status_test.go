package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
)

func TestStatusOfMissingAndEmptyCatalogs(t *testing.T) {
	p := newPlace(t)
	code, stdout, stderr := cairn(t, "status", "--catalog", p.catalog)
	if code != exitFailed || stdout != "" || !strings.Contains(stderr, "cairn refresh makes one") {
		t.Errorf("missing: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if err := os.Mkdir(p.catalog, 0o755); err != nil {
		t.Fatal(err)
	}
	if out := must(t, "status", "--catalog", p.catalog); !strings.Contains(out, "nothing yet") || !strings.Contains(out, "cairn refresh SOURCE") {
		t.Errorf("empty: %s", out)
	}
	if out := must(t, "status", "--catalog", p.catalog, "--rejects"); out != "" {
		t.Errorf("rejects of an empty catalog: %s", out)
	}
	var s map[string]any
	if err := json.Unmarshal([]byte(must(t, "status", "--catalog", p.catalog, "--json")), &s); err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{"is_running", "last_refresh", "last_duration_seconds", "collections_count", "error"} {
		if _, ok := s[member]; !ok {
			t.Errorf("JSON lacks %q: %v", member, s)
		}
	}
	if left, err := os.ReadDir(p.catalog); err != nil || len(left) != 0 {
		t.Errorf("looking at it left %v, %v in the folder", left, err)
	}
}

func TestStatusForPeople(t *testing.T) {
	p := newPlace(t)
	for range 6 {
		refreshed(t, p.source, "--catalog", p.catalog)
	}
	out := must(t, "status", "--catalog", p.catalog)
	for _, want := range []string{"5 items in 2 collections", fileURL(p.source), "1 not_tiff", "not running"} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	if n := strings.Count(out, "successful"); n != 5 {
		t.Errorf("%d runs are shown; want 5:\n%s", n, out)
	}
	if n := strings.Count(must(t, "status", "--catalog", p.catalog, "--runs", "2"), "successful"); n != 2 {
		t.Errorf("with --runs 2, %d are shown", n)
	}
	if out := must(t, "status", "--rejects", "--catalog", p.catalog); !strings.HasPrefix(out, "dem/broken.tif: not_tiff: ") || strings.Count(out, "\n") != 1 {
		t.Errorf("rejects are %q", out)
	}
	for code, lines := range map[string]int{"not_tiff": 1, "no_crs": 0} {
		if out := must(t, "status", "--rejects", "--code", code, "--catalog", p.catalog); strings.Count(out, "\n") != lines {
			t.Errorf("rejects by %s are %q; want %d", code, out, lines)
		}
	}
}

func TestStatusRefusesUnknownCodes(t *testing.T) {
	p := newPlace(t)
	refreshed(t, p.source, "--catalog", p.catalog)
	code, stdout, stderr := cairn(t, "status", "--rejects", "--code", "bogus", "--catalog", p.catalog)
	if code != exitUsage || stdout != "" || !contains(stderr, "bogus", "not_tiff", "no_crs") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

// Looking takes no lock of this process, so that it needs no folder to write to.
func TestStatusTakesNoLock(t *testing.T) {
	p := newPlace(t)
	refreshed(t, p.source, "--catalog", p.catalog)
	home := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "LocalAppData", "TMPDIR", "TMP"} {
		t.Setenv(name, home)
	}
	must(t, "status", "--catalog", p.catalog)
	if left, err := os.ReadDir(home); err != nil || len(left) != 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

func TestStatusTellsOfAFailure(t *testing.T) {
	p := newPlace(t)
	refreshed(t, p.source, "--catalog", p.catalog)
	for _, dir := range []string{"ortho", "dem"} {
		if err := os.RemoveAll(p.source + "/" + dir); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, _ := cairn(t, p.args("refresh")...); code != exitFailed {
		t.Fatalf("exit code %d; want %d", code, exitFailed)
	}
	if out := must(t, "status", "--catalog", p.catalog); !strings.Contains(out, "the last one failed: ") || !strings.Contains(out, "5 items") {
		t.Errorf("it says:\n%s", out)
	}
}

func TestReadOnly(t *testing.T) {
	var s objstore.Store = readOnly{}
	_, put := s.Put(context.Background(), "a", nil, objstore.PutOptions{})
	del := s.Delete(context.Background(), "a")
	if !errors.Is(put, fs.ErrPermission) || !errors.Is(del, fs.ErrPermission) {
		t.Errorf("Put: %v, Delete: %v; want fs.ErrPermission", put, del)
	}
}
