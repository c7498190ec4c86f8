#!/usr/bin/env bash
# Runs what is to hold on a real S3 server against versitygw, which this project did not write: the contract of objstore, and the
# command line with its Source and its Catalog in buckets.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/servers.sh
servers_begin e2e
aws_nowhere_else e2e-access e2e-secret-key
read -r port <<<"$(ports 1)"
mkdir -p "$work/data/e2e"
serve_s3 "$port" "$work/data"
export AWS_ENDPOINT_URL="http://127.0.0.1:$port"
export CAIRN_S3_TEST_URL=s3://e2e/run CAIRN_S3_TEST_FILES=1 # it keeps files, which cannot have every key
real_files
go test -count=1 ./internal/objstore/s3store -run "^TestContractElsewhere$"
go test -count=1 ./cmd/cairn -run '^TestElsewhere$'
