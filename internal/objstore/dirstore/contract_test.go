package dirstore

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/objstoretest"
)

// open opens a Store on a new folder, and looks at the end that nothing was written beside it.
func open(t testing.TB) *Store {
	t.Helper()
	parent := t.TempDir()
	s, err := Open(filepath.Join(parent, "x", "catalog"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for dir, want := range map[string]string{parent: "x", filepath.Join(parent, "x"): "catalog"} {
			names, err := os.ReadDir(dir)
			if err != nil || len(names) != 1 || names[0].Name() != want {
				t.Errorf("%s holds %v (%v), want just %s", dir, names, err, want)
			}
		}
		if left, err := os.ReadDir(filepath.Join(s.Dir(), tempDir)); err != nil || len(left) != 0 {
			t.Errorf("%s holds %v (%v), want nothing", tempDir, left, err)
		}
	})
	return s
}

// fill writes files and returns their folder.
func fill(t testing.TB, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for key, body := range files {
		path := filepath.Join(dir, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func reader(t testing.TB, dir string) *Reader {
	t.Helper()
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func put(t testing.TB, s *Store, key, body string, opt objstore.PutOptions) (etag string) {
	t.Helper()
	etag, err := s.Put(t.Context(), key, []byte(body), opt)
	if err != nil {
		t.Fatal(err)
	}
	return etag
}

// keys lists a Reader, which must not fail.
func keys(t testing.TB, r objstore.Reader) []string {
	t.Helper()
	var keys []string
	for o, err := range r.List(t.Context(), objstore.Range{}) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

func TestStoreContract(t *testing.T) {
	objstoretest.Run(t, func(t *testing.T) objstore.Store { return open(t) })
}

func TestReaderContract(t *testing.T) {
	objstoretest.RunReader(t, func(t *testing.T, objects map[string]string) objstore.Reader {
		return reader(t, fill(t, objects))
	})
}
