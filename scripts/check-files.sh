#!/usr/bin/env bash
# What can be said about the files without compiling them.
set -euo pipefail

status=0
complain() { echo "$1" >&2; status=1; }

unformatted=$(find . -name '.?*' -prune -o -name node_modules -prune -o -name '*.go' -print0 | xargs -0 gofmt -l)
[ -z "$unformatted" ] || complain "not formatted (make fmt): $unformatted"

twice=$(cd migrations && printf '%s\n' *.sql | cut -d_ -f1 | sort | uniq -d)
[ -z "$twice" ] || complain "two migrations share a number: $twice"

for script in scripts/*.sh .ci/run; do
  bash -n "$script" || status=1
  [ -x "$script" ] || complain "$script is not executable"
done
for script in n8n-workflows/scripts/*; do
  case $script in *.md) continue ;; esac
  sh -n "$script" || status=1
  ! command -v shellcheck >/dev/null || shellcheck -s sh -x -P n8n-workflows/scripts "$script" || status=1
done
exit $status
