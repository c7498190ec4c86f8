package snapshot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
)

func TestPartGivesBackItsScenes(t *testing.T) {
	for name, scenes := range map[string][]Scene{
		"none": nil, "odd": oddScenes(), "rejects": oddScenes()[:2], "16": makeScenes("c", 0, 16), "17": makeScenes("c", 0, 17),
		"2048": makeScenes("c", 0, 2048),
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore()
			row := putPart(t, s, "c", 1, scenes)
			s.forget()
			got, err := ReadPart(t.Context(), s, row)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, scenes) {
				t.Errorf("got %+v\nwant %+v", got, scenes)
			}
			objects, err := ReadObjects(t.Context(), s, row)
			if err != nil {
				t.Fatal(err)
			}
			for i, sc := range scenes {
				if !reflect.DeepEqual(objects[i].Objects, sc.Objects) || !reflect.DeepEqual(objects[i].Rejects, sc.Rejects) {
					t.Errorf("objects of scene %d are %+v, want %+v", i, objects[i], sc)
				}
			}
			if n := s.Count(faultstore.Match{Op: faultstore.Get}); n != 2 {
				t.Errorf("%d reads, want one for each call", n)
			}
		})
	}
}

func TestPartRow(t *testing.T) {
	_, row, err := EncodePart(oddScenes())
	if err != nil {
		t.Fatal(err)
	}
	want := Counts{Items: 2, Assets: 2, Sidecars: 2, Rejects: 2, Retry: 1, RejectCodes: map[string]int{"archived": 1, "not_tiff": 1}}
	if !reflect.DeepEqual(row.Counts, want) {
		t.Errorf("counts %+v, want %+v", row.Counts, want)
	}
	if row.Summary.Items != 2 {
		t.Errorf("summary %+v", row.Summary)
	}
	if row.IDs != [2]string{"c_1", "c_2"} {
		t.Errorf("ids %v", row.IDs)
	}
	if !isHash(row.Hash) {
		t.Errorf("hash %q", row.Hash)
	}
}

// Any zstd tool shows the lines and nothing else.
func TestPartIsZstdOfLines(t *testing.T) {
	scenes := makeScenes("c", 0, 40)
	body, _, err := EncodePart(scenes)
	if err != nil {
		t.Fatal(err)
	}
	d, err := zstd.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	got, err := io.ReadAll(d)
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for _, sc := range scenes {
		want = append(append(want, sc.Items[0].JSON...), '\n')
	}
	if !bytes.Equal(got, want) {
		t.Errorf("decoded to %d bytes, want the %d of the lines", len(got), len(want))
	}
}

func TestSameScenesSameBytes(t *testing.T) {
	scenes := makeScenes("c", 0, 500)
	first, row, err := EncodePart(scenes)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			_, _, _ = EncodePart(makeScenes("other", i*1000, 100)) // leave something in the pooled encoders
			again, row2, err := EncodePart(makeScenes("c", 0, 500))
			if err != nil || !bytes.Equal(first, again) || !reflect.DeepEqual(row, row2) {
				t.Errorf("another part of the same scenes (error %v)", err)
			}
		})
	}
	wg.Wait()
}

