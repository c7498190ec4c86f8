# shellcheck shell=bash
# Servers that this project did not write, installed and started for tests. Sourced by scripts, after `set -euo pipefail` and in the
# repository's root. What is installed stays in .tools, for the next script. servers_begin NAME makes the folder $work, which goes
# away at the end with all that was started; after a failure the ends of its logs are shown, and all of them are kept in .tools.
VERSITYGW=v1.8.0
DYNAMODB_LOCAL=software.amazon.dynamodb:DynamoDBLocal:3.3.1
started=()

say() { printf '%s: %s (%ds)\n' "$script" "$*" "$SECONDS"; }

servers_begin() {
  script=$1
  local tool missing=()
  for tool in go python3; do command -v "$tool" >/dev/null || missing+=("$tool"); done
  if [ "${#missing[@]}" != 0 ]; then
    say "needs ${missing[*]}, which cannot be found; put it on the PATH" >&2
    exit 1
  fi
  work=$(mktemp -d)
  mkdir "$work/logs"
  trap servers_end EXIT
}

servers_end() {
  local rc=$?
  trap - EXIT
  if [ "${#started[@]}" != 0 ]; then
    kill "${started[@]}" 2>/dev/null || true
    wait "${started[@]}" 2>/dev/null || true
  fi
  if [ "$rc" != 0 ]; then
    find "$work/logs" -name '*.log' -size +0 -exec tail -n 12 {} + 2>/dev/null | cut -c -500 || true
    rm -rf ".tools/$script-logs"
    mkdir -p .tools
    cp -r "$work/logs" ".tools/$script-logs"
    say "failed; why is said above the logs, which are in .tools/$script-logs"
  fi
  rm -rf "$work"
  exit "$rc"
}

try() { # a command that asks a registry, up to three times
  for n in 1 2 3; do if "$@"; then return; fi; sleep $((n * 5)); done
  say "cannot: $*"
  return 1
}

ports() { # COUNT free ports
  python3 -c 'import socket, sys
s = [socket.socket() for _ in range(int(sys.argv[1]))]
for x in s: x.bind(("127.0.0.1", 0))
print(*[x.getsockname()[1] for x in s])' "$1"
}

serve() { # NAME PORT COMMAND...: starts a server and waits until it takes connections
  local name=$1 port=$2 pid
  shift 2
  "$@" >"$work/logs/$name.log" 2>&1 &
  pid=$!
  started+=("$pid")
  for _ in $(seq 600); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
    if ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.1
  done
  say "$name does not start"
  return 1
}

serve_s3() { # PORT FOLDER: versitygw (Apache-2.0); VERSITYGW_BIN is one that is there
  local bin=${VERSITYGW_BIN:-$PWD/.tools/versitygw-$VERSITYGW/versitygw}
  if [ ! -x "$bin" ]; then try env GOBIN="$(dirname "$bin")" go install "github.com/versity/versitygw/cmd/versitygw@$VERSITYGW"; fi
  # --disableotmp: else its temporary files appear in listings
  serve s3 "$1" env ROOT_ACCESS_KEY="$AWS_ACCESS_KEY_ID" ROOT_SECRET_KEY="$AWS_SECRET_ACCESS_KEY" \
    "$bin" --port "127.0.0.1:$1" --quiet posix --disableotmp "$2"
}

serve_dynamodb() { # PORT: DynamoDB Local (Amazon's own), where Java and Maven are; else it fails
  if ! command -v java >/dev/null || ! command -v mvn >/dev/null; then
    say "DynamoDB Local needs Java and Maven, which are not both here"
    return 1
  fi
  local dir=$PWD/.tools/dynamodb-${DYNAMODB_LOCAL##*:}
  if [ ! -e "$dir/complete" ]; then
    IFS=: read -r group artifact version <<<"$DYNAMODB_LOCAL"
    mkdir -p "$dir"
    cat >"$work/pom.xml" <<EOF
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>cairn</groupId><artifactId>dynamodb</artifactId><version>1</version><packaging>pom</packaging><dependencies><dependency>
<groupId>$group</groupId><artifactId>$artifact</artifactId><version>$version</version>
</dependency></dependencies></project>
EOF
    try mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DoutputDirectory="$dir" >"$work/logs/mvn.log" 2>&1 || return 1
    touch "$dir/complete"
  fi
  serve dynamodb "$1" java -Djava.library.path="$dir" -cp "$dir/*" software.amazon.dynamodb.services.local.main.ServerRunner \
    -inMemory -sharedDb -port "$1" -disableTelemetry
}

cloud_venv() { # scripts/requirements-cloud.txt; CAIRN_CLOUD_VENV is one that is there
  venv=${CAIRN_CLOUD_VENV:-$PWD/.tools/cloud}
  if [ -n "${CAIRN_CLOUD_VENV:-}" ] || cmp -s scripts/requirements-cloud.txt "$venv/requirements.txt"; then return; fi
  make_venv "$venv" scripts/requirements-cloud.txt
}

make_venv() { # FOLDER REQUIREMENTS
  if ! python3 -m venv --clear "$1"; then
    say "needs Python's venv and pip, which are not here (of Debian's: apt-get install python3-venv)"
    return 1
  fi
  try "$1/bin/pip" -q --disable-pip-version-check install -r "$2"
  cp "$2" "$1/requirements.txt"
}

aws_nowhere_else() { # nothing of this machine's own configuration of AWS
  export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2
  export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
  unset AWS_SESSION_TOKEN AWS_PROFILE
}

real_files() { # lets CAIRN_TEST_FILES name the folder of real GeoTIFFs, where there is one
  CAIRN_TEST_FILES=${CORPUS:-$PWD/../shared/corpus}/files
  if [ -d "$CAIRN_TEST_FILES" ]; then export CAIRN_TEST_FILES; else unset CAIRN_TEST_FILES; fi
}
