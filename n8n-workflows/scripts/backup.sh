# What the scripts about backups share. Sourced, never run. How a backup is made is
# the host's to know: an executable of its name in the folder backup.d beside the
# scripts takes run, verify or `retain DAYS`.
# shellcheck shell=sh disable=SC2154 # arguments.sh sets them
hook=$(dirname "$0")/backup.d/$name
[ -f "$hook" ] && [ -x "$hook" ] || refuse "backup.d holds no executable of that backup's name"
status=0
# shellcheck disable=SC2086 # the verb may have a number behind it
! $apply || "$hook" $verb >&2 || status=$?
ended "$status" "\"tool\":\"$tool\",\"name\":\"$name\",\"did\":\"$verb\""
