package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/refresh"
)

func TestRefresh(t *testing.T) {
	p := newPlace(t)
	first := refreshed(t, p.source, "--catalog", p.catalog)
	want := refresh.Counts{Objects: 8, Assets: 5, Sidecars: 1, Rejects: 1, Ignored: 1, Scanned: 7, Items: 5, Added: 5, Collections: 2}
	if first.State != refresh.Successful || first.Counts != want || first.Snapshot == 0 {
		t.Fatalf("first refresh: %+v; want %+v", first, want)
	}

	second := refreshed(t, p.source, "--catalog", p.catalog)
	want.Scanned, want.Added, want.Unchanged = 0, 0, 7
	if second.Counts != want || second.Snapshot != first.Snapshot || second.RunID == first.RunID {
		t.Errorf("second refresh: %+v; want %+v and the same snapshot", second, want)
	}

	put(t, p.source, "ortho/a9_20240102.tif", raster(t, 9))
	put(t, p.source, "ortho/a0_20240102.tif", append(raster(t, 0), 0)) // a byte longer
	if err := os.Remove(filepath.Join(p.source, "dem", "b1_20240304.tif")); err != nil {
		t.Fatal(err)
	}
	third := refreshed(t, p.source, "--catalog", p.catalog)
	if third.Added != 1 || third.Updated != 1 || third.Removed != 1 || third.Items != 5 || third.Scanned != 2 || third.Snapshot <= first.Snapshot {
		t.Errorf("third refresh: %+v; want 1 added, 1 updated, 1 removed, 2 scanned", third)
	}

	full := refreshed(t, p.source, "--catalog", p.catalog, "--full")
	if full.Scanned != 7 || full.Added+full.Updated+full.Removed != 0 {
		t.Errorf("full refresh: %+v; want 7 scanned and nothing changed", full)
	}
}

func TestRefreshOnlyLooksBelowPrefix(t *testing.T) {
	p := newPlace(t)
	refreshed(t, p.source, "--catalog", p.catalog)
	put(t, p.source, "ortho/a9_20240102.tif", raster(t, 9))
	put(t, p.source, "dem/b9_20240304.tif", raster(t, 9))
	if got := refreshed(t, p.source, "--catalog", p.catalog, "--prefix", "dem/"); got.Added != 1 || got.Items != 6 {
		t.Errorf("with --prefix dem/: %+v; want 1 added", got)
	}
	if got := refreshed(t, p.source, "--catalog", p.catalog); got.Added != 1 || got.Items != 7 {
		t.Errorf("without --prefix: %+v; want the other 1 added", got)
	}
}

