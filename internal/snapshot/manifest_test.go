package snapshot

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestManifestRoundTrip(t *testing.T) {
	s := newStore()
	m := manifestOf(s, 5, putPart(t, s, "c", 1, oddScenes()), putPart(t, s, "d", 1, makeScenes("d", 0, 20)))
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second finds it there
		if err := WriteManifest(t.Context(), s, m); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadManifest(t.Context(), s, 5)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(m)
	if have, _ := json.Marshal(got); string(have) != string(want) {
		t.Errorf("read %s\nwant %s", have, want)
	}
	if !reflect.DeepEqual(got.Rows, m.Rows) {
		t.Errorf("rows %+v\nwant %+v", got.Rows, m.Rows)
	}
	later := m
	later.Created = m.Created.Add(time.Hour)
	if err := WriteManifest(t.Context(), s, later); err != nil {
		t.Errorf("the same at another time: %v", err)
	}
	other := m
	other.Title = "other"
	if err := WriteManifest(t.Context(), s, other); err == nil || !strings.Contains(err.Error(), "another one") {
		t.Errorf("error %v for another manifest of the fence", err)
	}
	if got, err := ReadManifest(t.Context(), s, 5); err != nil || got.Title != m.Title || !got.Created.Equal(m.Created) {
		t.Errorf("the manifest was changed: %+v, error %v", got, err)
	}
}

func TestSameContent(t *testing.T) {
	s := newStore()
	a := manifestOf(s, 5, putPart(t, s, "c", 1, oddScenes()))
	b := a
	b.Fence, b.Base, b.Run, b.Created = 6, 5, "other", a.Created.Add(1)
	if !a.SameContent(&b) || !b.SameContent(&a) {
		t.Error("made by another run: not the same")
	}
	b.Rows = []Row{a.Rows[0]}
	b.Rows[0].Shaping = "other"
	if a.SameContent(&b) {
		t.Error("another row: the same")
	}
	b.Rows[0] = a.Rows[0]
	b.Rows[0].Counts.RejectCodes = map[string]int{"not_tiff": 1, "archived": 1}
	if !a.SameContent(&b) {
		t.Error("an equal map of codes: not the same")
	}
	b.Rows[0].Counts.RejectCodes = map[string]int{"not_tiff": 2}
	if a.SameContent(&b) {
		t.Error("other codes of as many Rejects: the same")
	}
	if !(&Manifest{Rows: []Row{}}).SameContent(&Manifest{}) {
		t.Error("no rows and no rows: not the same")
	}
}

func TestRejectCodes(t *testing.T) {
	s := newStore()
	plain := putPart(t, s, "d", 1, makeScenes("d", 0, 20))
	if body, err := json.Marshal(plain); err != nil || plain.Counts.RejectCodes != nil || strings.Contains(string(body), "reject_codes") {
		t.Errorf("a row without Rejects is %s, %v", body, err)
	}
	m := manifestOf(s, 5, putPart(t, s, "c", 1, oddScenes()), putPart(t, s, "c", 1, oddScenes()[3:]), plain)
	for range 2 { // counting changes nothing
		if got, want := m.RejectCodes(), map[string]int{"archived": 1, "not_tiff": 2}; !reflect.DeepEqual(got, want) {
			t.Errorf("RejectCodes = %v, want %v", got, want)
		}
	}
	if got := (&Manifest{Rows: []Row{plain}}).RejectCodes(); got == nil || len(got) != 0 {
		t.Errorf("RejectCodes of none = %#v", got)
	}
}

func TestValidate(t *testing.T) {
	s := newStore()
	good := func() Manifest {
		return manifestOf(s, 5, putPart(t, s, "c", 1, oddScenes()), putPart(t, s, "d", 1, makeScenes("d", 0, 20)),
			putPart(t, s, "d", 1, makeScenes("d", 20, 20)))
	}
	for want, change := range map[string]func(*Manifest){
		"fence 0":                          func(m *Manifest) { m.Fence = 0 },
		"row 1 lacks":                      func(m *Manifest) { m.Rows[1].Hash = "" },
		"is not UTF-8":                     func(m *Manifest) { m.Rows[1].End += "\xff" },
		"is empty":                         func(m *Manifest) { m.Rows[1].End = m.Rows[1].Start },
		"2 rejects, and codes of 3":        func(m *Manifest) { m.Rows[0].Counts.RejectCodes["denied"]++ },
		"in another row too":               func(m *Manifest) { m.Rows[2].Part = m.Rows[1].Part },
		"row 2 is out of order":            func(m *Manifest) { m.Rows[1], m.Rows[2] = m.Rows[2], m.Rows[1] },
		"row 2 overlaps":                   func(m *Manifest) { m.Rows[1].End = "" },
		"collection c is out of order":     func(m *Manifest) { m.Collections[0], m.Collections[1] = m.Collections[1], m.Collections[0] },
		"collection d of 40 items is miss": func(m *Manifest) { m.Collections = m.Collections[:1] },
		"collection x has no items":        func(m *Manifest) { m.Collections[1].ID = "x" },
	} {
		m := good()
		if err := m.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&m)
		if err := m.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// A manifest of any content gives errors, not more.
func FuzzManifest(f *testing.F) {
	s := newStore()
	m := manifestOf(s, 5, putPart(f, s, "c", 1, oddScenes()), putPart(f, s, "d", 1, makeScenes("d", 0, 20)))
	body, err := json.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body, "c_1")
	f.Fuzz(func(t *testing.T, body []byte, id string) {
		s.put(t, ManifestKey(5), string(body))
		m, err := ReadManifest(t.Context(), s, 5)
		if err != nil {
			return
		}
		_ = m.Validate()
		r := &Reader{store: s, cache: NewCache(1 << 20), manifest: m}
		_, _ = r.Item(t.Context(), "c", id)
		_, _ = r.Page(t.Context(), Query{Limit: 10, BBox: &[4]float64{-180, -90, 180, 90}})
		for range r.Rejects(t.Context()) {
		}
	})
}

func TestCatalogID(t *testing.T) {
	for source, want := range map[string]string{
		"file:///data/my rasters": "my-rasters", "s3://bucket/a/b/": "b", "s3://bucket": "bucket", "": "catalog",
		"file:///": "file", "file:///données": "donn-es", "file:///..": "catalog",
	} {
		if got := (&Manifest{Source: source}).CatalogID(); got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}
