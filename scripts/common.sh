# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by the scripts beside it: messages with their time, and artifacts that are made once.
set -euo pipefail

# shellcheck disable=SC2034
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cache=${SISLM_CACHE:-${HOME:?}/.cache/sislm}
export SISLM_CACHE=$cache
mkdir -p "$cache"

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# key ARG...: a short name for everything an artifact is made from.
key() { printf '%s\n' "$@" | sha256sum | cut -c1-12; }

# contents PATH...: a short name for the files of this tree under PATHs, by their names and contents.
contents() {
	local file files=()
	while IFS= read -r -d '' file; do
		[ ! -f "$repo/$file" ] || files+=("$file")
	done < <(git -C "$repo" -c safe.directory='*' ls-files -z --cached --others --exclude-standard -- "$@" | sort -zu)
	[ ${#files[@]} -gt 0 ] || die "no file of this tree is in $*"
	(cd "$repo" && sha256sum "${files[@]}") | sha256sum | cut -c1-12
}

# unchanged SUM PATH...: that the files still have it, or what was made of them has the name of others.
unchanged() {
	[ "$1" = "$(contents "${@:2}")" ] || die "${*:2}: changed while they were built; run it again"
}

# tools: a short name for the programs of the build root, by their versions.
tools() { sha256sum <"$1/var/lib/dpkg/status" | cut -c1-12; }

# timed WHAT CMD...: runs CMD with its output in a log, and says what was done and how long it took.
timed() {
	local what=$1 start=$SECONDS log status
	shift
	find "$cache" -maxdepth 1 -name 'log.??????' -mtime +7 -delete
	log=$(mktemp "$cache/log.XXXXXX")
	say "$what ..."
	# Not as a condition: a function would go on after a command of it that failed.
	set +e
	(set -e; "$@") >"$log" 2>&1 </dev/null
	status=$?
	set -e
	if [ "$status" != 0 ]; then
		tail -n 40 "$log" >&2
		say "error: $what failed after $((SECONDS - start)) s; the whole log is $log"
		return 1
	fi
	rm -f "$log"
	say "$what: $((SECONDS - start)) s"
}

# artifact DIR WHAT CMD...: makes DIR unless it is complete. CMD gets DIR as its last argument; what an interrupted CMD left
# is not used, only continued by the next one. Two makers wait for each other.
artifact() {
	local dir=$1 what=$2
	shift 2
	[ -e "$dir/.complete" ] && touch "$dir/.complete" && return
	(
		flock 9
		[ -e "$dir/.complete" ] && exit
		mkdir -p "$dir"
		timed "$what" "$@" "$dir"
		touch "$dir/.complete"
	) 9>"$dir.lock"
}

# keep_last COUNT PREFIX: removes the artifacts PREFIX* but the COUNT used last.
keep_last() {
	local old
	# shellcheck disable=SC2012
	ls -td "$2"*/.complete 2>/dev/null | tail -n +"$(($1 + 1))" | while read -r old; do
		rm -rf "${old%/.complete}" "${old%/.complete}.lock"
	done
}

# debian_arch: the Debian name of this machine's architecture.
debian_arch() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	*) die "this machine is $(uname -m); the build runs on x86-64 and arm64" ;;
	esac
}

# compiler_of FILE: what compiled it, by its own words; the parts of GCC's runtime in a file by clang say GCC.
compiler_of() {
	readelf -p .comment "$1" | sed -n -E 's/^.*GCC: \(.*\) ([0-9.]+).*/GCC \1/p; s/^.*clang version ([0-9.]+).*/clang \1/p' | LC_ALL=C sort -r | sed -n 1p
}
