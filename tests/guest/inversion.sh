#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A caller that the scheduler lets run seldom or never holds nobody up, and a device whose step stood still works again.
# kernels: stock debug
. "$(dirname "$0")/lib.sh"
chgrp sislm $device
sislm-client load /models/random-llama-q4_0.gguf --name inversion >/dev/null || not_ok load "status $?"
inversion inversion 8 12 || status=1
mkdir -p /tmp/cgroup
mount -t cgroup2 none /tmp/cgroup
echo +cpu >/tmp/cgroup/cgroup.subtree_control
mkdir /tmp/cgroup/low
if slow; then weights='idle'; else
	weights='weight idle'
	inversion inversion 30 12 || status=1
fi
for weight in $weights; do
	echo 1 >"/tmp/cgroup/low/cpu.$weight"
	inversion inversion 8 12 /tmp/cgroup/low/cgroup.procs || status=1
done
rmdir /tmp/cgroup/low
umount /tmp/cgroup

# The carrier that a task of real time keeps from its CPU: broken, and then whole.
reload step_timeout_s=10
sislm-client load /models/random-llama-q4_0.gguf --name inversion >/dev/null || not_ok load "status $?"
server=/sys/kernel/debug/sched/fair_server/cpu0/runtime
runtime=$(cat $server)
echo 0 >$server
echo -1 >/proc/sys/kernel/sched_rt_runtime_us
starve 18 &
starve=$!
sleep 0.5
taskset 2 sislm-client infer -m inversion --ignore-eos -n 4 he >/tmp/said 2>&1
if grep -q 'stands still' /tmp/said; then ok stalled-calls-fail; else not_ok stalled-calls-fail "$(cat /tmp/said)"; fi
wait $starve
echo 950000 >/proc/sys/kernel/sched_rt_runtime_us
echo "$runtime" >$server
sleep 1
check works-again sislm-client infer -m inversion --ignore-eos -n 4 he
equal log-says-so "$(dmesg | grep -c 'sislm: the step goes on')" 1
sislm-client unload inversion || not_ok unload "status $?"
chgrp root $device
reload
