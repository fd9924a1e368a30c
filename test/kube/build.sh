#!/usr/bin/env bash
# Builds the cluster of this folder into a cache and prints the program's path
# as the last line of standard output. Progress goes to standard error. The
# first build takes about ten minutes on two cores, 3 GB of Go's build cache and
# 0.6 GB of modules; a second run finds the finished program and does nothing.
#
#   CACHE   where the program is kept (default: .cache in the repository root)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${CACHE:-$root/.cache}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
cd "$here"
key=$(find . -type f \( -name '*.go' -o -name 'go.*' -o -name build.sh \) -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64)
target=$cache/kube-$key

say() { printf 'kube: %s\n' "$*" >&2; }

finished() {
  [ -x "$target/kube" ] || return 1
  printf '%s\n' "$target/kube"
}

if finished; then
  say "already built"
  exit 0
fi

# One builder at a time; whoever waited finds the program finished.
exec 9>"$cache/.kube-build.lock"
flock 9
if finished; then exit 0; fi

work=$target.part
rm -rf "$work" "$target"
mkdir -p "$work"

version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
# Clients cannot parse a server that does not know its version.
info=k8s.io/component-base/version
flags="-s -w -X $info.gitVersion=$version -X $info.gitMajor=1 -X $info.gitMinor=$(cut -d. -f2 <<<"$version")"

say "building a Kubernetes $version API server (about ten minutes the first time) ..."
started=$SECONDS
go build -v -trimpath -buildvcs=false -ldflags="$flags" -o "$work/kube" . >"$work/log" 2>&1 9>&- &
build=$!
trap 'kill "$build" 2>/dev/null || true' EXIT
while kill -0 "$build" 2>/dev/null; do
  sleep 1
  if [ $(((SECONDS - started) % 20)) -eq 0 ]; then
    say "$((SECONDS - started)) s, $(grep -vc '^go: ' "$work/log" || true) packages built"
  fi
done
if ! wait "$build"; then
  say "the build failed; the end of its log:"
  tail -n 40 "$work/log" >&2
  exit 1
fi
say "built after $((SECONDS - started)) s"
mv "$work" "$target"
finished
