#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What a user without rights can take: memory within limits and charged, files, steps.
# kernels: stock debug rt
. "$(dirname "$0")/lib.sh"
# settle: until the turns of killed users have ended, which keep their files' places.
settle() {
	tries=0
	until [ "$(sislm-client info --json | number sessions)" = 1 ] || [ $tries = 300 ]; do
		sleep 0.2
		tries=$((tries + 1))
	done
}
chmod 666 $device
sislm-client load /host/bin/positions.gguf --name positions >/dev/null || not_ok load "status $?"
shares workspace positions || status=1
shares blocks positions || status=1
sislm-client stats --json >/tmp/stats
equal blocks-after "$(number kv_blocks </tmp/stats)" 0
# Blocks of turns whose file is closed are freed by nobody on whom the others wait.
tracing=/sys/kernel/tracing
if mount -t tracefs none $tracing 2>/dev/null && grep -qw function $tracing/available_tracers; then
	echo vfree >$tracing/set_ftrace_filter
	echo function >$tracing/current_tracer
	shares killed positions || status=1
	until [ "$(sislm-client stats --json | number kv_blocks)" = 0 ]; do sleep 0.1; done
	equal no-vfree-by-the-carrier "$(grep -c '^ *sislm/carrier' $tracing/trace)" 0
	equal vfree-is-seen "$(grep -c 'vfree <-' $tracing/trace | grep -c '^[1-9]')" 1
	echo nop >$tracing/current_tracer
	echo >$tracing/set_ftrace_filter
	umount $tracing
else
	skip no-vfree-by-the-carrier "this kernel traces no functions"
fi
mkdir -p /tmp/cgroup
mount -t cgroup2 none /tmp/cgroup
echo +memory >/tmp/cgroup/cgroup.subtree_control
mkdir /tmp/cgroup/small
echo 64M >/tmp/cgroup/small/memory.max
(
	sh -c 'echo $PPID' >/tmp/cgroup/small/cgroup.procs
	exec shares charged positions
) || status=1
rmdir /tmp/cgroup/small
mkdir /tmp/cgroup/throttled
echo 1M >/tmp/cgroup/throttled/memory.high
sislm-client load /models/random-llama-q4_0.gguf --name beside >/dev/null || not_ok load "status $?"
shares throttled beside positions /tmp/cgroup/throttled/cgroup.procs || status=1
settle
unload beside
rmdir /tmp/cgroup/throttled
umount /tmp/cgroup
shares bench || status=1
limit=$(sislm-client info --json | number sessions_max)
shares files "$limit" || status=1
shares all-files "$limit" || status=1
sislm-client load /models/random-llama-q4_0.gguf --name one >/dev/null || not_ok load "status $?"
sislm-client load /models/random-llama-q4_0.gguf --name other >/dev/null || not_ok load "status $?"
shares fairness one other || status=1
# Workers end the step of an unhelped turn where others wait: the turns of before must be gone.
settle
sleep 2
shares unhelped one || status=1
shares unhelped-crowd one || status=1
for name in positions one other; do unload $name; done
chmod 660 $device
