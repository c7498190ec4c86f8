package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// beforePublishing is where a Run has scanned everything, and publishes next.
const beforePublishing = "snapshots/"

// settling is where a Run's end is recorded.
const settling = "state/runs/"

func TestTwoProcessesOnOneCatalog(t *testing.T) {
	p := newPlace(t)
	other := startHeld(t, beforePublishing, p.args("refresh", "--json")...)

	code, stdout, stderr := cairn(t, p.args("refresh", "--json")...)
	holder := fmt.Sprintf("process %d ", other.cmd.Process.Pid)
	if code != exitBusy || stdout != "" || !strings.Contains(stderr, holder) || !strings.Contains(stderr, " since ") {
		t.Errorf("exit code %d, stdout %q, stderr %q; want %d and who holds the lease", code, stdout, stderr, exitBusy)
	}
	if s := statusOf(t, p); !s.IsRunning || s.Snapshot != nil {
		t.Errorf("status meanwhile is %+v; want a running one and nothing published", s)
	}
	if out := must(t, "status", "--catalog", p.catalog); !strings.Contains(out, "running") || !strings.Contains(out, "nothing yet") {
		t.Errorf("status meanwhile says:\n%s", out)
	}

	other.stdin.Close()
	if code := other.wait(); code != 0 {
		t.Fatalf("the other process exits with %d: %s", code, other.stderr.String())
	}
	first := parseSummary(t, other.stdout.String())
	if got := refreshed(t, p.source, "--catalog", p.catalog); first.Added != 5 || got.Scanned != 0 || got.Snapshot != first.Snapshot {
		t.Errorf("the other process: %+v; afterwards: %+v; want 5 added and nothing to do", first, got)
	}
}

// What a killed process had scanned is adopted, and nobody waits for its Lease to run out.
func TestKilledInTheMiddle(t *testing.T) {
	p := newPlace(t)
	other := startHeld(t, beforePublishing, p.args("refresh")...)
	if err := other.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	other.wait()
	if s := statusOf(t, p); s.IsRunning || s.State == nil || *s.State != refresh.Failed || s.Snapshot != nil {
		t.Errorf("status after the kill is %+v; want failed and nothing published", s)
	}
	got := refreshed(t, p.source, "--catalog", p.catalog)
	if got.Scanned != 0 || got.Unchanged != 7 || got.Added != 5 || got.Items != 5 || got.Rejects != 1 {
		t.Errorf("refresh after the kill: %+v; want 5 added and none scanned again", got)
	}
	if runs := must(t, "status", "--catalog", p.catalog); !strings.Contains(runs, "failed") || !strings.Contains(runs, "successful") {
		t.Errorf("status lacks the failed run or the successful one:\n%s", runs)
	}
}

func TestInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot send another one an interrupt here")
	}
	p := newPlace(t)
	first := refreshed(t, p.source, "--catalog", p.catalog)
	put(t, p.source, "ortho/a9_20240102.tif", raster(t, 9))

	other := startHeld(t, beforePublishing, p.args("refresh", "--json")...)
	if err := other.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := other.wait(); code != exitFailed || !strings.Contains(other.stderr.String(), "cairn: refresh cancelled") {
		t.Errorf("exit code %d, stderr %q; want %d", code, other.stderr.String(), exitFailed)
	}
	cancelled := parseSummary(t, other.stdout.String())
	if cancelled.State != refresh.Dismissed || cancelled.Snapshot != first.Snapshot {
		t.Errorf("the interrupted run: %+v; want dismissed, with snapshot %d published still", cancelled, first.Snapshot)
	}
	if s := statusOf(t, p); s.IsRunning || *s.State != refresh.Dismissed || *s.Snapshot != first.Snapshot || *s.ItemsCount != 5 {
		t.Errorf("status afterwards is %+v", s)
	}
	if got := refreshed(t, p.source, "--catalog", p.catalog); got.Added != 1 || got.Scanned != 0 {
		t.Errorf("refresh afterwards: %+v; want 1 added and none scanned again", got)
	}
}

// While a cancelled Run cannot be settled, a second interrupt ends the process all the same.
func TestSecondInterruptKills(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot send another one an interrupt here")
	}
	p := newPlace(t)
	other := startHeld(t, settling, p.args("refresh")...)
	ended := make(chan int, 1)
	go func() { ended <- other.wait() }()
	for {
		if err := other.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		select {
		case code := <-ended:
			if code != -1 {
				t.Errorf("exit code %d; want to be killed by the signal", code)
			}
			refreshed(t, p.source, "--catalog", p.catalog)
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// statusOf is what cairn status --json says.
func statusOf(t *testing.T, p place) refresh.Status {
	t.Helper()
	var s refresh.Status
	if err := json.Unmarshal([]byte(must(t, "status", "--json", "--catalog", p.catalog)), &s); err != nil {
		t.Fatal(err)
	}
	return s
}
