#!/usr/bin/env bash
# Usage: scripts/generate.sh [--check]
#
# Writes generated_client from openapi/admin.yaml. With --check nothing is written: where the committed files differ
# from what would be written, a unified diff is printed and the exit status is 1.
set -euo pipefail
# shellcheck source=scripts/_env.sh
source "$(dirname "${BASH_SOURCE[0]}")/_env.sh"

check=false
case "${1:-}" in
  "") ;;
  --check) check=true ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac

ensure_env dev
bin="$venv/bin"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fresh="$work/generated_client"

# What is generated depends on these to the byte: the versions in pyproject.toml, and the templates that ours replace.
check_tools() {
  "$python" "$root/scripts/check_pins.py" "$root/pyproject.toml" openapi-python-client ruff
  local upstream
  upstream=$("$python" -c 'import openapi_python_client as c; print(c.__path__[0] + "/templates")')
  (cd "$upstream" && sha256sum --check --quiet --strict "$root/openapi/templates/UPSTREAM.sha256") ||
    fail "the generator's own templates changed: compare them with openapi/templates, then update UPSTREAM.sha256"
}

# generate DOCUMENT: leave the finished package in $fresh.
generate() {
  "$bin/openapi-spec-validator" "$1" >"$work/log" 2>&1 || fail "$1 is not a valid OpenAPI document: $(tail -n 1 "$work/log")"
  "$python" "$root/scripts/normalize_spec.py" "$1" "$root/openapi/generator.yaml" "$work/document.json"
  "$bin/openapi-python-client" generate --path "$work/document.json" --config "$root/openapi/generator.yaml" \
    --custom-template-path "$root/openapi/templates" --output-path "$fresh" --meta none --fail-on-warning \
    >"$work/log" 2>&1 || fail "the generator refused the document: $(tr '\n' ' ' <"$work/log")"
  # These two hold the stock client; an empty file is a model without fields, which is free-form JSON.
  rm "$fresh/client.py" "$fresh/errors.py"
  find "$fresh" -name '*.py' -size -2c -delete
  "$bin/ruff" check --isolated --quiet --fix-only --select F401,I "$fresh"
  "$bin/ruff" format --isolated --quiet --line-length 120 "$fresh"
  touch "$fresh/py.typed"
  "$python" - "$fresh" <<'PY'
import sys
from pathlib import Path

HEADER = "# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.\n"
for path in sorted(Path(sys.argv[1]).rglob("*")):
    if path.is_file():
        path.write_text(HEADER + path.read_text(encoding="utf-8"), encoding="utf-8")
PY
}

check_tools
generate "$root/openapi/admin.yaml"
if $check; then
  diff --recursive --unified --new-file --exclude=__pycache__ "$root/generated_client" "$fresh" ||
    fail "generated_client differs from what openapi/admin.yaml gives: run scripts/generate.sh"
  exit
fi
rm -rf "$root/generated_client"
mv "$fresh" "$root/generated_client"
echo "generated_client: $(find "$root/generated_client" -name '*.py' | wc -l) files from openapi/admin.yaml"
