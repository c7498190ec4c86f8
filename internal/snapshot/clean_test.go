package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
)

func cleanNow(t testing.TB, s *testStore, fence uint64) CleanStats {
	t.Helper()
	stats, err := Clean(t.Context(), s, CleanOptions{Fence: fence, Now: s.now, Retention: 24 * time.Hour, RunsRetention: 72 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

func putAt(t testing.TB, s *testStore, key string) string { return s.put(t, key, "{}") }

// timeline publishes 1 at 0 h, 2 at 10 h and 3 at 30 h, each with a Part of its own and one that all share.
func timeline(t testing.TB) (s *testStore, start time.Time, own []Row) {
	s = newStore()
	start = s.now
	shared := putPart(t, s, "a", 1, makeScenes("a", 0, 20))
	for i, h := range []int{0, 10, 30} {
		s.now = start.Add(time.Duration(h) * time.Hour)
		fence := uint64(i + 1)
		row := putPart(t, s, "b", fence, makeScenes("b", 100*i, 20))
		putAt(t, s, ParquetKey(row.Part))
		own = append(own, row)
		publishParts(t, s, fence, shared, row)
	}
	return s, start, own
}

func TestCleanKeepsSnapshotsForTheRetention(t *testing.T) {
	s, start, own := timeline(t)
	s.now = start.Add(33 * time.Hour) // 1 was superseded 23 hours ago
	if got := cleanNow(t, s, 3); got != (CleanStats{}) {
		t.Errorf("deleted %+v", got)
	}
	s.now = start.Add(34 * time.Hour)
	if got := cleanNow(t, s, 3); got != (CleanStats{Manifests: 1, Parts: 2}) {
		t.Errorf("deleted %+v", got)
	}
	for i, row := range own {
		gone := i == 0
		if s.has(row.Part) == gone || s.has(ParquetKey(row.Part)) == gone || s.has(ManifestKey(uint64(i+1))) == gone {
			t.Errorf("snapshot %d: gone should be %v", i+1, gone)
		}
	}
	if got := seen(t, s); got != 3 {
		t.Errorf("snapshot %d is seen", got)
	}
	r, err := OpenAt(t.Context(), s, 2, nil)
	if err != nil || len(all(t, r, "")) != 40 {
		t.Errorf("snapshot 2: error %v", err)
	}
	if _, err := OpenAt(t.Context(), s, 1, nil); !errors.Is(err, ErrExpired) {
		t.Errorf("snapshot 1: error %v", err)
	}
	s.now = start.Add(1000 * time.Hour)
	if got := cleanNow(t, s, 3); got != (CleanStats{Manifests: 1, Parts: 2}) {
		t.Errorf("deleted %+v", got)
	}
	if got := cleanNow(t, s, 3); got != (CleanStats{}) || seen(t, s) != 3 {
		t.Errorf("deleted %+v once more", got)
	}
}

// A manifest that was written but never published supersedes nothing.
func TestCleanSeesThroughStrays(t *testing.T) {
	s := newStore()
	start := s.now
	publishParts(t, s, 1, putPart(t, s, "a", 1, makeScenes("a", 0, 20)))
	s.now = start.Add(time.Hour)
	stray := putPart(t, s, "a", 2, makeScenes("a", 50, 20))
	if err := WriteManifest(t.Context(), s, manifestOf(s, 2, stray)); err != nil {
		t.Fatal(err)
	}
	s.now = start.Add(30 * time.Hour)
	publishParts(t, s, 3, putPart(t, s, "a", 3, makeScenes("a", 100, 20)))
	s.now = start.Add(31 * time.Hour)
	if got := cleanNow(t, s, 3); got != (CleanStats{Manifests: 1, Parts: 1}) || s.has(stray.Part) || s.has(ManifestKey(2)) {
		t.Errorf("deleted %+v", got)
	}
	if r, err := OpenAt(t.Context(), s, 1, nil); err != nil || len(all(t, r, "")) != 20 {
		t.Errorf("snapshot 1, superseded an hour ago: error %v", err)
	}
}

func TestCleanNeedsTheClaim(t *testing.T) {
	s, start, _ := timeline(t)
	s.now = start.Add(1000 * time.Hour)
	before := s.keys("")
	try := func(fence uint64) {
		t.Helper()
		var fenced *FencedError
		if _, err := Clean(t.Context(), s, CleanOptions{Fence: fence, Now: s.now}); !errors.As(err, &fenced) {
			t.Errorf("fence %d: error %v", fence, err)
		}
	}
	try(2) // past
	try(4) // not claimed yet
	if _, err := Close(t.Context(), s, 3, "run3"); err != nil {
		t.Fatal(err)
	}
	try(3)
	if got := s.keys(""); !reflect.DeepEqual(got, before) {
		t.Errorf("deleted something: %v, before %v", got, before)
	}
}

func TestCleanLeavesTheRestAlone(t *testing.T) {
	s, start, _ := timeline(t)
	keep := []string{
		putAt(t, s, "cairn.yaml"), putAt(t, s, "state/control.json"), putAt(t, s, "catalog.json"), putAt(t, s, "snapshots/index/abc"),
		putAt(t, s, "snapshots/notes.txt"), putAt(t, s, "parts/notes.txt"), putAt(t, s, "parts/b/notes.parquet"), putAt(t, s, "runs/notes"),
		putAt(t, s, PartKey("b", 4, hashOf([]byte("later fence")))), putAt(t, s, PartKey("b", 1<<63, hashOf([]byte("much later")))),
	}
	var m Manifest // of a later Run, about to publish: never touched, and its Parts are needed
	later := putPart(t, s, "z", 1, makeScenes("z", 0, 3))
	m = manifestOf(s, 4, later)
	if err := WriteManifest(t.Context(), s, m); err != nil {
		t.Fatal(err)
	}
	keep = append(keep, ManifestKey(4), later.Part)

	oldScan, oldRun := putAt(t, s, ScanKey("old")), putAt(t, s, RunKey("r1", "plan.json"))
	longRun := putAt(t, s, RunKey("r2", "1/plan.json"))
	s.now = start.Add(100 * time.Hour)
	keep = append(keep, longRun, putAt(t, s, RunKey("r2", "9/last.json")), putAt(t, s, ScanKey("new")), putAt(t, s, RunKey("r3", "plan.json")))
	s.now = start.Add(105 * time.Hour)
	if got := cleanNow(t, s, 3); got != (CleanStats{Manifests: 2, Parts: 4, Scans: 1, WorkFiles: 1}) {
		t.Errorf("deleted %+v", got)
	}
	for _, key := range keep {
		if !s.has(key) {
			t.Errorf("%s is gone", key)
		}
	}
	if s.has(oldScan) || s.has(oldRun) {
		t.Error("an old scan record or work file is there")
	}
}

// A short retention does not take from a Run what it may adopt.
func TestCleanKeepsWhatMayBeAdopted(t *testing.T) {
	s := newStore()
	start := s.now
	orphan := putPart(t, s, "a", 1, makeScenes("a", 0, 20))
	putAt(t, s, ScanKey("f"))
	publishParts(t, s, 2)
	for age := time.Duration(0); age < 2*ScansRetention; age += time.Hour {
		s.now = start.Add(age)
		if _, err := Clean(t.Context(), s, CleanOptions{Fence: 2, Now: s.now}); err != nil {
			t.Fatal(err)
		}
		if there := s.has(orphan.Part); there != (age < ScansRetention) || there != s.has(ScanKey("f")) || AdoptableScan(age) && !there {
			t.Errorf("after %v: part is there: %v", age, there)
		}
	}
	for age, want := range map[time.Duration]bool{0: true, -time.Minute: true, -2 * time.Hour: false, 11 * time.Hour: true, 12 * time.Hour: false} {
		if AdoptableScan(age) != want {
			t.Errorf("a scan of age %v is adoptable: %v", age, !want)
		}
	}
}

func TestCleanOfAnUnchangedCatalogOnlyLooks(t *testing.T) {
	s, start, _ := timeline(t)
	s.now = start.Add(1000 * time.Hour)
	cleanNow(t, s, 3)
	s.forget()
	checks := 0
	opt := CleanOptions{Fence: 3, Now: s.now, Retention: 24 * time.Hour, Check: func(context.Context) error { checks++; return nil }}
	if _, err := Clean(t.Context(), s, opt); err != nil {
		t.Fatal(err)
	}
	get := func(key string) int { return s.Count(faultstore.Match{Op: faultstore.Get, Key: key}) }
	if s.Count(faultstore.Match{}) != 6 || s.Count(faultstore.Match{Op: faultstore.List}) != 4 || get(HeadKey) != 1 ||
		get(ManifestKey(3)) != 1 || checks != 0 {
		t.Errorf("%d checks, calls %v", checks, s.Calls(faultstore.Match{}))
	}
}

func TestCleanStopsWhenToldTo(t *testing.T) {
	s, start, _ := timeline(t)
	for i := range cleanBatch + 50 {
		putAt(t, s, ScanKey(fmt.Sprint(i)))
	}
	s.now = start.Add(1000 * time.Hour)
	lost := errors.New("lease lost")
	checks := 0
	opt := CleanOptions{Fence: 3, Now: s.now, Retention: 24 * time.Hour, Check: func(context.Context) error {
		if checks++; checks == 4 { // manifests, parts, a batch of scans
			return lost
		}
		return nil
	}}
	stats, err := Clean(t.Context(), s, opt)
	if !errors.Is(err, lost) || stats != (CleanStats{Manifests: 2, Parts: 4, Scans: cleanBatch}) || s.Count(faultstore.Match{Op: faultstore.Delete}) != 6+cleanBatch {
		t.Errorf("deleted %+v, error %v", stats, err)
	}
}

func TestCleanFaults(t *testing.T) {
	faultstore.Sweep(t, changes, func(t *testing.T, arm func(*faultstore.Store)) {
		s, start, _ := timeline(t)
		s.now = start.Add(1000 * time.Hour)
		arm(s.Store)
		_, err := Clean(t.Context(), s, CleanOptions{Fence: 3, Now: s.now, Retention: 24 * time.Hour})
		s.restart()
		if err != nil && !errors.Is(err, faultstore.ErrInjected) {
			t.Fatal(err)
		}
		for fence := uint64(1); fence < 3; fence++ { // no manifest without its Parts
			if m, err := ReadManifest(t.Context(), s, fence); err == nil {
				for _, row := range m.Rows {
					if !s.has(row.Part) {
						t.Errorf("snapshot %d is there and lacks %s", fence, row.Part)
					}
				}
			}
		}
		cleanNow(t, s, 3)
		if got := seen(t, s); got != 3 || len(s.keys(snapshotsPrefix)) != 1 || len(s.keys(partsPrefix)) != 3 {
			t.Errorf("snapshot %d is seen, there is %v", got, s.keys(""))
		}
	})
}

func TestCleanRefusesANewerFormat(t *testing.T) {
	s, start, _ := timeline(t)
	s.put(t, ManifestKey(9), `{"format":2}`)
	s.now = start.Add(1000 * time.Hour)
	if _, err := Clean(t.Context(), s, CleanOptions{Fence: 3, Now: s.now}); !errors.Is(err, ErrNewerFormat) || s.Count(faultstore.Match{Op: faultstore.Delete}) != 0 {
		t.Errorf("error %v, %d deleted", err, s.Count(faultstore.Match{Op: faultstore.Delete}))
	}
}

func TestPagingWhileOthersPublishAndClean(t *testing.T) {
	s := newStore()
	row := func(fence uint64) Row { return putPart(t, s, "a", fence, makeScenes("a", int(fence)*1000, 200)) }
	publishParts(t, s, 1, row(1))
	r, err := Open(t.Context(), s, NewCache(0)) // every page reads the index again
	if err != nil {
		t.Fatal(err)
	}
	want := all(t, r, "")
	fence := uint64(1)
	var got [][]byte
	for q := (Query{Limit: 10}); ; {
		p, err := r.Page(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p.Lines...)
		if p.Next == nil {
			break
		}
		q.After = *p.Next
		s.now = s.now.Add(time.Hour)
		fence++
		publishParts(t, s, fence, row(fence))
		cleanNow(t, s, fence)
		if r, err = OpenAt(t.Context(), s, 1, r.cache); err != nil { // as the next request would
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%d items, want %d", len(got), len(want))
	}
	s.now = s.now.Add(6 * time.Hour) // 1 was superseded 24 hours ago
	if cleanNow(t, s, fence); s.has(ManifestKey(1)) {
		t.Error("snapshot 1 is kept for ever")
	}
}

// A world of Runs that adopt, carry over, crash, stall and take over from each other in the middle of any write or
// deletion, under a clock that jumps by hours. Whatever happens, every Snapshot that should be readable is whole.
type world struct {
	t         *testing.T
	kept      *testStore
	s         objstore.Store // kept, with other Runs between calls
	rnd       *rand.Rand
	retention time.Duration
	source    [3]int // version of what lies in each of three Shards
	fence     uint64
	depth     int
	published []uint64
	at        map[uint64]time.Time
	parts     map[string]Row // by content, to be made once
	bodies    map[string][]byte

	adopted, fenced, deleted, nested int
}

func (w *world) check() {
	for i, fence := range w.published {
		if i+1 < len(w.published) && w.kept.now.Sub(w.at[w.published[i+1]]) >= w.retention {
			continue
		}
		var m refs
		if err := readRecord(w.t.Context(), w.kept, fence, &m); err != nil {
			w.t.Fatal(err)
		}
		for _, row := range m.Rows {
			if !w.kept.has(row.Part) {
				w.t.Fatalf("snapshot %d lacks %s at %v", fence, row.Part, w.kept.now)
			}
		}
	}
}

// before lets other Runs happen before a write or a deletion.
func (w *world) before(deletion bool) {
	if deletion {
		w.deleted++
	}
	if w.depth < 3 && w.rnd.IntN(12) == 0 {
		w.depth++
		for range 1 + w.rnd.IntN(3) {
			w.pass(20 * time.Hour)
			w.nested++
			w.run()
		}
		w.depth--
	}
}

// pass lets up to so much time go by.
func (w *world) pass(most time.Duration) {
	w.kept.now = w.kept.now.Add(time.Duration(w.rnd.Int64N(int64(most))))
}

type memo struct {
	At  time.Time
	Row Row
}

// scan carries over, adopts or makes the Part of a Shard.
func (w *world) scan(fence uint64, shard, version int, base *Manifest) (Row, error) {
	fp := fmt.Sprintf("%d.%d", shard, version)
	if base != nil {
		for _, row := range base.Rows {
			if row.Fingerprint == fp {
				return row, nil
			}
		}
	}
	var m memo
	if body, _, err := w.s.Get(w.t.Context(), ScanKey(fp), 0, -1, ""); err == nil {
		if err := json.Unmarshal(body, &m); err != nil {
			return Row{}, err
		}
		if AdoptableScan(w.kept.now.Sub(m.At)) {
			if _, err := ReadObjects(w.t.Context(), w.s, m.Row); err == nil {
				w.adopted++
				return m.Row, nil
			} else if !errors.Is(err, fs.ErrNotExist) {
				return Row{}, err
			}
		}
	}
	row := w.parts[fp]
	row.Part = PartKey(row.Collection, fence, row.Hash)
	if _, err := w.s.Put(w.t.Context(), row.Part, w.bodies[fp], objstore.PutOptions{}); err != nil {
		return Row{}, err
	}
	w.pass(3 * time.Minute)
	m = memo{At: w.kept.now, Row: row}
	body, err := json.Marshal(m)
	if err == nil {
		_, err = w.s.Put(w.t.Context(), ScanKey(fp), body, objstore.PutOptions{})
	}
	return row, err
}

func (w *world) run() {
	w.fence++
	fence, run := w.fence, fmt.Sprint("run", w.fence)
	err := func() error {
		h, err := Claim(w.t.Context(), w.s, fence, run)
		if err != nil {
			return err
		}
		var base *Manifest
		if h.Snapshot > 0 {
			if base, err = ReadManifest(w.t.Context(), w.s, h.Snapshot); err != nil {
				return err
			}
		}
		w.source[w.rnd.IntN(len(w.source))] = w.rnd.IntN(3)
		source := w.source
		m := manifestOf(w.kept, fence)
		for shard, version := range source {
			row, err := w.scan(fence, shard, version, base)
			if err != nil {
				return err
			}
			m.Rows = append(m.Rows, row)
		}
		began := m.Created
		m = manifestOf(w.kept, fence, m.Rows...)
		m.Created = began
		w.pass(3 * time.Hour)
		if w.rnd.IntN(4) == 0 {
			return nil // crashed
		}
		if base == nil || !m.SameContent(base) {
			if _, err := Publish(w.t.Context(), w.s, m); err != nil {
				return err
			}
			_, o, err := w.kept.Get(w.t.Context(), ManifestKey(fence), 0, 0, "")
			if err != nil {
				return err
			}
			w.published = append(w.published, fence)
			w.at[fence] = o.Modified
			w.check()
		}
		c := &cleaner{store: w.s, opt: CleanOptions{Fence: fence, Now: w.kept.now, Retention: w.retention}, width: 1}
		return c.clean(w.t.Context())
	}()
	var fenced *FencedError
	if errors.As(err, &fenced) {
		w.fenced++
	} else if err != nil {
		w.t.Fatal(err)
	}
	w.check()
}

func TestWorld(t *testing.T) {
	parts, bodies := map[string]Row{}, map[string][]byte{}
	s := newStore()
	for shard := range 3 {
		for version := range 3 {
			fp := fmt.Sprintf("%d.%d", shard, version)
			row := putPart(t, s, "abc"[shard:shard+1], 1, makeScenes("abc"[shard:shard+1], 10*version, 2))
			row.Start, row.End, row.Fingerprint = "", "", fp
			bodies[fp] = s.body(t, row.Part)
			parts[fp] = row
		}
	}
	var adopted, fenced, deleted, nested int
	for seed := range uint64(12) {
		w := &world{t: t, kept: newStore(), rnd: rand.New(rand.NewPCG(seed, 1)), at: map[uint64]time.Time{}, parts: parts, bodies: bodies,
			retention: []time.Duration{time.Minute, 5 * time.Hour, 24 * time.Hour, 60 * time.Hour}[seed%4]}
		w.s = &hookStore{w.kept, w.before}
		for range 40 {
			w.pass(20 * time.Hour)
			w.run()
		}
		adopted, fenced, deleted, nested = adopted+w.adopted, fenced+w.fenced, deleted+w.deleted, nested+w.nested
	}
	t.Logf("%d adopted, %d fenced, %d deleted, %d nested", adopted, fenced, deleted, nested)
	if adopted < 100 || fenced < 200 || deleted < 1000 || nested < 500 {
		t.Error("too little happened to tell")
	}
}
