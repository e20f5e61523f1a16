#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A caller that the scheduler lets run seldom or never holds nobody up.
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

sislm-client unload inversion || not_ok unload "status $?"
chgrp root $device
