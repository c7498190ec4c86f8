package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
	"github.com/cairn-stac/cairn/internal/objstore"
)

// childMark as the first argument makes the test binary run a cairn command line instead of the tests: the tests' way to
// other processes.
const childMark = "cairn-child"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == childMark {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop)
		a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
		a.wrap = func(s objstore.Store) objstore.Store { return &heldStore{Store: s, prefix: os.Args[2]} }
		os.Exit(a.run(ctx, os.Args[3:]))
	}
	if len(os.Args) > 1 && os.Args[1] == benchMark {
		os.Exit(benchMain(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// A heldStore says "held" on stderr at the first Put below a prefix, and waits there until stdin is closed.
type heldStore struct {
	objstore.Store
	prefix string
	once   sync.Once
}

func (s *heldStore) Put(ctx context.Context, key string, body []byte, opt objstore.PutOptions) (string, error) {
	if strings.HasPrefix(key, s.prefix) {
		s.once.Do(func() {
			fmt.Fprintln(os.Stderr, "held")
			released := make(chan struct{})
			go func() {
				_, _ = io.Copy(io.Discard, os.Stdin)
				close(released)
			}()
			select {
			case <-released:
			case <-ctx.Done(): // never, where the caller does not let itself be cancelled
			}
		})
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return s.Store.Put(ctx, key, body, opt)
}

// A child is a cairn command in another process that is held in the middle of a refresh.
type child struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	stdout bytes.Buffer
	stderr bytes.Buffer
	read   chan struct{}
}

// startHeld starts a command in another process and returns once it is held at a Put below prefix.
func startHeld(t *testing.T, prefix string, args ...string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0], append([]string{childMark, prefix}, args...)...), read: make(chan struct{})}
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdin = stdin
	c.cmd.Stdout = &c.stdout
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if lines.Text() == "held" {
			go func() {
				defer close(c.read)
				for lines.Scan() {
					fmt.Fprintln(&c.stderr, lines.Text())
				}
			}()
			return c
		}
		fmt.Fprintln(&c.stderr, lines.Text())
	}
	t.Fatalf("the other process ended before it was held: %v\n%s", c.cmd.Wait(), c.stderr.String())
	return nil
}

// wait waits for the end of the process and returns its exit code, -1 if it was killed.
func (c *child) wait() int {
	<-c.read
	_ = c.cmd.Wait()
	return c.cmd.ProcessState.ExitCode()
}

// cairn runs a command line in this process.
func cairn(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	code = run(ctx, args, strings.NewReader(""), &out, &errs)
	if ctx.Err() != nil {
		t.Fatalf("cairn %q hangs; stdout:\n%s\nstderr:\n%s", args, &out, &errs)
	}
	return code, out.String(), errs.String()
}

// must runs a command line that has to succeed, and returns its stdout.
func must(t testing.TB, args ...string) string {
	t.Helper()
	code, stdout, stderr := cairn(t, args...)
	if code != 0 {
		t.Fatalf("cairn %q exits with %d\nstdout: %s\nstderr: %s", args, code, stdout, stderr)
	}
	return stdout
}

// refreshed refreshes and returns the line of JSON.
func refreshed(t testing.TB, args ...string) summaryLine {
	t.Helper()
	return parseSummary(t, must(t, append([]string{"refresh", "--json"}, args...)...))
}

// parseSummary reads the last line of stdout.
func parseSummary(t testing.TB, stdout string) summaryLine {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	dec := json.NewDecoder(strings.NewReader(lines[len(lines)-1]))
	dec.DisallowUnknownFields()
	var s summaryLine
	if err := dec.Decode(&s); err != nil {
		t.Fatalf("last line of %q: %v", stdout, err)
	}
	if sum := s.Assets + s.Sidecars + s.Rejects + s.Ignored + s.Vanished; sum != s.Objects {
		t.Errorf("%d objects, but %d assets, %d sidecars, %d rejects, %d ignored and %d vanished", s.Objects, s.Assets, s.Sidecars, s.Rejects,
			s.Ignored, s.Vanished)
	}
	return s
}

// put writes a file below dir.
func put(t testing.TB, dir, key string, body []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(key))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, body, 0o644); err != nil {
		t.Fatal(err)
	}
}

// raster is a small GeoTIFF in UTM zone 33 north. The column tells it from others.
func raster(t testing.TB, column int) []byte {
	t.Helper()
	r := tiffwrite.Raster{Width: 16, Height: 16, Keys: tiffwrite.Projected(32633)}
	r.NorthUp(400000+float64(column)*160, 5100000, 10, 10)
	body, err := r.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// A place is a Source folder and a Catalog folder beside it, which is not there yet.
type place struct{ source, catalog string }

// newPlace makes a Source of 3 + 2 rasters in two Collections, a sidecar, a broken raster and a text file.
func newPlace(t testing.TB) place {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := place{filepath.Join(dir, "imagery"), filepath.Join(dir, "catalog")}
	for i := range 3 {
		put(t, p.source, fmt.Sprintf("ortho/a%d_20240102.tif", i), raster(t, i))
	}
	for i := range 2 {
		put(t, p.source, fmt.Sprintf("dem/b%d_20240304.tif", i), raster(t, i))
	}
	put(t, p.source, "dem/b0_20240304.tfw", []byte("10\n0\n0\n-10\n400005\n5099995\n"))
	put(t, p.source, "dem/broken.tif", []byte("<html>not found</html>"))
	put(t, p.source, "README.txt", []byte("hello"))
	return p
}

// args are those of a command that takes a SOURCE and --catalog.
func (p place) args(command string, more ...string) []string {
	return append([]string{command, p.source, "--catalog", p.catalog}, more...)
}

// contains tells whether all of the parts are in text.
func contains(text string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}
