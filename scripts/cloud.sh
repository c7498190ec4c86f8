#!/usr/bin/env bash
# Runs Cairn's AWS shape on this machine, all of it that can be emulated: template.yaml, translated by SAM's own translator and
# deployed with moto's CloudFormation; workflow.asl.json on moto's Step Functions; events through moto's EventBridge and SQS; the real
# bootstrap binaries; versitygw for S3; Amazon's DynamoDB Local. What none of them does is in internal/cloudtest, which also holds
# each function to its role's policies, and whose TestCloud says what is to hold. docs/operations.md says what this cannot show.
#
# Needs Go and Python, and for DynamoDB Local Java and Maven: without them the table is in the test's process (minidyn). Reuses
# CAIRN_CLOUD_VENV (a venv with scripts/requirements-cloud.txt) and VERSITYGW_BIN where they are given.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/servers.sh
servers_begin cloud
aws_nowhere_else ak sk # as which moto's workflow signs
read -r s3 dynamodb engine front <<<"$(ports 4)"
mkdir -p "$work/data/imagery-source" "$work/bin"
cloud_venv
say "starts servers"
serve_s3 "$s3" "$work/data"
if serve_dynamodb "$dynamodb"; then
  say "the table is on DynamoDB Local ${DYNAMODB_LOCAL##*:}"
  export CAIRN_DYNAMODB_TEST_URL=http://127.0.0.1:$dynamodb
else
  say "the table is on minidyn, within the test's process"
fi
serve engine "$engine" env MOTO_PORT="$front" "$venv/bin/python" scripts/cloud/engine.py "$engine" "$work/records"

say "deploys template.yaml"
"$venv/bin/python" scripts/cloud/deploy.py "http://127.0.0.1:$engine" "$work/records" "http://127.0.0.1:$s3" "${CAIRN_DYNAMODB_TEST_URL:-}" \
  "$work/stack.json" SourceBucket=imagery-source SourcePrefix=imagery/

say "builds the functions"
for step in functions/*/; do
  name=$(basename "$step")
  CGO_ENABLED=0 go build -tags lambda.norpc -trimpath -ldflags '-s -w' -o "$work/bin/$name/bootstrap" "./functions/$name"
done
CGO_ENABLED=0 go build -o "$work/bin/cairn" ./cmd/cairn

if [ -n "${CAIRN_DYNAMODB_TEST_URL:-}" ]; then
  say "the contract of State"
  go test -count=1 ./internal/dynamostate -run '^TestContractElsewhere$'
fi
say "refreshes"
real_files
CAIRN_CLOUD_TEST=$work CAIRN_CLOUD_FRONT=$front CAIRN_CLOUD_ENGINE=http://127.0.0.1:$engine CAIRN_CLOUD_S3=http://127.0.0.1:$s3 \
  go test -count=1 -v ./internal/cloudtest -run '^TestCloud$'
say "done"
