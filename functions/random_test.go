package functions_test

import (
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/asltest"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/sfnflow/sfntest"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// TestRandomWorlds lets a few hours pass in each of many worlds in which everything that can go wrong does: posts, queued ones,
// cancels, changes of the Source with their events, the reaper, late, repeated and lost news, functions that fail or stall at any look at
// the control record and any write of Head, writes that are lost or whose answers are. Then all is well again, and what is published
// must be what is there. What must hold throughout, every world watches by itself (headWritten, PutRun, watchProgress).
//
// A world that fails is that of its seed: go test ./functions -run 'TestRandomWorlds/seed_17$' -worlds 300.
func TestRandomWorlds(t *testing.T) {
	t.Parallel()
	for seed := range *worlds {
		t.Run(fmt.Sprintf("seed_%d", seed), func(t *testing.T) {
			t.Parallel()
			randomWorld(t, seed)
		})
	}
}

var worlds = flag.Uint64("worlds", 25, "how many random worlds to try")

var errLost = errors.New("connection reset")

// TestWorldsAreTheirSeeds: the same seed is the same world, so that one that fails can be looked at.
func TestWorldsAreTheirSeeds(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 2; seed++ {
		one, two := randomWorld(t, seed), randomWorld(t, seed)
		if one != two || len(one) < 1000 {
			t.Errorf("seed %d is two worlds: %s", seed, firstDifference(one, two))
		}
	}
}

func firstDifference(one, two string) string {
	a, b := strings.Split(one, "\n"), strings.Split(two, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d: %s / %s", i, a[i], b[i])
		}
	}
	return "one goes on longer"
}

// randomWorld returns which functions were called when.
func randomWorld(t *testing.T, seed uint64) (history string) {
	w := newWorld(t, stack{seed: seed, shuffle: true, table: seed%15 == 0})
	d := w.draw
	w.survey(2)
	well := false
	chance := func(percent int) bool { return !well && d.IntN(100) < percent }
	within := func(t time.Duration) time.Duration { return time.Duration(d.Int64N(int64(t))) }
	w.held = func(string) {
		if chance(2) {
			w.clock.Sleep(within([]time.Duration{time.Second, time.Minute, 20 * time.Minute, 3 * time.Hour}[d.IntN(4)]))
		}
	}
	lies := &dice{seed: seed, now: w.clock.Now, thrown: map[string]int{}}
	w.lies = func(what string) lie {
		return lie{before: !well && lies.percent(what+" before") < 2, after: !well && lies.percent(what+" after") < 2}
	}
	w.statusEvent = func(*asltest.Execution) []time.Duration {
		var out []time.Duration
		for n := d.IntN(3); n > 0 || well && len(out) == 0; n-- {
			out = append(out, within(3*time.Hour))
		}
		return out
	}
	w.lambda.Fault = func(asltest.Call) (f asltest.Fault) {
		if chance(10) {
			f.Error = []*asltest.Error{asltest.Throttled(), asltest.Unavailable(), asltest.Unknown(), asltest.Crashed()}[d.IntN(4)]
			f.Applied = d.IntN(2) == 0
		}
		if chance(5) {
			f.Before = within(20 * time.Minute)
		}
		if chance(5) {
			f.After = within(20 * time.Minute)
		}
		return f
	}
	for range d.IntN(3) {
		w.sfn.Fault([]string{sfntest.Start, sfntest.Describe, sfntest.Stop}[d.IntN(3)],
			sfntest.Fault{Nth: 1 + d.IntN(4), Applied: d.IntN(2) == 0, Code: []string{"", "ThrottlingException"}[d.IntN(2)]})
	}
	w.reapEvery(time.Duration(1+d.IntN(10)) * time.Minute)
	span := time.Duration(1+d.IntN(5)) * time.Hour
	for range 5 + d.IntN(15) {
		w.clock.After(within(span), func() { w.something(within) })
	}
	w.clock.Run(span)
	well = true
	w.sfn.Heal()
	w.clock.Run(8 * time.Hour) // what is still under way
	w.settled()
	w.refresh(refresh.Successful)
	w.right()
	var calls strings.Builder
	for _, c := range w.lambda.Calls {
		fmt.Fprintln(&calls, c.At.Format(time.RFC3339Nano), c.Function)
	}
	for _, r := range w.ended {
		if r.State == refresh.Failed && (r.Error == nil || r.Error.Message == "") {
			t.Errorf("seed %d: a run failed without a word: %s", seed, encode(r))
		}
	}
	return calls.String()
}

// dice are thrown by many goroutines at once, in any order, to the same results: those depend on when and what they are thrown for.
// How often they were thrown for the same only tells where one goroutine throws them.
type dice struct {
	seed uint64
	now  func() time.Time

	mu     sync.Mutex
	thrown map[string]int // by what for
}

// random are the parts of keys that are other ones each time: ids of Runs, and hashes, into which those go.
var random = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{26}|[0-9a-f]{16,}`)

func (d *dice) percent(what string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := fnv.New64a()
	fmt.Fprint(h, d.seed, d.now(), random.ReplaceAllString(what, "…"))
	if strings.Contains(what, "control record") || strings.Contains(what, snapshot.HeadKey) {
		d.thrown[what]++
		fmt.Fprint(h, d.thrown[what])
	}
	return int(h.Sum64() >> 8 % 100)
}

// something is one thing that somebody does.
func (w *world) something(within func(time.Duration) time.Duration) {
	d := w.draw
	key := fmt.Sprintf("%c/r%02d.tif", 'a'+rune(d.IntN(3)), d.IntN(4))
	switch d.IntN(10) {
	case 0, 1:
		w.http("POST", "/refresh", "")
	case 2:
		w.http("POST", "/refresh", `{"queue":true,"mode":"full"}`)
	case 3:
		w.http("POST", "/refresh", `{"queue":true,"prefixes":["b/"]}`)
	case 4:
		if l := w.control().Lease; l != nil {
			w.http("DELETE", "/refresh/runs/"+l.Run, "")
		}
	case 5:
		w.deliver("StartFunction", []byte(`{"cairn":"schedule"}`))
	case 6:
		if key != "a/r00.tif" { // a Source without anything is taken for a mistake
			w.remove(key)
			w.send(within(time.Hour), deleted(key), deleted(key))
		}
	default:
		w.put(d.IntN(1000), key)
		w.send(within(time.Hour), created(key))
		if d.IntN(3) == 0 {
			w.send(within(time.Hour), created(key), created("a/r00.tif"))
		}
	}
}
