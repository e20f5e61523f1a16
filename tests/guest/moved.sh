#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Threads of the module that an operator moves during turns, by nice value, affinity and cgroup: the same answers.
# kernels: stock debug rt
. "$(dirname "$0")/lib.sh"
sislm-client load /models/random-llama-q4_0.gguf --name moved >/dev/null || not_ok load "status $?"
tokens=300
if slow; then tokens=60; fi
story() { sislm-client infer --json -m moved --preset greedy --ignore-eos --ctx 1024 -n $tokens "one ten tires" | sed 's/.*"ids":\[\([0-9,]*\)\].*/\1/'; }
wanted=$(story)
threads=
for process in /proc/[0-9]*; do
	read -r name 2>/dev/null <"$process/comm" || continue
	case $name in sislm/*) threads="$threads ${process#/proc/}" ;; esac
done
check threads test "$(echo "$threads" | wc -w)" -ge 3
mkdir -p /tmp/cgroup
mount -t cgroup2 none /tmp/cgroup
echo '+cpu +cpuset' >/tmp/cgroup/cgroup.subtree_control
mkdir /tmp/cgroup/aside
echo 1 >/tmp/cgroup/aside/cpu.weight
last=$(nproc)
last=$((last - 1))

# turns: two answers that begin before what is done and end after it.
turns() {
	story >/tmp/moved.1 &
	one=$!
	story >/tmp/moved.2 &
	other=$!
}
ended() {
	wait $one
	wait $other
	equal "$1-same-ids" "$(cat /tmp/moved.1) $(cat /tmp/moved.2)" "$wanted $wanted"
}

turns
moves=0
while live $one; do
	for thread in $threads; do
		renice -n $((moves % 20)) -p "$thread" >/dev/null 2>&1 || not_ok renice "$thread"
		taskset -p $((1 << moves % (last + 1))) "$thread" >/dev/null || not_ok taskset "$thread"
	done
	moves=$((moves + 1))
done
ended nice-and-affinity
if [ $moves -gt 0 ]; then ok were-moved; else not_ok were-moved "the turns were over before"; fi
for thread in $threads; do taskset -p $(((1 << last + 1) - 1)) "$thread" >/dev/null; done

turns
for thread in $threads; do echo "$thread" >/tmp/cgroup/aside/cgroup.procs || not_ok cgroup "$thread"; done
echo "$last" >/tmp/cgroup/aside/cpuset.cpus
for thread in $threads; do equal "cpuset-of-$(cat "/proc/$thread/comm")" "$(sed -n 's/Cpus_allowed_list:\t//p' "/proc/$thread/status")" "$last"; done
ended cgroup
equal cgroup-again "$(story)" "$wanted"
for thread in $threads; do echo "$thread" >/tmp/cgroup/cgroup.procs; done
rmdir /tmp/cgroup/aside
umount /tmp/cgroup
rm -f /tmp/moved.*
unload moved
# shellcheck disable=SC2119
reload
