#!/usr/bin/env bash
# Runs what is to hold on a real S3 server against versitygw (Apache-2.0), which this project did not write: the contract of
# objstore, and the command line with its Source and its Catalog in buckets.
set -euo pipefail
VERSITYGW=v1.8.0
work=$(mktemp -d)
gateway=
trap 'if [ -n "$gateway" ]; then kill "$gateway" 2>/dev/null || true; wait "$gateway" 2>/dev/null || true; fi; rm -rf "$work"' EXIT

bin=${VERSITYGW_BIN:-}
if [ -z "$bin" ]; then
  for try in 1 2 3; do
    if GOBIN="$work" go install "github.com/versity/versitygw/cmd/versitygw@$VERSITYGW"; then break; fi
    if [ "$try" = 3 ]; then echo "e2e: versitygw $VERSITYGW cannot be installed"; exit 1; fi
    sleep 5
  done
  bin=$work/versitygw
fi

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p "$work/data/e2e" # --disableotmp below: else its temporary files appear in listings
ROOT_ACCESS_KEY=e2e-access ROOT_SECRET_KEY=e2e-secret-key \
  "$bin" --port "127.0.0.1:$port" --quiet posix --disableotmp "$work/data" >"$work/gateway.log" 2>&1 &
gateway=$!
for _ in $(seq 100); do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  sleep 0.1
done
kill -0 "$gateway" || { cat "$work/gateway.log"; exit 1; }

export AWS_ENDPOINT_URL="http://127.0.0.1:$port" AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=e2e-access AWS_SECRET_ACCESS_KEY=e2e-secret-key
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export CAIRN_S3_TEST_URL=s3://e2e/run CAIRN_S3_TEST_FILES=1 # it keeps files, which cannot have every key
CAIRN_TEST_FILES=${CORPUS:-$PWD/../shared/corpus}/files
if [ -d "$CAIRN_TEST_FILES" ]; then export CAIRN_TEST_FILES; else unset CAIRN_TEST_FILES; fi
go test -count=1 ./internal/objstore/s3store -run "^TestContractElsewhere$"
go test -count=1 ./cmd/cairn -run '^TestElsewhere$'
