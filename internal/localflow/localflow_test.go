package localflow_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/geotiff/tiffwrite"
	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/localflow"
	"github.com/cairn-stac/cairn/internal/objstate"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/dirstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

// An engine is a process's Desk, Worker and Flow on a Catalog.
type engine struct {
	flow            *localflow.Flow
	desk            *refresh.Desk
	source, catalog *faultstore.Store
}

func start(t *testing.T, source, catalog objstore.Store, locks string) *engine {
	t.Helper()
	e, err := newEngine(source, catalog, locks)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.flow.Close() })
	return e
}

func newEngine(source, catalog objstore.Store, locks string) (*engine, error) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	flow, err := localflow.New(localflow.Options{Scans: 2, Renew: 20 * time.Millisecond, Tries: 3, Pause: time.Millisecond, Locks: locks, Log: log})
	if err != nil {
		return nil, err
	}
	e := &engine{flow: flow, source: faultstore.New(source), catalog: faultstore.New(catalog)}
	state := objstate.New(e.catalog, time.Now)
	e.desk = &refresh.Desk{State: state, Catalog: e.catalog, Workflow: flow, TTL: 10 * time.Second, Now: time.Now, Log: log}
	flow.Bind(e.desk, &refresh.Worker{State: state, Catalog: e.catalog, Source: e.source, About: item.Source{URL: "file:///s", Name: "s"},
		Config: refresh.ReadConfig(e.catalog), Parallel: 4, Now: time.Now, Log: log})
	return e, nil
}

