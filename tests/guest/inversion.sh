#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A caller that the scheduler lets run seldom or never holds nobody up. LOOPS: numbers of loops beside it.
# kernels: stock debug
. "$(dirname "$0")/lib.sh"
[ "$(nproc)" -gt 1 ] || { skip all 'it needs two CPUs' && exit; }
loops=${LOOPS:-8}
chgrp sislm $device
sislm-client load /models/random-llama-q4_0.gguf --name inversion >/dev/null || not_ok load "status $?"
mkdir -p /tmp/cgroup
mount -t cgroup2 none /tmp/cgroup
echo +cpu >/tmp/cgroup/cgroup.subtree_control
mkdir /tmp/cgroup/low
for number in $loops; do inversion inversion "$number" 12 SCHED_IDLE || status=1; done
for weight in weight idle; do
	slow && [ $weight = weight ] && continue
	echo 1 >/tmp/cgroup/low/cpu.$weight
	for number in $loops; do
		inversion inversion "$number" 12 cpu.$weight /tmp/cgroup/low/cgroup.procs || status=1
	done
done
rmdir /tmp/cgroup/low
umount /tmp/cgroup

sislm-client unload inversion || not_ok unload "status $?"
chgrp root $device
