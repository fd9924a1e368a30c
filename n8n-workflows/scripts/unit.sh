# What unit-restart and unit-reload share. Sourced, with $verb set; never run.
# shellcheck shell=sh disable=SC2154 # who sources it sets verb
unit=${1-}
apply=''
case $unit in
	'' | -* | *[!A-Za-z0-9._:@-]*) printf '{"error":"the name of a unit is wanted"}\n'; exit 64 ;;
esac
# A target can switch the machine off, and what systemd is made of is not for repairs.
case $unit in
	systemd-* | *.target | *.slice | *.scope | *.mount | *.swap | *.device) printf '{"error":"only services, sockets and timers are restarted, and none of systemd"}\n'; exit 64 ;;
esac
case ${2-} in
	'') ;;
	--apply) apply=1 ;;
	*) printf '{"error":"unknown argument"}\n'; exit 64 ;;
esac
state() { systemctl show --property="$1" --value -- "$unit"; }
if [ "$(state LoadState)" != loaded ]; then
	printf '{"error":"there is no such unit"}\n'
	exit 1
fi
ended=0
if [ -n "$apply" ]; then
	systemctl "$verb" -- "$unit" >/dev/null 2>&1 || ended=$?
fi
active=$(state ActiveState | tr -cd '[:lower:]')
printf '{"applied":%s,"unit":"%s","active":"%s","status":%d}\n' "$([ -n "$apply" ] && echo true || echo false)" "$unit" "$active" "$ended"
[ "$ended" -eq 0 ] || exit 1
[ -n "$apply" ] || exit 0
# What runs once and ends is well when it ended well.
if [ "$(state Type)" = oneshot ]; then [ "$(state Result)" = success ]; else [ "$active" = active ]; fi
