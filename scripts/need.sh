#!/usr/bin/env bash
# Makes sure that the named tools are there: installs them where this is root on Debian, else says what is missing.
# usage: scripts/need.sh postgres|pgbench|alertmanager|prometheus|sqlite3|sshd ...
set -euo pipefail

found() {
  local name=$1 dir
  case $name in
    postgres)
      [ -z "${SALVE_TEST_DATABASE_URL:-}" ] || return 0
      name=initdb ;;
    alertmanager)
      command -v prometheus-alertmanager >/dev/null && return 0 ;;
    sshd)
      [ ! -x /usr/sbin/sshd ] || return 0 ;;
  esac
  command -v "$name" >/dev/null && return 0
  for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin; do
    [ ! -x "$dir/$name" ] || return 0
  done
  return 1
}

package() {
  case $1 in
    postgres | pgbench) echo postgresql ;;
    alertmanager) echo prometheus-alertmanager ;;
    sshd) echo openssh-server ;;
    *) echo "$1" ;;
  esac
}

# Debian's packages start their servers at once; only the programs are wanted here.
policy=/usr/sbin/policy-rc.d
forbid_services() {
  [ ! -e $policy ] || return 0
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod +x $policy
}

install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >&2
}

packages=() missing=()
for tool in "$@"; do
  found "$tool" || { missing+=("$tool"); packages+=("$(package "$tool")"); }
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${packages[*]}" >&2
  forbid_services
  # The package lists are fetched only where those at hand do not lead to the packages.
  install "${packages[@]}" || { apt-get update >&2; install "${packages[@]}"; }
else
  echo "missing: ${missing[*]}. Install: ${packages[*]} (Debian's names; macOS: brew install postgresql@17 sqlite prometheus)" >&2
  exit 1
fi
for tool in "${missing[@]}"; do
  found "$tool" || { echo "$tool is still missing after installing $(package "$tool")" >&2; exit 1; }
done