// Whatever is canonical content is in the hash; what only the codec decides is not.
func TestHashCoversContent(t *testing.T) {
	hash := func(change func([]Scene)) string {
		scenes := oddScenes()
		change(scenes)
		_, row, err := EncodePart(scenes)
		if err != nil {
			t.Fatal(err)
		}
		return row.Hash
	}
	seen := map[string]string{}
	for name, change := range map[string]func([]Scene){
		"nothing":  func(s []Scene) {},
		"line":     func(s []Scene) { s[2].Items[0].JSON = line("c", "c_1", nil, "2020-01-01T00:00:00Z", "", "") },
		"key":      func(s []Scene) { s[0].Objects[0].Key += "f" },
		"size":     func(s []Scene) { s[0].Objects[0].Size++ },
		"etag":     func(s []Scene) { s[0].Objects[0].ETag += "x" },
		"modified": func(s []Scene) { s[0].Objects[0].Modified = s[0].Objects[0].Modified.Add(1) },
		"class":    func(s []Scene) { s[0].Objects[0].Class = "" },
		"role":     func(s []Scene) { s[1].Objects[0].Role = Rejected },
		"code":     func(s []Scene) { s[3].Rejects[0].Code = "x" },
		"message":  func(s []Scene) { s[3].Rejects[0].Message = "x" },
		"retry":    func(s []Scene) { s[3].Rejects[0].Retry = true },
		"scene":    func(s []Scene) { s[3].Key = "c/e." },
	} {
		h := hash(change)
		if other, ok := seen[h]; ok {
			t.Errorf("%s and %s have one hash", name, other)
		}
		seen[h] = name
	}
	zone := time.FixedZone("x", 3600)
	if same := hash(func(s []Scene) { s[0].Objects[0].Modified = s[0].Objects[0].Modified.In(zone) }); seen[same] != "nothing" {
		t.Error("the time zone is in the hash")
	}
}

func TestEncodePartRefuses(t *testing.T) {
	item := func(id string, json []byte) []Scene { return []Scene{{Key: "k", Items: []Item{{ID: id, JSON: json}}}} }
	good := line("c", "a", nil, "2020-01-01T00:00:00Z", "", "")
	for want, scenes := range map[string][]Scene{
		"scene a comes after scene b":    {{Key: "b"}, {Key: "a"}},
		"scene a comes after scene a":    {{Key: "a"}, {Key: "a"}},
		"two items have the id a":        {{Key: "a", Items: []Item{{"a", good}, {"a", good}}}},
		"not one line":                   item("a", bytes.Replace(good, []byte(","), []byte(",\n"), 1)),
		"item b: its JSON has the id a":  item("b", good),
		"item a: ":                       item("a", []byte("{")),
		"more than":                      item("a", bytes.Repeat([]byte(" "), MaxLine+1)),
		"object k: unknown role \"odd\"": {{Key: "k", Objects: []Object{{Role: "odd", Object: objstore.Object{Key: "k"}}}}},
	} {
		if _, _, err := EncodePart(scenes); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// Every flipped byte is noticed, or changes nothing that is read.
func TestDamagedPart(t *testing.T) {
	s := newStore()
	scenes := append(oddScenes(), makeScenes("d", 0, 40)...)
	row := putPart(t, s, "c", 1, scenes)
	good := s.body(t, row.Part)
	noticed := 0
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		s.put(t, row.Part, string(bad))
		got, err := ReadPart(t.Context(), s, row)
		switch {
		case err != nil && !strings.Contains(err.Error(), row.Part):
			t.Fatalf("byte %d: error does not name the part: %v", i, err)
		case err != nil:
			noticed++
		case !reflect.DeepEqual(got, scenes):
			t.Fatalf("byte %d: other scenes", i)
		}
	}
	if noticed < len(good)*95/100 {
		t.Errorf("%d of %d damaged bytes noticed", noticed, len(good))
	}
	// Another Part, sound in itself and of the same measures.
	other := row
	other.Hash = hashOf([]byte("other"))
	s.put(t, row.Part, string(good))
	if _, err := ReadPart(t.Context(), s, other); err == nil || !strings.Contains(err.Error(), "has hash "+row.Hash) {
		t.Errorf("error %v for another hash", err)
	}
	if _, err := ReadObjects(t.Context(), s, other); err == nil {
		t.Error("no error for the objects of another hash")
	}
	s.put(t, row.Part, string(good[:len(good)-1]))
	if _, err := ReadPart(t.Context(), s, row); err == nil {
		t.Error("no error for a truncated part")
	}
	if err := s.Delete(context.Background(), row.Part); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPart(t.Context(), s, row); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v for a missing part", err)
	}
}

