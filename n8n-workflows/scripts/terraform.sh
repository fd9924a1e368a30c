# What the scripts about Terraform share. Sourced, never run. A line of the file
# terraform-hosts beside the scripts says where a host's configuration lies:
# HOST DIRECTORY WORKSPACE
# shellcheck shell=sh disable=SC2154 # arguments.sh sets host
dir='' kept_in=''
while read -r one where space; do
	[ "$one" != "$host" ] || { dir=$where kept_in=$space; }
done <"$(dirname "$0")/terraform-hosts"
[ -d "$dir" ] && [ -n "$kept_in" ] || refuse "terraform-hosts holds no directory and workspace of that host"
export TF_WORKSPACE="$kept_in" TF_IN_AUTOMATION=1

umask 077 # a plan holds secrets in clear
# A plan is looked at and applied as a copy of our own: another plan for the same host
# takes the place of salve.plan at any time.
copy=$(mktemp "$dir/.salve-plan.XXXXXX")
trap 'rm -f "$copy"' EXIT

# shown prints the copy without the room around it, so that its digest is that of the
# text which people looked at.
shown() {
	text=$(terraform -chdir="$dir" show -no-color "${copy##*/}")
	text=${text#"${text%%[![:space:]]*}"}
	printf '%s' "${text%"${text##*[![:space:]]}"}"
}
