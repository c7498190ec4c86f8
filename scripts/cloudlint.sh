#!/usr/bin/env bash
# Lints template.yaml as it is and as CloudFormation sees it, the workflow's definition in it, and checks both for what is unsafe.
# Installs what scripts/requirements-cloud.txt names, once, or uses the venv CAIRN_CLOUD_VENV.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/servers.sh
servers_begin cloudlint
cloud_venv

say "cfn-lint on template.yaml"
"$venv/bin/cfn-lint" template.yaml
for parameters in "SourceBucket=imagery" \
  "SourceBucket=imagery AuthMode=JWT JwtIssuer=https://issuer.example JwtAudience=cairn PublicReads=true ReserveConcurrency=true"; do
  say "cfn-lint on what CloudFormation sees, with $parameters"
  # shellcheck disable=SC2086 # each is an argument
  "$venv/bin/python" scripts/cloudlint.py $parameters >"$work/template.json"
  "$venv/bin/cfn-lint" "$work/template.json"
done
say "checkov"
"$venv/bin/checkov" --config-file .checkov.yaml
say "clean"
