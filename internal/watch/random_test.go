package watch

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/dirstore"
)

// TestRandom does random things to folders.
func TestRandom(t *testing.T) {
	n := 40
	if testing.Short() {
		n = 10
	}
	for seed := range n {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(seed), 7))
			ops := make([]byte, 3*(10+r.IntN(300)))
			for i := range ops {
				ops[i] = byte(r.Uint32())
			}
			random(t, ops)
		})
	}
}

func FuzzFolder(f *testing.F) {
	f.Add([]byte{2, 0, 0, 2, 0, 1, 4, 2, 3, 5, 1, 0})
	f.Add([]byte("mv a b; mkdir a; mv b a/c; rm -r a"))
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) < 3000 {
			random(t, ops)
		}
	})
}

// random does to a folder what ops say, in four bursts. After each, what was told must cover every difference in what
// dirstore lists, and each folder must be watched under the path that it has then.
func random(t *testing.T, ops []byte) {
	base := t.TempDir()
	w := &watcher{TB: t, dir: filepath.Join(base, "root")}
	for _, dir := range []string{"a/b", "b", "../out/a"} {
		w.mkdir(dir)
	}
	w.write("a/b/x", "")
	w.write("../out/a/y", "")
	w = start(t, w.dir, brisk, nil)
	before := listing(t, w.dir)
	for burst := range slices.Chunk(ops, max(3, len(ops)/4/3*3)) {
		for op := range slices.Chunk(burst, 3) {
			if len(op) == 3 {
				w.do(op[0], op[1], op[2])
			}
		}
		told, _ := w.told()
		now := listing(t, w.dir)
		for key := range union(before, now) {
			if before[key] != now[key] && !covers(told, key) {
				t.Fatalf("%q is not in %+v:\nbefore %+v\nnow    %+v", key, told, before[key], now[key])
			}
		}
		var written []string
		_ = filepath.WalkDir(w.dir, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.IsDir() && path != w.dir {
				key, _ := filepath.Rel(w.dir, path)
				written = append(written, filepath.ToSlash(key)+"/~file")
				w.write(written[len(written)-1], "")
			}
			return err
		})
		told, _ = w.told()
		for _, key := range written {
			if !covers(told, key) {
				t.Fatalf("%q is not in %+v", key, told)
			}
		}
		before = listing(t, w.dir)
	}
}

// do does one of the things that one does to files. Much of it is not possible at the time, which is as well.
func (w *watcher) do(what, a, b byte) {
	names := []string{"a", "b", "x", "y"}
	place := func(n byte) string { // up to four levels deep, seldom out of the folder
		p := names[n&3]
		for ; n >= 64; n -= 64 {
			p = path.Join(names[n>>2&3], p)
		}
		if n>>4&3 == 3 && n&12 == 0 {
			return "../out/" + p
		}
		return p
	}
	from, to := w.path(place(a)), w.path(place(b))
	switch what % 12 {
	case 0, 1:
		_ = os.WriteFile(from, []byte{b}, 0o666)
	case 2:
		_ = os.MkdirAll(from, 0o777)
		_ = os.WriteFile(filepath.Join(from, names[b&3]), []byte{what}, 0o666)
	case 3:
		_ = os.Mkdir(from, 0o777)
	case 4, 5, 6:
		_ = os.Rename(from, to)
	case 7:
		_ = os.RemoveAll(from)
	case 8:
		_ = os.Remove(from)
	case 9:
		if to, err := filepath.Rel(filepath.Dir(from), to); err == nil && runtime.GOOS != "windows" {
			_ = os.Symlink(to, from)
		}
	case 10:
		_ = os.WriteFile(from+".new", []byte{b, b}, 0o666)
		_ = os.Rename(from+".new", from)
	case 11:
		_ = os.MkdirAll(filepath.Join(from, "a/b"), 0o777)
		_ = os.Rename(to, filepath.Join(from, "a/b/x"))
	}
}

func listing(t *testing.T, dir string) map[string]objstore.Object {
	t.Helper()
	r, err := dirstore.OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string]objstore.Object{}
	for o, err := range r.List(t.Context(), objstore.Range{}) {
		if err != nil {
			t.Fatal(err)
		}
		objects[o.Key] = o
	}
	for n := range 100 { // the test's own
		delete(objects, fmt.Sprintf("~mark%d", n))
	}
	return objects
}

func union(a, b map[string]objstore.Object) map[string]objstore.Object {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