func source(t *testing.T, n int) *memstore.Store {
	t.Helper()
	s := memstore.New()
	for i := range n {
		r := tiffwrite.Raster{Width: 4, Height: 4, Keys: tiffwrite.Geographic(4326)}
		r.NorthUp(float64(i), 50, 0.1, 0.1)
		body, err := r.Bytes()
		if err == nil {
			_, err = s.Put(context.Background(), fmt.Sprintf("c%d/r%d.tif", i%3, i), body, objstore.PutOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (e *engine) wait(t *testing.T, run string) refresh.Run {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r, err := e.desk.Wait(ctx, run, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOneRunOfManyStarts(t *testing.T) {
	src, cat, locks := source(t, 9), memstore.New(), t.TempDir()
	engines := []*engine{start(t, src, cat, locks), start(t, src, cat, locks)}
	gate := faultstore.NewGate()
	for _, e := range engines {
		e.source.Set(faultstore.Match{Op: faultstore.List}, faultstore.Fault{Gate: gate}) // so that the Run lasts
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	kinds, runs := map[refresh.AnswerKind]int{}, map[string]bool{}
	for i := range 200 {
		wg.Go(func() {
			ans, err := engines[i%2].desk.Start(context.Background(), refresh.Request{})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			kinds[ans.Kind]++
			runs[ans.Run] = true
		})
	}
	wg.Wait()
	gate.Release()
	if kinds[refresh.Started] != 1 || kinds[refresh.Busy] != 199 || len(runs) != 1 {
		t.Errorf("answers %v, of runs %v", kinds, runs)
	}
	for run := range runs {
		if r := engines[0].wait(t, run); r.State != refresh.Successful || r.Counts.Items != 9 {
			t.Errorf("%+v", r)
		}
	}
}

func TestStepsAreTriedAgain(t *testing.T) {
	e := start(t, source(t, 9), memstore.New(), t.TempDir())
	flaky := errors.New("connection reset")
	for _, m := range []faultstore.Match{
		{Op: faultstore.List, Nth: 1}, {Op: faultstore.Get, Key: "c1/r4.tif", Nth: 1}, {Op: faultstore.Get, Key: "c2/r5.tif", Nth: 2},
	} {
		e.source.Set(m, faultstore.Fault{Err: flaky})
	}
	e.catalog.Set(faultstore.Match{Op: faultstore.Put, Prefix: "snapshots/", Nth: 1}, faultstore.Fault{Err: flaky})
	e.catalog.Set(faultstore.Match{Op: faultstore.Put, Prefix: "parts/", Nth: 2}, faultstore.Fault{Err: flaky, Applied: true})
	ans, err := e.desk.Start(context.Background(), refresh.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if r := e.wait(t, ans.Run); r.State != refresh.Successful || r.Counts.Items != 9 {
		t.Errorf("%+v %+v", r, r.Error)
	}
}

func TestQueuedRunStartsByItself(t *testing.T) {
	e := start(t, source(t, 3), memstore.New(), t.TempDir())
	gate := faultstore.NewGate()
	e.source.Set(faultstore.Match{Op: faultstore.List, Nth: 1}, faultstore.Fault{Gate: gate})
	ctx := context.Background()
	first, err := e.desk.Start(ctx, refresh.Request{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := e.desk.Start(ctx, refresh.Request{Queue: true, Scope: refresh.Scope{Mode: refresh.Full}})
	if err != nil || second.Kind != refresh.Queued || second.Position != 1 {
		t.Fatalf("%+v, %v", second, err)
	}
	gate.Release()
	if r := e.wait(t, first.Run); r.State != refresh.Successful {
		t.Errorf("first: %+v", r)
	}
	if r := e.wait(t, second.Run); r.State != refresh.Successful || r.Counts.Scanned != 3 {
		t.Errorf("second: %+v", r)
	}
}

func TestCancelReachesTheRunningDriver(t *testing.T) {
	e := start(t, source(t, 3), memstore.New(), t.TempDir())
	gate := faultstore.NewGate()
	defer gate.Release()
	e.source.Set(faultstore.Match{Op: faultstore.Get}, faultstore.Fault{Gate: gate})
	ans, err := e.desk.Start(context.Background(), refresh.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if err := gate.Reached(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := e.desk.Cancel(context.Background(), ans.Run); err != nil {
		t.Fatal(err)
	}
	if r := e.wait(t, ans.Run); r.State != refresh.Dismissed {
		t.Errorf("%+v", r)
	}
}

// Closing the Flow, as Ctrl-C does, settles the Run as dismissed and leaves the Lease free.
func TestCloseSettlesTheRun(t *testing.T) {
	src, cat := source(t, 3), memstore.New()
	e := start(t, src, cat, t.TempDir())
	gate := faultstore.NewGate()
	defer gate.Release()
	e.source.Set(faultstore.Match{Op: faultstore.Get}, faultstore.Fault{Gate: gate})
	ans, err := e.desk.Start(context.Background(), refresh.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if err := gate.Reached(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := e.flow.Close(); err != nil {
		t.Fatal(err)
	}
	if r := e.wait(t, ans.Run); r.State != refresh.Dismissed || r.Error != nil && r.Error.Code != "cancelled" {
		t.Errorf("%+v", r)
	}
	var no *refresh.RefusedError
	if _, err := e.desk.Start(context.Background(), refresh.Request{}); !errors.As(err, &no) {
		t.Errorf("a start while shutting down = %v; want a RefusedError", err)
	}
	next := start(t, src, cat, t.TempDir())
	if ans, err = next.desk.Start(context.Background(), refresh.Request{}); err != nil || ans.Kind != refresh.Started {
		t.Fatalf("%+v, %v", ans, err)
	}
	if r := next.wait(t, ans.Run); r.State != refresh.Successful {
		t.Errorf("%+v", r)
	}
}

// The Run fails with what kept its last Shard from being scanned.
func TestScanErrorIsTheRunsError(t *testing.T) {
	e := start(t, source(t, 1), memstore.New(), t.TempDir())
	e.source.Set(faultstore.Match{Op: faultstore.Get}, faultstore.Fault{Err: errors.New("disk on fire")})
	ans, err := e.desk.Start(context.Background(), refresh.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if r := e.wait(t, ans.Run); r.State != refresh.Failed || r.Error.Code != "source_unavailable" || !strings.Contains(r.Error.Message, "disk on fire") {
		t.Errorf("%+v %+v", r, r.Error)
	}
}

// A Run whose end cannot be recorded at first, as on a full disk, is settled with its own cause once that works.
func TestSettledLaterWithItsCause(t *testing.T) {
	e := start(t, source(t, 3), memstore.New(), t.TempDir())
	full := e.catalog.Set(faultstore.Match{Op: faultstore.Put, Prefix: "snapshots/"}, faultstore.Fault{Err: syscall.ENOSPC})
	// The record of the Run cannot be written for longer than the steps are tried.
	late := e.catalog.Set(faultstore.Match{Op: faultstore.Put, Prefix: "state/runs/", Nth: 1}, faultstore.Fault{Err: syscall.ENOSPC})
	ans, err := e.desk.Start(context.Background(), refresh.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if r := e.wait(t, ans.Run); r.State != refresh.Failed || r.Error.Code != "no_space" {
		t.Errorf("%+v %+v", r, r.Error)
	}
	if full.Fired() == 0 || late.Fired() == 0 {
		t.Error("the disk was not full")
	}
}

// Runs that wait are still waiting after this process was closed.
func TestCloseLeavesTheQueue(t *testing.T) {
	e := start(t, source(t, 3), memstore.New(), t.TempDir())
	gate := faultstore.NewGate()
	defer gate.Release()
	e.source.Set(faultstore.Match{Op: faultstore.Get}, faultstore.Fault{Gate: gate})
	ctx := context.Background()
	if _, err := e.desk.Start(ctx, refresh.Request{}); err != nil {
		t.Fatal(err)
	}
	if err := gate.Reached(ctx); err != nil {
		t.Fatal(err)
	}
	second, err := e.desk.Start(ctx, refresh.Request{Queue: true, Scope: refresh.Scope{Mode: refresh.Full}})
	if err == nil {
		err = e.flow.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if r, err := e.desk.Run(ctx, second.Run); err != nil || r.State != refresh.Accepted {
		t.Errorf("the waiting run: %+v, %v", r, err)
	}
}

// Two that look at once do not take each other for the dead process.
func TestGoneLookedAtByMany(t *testing.T) {
	dir := t.TempDir()
	e := start(t, memstore.New(), memstore.New(), dir)
	other, err := localflow.New(localflow.Options{Locks: dir})
	if err != nil {
		t.Fatal(err)
	}
	lease := refresh.Lease{Holder: other.Holder()}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if !e.flow.Gone(lease) {
					t.Error("a dead process looks alive")
					return
				}
			}
		})
	}
	wg.Wait()
}

// A start and a close at once: the Run is driven and settled, or refused, and nothing goes on after Close.
func TestLaunchAndCloseAtOnce(t *testing.T) {
	src := source(t, 1)
	for range 100 {
		e := start(t, src, memstore.New(), t.TempDir())
		started := make(chan struct{})
		go func() {
			defer close(started)
			_, _ = e.desk.Start(context.Background(), refresh.Request{})
		}()
		e.flow.Close()
		<-started
	}
}

const victim = "CAIRN_TEST_LOCALFLOW_VICTIM"

// held keeps the victim's lock from being collected, and so closed, as garbage.
var held *localflow.Flow

// starter, with the folders of a Source, a Catalog and locks, makes the test binary a process that starts a hundred Runs at once.
const starter = "CAIRN_TEST_LOCALFLOW_STARTER"

// startMany waits for a line on stdin, asks for a hundred Runs at once while the Source's listing is held up, prints each answer, and
// lets the Run go on at the end of stdin.
func startMany(folders string) error {
	dirs := filepath.SplitList(folders)
	source, err := dirstore.Open(dirs[0])
	if err != nil {
		return err
	}
	catalog, err := dirstore.Open(dirs[1])
	if err != nil {
		return err
	}
	e, err := newEngine(source, catalog, dirs[2])
	if err != nil {
		return err
	}
	gate := faultstore.NewGate()
	e.source.Set(faultstore.Match{Op: faultstore.List}, faultstore.Fault{Gate: gate})
	in := bufio.NewReader(os.Stdin)
	fmt.Println("ready")
	if _, err := in.ReadString('\n'); err != nil {
		return err
	}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			ans, err := e.desk.Start(context.Background(), refresh.Request{})
			fmt.Println("answer", ans.Kind, ans.Run, err)
		})
	}
	wg.Wait()
	fmt.Println("done")
	_, _ = io.Copy(io.Discard, in)
	gate.Release()
	for {
		c, _, err := e.desk.State.Load(context.Background())
		if err != nil || c.Lease == nil {
			return errors.Join(err, e.flow.Close())
		}
		time.Sleep(time.Millisecond)
	}
}

// Two hundred starts at once, a hundred from each of two processes, on one Catalog folder: one is started, and the other 199 are
// told which.
func TestOneRunOfManyStartsInTwoProcesses(t *testing.T) {
	src, cat, locks := t.TempDir(), t.TempDir(), t.TempDir()
	type process struct {
		cmd   *exec.Cmd
		stdin io.WriteCloser
		out   *bufio.Scanner
	}
	var procs []process
	for range 2 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), starter+"="+strings.Join([]string{src, cat, locks}, string(filepath.ListSeparator)))
		cmd.Stderr = os.Stderr
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		p := process{cmd, stdin, bufio.NewScanner(stdout)}
		if !p.out.Scan() || p.out.Text() != "ready" {
			t.Fatalf("the process says %q", p.out.Text())
		}
		procs = append(procs, p)
	}
	for _, p := range procs {
		if _, err := io.WriteString(p.stdin, "go\n"); err != nil {
			t.Fatal(err)
		}
	}
	answers, runs := map[string]int{}, map[string]bool{}
	for _, p := range procs {
		for p.out.Scan() && p.out.Text() != "done" {
			f := strings.Fields(p.out.Text())
			if len(f) != 4 || f[0] != "answer" || f[3] != "<nil>" {
				t.Fatalf("the process says %q", p.out.Text())
			}
			answers[f[1]]++
			runs[f[2]] = true
		}
	}
	started, busy := fmt.Sprint(refresh.Started), fmt.Sprint(refresh.Busy)
	if answers[started] != 1 || answers[busy] != 199 || len(runs) != 1 {
		t.Errorf("answers %v, of the runs %v", answers, runs)
	}
	for _, p := range procs {
		p.stdin.Close()
	}
	for _, p := range procs {
		if err := p.cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// Without a home, or with one that cannot be written to, the locks lie elsewhere.
func TestLocksWithoutAHome(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the cache folder of Windows does not come from these variables")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, home := range map[string]string{"none": "", "no folder": file} {
		t.Setenv("HOME", home)
		t.Setenv("XDG_CACHE_HOME", "")
		t.Setenv("TMPDIR", t.TempDir())
		flow, err := localflow.New(localflow.Options{})
		if err != nil {
			t.Errorf("home %s: %v", name, err)
			continue
		}
		if err := flow.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestMain lets the test binary be a process that starts Runs, or one that holds a lock until it is killed.
func TestMain(m *testing.M) {
	if folders := os.Getenv(starter); folders != "" {
		if err := startMany(folders); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if dir := os.Getenv(victim); dir != "" {
		var err error
		if held, err = localflow.New(localflow.Options{Locks: dir}); err != nil {
			panic(err)
		}
		h := held.Holder()
		if err := os.WriteFile(filepath.Join(dir, "holder"), fmt.Appendf(nil, "%s\n%d\n%s", h.Host, h.PID, h.Lock), 0o600); err != nil {
			panic(err)
		}
		time.Sleep(time.Minute) // it is killed before
	}
	os.Exit(m.Run())
}

// A killed process is seen at once, a living one is not taken for dead, and a lock that is not there says nothing.
func TestGone(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victim+"="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var h refresh.Holder
	for i := 0; ; i++ {
		text, _ := os.ReadFile(filepath.Join(dir, "holder"))
		if n, _ := fmt.Sscanf(string(text), "%s\n%d\n%s", &h.Host, &h.PID, &h.Lock); n == 3 {
			break
		}
		if i > 1000 {
			t.Fatal("the other process does not start")
		}
		time.Sleep(10 * time.Millisecond)
	}
	e := start(t, memstore.New(), memstore.New(), dir)
	lease := refresh.Lease{Run: "r", Fence: 1, Holder: h, Expires: time.Now().Add(time.Hour)}
	if e.flow.Gone(lease) {
		t.Error("a living process is taken for dead")
	}
	if state, err := e.flow.Describe(context.Background(), lease); err != nil || state != refresh.LaunchUnknown {
		t.Errorf("Describe of a living process = %v, %v", state, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if !e.flow.Gone(lease) {
		t.Error("a killed process is not seen")
	}
	for launched, want := range map[bool]refresh.LaunchState{true: refresh.LaunchEnded, false: refresh.LaunchAbsent} {
		lease.Launched = launched
		if state, err := e.flow.Describe(context.Background(), lease); err != nil || state != want {
			t.Errorf("Describe of a dead process, launched %v = %v, %v", launched, state, err)
		}
	}
	lease.Holder.Lock = filepath.Join(dir, "elsewhere.lock")
	if e.flow.Gone(lease) {
		t.Error("a lock that is not there is taken for a death")
	}
	lease.Holder = refresh.Holder{Host: "another host", PID: h.PID, Lock: h.Lock}
	if e.flow.Gone(lease) {
		t.Error("a process of another host is judged by a lock of this one")
	}
	if e.flow.Gone(refresh.Lease{Holder: e.flow.Holder()}) {
		t.Error("this process takes itself for dead")
	}
}