// Programs read the line by its order too.
func TestRefreshLineHasItsMembersInOrder(t *testing.T) {
	line, err := json.Marshal(summaryLine{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile(`"(\w+)":`).FindAllStringSubmatch(string(line), -1) {
		got = append(got, m[1])
	}
	want := strings.Fields("run_id state snapshot objects assets sidecars rejects ignored vanished unchanged scanned items added " +
		"updated removed collections duration_seconds")
	if !slices.Equal(got, want) {
		t.Errorf("members are %v; want %v", got, want)
	}
}

func TestRefreshSummaryForPeople(t *testing.T) {
	p := newPlace(t)
	code, stdout, stderr := cairn(t, p.args("refresh")...)
	for _, want := range []string{"5 items in 2 collections (5 added, 0 updated, 0 removed) from 8 files", "1 reject: 1 not_tiff",
		"cairn status --rejects --catalog " + p.catalog, "catalog: " + p.catalog} {
		if !strings.Contains(stdout, want) {
			t.Errorf("summary lacks %q:\n%s", want, stdout)
		}
	}
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d, stderr %q; want 0 and nothing", code, stderr)
	}
}

func TestRefreshStrict(t *testing.T) {
	p := newPlace(t)
	code, stdout, stderr := cairn(t, p.args("refresh", "--strict", "--json")...)
	if got := parseSummary(t, stdout); code != exitRejects || got.Rejects != 1 || got.State != refresh.Successful || stderr != "" {
		t.Errorf("exit code %d, %+v, stderr %q; want %d", code, got, stderr, exitRejects)
	}
	if err := os.Remove(filepath.Join(p.source, "dem", "broken.tif")); err != nil {
		t.Fatal(err)
	}
	must(t, p.args("refresh", "--strict")...)
}

// Whatever is wrong is told in one line that says what to do; nothing is made before all is checked.
func TestRefreshRefuses(t *testing.T) {
	p := newPlace(t)
	config := filepath.Join(filepath.Dir(p.source), "my.yaml")
	if err := os.WriteFile(config, []byte("title: x\n\ncolections:\n  depth: 2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want string // regular expression
	}{
		"no argument":       {[]string{"refresh"}, exitUsage, `one SOURCE, a folder or s3`},
		"two arguments":     {[]string{"refresh", p.source, p.source}, exitUsage, `one SOURCE, .*, not 2`},
		"unknown flag":      {p.args("refresh", "--watch"), exitUsage, `unknown flag: --watch`},
		"unknown command":   {[]string{"refesh", p.source}, exitUsage, `did you mean "refresh"`},
		"empty source":      {[]string{"refresh", "", "--catalog", p.catalog}, exitUsage, `source is empty`},
		"another URL":       {[]string{"refresh", "gs://bucket/x", "--catalog", p.catalog}, exitUsage, `does not read`},
		"no bucket":         {[]string{"refresh", p.source, "--catalog", "s3:///x"}, exitUsage, `names no bucket`},
		"unsigned folder":   {p.args("refresh", "--no-sign-request"), exitUsage, `about a bucket`},
		"paid folder":       {p.args("refresh", "--request-payer"), exitUsage, `about a bucket`},
		"none at once":      {p.args("refresh", "--parallel", "0"), exitUsage, `from 1 to`},
		"missing source":    {[]string{"refresh", p.source + "x", "--catalog", p.catalog}, exitFailed, `imageryx: there is no such folder`},
		"file as source":    {[]string{"refresh", filepath.Join(p.source, "README.txt"), "--catalog", p.catalog}, exitFailed, `is a file`},
		"file as catalog":   {[]string{"refresh", p.source, "--catalog", filepath.Join(p.source, "README.txt")}, exitFailed, `is a file`},
		"catalog is source": {[]string{"refresh", p.source, "--catalog", p.source}, exitUsage, `cannot be the source itself`},
		"source in catalog": {[]string{"refresh", p.source, "--catalog", filepath.Dir(p.source)}, exitUsage, `lies in the catalog`},
		"missing config":    {p.args("refresh", "--config", config+"x"), exitFailed, `my.yamlx: no such file|cannot find`},
		"mistake in config": {p.args("refresh", "--config", config), exitFailed, `my\.yaml:3: .*colections`},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := cairn(t, c.args...)
			if code != c.code || !regexp.MustCompile(c.want).MatchString(stderr) || stdout != "" {
				t.Errorf("exit code %d, stdout %q, stderr %q; want %d and %q", code, stdout, stderr, c.code, c.want)
			}
			if !strings.HasPrefix(stderr, "cairn: ") || strings.Count(stderr, "\n") != 1 {
				t.Errorf("stderr is not one line that begins with cairn: %q", stderr)
			}
			if _, err := os.Stat(p.catalog); err == nil {
				t.Error("a catalog folder was made")
			}
		})
	}
}

func TestRefreshRefusesPrefixes(t *testing.T) {
	p := newPlace(t)
	for prefix, want := range map[string]string{"/dem": "without a leading slash", "": "beginning of a key"} {
		code, stdout, stderr := cairn(t, p.args("refresh", "--prefix", prefix)...)
		if code != exitUsage || !strings.Contains(stderr, want) || stdout != "" {
			t.Errorf("--prefix %q: exit code %d, stdout %q, stderr %q; want %d and %q", prefix, code, stdout, stderr, exitUsage, want)
		}
	}
}

