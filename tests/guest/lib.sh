# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Sourced by the guest tests. They run in the guest as root, with sislm-client and device-test (client/examples) on the PATH,
# test_models/ at /models, ../shared/models at /shared-models where it exists, and the module loaded from /host/sislm.ko.
# A test prints a line for each result: "ok NAME", "not ok NAME why" or "skip NAME why", and fails when one was not ok.
# Comments at the head of a test say what it needs: "# boot:" variables of scripts/guest, "# kernels:" where it runs.

group=$(basename "$0" .sh)
# shellcheck disable=SC2034
device=/dev/sislm
status=0
trap 'exit $status' EXIT

ok() { echo "ok $group/$1"; }
skip() { echo "skip $group/$1 $2"; }
not_ok() {
	echo "not ok $group/$1 $(echo "$2" | tr '\n' ' ')"
	status=1
}

# equal NAME FOUND WANTED
equal() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "found '$2', wanted '$3'"; fi
}

# check NAME CMD...: holds when CMD succeeds.
check() {
	check_name=$1
	shift
	if check_said=$("$@" 2>&1); then ok "$check_name"; else not_ok "$check_name" "$*: $check_said"; fi
}

# program PART ARG...: a part of device-test, which prints its own lines.
program() { device-test "$@" || status=1; }

# number KEY: the first value of KEY in the JSON on stdin.
number() { grep -o "\"$1\":[^,}]*" | head -n 1 | cut -d : -f 2- | tr -d '"'; }

# reload PARAMETER...: the module, anew.
reload() {
	rmmod sislm && insmod /host/sislm.ko "$@"
}

# The debug kernel is 10 to 30 times slower: tests do less there.
slow() { [ -d /sys/kernel/debug/failslab ]; }

# unload NAME: in up to ten seconds, since busybox's timeout leaves a watcher that keeps the files of its command open for a while.
unload() {
	unload_tries=0
	until unload_said=$(sislm-client unload "$1" 2>&1); do
		unload_tries=$((unload_tries + 1))
		[ $unload_tries -lt 50 ] || { not_ok unload "$unload_said" && return; }
		sleep 0.2
	done
}

# live PROCESS: whether it has not ended.
live() { kill -0 "$1" 2>/dev/null; }

# aim_faults: allocations with the module on the stack are those that can be made to fail: one in the client or its exec would say
# nothing of the module.
aim_faults() {
	aim_module=$(awk '$1 == "sislm" { print $2, $6 }' /proc/modules)
	aim_start=${aim_module#* }
	for aim_kind in failslab fail_page_alloc; do
		aim_at=/sys/kernel/debug/$aim_kind
		echo 32 >$aim_at/stacktrace-depth
		echo "$aim_start" >$aim_at/require-start
		printf '0x%x' $((aim_start + ${aim_module% *})) >$aim_at/require-end
		echo 0 >$aim_at/verbose
		echo N >$aim_at/ignore-gfp-wait
		[ ! -e $aim_at/ignore-gfp-highmem ] || echo N >$aim_at/ignore-gfp-highmem
		[ ! -e $aim_at/min-order ] || echo 0 >$aim_at/min-order
	done
}

# faulty CMD...: with the faults on, where they have a task filter: for this process and its children alone.
faulty() { sh -c 'echo 1 >/proc/self/make-it-fail; exec "$@"' sh "$@"; }
