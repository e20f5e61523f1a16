#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A step that stands still breaks the device, with a line in the log; going on mends it, with another.
# kernels: stock debug rt
. "$(dirname "$0")/lib.sh"
[ "$(nproc)" -gt 1 ] || { skip all 'it needs two CPUs' && exit; }
check reload reload step_timeout_s=10
sislm-client load /models/random-llama-q4_0.gguf --name stall >/dev/null || not_ok load "status $?"

# The scheduler keeps some of each CPU for those beside tasks of real time, in two ways: without them these take it all.
throttle=/proc/sys/kernel/sched_rt_runtime_us
server=/sys/kernel/debug/sched/fair_server/cpu0/runtime
throttle_before=$(cat $throttle)
server_before=$(cat $server)
lines() { dmesg | grep -c "sislm: .*$1"; }
broken=$(lines 'the device is broken')
whole=$(lines 'the device works again')
echo -1 >$throttle
echo 0 >$server
stall stall || status=1
echo "$server_before" >$server
echo "$throttle_before" >$throttle
equal lines-of-a-broken-device $(($(lines 'the device is broken') - broken)) 2
equal lines-of-a-whole-device $(($(lines 'the device works again') - whole)) 2
unload stall
check reload-as-before reload
