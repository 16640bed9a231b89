# Sourced by the commands in this folder: creates a virtual environment and installs a command's requirements, once.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# scripts/test --python creates one for another interpreter and exports its path to the scripts that it calls.
venv="${PINECONE_ADMIN_VENV:-$root/.venv}"

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  exit 1
}

# Print the first interpreter that is new enough; $1, if given, is the only candidate.
find_python() {
  local candidate candidates=("$@")
  [ $# -gt 0 ] || candidates=(${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python)
  for candidate in "${candidates[@]}"; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer is required but was not found as: ${candidates[*]} (set PYTHON to its path)"
}

# ensure_env NAME [PYTHON]: install scripts/requirements/NAME.txt and set $python to the interpreter.
ensure_env() {
  local name=$1 stamp found wanted
  if [ ! -x "$venv/bin/python" ]; then
    found=$(find_python "${@:2}") || exit 1
    "$found" -c 'import venv, ensurepip' 2>/dev/null ||
      fail "$found has no venv module (on Debian and Ubuntu: apt-get install python3-venv)"
    echo "creating $(basename "$venv") with $("$found" --version)"
    "$found" -m venv "$venv"
  fi
  python="$venv/bin/python"
  stamp="$venv/installed-$name"
  wanted=$(cat "$root/scripts/requirements/$name.txt" "$root/pyproject.toml" | sha256sum)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "installing scripts/requirements/$name.txt"
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
      -r "$root/scripts/requirements/$name.txt"
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable "$root"
    printf '%s\n' "$wanted" >"$stamp"
  fi
}

# ensure_official_sdks: install the official SDKs that tests/compat runs beside the one in the environment, each in a
# folder of its own. Needs ensure_env.
ensure_official_sdks() {
  local list stamp wanted
  for list in "$root"/scripts/requirements/pinecone-*.txt; do
    stamp="$venv/installed-$(basename "$list" .txt)"
    wanted=$(sha256sum <"$list")
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
      echo "installing scripts/requirements/$(basename "$list")"
      "$python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --upgrade \
        --target "$venv/official/$(basename "$list" .txt)" -r "$list"
      printf '%s\n' "$wanted" >"$stamp"
    fi
  done
  ensure_typescript_sdk
}

# ensure_simulator: install what tests/emulator/test_simulation.py needs, which requires a newer Python than the others, in
# an environment of its own. If that is not possible, say so: its tests are skipped, or fail if CI=true.
ensure_simulator() {
  local list="$root/scripts/requirements/simulation.txt" folder="$venv/simulation" stamp="$venv/installed-simulation"
  local candidate wanted
  wanted=$(sha256sum <"$list")
  [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
  for candidate in python3.13 python3.14 python3.12 "$python"; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
      echo "installing scripts/requirements/simulation.txt"
      "$candidate" -m venv --clear "$folder"
      "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$list"
      printf '%s\n' "$wanted" >"$stamp"
      return
    fi
  done
  echo "not installed, because Python 3.12 or newer is missing: scripts/requirements/simulation.txt"
}

# Install the official TypeScript SDK. If that is not possible, say so: its test is skipped, or fails if CI=true.
ensure_typescript_sdk() {
  local source="$root/scripts/requirements/typescript-9" folder="$venv/official/typescript-9" stamp wanted
  stamp="$venv/installed-typescript-9"
  wanted=$(cat "$source"/*.json | sha256sum)
  [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
  if ! command -v npm >/dev/null; then
    echo "not installed, because npm is missing: scripts/requirements/typescript-9"
    return 0
  fi
  echo "installing scripts/requirements/typescript-9"
  mkdir -p "$folder"
  cp "$source"/*.json "$folder"
  # By default, npm tries a registry that it cannot reach for several minutes.
  if npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error \
    --fetch-retries=1 --fetch-timeout=20000 >/dev/null; then
    printf '%s\n' "$wanted" >"$stamp"
  else
    echo "npm could not install scripts/requirements/typescript-9"
  fi
}
