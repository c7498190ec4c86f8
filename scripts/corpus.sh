#!/usr/bin/env bash
# Catalogs the GeoTIFFs in $CORPUS (or its folder files) twice with the real binary and validates every STAC file that comes out, with
# $SCHEMAS/check.py and with pystac from PyPI. The second refresh must open nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
[ ! -d "$CORPUS/files" ] || CORPUS=$CORPUS/files
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
python3 -m venv "$work/venv"
if "$work/venv/bin/pip" -q install -r <(sed -n '/^pystac/p; /^jsonschema/p' scripts/requirements.txt); then
  find "$work/catalog/catalog.json" "$work/catalog/collections" -name '*.json' -print0 |
    xargs -0 "$work/venv/bin/python" "$SCHEMAS/check.py"
  "$work/venv/bin/python" scripts/pystac_check.py "$SCHEMAS" "$work/catalog/catalog.json"
elif python3 -c 'import jsonschema, referencing' 2>/dev/null; then
  echo "corpus: pystac cannot be installed here, only check.py was run"
  find "$work/catalog/catalog.json" "$work/catalog/collections" -name '*.json' -print0 | xargs -0 python3 "$SCHEMAS/check.py"
else
  echo "corpus: neither pystac nor jsonschema can be installed here, nothing was validated"
fi
