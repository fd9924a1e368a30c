# What the scripts that free room on a disk share. Sourced, never run.
# Names may hold anything but NUL: find hands them on as arguments, one shell a
# batch, and nothing is split or expanded.

die() {
	printf '{"error":"%s"}\n' "$1"
	exit 64
}

need_number() {
	case $2 in
		'' | *[!0-9]*) die "$1 wants a whole number" ;;
	esac
	[ "${#2}" -le 7 ] || die "$1 is too large"
}

# need_root wants an absolute, clean path of a directory that is no link.
need_root() {
	case $1 in
		/*) ;;
		*) die "--root wants an absolute path" ;;
	esac
	case $1/ in
		*/../* | */./* | *//*) die "--root wants a clean path" ;;
	esac
	[ "$1" != / ] || die "--root is everything"
	if [ ! -d "$1" ] || [ -L "$1" ]; then
		die "--root is no directory"
	fi
	[ "$(cd -P -- "$1" && pwd -P)" = "$1" ] || die "--root leads through a link"
}

# wanted says whether a name is that of a rotated log. A script may say otherwise.
wanted() {
	case $1 in
		*/audit/* | */postgresql/* | */mysql/* | */mariadb/* | */mongodb/* | */pg_log/* | */journal/*) return 1 ;;
	esac
	case ${1##*/} in
		audit* | *audit.log* | postgres* | mysql* | mariadb* | mongod* | *.journal) return 1 ;;
		*.log.[0-9] | *.log.[0-9][0-9] | *.log.[0-9].gz | *.log.[0-9][0-9].gz | *.log.[0-9].xz | *.log.[0-9][0-9].xz) return 0 ;;
		*.log-[0-9]* | *.log.[0-9][0-9][0-9][0-9]* | *.[0-9].gz | *.[0-9][0-9].gz) return 0 ;;
		*-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9] | *-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9].gz | *-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9].xz) return 0 ;;
		messages.[0-9] | syslog.[0-9] | messages.[0-9].gz | syslog.[0-9].gz | syslog.[0-9][0-9] | messages.[0-9][0-9]) return 0 ;;
	esac
	return 1
}

bytes_of() { wc -c <"$1" | tr -d ' '; }

# is_open says whether a process that can be seen has the file open.
is_open() {
	grep -qxF -- "$(stat -L -c '%d:%i' -- "$1" 2>/dev/null)" "$open_files"
}

# begin notes what is open right now, by device and inode: a name proves nothing.
begin() {
	files=0 freed=0 kept=0 failed=0
	open_files=$(mktemp)
	trap 'rm -f -- "$open_files"' EXIT
	find /proc/[0-9]*/fd -maxdepth 1 -type l -exec stat -L -c '%d:%i' {} + >"$open_files" 2>/dev/null || true
}

# each ROOT TEST... -- ACTION: the action on every wanted file of the root's own file
# system that passes find's tests. No link is followed, and none is taken.
each() {
	root=$1
	shift
	tests=
	while [ "$1" != -- ]; do
		tests="$tests $1"
		shift
	done
	action=$2
	list=$(mktemp)
	trap 'rm -f -- "$open_files" "$list"' EXIT
	# One line a file, with what would end a line written otherwise: %b reads it back.
	# shellcheck disable=SC2086 # the tests are words that this file's callers wrote
	find "$root" -xdev -type f -links 1 $tests -exec sh -c '
		for f do
			printf "%s\n" "$f" | sed -e "s/\\\\/\\\\\\\\/g" | awk "NR > 1 { printf \"\\\\n\" } { printf \"%s\", \$0 } END { print \"\" }"
		done' sh {} + >"$list"
	while IFS= read -r line; do
		file=$(printf '%b.' "$line")
		take "${file%.}"
	done <"$list"
}

# take works from within the file's directory: whoever may write above it could put
# a link in its way meanwhile, but cannot move the ground under a shell that stands there.
take() {
	wanted "$1" || return 0
	dir=${1%/*}
	file=./${1##*/}
	cd -P -- "$dir" 2>/dev/null && [ "$(pwd -P)" = "$dir" ] || return 0
	if [ -L "$file" ] || [ ! -f "$file" ]; then
		return 0 # it changed meanwhile
	fi
	if is_open "$file"; then
		kept=$((kept + 1))
		return 0
	fi
	size=$(bytes_of "$file")
	ended=0
	"$action" "$file" || ended=$?
	case $ended in
		0) files=$((files + 1)) freed=$((freed + size)) ;;
		2) kept=$((kept + 1)) ;;
		*) failed=$((failed + 1)) ;;
	esac
}

# end prints what was done. That one file could not be taken is a failure.
end() {
	printf '{"applied":%s,"files":%d,"freed_bytes":%d,"kept":%d,"failed":%d}\n' \
		"$([ -n "$apply" ] && echo true || echo false)" "$files" "$freed" "$kept" "$failed"
	[ "$failed" -eq 0 ]
}
