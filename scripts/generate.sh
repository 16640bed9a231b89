#!/usr/bin/env bash
# Usage: scripts/generate.sh [--check] [SPEC]
#
# Writes generated_client from openapi/admin.yaml. With --check nothing is written: where the committed files differ
# from what would be written, a unified diff is printed and the exit status is 1. With SPEC, the path or URL of another
# API document, that one is adopted: it becomes openapi/admin.yaml once everything was generated from it, and what
# changed for callers is printed. Whatever fails leaves every file as it was.
set -euo pipefail
# shellcheck source=scripts/_env.sh
source "$(dirname "${BASH_SOURCE[0]}")/_env.sh"

usage() {
  sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

check=false spec=
for argument in "$@"; do
  case "$argument" in
    --check) check=true ;;
    -*) usage ;;
    *) [ -z "$spec" ] || usage; spec=$argument ;;
  esac
done
# A path means what it means where the command was given.
case "$spec" in
  "" | http://* | https://* | file://* | /*) ;;
  *) spec="$PWD/$spec" ;;
esac

ensure_env dev
bin="$venv/bin"
work=$(mktemp -d)
fresh="$work/generated_client"

# What is generated depends on these to the byte: the versions in pyproject.toml, and the templates that ours replace.
check_tools() {
  "$python" "$root/scripts/check_pins.py" "$root/pyproject.toml" openapi-python-client ruff
  local upstream
  upstream=$("$python" -c 'import openapi_python_client as c; print(c.__path__[0] + "/templates")')
  (cd "$upstream" && sha256sum --check --quiet --strict "$root/openapi/templates/UPSTREAM.sha256") ||
    fail "the generator's own templates changed: compare them with openapi/templates, then update UPSTREAM.sha256"
}

# generate DOCUMENT [--adopt]: leave the finished package in $fresh.
generate() {
  "$python" "$root/scripts/normalize_spec.py" "$1" "$root/openapi/generator.yaml" "$work/document.json" "${@:2}"
  "$bin/openapi-python-client" generate --path "$work/document.json" --config "$root/openapi/generator.yaml" \
    --custom-template-path "$root/openapi/templates" --output-path "$fresh" --meta none --fail-on-warning \
    >"$work/log" 2>&1 || fail "the generator refused the document: $(tr -s '[:space:]' ' ' <"$work/log" | cut -c 1-400)"
  # These two hold the stock client; an empty file is a model without fields, which is free-form JSON.
  rm "$fresh/client.py" "$fresh/errors.py"
  find "$fresh" -name '*.py' -size -2c -delete
  "$bin/ruff" check --isolated --quiet --fix-only --select F401,I "$fresh" >"$work/log" 2>&1 &&
    "$bin/ruff" format --isolated --quiet --line-length 120 "$fresh" >>"$work/log" 2>&1 ||
    fail "what was generated is not Python: $(head -n 1 "$work/log")"
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

# adopt: put the new document and what was generated from it in the place of the old ones, or neither.
adopt() {
  PYTHONPATH="$work" "$python" -c 'import generated_client.api, generated_client.models' 2>"$work/log" ||
    fail "what was generated cannot be imported: $(tail -n 1 "$work/log")"
  cp "$root/openapi/admin.yaml" "$work/old.yaml"
  cp "$work/spec" "$root/openapi/.admin.yaml.new"
  cp -r "$fresh" "$root/.generated_client.new"
  mv "$root/generated_client" "$root/.generated_client.old"
  mv "$root/.generated_client.new" "$root/generated_client"
  mv "$root/openapi/.admin.yaml.new" "$root/openapi/admin.yaml"
  rm -rf "$root/.generated_client.old"
  "$python" "$root/scripts/spec_diff.py" "$work/old.yaml" "$root/openapi/admin.yaml" || [ $? -eq 1 ]
}

# Undo a swap that was interrupted, and leave nothing behind.
restore() {
  if [ -d "$root/.generated_client.old" ]; then
    rm -rf "$root/generated_client"
    mv "$root/.generated_client.old" "$root/generated_client"
    cp "$work/old.yaml" "$root/openapi/admin.yaml"
  fi
  rm -rf "$work" "$root/.generated_client.new" "$root/openapi/.admin.yaml.new"
}

trap restore EXIT
check_tools
"$python" "$root/scripts/read_spec.py" "${spec:-$root/openapi/admin.yaml}" "$work/spec"
if [ -n "$spec" ]; then
  generate "$work/spec" --adopt
else
  generate "$work/spec"
fi
if $check; then
  diff --recursive --unified --new-file --exclude=__pycache__ "$root/generated_client" "$fresh" ||
    fail "generated_client differs from what ${spec:-openapi/admin.yaml} gives: run scripts/generate.sh"
elif [ -n "$spec" ]; then
  adopt
else
  rm -rf "$root/generated_client"
  mv "$fresh" "$root/generated_client"
  echo "generated_client: $(find "$root/generated_client" -name '*.py' | wc -l) files from openapi/admin.yaml"
fi
