#!/usr/bin/env bash
# Runs, as a user without privileges, the tests that skip themselves for root, whom permissions do not bind.
set -euo pipefail
if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null 2>&1; then
  echo "unprivileged: not root, or no setpriv here; go test ./... has run these tests already, or they cannot be run"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"
for pkg in ./cmd/cairn ./internal/objstore/dirstore ./internal/watch; do
  go test -c -o "$work/$(basename "$pkg").test" "$pkg"
done
chown -R 65534:65534 "$work"
for bin in "$work"/*.test; do
  (cd "$work" && setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent TMPDIR="$work/tmp" \
    "$bin" -test.v -test.run '^(TestUnreadableSource|TestUnprivileged.*|TestDenied.*|TestUnreadable.*)$')
done
