package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// A buffer may be written to and read at once.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// A server is a command that serves, in this process.
type server struct {
	t      testing.TB
	base   string
	stdout *buffer
	stderr *buffer
	stop   context.CancelFunc
	code   chan int
	token  string // sent with each request, unless it is ""
}

// startServer runs a command and returns once it has said where it serves.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	return startServerOn(t, nil, args...)
}

// startServerOn does so with something between the command and its Catalog.
func startServerOn(t testing.TB, wrap func(objstore.Store) objstore.Store, args ...string) *server {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	s := &server{t: t, stdout: &buffer{}, stderr: &buffer{}, stop: stop, code: make(chan int, 1)}
	done := make(chan struct{})
	t.Cleanup(func() {
		stop()
		<-done // before its folders are removed
	})
	a := &app{stdin: strings.NewReader(""), stdout: s.stdout, stderr: s.stderr, wrap: wrap}
	go func() {
		defer close(done)
		s.code <- a.run(ctx, args)
	}()
	where := regexp.MustCompile(`http://\S+:\d+`)
	eventually(t, func() bool {
		select {
		case code := <-s.code:
			t.Fatalf("cairn %q exits with %d at once: %s", args, code, s.stderr)
		default:
		}
		s.base = where.FindString(s.stdout.String())
		return s.base != ""
	})
	return s
}

// end stops the command and returns its exit code.
func (s *server) end() int {
	s.t.Helper()
	s.stop()
	select {
	case code := <-s.code:
		return code
	case <-time.After(2 * time.Minute):
		s.t.Fatalf("the server does not stop; stderr:\n%s", s.stderr)
		return -1
	}
}

// call sends a request and decodes the answer's JSON into v, if it is not nil.
func (s *server) call(method, path string, v any) *http.Response {
	s.t.Helper()
	req, err := http.NewRequest(method, s.base+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if v != nil {
		if err := json.Unmarshal(body, v); err != nil {
			s.t.Fatalf("%s %s: %s: %v in %s", method, path, resp.Status, err, body)
		}
	}
	return resp
}

// settled waits until no Run runs, and returns the status.
func (s *server) settled(run string) refresh.Status {
	s.t.Helper()
	var st refresh.Status
	eventually(s.t, func() bool {
		st = refresh.Status{}
		s.call("GET", "/refresh/status", &st)
		return !st.IsRunning && st.RunID != nil && (run == "" || *st.RunID == run)
	})
	return st
}

func eventually(t testing.TB, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come about")
		}
	}
}

type started struct {
	Status string `json:"status"`
	RunID  string `json:"run_id"`
}

type featureCollection struct {
	Features []struct {
		ID     string `json:"id"`
		Assets map[string]struct {
			Href string `json:"href"`
		} `json:"assets"`
	} `json:"features"`
}

func TestServe(t *testing.T) {
	p := newPlace(t)
	s := startServer(t, p.args("serve", "--addr", "127.0.0.1:0")...)
	st := s.settled("") // the refresh at the start
	if *st.State != refresh.Successful || *st.ItemsCount != 5 {
		t.Fatalf("status after the first refresh: %+v", st)
	}

	put(t, p.source, "ortho/a9_20240102.tif", raster(t, 9))
	put(t, p.source, "ortho/a9_20240102.jpg", []byte("a picture"))
	put(t, p.source, "ortho/me.jpg", []byte("a picture of nothing here"))
	var ans started
	if resp := s.call("POST", "/refresh", &ans); resp.StatusCode != http.StatusAccepted || ans.Status != "started" {
		t.Fatalf("POST /refresh: %s %+v", resp.Status, ans)
	}
	if st = s.settled(ans.RunID); *st.State != refresh.Successful || *st.ItemsCount != 6 {
		t.Fatalf("status after the second refresh: %+v", st)
	}

	var items featureCollection
	s.call("GET", "/collections/ortho/items?limit=100", &items)
	if len(items.Features) != 4 {
		t.Fatalf("%d items; want 4", len(items.Features))
	}
	pictures := 0
	for _, f := range items.Features {
		for _, a := range f.Assets {
			if strings.HasSuffix(a.Href, ".jpg") {
				pictures++
			}
			path, ok := strings.CutPrefix(a.Href, s.base)
			if resp := s.call("GET", path, nil); !ok || resp.StatusCode != http.StatusOK {
				t.Errorf("asset %s: %s", a.Href, resp.Status)
			}
		}
	}
	if pictures != 1 {
		t.Errorf("%d pictures are assets; want 1", pictures)
	}
	put(t, p.source, "ortho/me.too.tif", raster(t, 9)) // of another scene, though its name begins alike
	for _, private := range []string{"/assets/README.txt", "/assets/ortho/me.jpg", "/assets/../catalog/head.json", "/assets/%2e%2e/catalog/head.json"} {
		if resp := s.call("GET", private, nil); resp.StatusCode == http.StatusOK {
			t.Errorf("%s can be read", private)
		}
	}
	if err := os.Remove(filepath.Join(p.source, "ortho", "me.too.tif")); err != nil {
		t.Fatal(err)
	}

	// Another process sees the same, and may refresh in between.
	if st := statusOf(t, p); *st.ItemsCount != 6 {
		t.Errorf("cairn status says %+v", st)
	}
	put(t, p.source, "ortho/a10_20240102.tif", raster(t, 10))
	if got := refreshed(t, p.source, "--catalog", p.catalog); got.Added != 1 {
		t.Errorf("cairn refresh: %+v; want 1 added", got)
	}
	s.call("GET", "/collections/ortho/items?limit=100", &items)
	if len(items.Features) != 5 {
		t.Errorf("%d items after a refresh by another process; want 5", len(items.Features))
	}

	if code := s.end(); code != 0 {
		t.Errorf("exit code %d; stderr:\n%s", code, s.stderr)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://")); err == nil {
		t.Error("it still listens")
	}
}