// The scene block vouches for the lines: those of another Part, in sound frames, are refused.
func TestLinesOfAnotherPart(t *testing.T) {
	a, b := makeScenes("c", 0, 3), makeScenes("c", 0, 3)
	b[1].Items[0].JSON = line("c", b[1].Items[0].ID, nil, "2001-01-01T00:00:00Z", "", "")
	bodyA, rowA, err := EncodePart(a)
	if err != nil {
		t.Fatal(err)
	}
	bodyB, rowB, err := EncodePart(b)
	if err != nil {
		t.Fatal(err)
	}
	_, scenes, err := rowA.decodeIndex(bodyA[rowA.Index:])
	if err != nil {
		t.Fatal(err)
	}
	_, rest, err := rowB.decodeIndex(bodyB[rowB.Index:])
	if err != nil {
		t.Fatal(err)
	}
	mixed := rowB // frames and index of b, scenes of a
	mixed.Hash = rowA.Hash
	body := append(bodyB[:len(bodyB)-len(rest)], scenes...)
	if _, err := mixed.decode(body); err == nil || !strings.Contains(err.Error(), "lines do not have the hash") {
		t.Errorf("error %v", err)
	}
}

// A frame that says it becomes much larger than it is takes no memory on its word.
func TestClaimedSizesAreNotAllocated(t *testing.T) {
	// Magic, a single-segment frame of 48 MiB with an 8-byte size, one raw block of one byte that is the last.
	bomb := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 3, 0, 0, 0, 0, 9, 0, 0, 'x'}
	_, _ = inflate(nil, bomb, maxFrame) // what is allocated once
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := inflate(nil, bomb, maxFrame); err == nil {
		t.Error("no error")
	}
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 1<<20 {
		t.Errorf("%d bytes allocated", after.TotalAlloc-before.TotalAlloc)
	}
	// One that does become that large is stopped at the limit.
	large := encoder().EncodeAll(make([]byte, 8<<20), nil)
	if _, err := inflate(nil, large, 1<<20); err == nil || !strings.Contains(err.Error(), "uncompressed") {
		t.Errorf("error %v", err)
	}
	if out, err := inflate(nil, large, 8<<20); err != nil || len(out) != 8<<20 {
		t.Errorf("%d bytes, error %v", len(out), err)
	}
}

func FuzzReadPart(f *testing.F) {
	for _, scenes := range [][]Scene{nil, oddScenes(), makeScenes("c", 0, 40)} {
		body, row, err := EncodePart(scenes)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, row.Index, row.Counts.Items)
	}
	f.Fuzz(func(t *testing.T, body []byte, at int64, items int) {
		s := newStore()
		row := Row{Part: "p", Size: int64(len(body)), Index: at, Counts: Counts{Items: items}}
		s.put(t, "p", string(body))
		// The hash would hide everything behind it from the fuzzer: take the one that the content has.
		if at >= 0 && at <= row.Size {
			if _, rest, err := cutSkippable(body[at:], 1<<20); err == nil {
				if block, _, err := cutSkippable(rest, 1<<20); err == nil {
					row.Hash = hashOf(block)
				}
			}
		}
		scenes, err := ReadPart(t.Context(), s, row)
		if x, err := readIndex(t.Context(), s, row); err == nil && x.len() > 0 {
			_, _ = readFrames(t.Context(), s, row, x, []int{0, len(x.offsets) - 2})
		}
		if err != nil {
			return
		}
		n := 0
		for _, sc := range scenes {
			n += len(sc.Items)
		}
		if n != items {
			t.Errorf("%d items, the row says %d", n, items)
		}
	})
}

func FuzzDecodeScenes(f *testing.F) {
	for _, scenes := range [][]Scene{nil, oddScenes(), makeScenes("c", 0, 3)} {
		block, err := encodeScenes(scenes, [32]byte{1})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(block)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		scenes, lines, err := decodeScenes(b)
		if err != nil {
			return
		}
		again, err := encodeScenes(scenes, lines)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := decodeScenes(again); err != nil || !reflect.DeepEqual(got, scenes) {
			t.Errorf("decoded to %+v, encoded and decoded to %+v, error %v", scenes, got, err)
		}
	})
}
