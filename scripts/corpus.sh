#!/usr/bin/env bash
# Catalogs the GeoTIFFs in $CORPUS twice with the real binary and validates every STAC file that comes out with $SCHEMAS/check.py.
# The second refresh must open nothing.
set -euo pipefail
if [ ! -d "$CORPUS" ] || [ ! -f "$SCHEMAS/check.py" ]; then
  echo "corpus: no corpus in $CORPUS or no schemas in $SCHEMAS; nothing was checked"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/cairn" ./cmd/cairn
first=$("$work/cairn" refresh "$CORPUS" --catalog "$work/catalog" --json 2>/dev/null | tail -n 1)
second=$("$work/cairn" refresh "$CORPUS" --catalog "$work/catalog" --json 2>/dev/null | tail -n 1)
echo "first:  $first"
echo "second: $second"
python3 - "$first" "$second" <<'PY'
import json, sys
for n, line in enumerate(sys.argv[1:]):
    r = json.loads(line)
    assert r["state"] == "successful", r
    assert r["objects"] == sum(r[k] for k in ("assets", "sidecars", "rejects", "ignored", "vanished")), r
    assert n == 0 or (r["scanned"] == 0 and r["added"] == r["updated"] == r["removed"] == 0), r
PY
if ! python3 -c 'import jsonschema, referencing' 2>/dev/null; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" -q install 'jsonschema==4.23.0'
  PATH="$work/venv/bin:$PATH"
fi
find "$work/catalog/catalog.json" "$work/catalog/collections" -name '*.json' -print0 | xargs -0 python3 "$SCHEMAS/check.py"