// A Run that is under way when the server stops is settled, not left behind.
func TestServeStopsInTheMiddleOfARefresh(t *testing.T) {
	p := newPlace(t)
	other := startHeld(t, beforePublishing, p.args("serve", "--addr", "127.0.0.1:0")...)
	if err := other.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Skip("a process cannot send another one an interrupt here")
	}
	if code := other.wait(); code != 0 {
		t.Errorf("exit code %d; stderr:\n%s", code, other.stderr.String())
	}
	if st := statusOf(t, p); st.IsRunning || *st.State != refresh.Dismissed {
		t.Errorf("status afterwards: %+v; want dismissed", st)
	}
}

// A server takes over at its start what a killed process left behind.
func TestServeAfterAKill(t *testing.T) {
	p := newPlace(t)
	other := startHeld(t, beforePublishing, p.args("refresh")...)
	if err := other.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	other.wait()
	s := startServer(t, p.args("serve", "--addr", "127.0.0.1:0")...)
	eventually(t, func() bool {
		var st refresh.Status
		s.call("GET", "/refresh/status", &st)
		return !st.IsRunning && *st.State == refresh.Successful && *st.ItemsCount == 5
	})
	if code := s.end(); code != 0 {
		t.Errorf("exit code %d; stderr:\n%s", code, s.stderr)
	}
}

func TestServeRefuses(t *testing.T) {
	p := newPlace(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no catalog":        {[]string{"serve", "--catalog", p.catalog}, exitFailed, "cairn refresh makes one"},
		"watch, no source":  {[]string{"serve", "--catalog", p.catalog, "--watch"}, exitUsage, "--watch is about refreshing"},
		"every, no source":  {[]string{"serve", "--catalog", p.catalog, "--every", "1m"}, exitUsage, "--every is about refreshing"},
		"config, no source": {[]string{"serve", "--catalog", p.catalog, "--config", "x"}, exitUsage, "--config is about refreshing"},
		"watch a bucket":    {[]string{"serve", "s3://bucket/x", "--catalog", p.catalog, "--watch"}, exitUsage, "--every 15m"},
		"too often":         {p.args("serve", "--every", "10ms"), exitUsage, "at least 1s"},
		"never":             {p.args("serve", "--every", "0"), exitUsage, "at least 1s"},
		"every address":     {p.args("serve", "--addr", ":8000"), exitUsage, "give a token"},
		"another address":   {p.args("serve", "--addr", "192.0.2.1:8000"), exitUsage, "--token "},
		"a name":            {p.args("serve", "--addr", "example.org:8000"), exitUsage, "CAIRN_TOKEN"},
		"a short token":     {p.args("serve", "--token", "secret"), exitUsage, "has 6 characters"},
		"an odd token":      {p.args("serve", "--token", "0123456789 01234567"), exitUsage, "cannot send"},
		"open, no token":    {p.args("serve", "--open-reads"), exitUsage, "without a token"},
		"no port":           {p.args("serve", "--addr", "127.0.0.1"), exitUsage, "host and a port"},
		"a port's name":     {p.args("serve", "--addr", "127.0.0.1:http"), exitUsage, "no port number"},
		"address in use":    {p.args("serve", "--addr", taken.Addr().String()), exitFailed, "is in use"},
		"missing source":    {[]string{"serve", p.source + "x", "--catalog", p.catalog}, exitFailed, "no such folder"},
		"mistake in config": {p.args("serve", "--config", filepath.Join(p.source, "dem", "broken.tif")), exitFailed, `broken.tif:1: `},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := cairn(t, c.args...)
			if code != c.code || !strings.Contains(stderr, c.want) || stdout != "" {
				t.Errorf("exit code %d, stdout %q, stderr %q; want %d and %q", code, stdout, stderr, c.code, c.want)
			}
			if _, err := os.Stat(p.catalog); err == nil {
				t.Error("a catalog folder was made")
			}
		})
	}
}

