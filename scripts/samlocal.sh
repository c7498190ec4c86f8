#!/usr/bin/env bash
# Runs the functions as SAM CLI does, in containers and by the template, against AWS emulated on this machine, with the workflow as it
# is. Refreshes through `sam local start-api`, and holds the Items against those of `cairn refresh`. See docs/sam-local.md.
#
# Needs Go, Python, and a Docker engine: one that runs, or as root on Linux a dockerd, which is started for this alone and which CI
# installs where there is none. Pulls no image. Without an engine it says so and ends well, or with CAIRN_SAM_LOCAL=required fails.
# Reuses CAIRN_SAM_VENV (a venv with scripts/samlocal/requirements.txt) and VERSITYGW_BIN where they are given.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/servers.sh
servers_begin sam-local
here=scripts/samlocal
image=cairn-sam-local-$$
venv=${CAIRN_SAM_VENV:-$PWD/.tools/sam}
docker='' bridge='' sam=()

end() { # SAM first, which removes its containers; the engine last
  local rc=$?
  set +e
  if [ "${#sam[@]}" != 0 ]; then kill "${sam[@]}" 2>/dev/null; wait "${sam[@]}" 2>/dev/null; fi
  "$venv/bin/python" $here/image.py remove "$image" 2>/dev/null
  if [ -n "$docker" ]; then kill "$docker" 2>/dev/null; wait "$docker" 2>/dev/null; fi
  if [ -n "$bridge" ]; then ip link delete "$bridge" 2>/dev/null; fi
  (exit "$rc")
  servers_end
}
trap end EXIT

start_engine() {
  if docker info >/dev/null 2>&1; then # where it is found, for those who do not know of contexts
    export DOCKER_HOST=${DOCKER_HOST:-$(docker context inspect --format '{{.Endpoints.docker.Host}}')}
    return
  fi
  if [ "$(uname -s)" != Linux ] || [ "$(id -u)" != 0 ]; then return 1; fi
  if ! command -v dockerd >/dev/null && [ -n "${CI:-}" ] && command -v apt-get >/dev/null; then
    say "installs docker.io"
    local packages=(docker.io iproute2)
    try apt-get update >"$work/logs/apt.log" 2>&1 || return 1
    if apt-cache show docker-cli >/dev/null 2>&1; then packages+=(docker-cli); fi # in newer Debians a package of its own
    try apt-get install -y --no-install-recommends "${packages[@]}" >>"$work/logs/apt.log" 2>&1 || return 1
  fi
  if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then return 1; fi
  if [ ! -e /sys/class/net/docker0 ]; then bridge=docker0; fi
  # Apart from whatever engine this machine may have, and without a change of its firewall.
  export DOCKER_HOST=unix://$work/docker.sock
  dockerd --host "$DOCKER_HOST" --data-root "$work/docker" --exec-root "$work/exec" --pidfile "$work/docker.pid" \
    --iptables=false --ip-forward=false --ip-masq=false --log-level warn >"$work/logs/dockerd.log" 2>&1 &
  docker=$!
  for _ in $(seq 100); do
    if docker info >/dev/null 2>&1; then return; fi
    if ! kill -0 "$docker" 2>/dev/null; then return 1; fi
    sleep 0.2
  done
  return 1
}
if ! start_engine; then
  say "no Docker engine runs or can be started here, so nothing was run"
  if [ "${CAIRN_SAM_LOCAL:-}" = required ]; then exit 1; else exit 0; fi
fi
say "Docker engine $(docker version --format '{{.Server.Version}}')"

if [ -z "${CAIRN_SAM_VENV:-}" ] && ! cmp -s $here/requirements.txt "$venv/requirements.txt"; then
  make_venv "$venv" $here/requirements.txt
fi
say "$("$venv/bin/sam" --version)"

read -r address name <<<"$("$venv/bin/python" $here/image.py host)" # of this machine, for itself and for containers
read -r s3 dynamodb engine front lambda api <<<"$(ports 6)"
aws_nowhere_else ak sk # as which moto's workflow signs
export AWS_ENDPOINT_URL=http://127.0.0.1:$front SAM_CLI_TELEMETRY=0 __SAM_CLI_APP_DIR=$work/sam
mkdir "$work/s3"
serve_s3 "$s3" "$work/s3"
serve engine "$engine" env MOTO_PORT="$front" "$venv/bin/python" scripts/cloud/engine.py "$engine" "$work/records"
if serve_dynamodb "$dynamodb"; then table="DynamoDB Local"; else dynamodb=$engine table=moto; fi
serve front "$front" "$venv/bin/python" $here/front.py "$front" "$address" lambda="$lambda" s3="$s3" dynamodb="$dynamodb" other="$engine"
say "AWS is at $address: S3 is versitygw, DynamoDB is $table, Step Functions is moto"

case $(uname -m) in aarch64 | arm64) architecture=arm64 goarch=arm64 ;; *) architecture=x86_64 goarch=amd64 ;; esac
LAMBDA_GOARCH=$goarch "$venv/bin/sam" build --build-dir "$work/build" --parameter-overrides "Architecture=$architecture" \
  >"$work/logs/build.log" 2>&1
say "sam build for $architecture"

go build -o "$work/cairn" ./cmd/cairn
"$work/cairn" demo --no-serve --dir "$work/demo" >/dev/null
"$venv/bin/python" $here/check.py deploy "$work/build/template.yaml" workflow.asl.json "$work/demo/imagery" "$work/demo/catalog/cairn.yaml"
mkdir "$work/catalog"
cp "$work/demo/catalog/cairn.yaml" "$work/catalog"
"$work/cairn" refresh s3://imagery --catalog "$work/catalog" --quiet >/dev/null
say "the demo's rasters and the template's table and workflow are in place"

"$venv/bin/python" $here/image.py make "$image" "$architecture" "AWS_ENDPOINT_URL=http://$name:$front"
local_sam() { # SUBCOMMAND PORT: of the template's names only the bucket's is not as SAM CLI calls it, which is no bucket's name
  serve "$1" "$2" env CAIRN_CATALOG=s3://catalog "$venv/bin/sam" local "$1" --port "$2" --template "$work/build/template.yaml" \
    --config-file "$PWD/samconfig.toml" --parameter-overrides "Architecture=$architecture SourceBucket=imagery" --region us-east-1 \
    --skip-pull-image --invoke-image "$image" --warm-containers LAZY
  sam+=("${started[-1]}")
}
local_sam start-lambda "$lambda"
local_sam start-api "$api"
say "sam local start-lambda and start-api"

"$venv/bin/python" $here/check.py api "http://127.0.0.1:$api" "$work/catalog"
say "done"
