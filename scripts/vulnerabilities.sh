#!/usr/bin/env bash
# Looks for known vulnerabilities in what is linked. Offline this says so and passes; nothing else does.
set -uo pipefail

report=$(go tool govulncheck ./... 2>&1)
status=$?
if [ $status -ne 0 ] && grep -q '^govulncheck: fetching vulnerabilities' <<<"$report"; then
  echo "govulncheck: the vulnerability database was not reachable, nothing was checked"
  exit 0
fi
echo "$report"
exit $status