func TestLoopbackAddresses(t *testing.T) {
	for addr, local := range map[string]bool{"127.0.0.1:8000": true, "127.1.2.3:1": true, "[::1]:8000": true, "localhost:0": true,
		":80": false, "[::]:80": false, "0.0.0.0:0": false, "10.0.0.1:80": false, "localhost.example.org:80": false} {
		o := access{addr: addr}
		if err := o.check(); (err == nil) != local || o.local() != local {
			t.Errorf("%s: %v, local %v; want local %v", addr, err, o.local(), local)
		}
		if o.token = "0123456789abcdef"; o.check() != nil {
			t.Errorf("%s with a token: %v", addr, o.check())
		}
	}
}

func TestDemo(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	kept := filepath.Join(dir, "kept")
	first := must(t, "demo", "--dir", kept, "--no-serve")
	if !strings.Contains(first, "29 items in 6 collections (29 added") || !strings.Contains(first, "1 reject: 1 not_tiff") {
		t.Errorf("demo says:\n%s", first)
	}

	s := startServer(t, "demo", "--dir", kept, "--addr", "127.0.0.1:0") // again in the same folder
	if !strings.Contains(s.stdout.String(), "(0 added, 0 updated, 0 removed)") {
		t.Errorf("the second demo in one folder says:\n%s", s.stdout)
	}
	var fiji struct {
		Features []struct {
			ID   string    `json:"id"`
			BBox []float64 `json:"bbox"`
		} `json:"features"`
	}
	s.call("GET", "/collections/fiji/items", &fiji)
	if len(fiji.Features) != 4 {
		t.Errorf("%d items in fiji; want 4", len(fiji.Features))
	}
	for _, f := range fiji.Features {
		if f.BBox[0] < 178 || f.BBox[2] > -176 {
			t.Errorf("%s: bbox %v does not cross the antimeridian", f.ID, f.BBox)
		}
	}
	if code := s.end(); code != 0 {
		t.Errorf("exit code %d; stderr:\n%s", code, s.stderr)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left in the temporary folder: %v, %v; want only what --dir gave", left, err)
	}
}

// However a demo ends, its temporary folder goes.
func TestDemoRemovesItsFolder(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"demo", "--addr", "127.0.0.1:0"}, strings.NewReader(""), &stdout, &stderr)
	if code != exitFailed || stderr.String() != "cairn: interrupted\n" {
		t.Errorf("exit code %d, stderr %q; want %d", code, &stderr, exitFailed)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
}

func TestNextFreePort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	if l, err := listenNear(addr, false); err == nil {
		l.Close()
		t.Errorf("listening at %s, which is in use", addr)
	}
	l, err := listenNear(addr, true)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.Addr().String() == addr {
		t.Errorf("listening at %s, which is in use", addr)
	}
}

// What the config leaves out is not served any more once a refresh has read it, and what it takes in is.
func TestServedFollowsTheConfig(t *testing.T) {
	p := newPlace(t)
	s := startServer(t, p.args("serve", "--addr", "127.0.0.1:0")...)
	s.serves("ortho", 3)
	const asset = "/assets/ortho/a0_20240102.tif"
	configure := func(text string, items, status int) {
		t.Helper()
		put(t, p.catalog, configName, []byte(text))
		eventually(t, func() bool { // the refresh before may not have ended yet
			s.call("POST", "/refresh", nil)
			var got featureCollection
			s.call("GET", "/collections/ortho/items?limit=1000", &got)
			return len(got.Features) == items
		})
		if got := s.call("GET", asset, nil).StatusCode; got != status {
			t.Errorf("with %q: %d; want %d", text, got, status)
		}
	}
	configure("exclude: [\"ortho/a0*\"]\n", 2, http.StatusNotFound)
	configure("\n", 3, http.StatusOK)
	s.end()
}
