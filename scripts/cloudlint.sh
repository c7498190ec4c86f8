#!/usr/bin/env bash
# Lints template.yaml as it is and as CloudFormation sees it, the workflow's definition in it, and checks both for what is unsafe.
# Installs what scripts/requirements-cloud.txt names, once, or uses the venv CAIRN_CLOUD_VENV.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${CAIRN_CLOUD_VENV:-$PWD/.tools/cloud}
if ! cmp -s scripts/requirements-cloud.txt "$venv/requirements.txt" && [ -z "${CAIRN_CLOUD_VENV:-}" ]; then
  python3 -m venv --clear "$venv"
  for try in 1 2 3; do
    if "$venv/bin/pip" -q --disable-pip-version-check install -r scripts/requirements-cloud.txt; then break; fi
    if [ "$try" = 3 ]; then echo "cloudlint: the linters cannot be installed"; exit 1; fi
    sleep 5
  done
  cp scripts/requirements-cloud.txt "$venv/requirements.txt"
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

echo "cloudlint: cfn-lint on template.yaml"
"$venv/bin/cfn-lint" template.yaml
for parameters in "SourceBucket=imagery" \
  "SourceBucket=imagery AuthMode=JWT JwtIssuer=https://issuer.example JwtAudience=cairn PublicReads=true ReserveConcurrency=true"; do
  echo "cloudlint: cfn-lint on what CloudFormation sees, with $parameters"
  # shellcheck disable=SC2086 # each is an argument
  "$venv/bin/python" scripts/cloudlint.py $parameters >"$out/template.json"
  "$venv/bin/cfn-lint" "$out/template.json"
done
echo "cloudlint: checkov"
"$venv/bin/checkov" --config-file .checkov.yaml
echo "cloudlint: clean"
