package crs

import (
	"bufio"
	"compress/gzip"
	"iter"
	"os"
	"testing"
)

// fixture yields the lines of a compressed file of testdata.
func fixture(t testing.TB, name string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		f, err := os.Open("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if !yield(lines.Bytes()) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
}
