# Sourced by scripts/test: installs the programs that tests run: two proxies, Redis, a browser, curl and two shells.
# shellcheck shell=bash

# Install tinyproxy, nginx, redis-server, chromium, curl, zsh and fish. If that is not possible, print why: their tests are then
# skipped, or fail if CI=true.
ensure_system_packages() {
  local program missing=()
  for program in tinyproxy nginx redis-server chromium curl zsh fish; do
    PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$program" >/dev/null || missing+=("$program")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "not installed, because root is required: ${missing[*]}" \
      "(on Debian and Ubuntu: apt-get install tinyproxy nginx-light redis-server chromium curl zsh fish)"
  elif ! command -v apt-get >/dev/null; then
    echo "not installed, because apt-get is missing: ${missing[*]}"
  else
    echo "installing ${missing[*]}"
    # RUNLEVEL=1 stops the packages from starting their services: the tests start their own.
    { apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      "${missing[@]/%nginx/nginx-light}"; } >/dev/null 2>&1 || echo "apt-get could not install ${missing[*]}"
  fi
}
