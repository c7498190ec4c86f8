package snapshot

import (
	"fmt"
	"strconv"
	"strings"
)

// HeadKey is where Head is kept.
const HeadKey = "head.json"

// The folders of a Catalog that this package keeps.
const (
	snapshotsPrefix = "snapshots/"
	partsPrefix     = "parts/"
	scansPrefix     = "scans/"
	runsPrefix      = "runs/"

	manifestSuffix = "/manifest.json"
	partSuffix     = ".ndjson.zst"
	parquetSuffix  = ".parquet"
)

// fenceDigits holds every uint64, so that the byte order of keys is the order of fences.
const fenceDigits = 20

func fenceText(fence uint64) string { return fmt.Sprintf("%0*d", fenceDigits, fence) }

func parseFence(s string) (uint64, bool) {
	if len(s) != fenceDigits {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64) // refuses signs and anything but digits
	return n, err == nil
}

// ManifestKey is the key of the manifest of the Snapshot that the Run with this fence published.
func ManifestKey(fence uint64) string { return snapshotsPrefix + fenceText(fence) + manifestSuffix }

// PartKey is the key of a Part that the Run with this fence wrote. The hash is Row.Hash.
func PartKey(collection string, fence uint64, hash string) string {
	return partsPrefix + collection + "/" + fenceText(fence) + "-" + hash + partSuffix
}

// ParquetKey is the key of the GeoParquet projection beside a Part.
func ParquetKey(part string) string { return strings.TrimSuffix(part, partSuffix) + parquetSuffix }

// ScanKey is the key of the record of what a scan with this fingerprint gave.
func ScanKey(fingerprint string) string { return scansPrefix + fingerprint + ".json" }

// RunKey is the key of a work file of a Run. The name may have slashes.
func RunKey(run, name string) string { return runsPrefix + run + "/" + name }

// manifestFence is the inverse of ManifestKey.
func manifestFence(key string) (uint64, bool) {
	s, ok1 := strings.CutPrefix(key, snapshotsPrefix)
	s, ok2 := strings.CutSuffix(s, manifestSuffix)
	if !ok1 || !ok2 {
		return 0, false
	}
	return parseFence(s)
}

// parsePartKey tells the fence of the key of a Part or of its projection, and the Part's key.
func parsePartKey(key string) (fence uint64, part string, ok bool) {
	part = key
	if stem, found := strings.CutSuffix(key, parquetSuffix); found {
		part = stem + partSuffix
	}
	s, ok1 := strings.CutPrefix(part, partsPrefix)
	s, ok2 := strings.CutSuffix(s, partSuffix)
	_, name, ok3 := strings.Cut(s, "/")
	digits, hash, ok4 := strings.Cut(name, "-")
	if !ok1 || !ok2 || !ok3 || !ok4 || !isHash(hash) {
		return 0, "", false
	}
	fence, ok = parseFence(digits)
	return fence, part, ok
}

// runOf tells whose work file a key is.
func runOf(key string) (run string, ok bool) {
	s, ok := strings.CutPrefix(key, runsPrefix)
	if !ok {
		return "", false
	}
	run, _, ok = strings.Cut(s, "/")
	return run, ok && run != ""
}
