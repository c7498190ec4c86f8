#!/usr/bin/env bash
# Runs every fuzz target (whose name matches $ONLY) of the packages in $PKGS (default: all) for $FUZZTIME each, and adds up their executions.
set -euo pipefail
total=0
for pkg in $(go list "${PKGS:-./...}"); do
  for target in $(go test -list '^Fuzz' "$pkg" 2>/dev/null | grep "^Fuzz" | grep -E "${ONLY:-.}" || true); do
    out=$(go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-30s}" "$pkg" 2>&1) || { echo "$out"; exit 1; }
    execs=$(grep -o "execs: [0-9]*" <<<"$out" | tail -n 1 | cut -d" " -f2 || true)
    printf '%10d  %s %s\n' "${execs:-0}" "$pkg" "$target"
    total=$((total + ${execs:-0}))
  done
done
printf '%10d  in all\n' "$total"
