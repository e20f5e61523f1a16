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

# timed WHAT CMD...: runs CMD with its output in a log, and says what was done and how long it took.
timed() {
	local what=$1 start=$SECONDS log
	shift
	log=$(mktemp "$cache/log.XXXXXX")
	say "$what ..."
	if ! "$@" >"$log" 2>&1 </dev/null; then
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
	[ -e "$dir/.complete" ] && return
	(
		flock 9
		[ -e "$dir/.complete" ] && exit
		mkdir -p "$dir"
		timed "$what" "$@" "$dir"
		touch "$dir/.complete"
	) 9>"$dir.lock"
}

# debian_arch: the Debian name of this machine's architecture.
debian_arch() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	*) die "this machine is $(uname -m); the build runs on x86-64 and arm64" ;;
	esac
}
