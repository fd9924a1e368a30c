# What the scripts with named arguments share. Sourced, never run. `allowed` holds the
# names that may be given; each becomes a variable of that name.
# shellcheck shell=sh disable=SC2154 # who sources it sets allowed
apply=false
refuse() { printf '{"error":"%s"}\n' "$1"; exit 64; }
for flag in $allowed; do eval "$flag=''"; done # the environment gives nothing
while [ $# -gt 0 ]; do
	case $1 in
		--apply) apply=true; shift; continue ;;
		--*[!a-z]*) refuse "unknown argument" ;;
		--?*) flag=${1#--} ;;
		*) refuse "unknown argument" ;;
	esac
	case " $allowed " in
		*" $flag "*) ;;
		*) refuse "unknown argument" ;;
	esac
	case ${2-} in
		'' | -* | *[!A-Za-z0-9.:@_-]*) refuse "--$flag wants a word of letters, digits and . : @ _ -" ;;
	esac
	eval "$flag=\$2"
	shift 2
done
for flag in $allowed; do
	eval "[ -n \"\${$flag-}\" ]" || refuse "--$flag is missing"
done

# ended STATUS WHAT prints the one object, and ends with what was done.
ended() {
	printf '{"applied":%s,%s,"status":%d}\n' "$apply" "$2" "$1"
	exit "$(($1 > 0))"
}
