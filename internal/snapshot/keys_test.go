package snapshot

import (
	"math"
	"testing"
)

func TestKeys(t *testing.T) {
	hash := hashOf(nil)
	for got, want := range map[string]string{
		ManifestKey(7):                    "snapshots/00000000000000000007/manifest.json",
		ManifestKey(math.MaxUint64):       "snapshots/18446744073709551615/manifest.json",
		PartKey("c", 7, hash):             "parts/c/00000000000000000007-" + hash + ".ndjson.zst",
		ParquetKey(PartKey("c", 7, hash)): "parts/c/00000000000000000007-" + hash + ".parquet",
		ScanKey("f"):                      "scans/f.json",
		RunKey("r", "a/b.json"):           "runs/r/a/b.json",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if ManifestKey(9) > ManifestKey(10) || ManifestKey(999) > ManifestKey(1000) {
		t.Error("keys are not in the order of fences")
	}
	for _, fence := range []uint64{0, 7, math.MaxUint64} {
		if got, ok := manifestFence(ManifestKey(fence)); !ok || got != fence {
			t.Errorf("fence %d is %d", fence, got)
		}
		key := PartKey("c", fence, hash)
		for _, k := range []string{key, ParquetKey(key)} {
			if got, part, ok := parsePartKey(k); !ok || got != fence || part != key {
				t.Errorf("%s is part %s of fence %d", k, part, got)
			}
		}
	}
	for _, bad := range []string{"snapshots/7/manifest.json", "snapshots/index/ab", "snapshots/+0000000000000000007/manifest.json",
		"snapshots/99999999999999999999/manifest.json", "manifest.json", ""} {
		if fence, ok := manifestFence(bad); ok {
			t.Errorf("%s is the manifest of %d", bad, fence)
		}
	}
	for _, bad := range []string{"parts/notes.txt", "parts/c/00000000000000000007-" + hash, "parts/c/7-" + hash + ".parquet",
		"parts/c/00000000000000000007-XYZ.parquet", "other/c/00000000000000000007-" + hash + ".parquet", ""} {
		if _, _, ok := parsePartKey(bad); ok {
			t.Errorf("%s is a part", bad)
		}
	}
}
