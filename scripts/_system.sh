# Sourced by scripts/test: the proxies and the store that tests run beside the client, and the browser that opens the
# access page.
# shellcheck shell=bash

# Install tinyproxy, nginx, redis-server and chromium where that is possible. Where it is not, say why: their tests are
# skipped then, and fail where CI=true.
ensure_system_packages() {
  local program missing=()
  for program in tinyproxy nginx redis-server chromium; do
    PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$program" >/dev/null || missing+=("$program")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "not installed, and only root could: ${missing[*]}" \
      "(on Debian and Ubuntu: apt-get install tinyproxy nginx-light redis-server chromium)"
  elif ! command -v apt-get >/dev/null; then
    echo "not installed, and there is no apt-get: ${missing[*]}"
  else
    echo "installing ${missing[*]}"
    # RUNLEVEL=1 keeps the packages from starting their services: the tests start their own.
    { apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      "${missing[@]/%nginx/nginx-light}"; } >/dev/null 2>&1 || echo "apt-get could not install ${missing[*]}"
  fi
}