func TestRefreshTakesConfigFromCatalog(t *testing.T) {
	p := newPlace(t)
	put(t, p.catalog, configName, []byte("collections:\n  depth: 0\n"))
	if got := refreshed(t, p.source, "--catalog", p.catalog); got.Collections != 1 {
		t.Errorf("%d collections; want the 1 of the config", got.Collections)
	}
	put(t, p.catalog, configName, []byte("collections:\n  depth: many\n"))
	code, _, stderr := cairn(t, p.args("refresh")...)
	if want := filepath.Join(p.catalog, configName) + ":2: "; code != exitFailed || !strings.Contains(stderr, want) {
		t.Errorf("exit code %d, stderr %q; want %d and %q", code, stderr, exitFailed, want)
	}
}

func TestCatalogInItsSourceIsLeftOut(t *testing.T) {
	p := newPlace(t)
	p.catalog = filepath.Join(p.source, "out", "stac")
	for range 2 { // at the second time its files are there
		if got := refreshed(t, p.source, "--catalog", p.catalog); got.Objects != 8 || got.Ignored != 1 {
			t.Errorf("%+v; want 8 objects, 1 ignored", got)
		}
	}
}

func TestUnreadableSource(t *testing.T) {
	if os.Geteuid() <= 0 {
		t.Skip("permissions do not bind this user")
	}
	p := newPlace(t)
	first := refreshed(t, p.source, "--catalog", p.catalog)
	for _, dir := range []string{p.source, filepath.Join(p.source, "dem")} {
		if err := os.Chmod(dir, 0); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := cairn(t, p.args("refresh")...)
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if code != exitFailed || !strings.Contains(stderr, "permission denied") {
			t.Errorf("%s unreadable: exit code %d, stderr %q", dir, code, stderr)
		}
	}
	if got := publishedSnapshot(t, p); got != first.Snapshot {
		t.Errorf("published snapshot is %d; want %d still", got, first.Snapshot)
	}
}

// A Source that is suddenly empty is more often a disk that is not mounted than a wish.
func TestEmptiedSourceIsAskedBack(t *testing.T) {
	p := newPlace(t)
	first := refreshed(t, p.source, "--catalog", p.catalog)
	if err := os.RemoveAll(p.source); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(p.source, 0o755); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := cairn(t, p.args("refresh", "--json")...)
	if got := parseSummary(t, stdout); code != exitFailed || got.State != refresh.Failed || !strings.Contains(stderr, "--allow-mass-delete") {
		t.Errorf("exit code %d, %+v, stderr %q; want %d and a hint", code, got, stderr, exitFailed)
	}
	if got := publishedSnapshot(t, p); got != first.Snapshot {
		t.Errorf("published snapshot is %d; want %d still", got, first.Snapshot)
	}
	if got := refreshed(t, p.source, "--catalog", p.catalog, "--allow-mass-delete"); got.Items != 0 || got.Removed != 5 {
		t.Errorf("%+v; want 5 removed", got)
	}
}

func TestCatalogOfAnotherSource(t *testing.T) {
	p, other := newPlace(t), newPlace(t)
	refreshed(t, p.source, "--catalog", p.catalog)
	if code, _, stderr := cairn(t, "refresh", other.source, "--catalog", p.catalog); code != exitFailed || !strings.Contains(stderr, "another source") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

func TestNewerCatalogIsRefused(t *testing.T) {
	for _, key := range []string{"head.json", "state/control.json"} {
		p := newPlace(t)
		put(t, p.catalog, key, []byte(`{"format": 99}`))
		for _, args := range [][]string{p.args("refresh"), {"status", "--catalog", p.catalog}} {
			if code, _, stderr := cairn(t, args...); code != exitFailed || !strings.Contains(stderr, "99") {
				t.Errorf("%s of format 99: %s exits with %d, stderr %q", key, args[0], code, stderr)
			}
		}
	}
}

// publishedSnapshot is the one that readers see.
func publishedSnapshot(t *testing.T, p place) uint64 {
	t.Helper()
	if s := statusOf(t, p); s.Snapshot != nil {
		return *s.Snapshot
	}
	return 0
}

func TestProgressIsShownOnlyWhereItTakesTime(t *testing.T) {
	p := newPlace(t)
	for i := range 50 {
		put(t, p.source, fmt.Sprintf("ortho/c%d_20240102.tif", i), raster(t, i))
	}
	if _, _, stderr := cairn(t, p.args("refresh")...); stderr != "" {
		t.Errorf("a short refresh wrote %q to stderr", stderr)
	}
}
