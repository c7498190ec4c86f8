package watch

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkEstablish watches 1,000 folders.
func BenchmarkEstablish(b *testing.B) {
	dir := b.TempDir()
	for i := range 1000 {
		if err := os.MkdirAll(filepath.Join(dir, fmt.Sprint(i%10), fmt.Sprint(i)), 0o777); err != nil {
			b.Fatal(err)
		}
	}
	t, err := newTree(dir, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer t.close()
	b.ReportAllocs()
	for b.Loop() {
		if err := t.establish(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStorm notes 1,000,000 files in 1,000 folders.
func BenchmarkStorm(b *testing.B) {
	keys := make([]string, 1_000_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("%d/%d/%d.tif", i%7, i%1000, i)
	}
	b.ReportAllocs()
	for b.Loop() {
		var p pending
		for _, key := range keys {
			p.key(key)
		}
		p.take()
	}
}
