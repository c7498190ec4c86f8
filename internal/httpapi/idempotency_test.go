package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstate"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/refresh"
)

func TestIdempotencyKeyHeader(t *testing.T) {
	long := strings.Repeat("k", maxKey)
	for header, want := range map[string]string{
		"a": "a", `"a"`: "a", " a\t": "a", `a"b`: `a"b`, `"a\"\\b"`: `a"\b`, "8e03978e-40d5-43dd-bc93-6894a57f9324": "8e03978e-40d5-43dd-bc93-6894a57f9324",
		long: long, `"` + long + `"`: long, "!~": "!~",
	} {
		if got, err := idempotencyKey(http.Header{"Idempotency-Key": {header}}); got != want || err != nil {
			t.Errorf("%q: %q, %v; want %q", header, got, err, want)
		}
	}
	for _, header := range []string{"", " ", `""`, `"`, `"a`, `"a"b`, `"a";p=1`, `"\a"`, `"a\`, "a b", `"a b"`, "a\tb", "ä", "\x7f", "\x00", long + "k", `"` + long + `k"`} {
		if got, err := idempotencyKey(http.Header{"Idempotency-Key": {header}}); err == nil {
			t.Errorf("%q is taken as %q", header, got)
		}
	}
	if got, err := idempotencyKey(http.Header{"Idempotency-Key": {"a", "a"}}); err == nil {
		t.Errorf("two of them are taken as %q", got)
	}
	w := newWorld(t, nil)
	w.desk.answer = refresh.Answer{Kind: refresh.Started, Run: runID}
	w.refused(w.do("POST", "/refresh", "", "Idempotency-Key: a b"), "bad_parameter")
	for header, want := range map[string]string{"Idempotency-Key: \"k1\"": "k1", "X: x": ""} {
		w.desk.asked = nil
		if w.do("POST", "/refresh", "", header); len(w.desk.asked) != 1 || w.desk.asked[0].Key != want {
			t.Errorf("%s: asked %+v", header, w.desk.asked)
		}
	}
}

func FuzzIdempotencyKey(f *testing.F) {
	f.Add("a")
	f.Add(`"a\"\\b"`)
	f.Fuzz(func(t *testing.T, header string) {
		key, err := idempotencyKey(http.Header{"Idempotency-Key": {header}})
		if err != nil {
			return
		}
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"`
		again, err := idempotencyKey(http.Header{"Idempotency-Key": {quoted}})
		if again != key || err != nil || len(key) < 1 || len(key) > maxKey {
			t.Errorf("%q is %q; %s is %q, %v", header, key, quoted, again, err)
		}
	})
}

// serving is a fresh server, as another process would be, over a Catalog.
func serving(t *testing.T, store objstore.Store) *world {
	desk := &refresh.Desk{State: objstate.New(store, time.Now), Catalog: store, Workflow: idleFlow{}, TTL: time.Hour, Now: time.Now,
		Log: slog.New(slog.DiscardHandler)}
	return newWorld(t, func(o *Options) { o.Desk, o.Snapshots = desk, NewSnapshots(store, 0, nil) })
}

func TestManyWithOneKeyStartOne(t *testing.T) {
	store := memstore.New()
	servers := []*world{serving(t, store), serving(t, store), serving(t, store)}
	const n = 50
	replies := make([]reply, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			replies[i] = servers[i%len(servers)].do("POST", "/refresh", `{"mode":"full"}`, "Idempotency-Key: k")
		})
	}
	wg.Wait()
	for _, r := range append(replies, serving(t, store).do("POST", "/refresh", ` {"mode":"full"}`, `Idempotency-Key: "k"`)) {
		if r.status != 202 || string(r.body) != string(replies[0].body) || r.header.Get("Location") != replies[0].header.Get("Location") ||
			!strings.Contains(string(r.body), `"started"`) {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	var page runsAnswer
	if servers[0].get("/refresh/runs", &page); len(page.Runs) != 1 {
		t.Errorf("%d runs", len(page.Runs))
	}
}

// The same answer comes whatever became of the Run; another body under the key is refused.
func TestRepeatedKeyAnswersTheSame(t *testing.T) {
	store := memstore.New()
	w := serving(t, store)
	running := w.do("POST", "/refresh", "", "Idempotency-Key: first")
	busy := w.do("POST", "/refresh", "", "Idempotency-Key: later")
	if running.status != 202 || busy.status != 200 {
		t.Fatalf("%d, then %d", running.status, busy.status)
	}
	queued := w.do("POST", "/refresh", `{"queue":true,"keys":["a.tif"]}`, "Idempotency-Key: q")
	if queued.status != 202 || !strings.Contains(string(queued.body), `"position":1`) {
		t.Fatalf("%d %s", queued.status, queued.body)
	}
	repeats := func() {
		t.Helper()
		for key, want := range map[string]reply{"first": running, "q": queued} {
			body := ""
			if key == "q" {
				body = `{"keys":["a.tif"],"queue":true}`
			}
			for _, w := range []*world{w, serving(t, store)} {
				if r := w.do("POST", "/refresh", body, "Idempotency-Key: "+key); r.status != want.status || string(r.body) != string(want.body) {
					t.Errorf("%s again: %d %s; first %d %s", key, r.status, r.body, want.status, want.body)
				}
				w.refused(w.do("POST", "/refresh", `{"mode":"full"}`, "Idempotency-Key: "+key), "key_reused")
			}
		}
	}
	repeats()
	desk := w.opt.Desk.(*refresh.Desk)
	for range 2 { // the first Run ends, which starts the one that waits, then that one too
		c, _, err := desk.State.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := desk.Settle(context.Background(), c.Lease.Run, c.Lease.Fence, &refresh.Problem{Code: "internal", Message: "x"}); err != nil {
			t.Fatal(err)
		}
		repeats()
	}
	// That another Run was in the way is not remembered: now none is.
	if r := w.do("POST", "/refresh", "", "Idempotency-Key: later"); r.status != 202 {
		t.Errorf("what was refused before: %d %s", r.status, r.body)
	}
}

func TestKeyReused(t *testing.T) {
	w := newWorld(t, nil)
	w.desk.err = errors.Join(errors.New("x"), refresh.ErrKeyReused)
	if d := w.refused(w.do("POST", "/refresh", "", "Idempotency-Key: k"), "key_reused"); !strings.Contains(d, "Idempotency-Key") {
		t.Error(d)
	}
}
