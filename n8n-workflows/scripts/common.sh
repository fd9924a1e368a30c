# What the scripts that free room on a disk share. Sourced, never run.
# Names may hold anything but NUL: find hands them on as arguments, one shell a
# batch, and nothing is split or expanded.

# fail MESSAGE STATUS prints the one object that every run prints, and ends.
fail() {
	printed=1
	printf '{"error":"%s"}\n' "$1"
	exit "$2"
}

die() { fail "$1" 64; }

printed='' scratch=''
leave() {
	status=$?
	if [ -n "$scratch" ]; then
		rm -rf -- "$scratch"
	fi
	if [ -z "$printed" ]; then
		printf '{"error":"the script was stopped; what it had done is done"}\n'
		exit "$((status > 0 ? status : 1))"
	fi
}
trap leave EXIT
trap 'exit 1' HUP INT TERM

need_number() {
	case $2 in
		'' | *[!0-9]* | 0?*) die "$1 wants a whole number, without zeros before it" ;;
	esac
	[ "${#2}" -le 7 ] || die "$1 is too large"
}

# need_root wants an absolute, clean path of a directory that is no link, at or under
# a line of the file roots: what the caller asks for is not what it may ask for.
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
	while IFS= read -r allowed; do
		case $allowed in
			/?*) ;;
			*) continue ;;
		esac
		case $1/ in
			"$allowed"/*) return 0 ;;
		esac
	done <"$(dirname "$0")/roots"
	die "--root is not at or under a line of the file roots"
}

# wanted says whether a path is that of a rotated log. What tells of logins or of an
# audit, and what lies in a database's directory, is never taken, whatever the case
# of its letters: a database's write-ahead log bears a log's name too. A script may
# say otherwise.
wanted() {
	low=$(printf '%s.' "$1" | tr '[:upper:]' '[:lower:]')
	low=${low%.}
	case $low in
		*audit* | *auth.log* | *secure* | *btmp* | *wtmp* | *utmp* | *lastlog* | *faillog* | *.journal*) return 1 ;;
		*postgres* | *pgsql* | *pg_* | *patroni* | *mysql* | *maria* | *galera* | *mongo* | *redis* | *valkey* | *cassandra*) return 1 ;;
		*elastic* | *opensearch* | *clickhouse* | *etcd* | *kafka* | *zookeeper* | *influx* | *oracle* | *mssql* | *cockroach* | *rocksdb* | *leveldb*) return 1 ;;
	esac
	low=${low##*/}
	for packed in gz xz bz2 zst; do
		low=${low%."$packed"}
	done
	day='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'
	# shellcheck disable=SC2254 # the day is a pattern
	case $low in
		?*.log.[0-9] | ?*.log.[0-9][0-9] | ?*.log.[0-9][0-9][0-9]) return 0 ;;
		?*.log[.-]$day | ?*_log[.-]$day | ?*.log[.-][0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]) return 0 ;;
		messages[.-]$day | syslog[.-]$day | maillog[.-]$day | cron[.-]$day) return 0 ;;
		messages.[0-9] | syslog.[0-9] | maillog.[0-9] | cron.[0-9]) return 0 ;;
		messages.[0-9][0-9] | syslog.[0-9][0-9] | maillog.[0-9][0-9] | cron.[0-9][0-9]) return 0 ;;
	esac
	return 1
}

bytes_of() { wc -c <"$1" | tr -d ' '; }

# what_is_open lists what is open right now, by device and inode: a name proves
# nothing. It must find the file that this shell holds open itself, and be written to
# its end; else it is blind, and nothing is taken.
what_is_open() {
	find /proc/[0-9]*/fd -maxdepth 1 -type l -exec stat -L -c '%d:%i' {} + >"$scratch/open" 2>/dev/null || true
	looked=$(date +%s)
	printf 'end\n' 2>/dev/null >>"$scratch/open" || fail "there is no room to list what is open; nothing more was done" 1
	grep -qxF -- "$(stat -L -c '%d:%i' -- "$scratch/witness")" "$scratch/open" || fail "it cannot be seen what is open; nothing more was done" 1
}

# is_open says whether a process has the file open. What was seen ten seconds ago is old.
is_open() {
	[ "$(($(date +%s) - looked))" -lt 10 ] || what_is_open
	grep -qxF -- "$(stat -L -c '%d:%i' -- "$1" 2>/dev/null || echo end)" "$scratch/open"
}

# begin makes room for the lists, in memory where it can: the disk may be full.
begin() {
	files=0 freed=0 kept=0 failed=0 complete=true
	for dir in /dev/shm /run "${TMPDIR:-/tmp}"; do
		scratch=$(mktemp -d "$dir/salve-room.XXXXXXXX" 2>/dev/null) && break
	done
	[ -n "$scratch" ] || fail "no room to keep a list in" 1
	: >"$scratch/witness"
	exec 9<"$scratch/witness"
	what_is_open
}

# each ROOT TEST... -- ACTION: the action on every wanted file of the root's own file
# system that passes find's tests. No link is followed, and none is taken. Who is not
# root does not see what others have open, and takes none but its own files.
each() {
	root=$1
	shift
	tests=
	while [ "$1" != -- ]; do
		tests="$tests $1"
		shift
	done
	action=$2
	[ "$(id -u)" -eq 0 ] || tests="$tests -user $(id -u)"
	# One line a file, with what would end a line written otherwise: %b reads it back.
	# shellcheck disable=SC2086 # the tests are words that this file's callers wrote
	find "$root" -xdev -type f -links 1 $tests -exec sh -c '
		for f do
			printf "%s\n" "$f" | sed -e "s/\\\\/\\\\\\\\/g" | awk "NR > 1 { printf \"\\\\n\" } { printf \"%s\", \$0 } END { print \"\" }"
		done' sh {} + >"$scratch/list" 2>/dev/null || complete=false
	while IFS= read -r line; do
		file=$(printf '%b.' "$line")
		take "${file%.}"
	done <"$scratch/list"
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

# end prints what was done. That one file could not be taken is a failure; that a
# directory could not be read is said.
end() {
	printed=1
	printf '{"applied":%s,"files":%d,"freed_bytes":%d,"kept":%d,"failed":%d,"complete":%s}\n' \
		"$([ -n "$apply" ] && echo true || echo false)" "$files" "$freed" "$kept" "$failed" "$complete"
	[ "$failed" -eq 0 ]
}
