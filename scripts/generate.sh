#!/usr/bin/env bash
# Usage: scripts/generate.sh [--check] [SPEC]
#
# Generates generated_client from openapi/admin.yaml. SPEC, the path or URL of another API document, is adopted: if
# everything succeeds, it becomes openapi/admin.yaml. The changes are reported, and each place that has to follow in
# hand-written code or in openapi/generator.yaml, with the remedy. If anything fails, no file changes. With --check
# nothing is written: if the committed files differ from what would be written, the diff is printed and the exit
# status is 1. This takes seconds. The first run installs the development tools, which takes minutes and 700 MB.
set -euo pipefail
# shellcheck source=scripts/_env.sh
source "$(dirname "${BASH_SOURCE[0]}")/_env.sh"

usage() {
  sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

specs=0
for argument in "$@"; do
  case "$argument" in
    --check) ;;
    "" | -*) usage ;;
    *) specs=$((specs + 1)) ;;
  esac
done
[ $specs -le 1 ] || usage

[ -e "$venv/installed-dev" ] ||
  echo "the first run installs the development tools in $venv, which takes minutes and 700 MB; later ones take seconds"
ensure_env dev
exec "$python" "$root/scripts/generate.py" "$@"
