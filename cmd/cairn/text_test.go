package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
)

func TestText(t *testing.T) {
	for got, want := range map[string]string{
		count(0, "item"):          "0 items",
		count(1, "item"):          "1 item",
		count(1234567, "file"):    "1,234,567 files",
		number(-1000):             "-1,000",
		number(-100):              "-100",
		size(999):                 "999 bytes",
		size(1500):                "1.5 kB",
		size(999_999):             "1 MB",
		size(1 << 62):             "4.61 EB",
		duration(1234 * 1e3):      "1ms",
		duration(12_340 * 1e6):    "12.3s",
		duration(time.Hour + 1e8): "1h0m0s",
		quote("/a/b-c_d.tif"):     "/a/b-c_d.tif",
		quote("it's a file"):      `'it'\''s a file'`,
		quote(""):                 "''",
		printable("plain ü"):      "plain ü",
		printable("\x1b[2J"):      `"\x1b[2J"`,
		printable("a\xff"):        `"a\xff"`,
		tally(map[string]int{}):   "",
		tally(map[string]int{"a": 1, "c": 2000, "b": 1}): "2,000 c, 1 a, 1 b",
	} {
		if got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}

func TestInOrder(t *testing.T) {
	elements := make([]int, 100)
	for i := range elements {
		elements[i] = i
	}
	var running, most atomic.Int32
	work := func(_ context.Context, i int) int {
		most.Store(max(most.Load(), running.Add(1)))
		time.Sleep(time.Duration(i%3) * time.Millisecond)
		running.Add(-1)
		return i
	}
	var got []int
	for v := range inOrder(context.Background(), slices.Values(elements), 4, work) {
		got = append(got, v)
	}
	if !slices.Equal(got, elements) || most.Load() > 6 {
		t.Errorf("results %v, %d at once; want them in order, a few at once", got, most.Load())
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	for range inOrder(ctx, slices.Values(elements), 4, work) {
		n++
		cancel()
	}
	if n == len(elements) {
		t.Error("it went on after its context had ended")
	}
	cancel()
}

// scanning is the Progress of a Run with so many of 1,000 Objects done.
func scanning(done int, at time.Time) refresh.Progress {
	var p refresh.Progress
	p.Enter(refresh.Scanning, refresh.Totals{Objects: 1000}, at)
	p.Advance("s", refresh.Tally{Done: done}, at.Add(2*time.Second))
	return p
}

func TestLinesOfProgress(t *testing.T) {
	var out bytes.Buffer
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	d := &lineDisplay{w: &out, now: func() time.Time { return now }, last: now}
	d.show(scanning(500, now))
	if out.Len() > 0 {
		t.Errorf("at once it says %q", &out)
	}
	p := scanning(500, now)
	now = now.Add(lineEvery)
	d.show(p)
	d.show(p)
	d.show(refresh.Progress{})
	d.end()
	if got, want := out.String(), "reading headers 500 of 1000 (49%) 250 files/s, 1s left\n"; got != want {
		t.Errorf("it says %q; want %q", got, want)
	}
}

// The bar shows each phase, and is gone at the end.
func TestBarOfProgress(t *testing.T) {
	var out bytes.Buffer
	d := &barDisplay{w: &out}
	d.show(refresh.Progress{})
	if out.Len() > 0 {
		t.Errorf("before the first phase it shows %q", &out)
	}
	now := time.Now()
	d.show(refresh.Progress{Phase: refresh.Planning})
	d.show(scanning(500, now.Add(-2*time.Second)))
	d.show(refresh.Progress{Phase: refresh.Publishing})
	d.end()
	d.end()
	for _, want := range []string{"listing files", "(500/1000)", "publishing"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q: %q", want, &out)
		}
	}
	if end := strings.Split(out.String(), "\r"); strings.TrimSpace(end[len(end)-1]) != "" || strings.TrimSpace(end[len(end)-2]) != "" {
		t.Errorf("it ends with %q; want a blank line", end[len(end)-2:])
	}
}
