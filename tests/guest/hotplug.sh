#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# CPUs that go and come during a turn change neither the text nor its end.
# kernels: stock debug custom rt
. "$(dirname "$0")/lib.sh"
sislm-client load /models/random-llama-q4_0.gguf --name hotplug >/dev/null || not_ok load "status $?"
tokens=300
if slow; then tokens=60; fi
story() { sislm-client infer --json -m hotplug --preset greedy --ignore-eos --ctx 1024 -n $tokens "one ten tires" | sed 's/.*"ids":\[\([0-9,]*\)\].*/\1/'; }
wanted=$(story)
story >/tmp/story &
process=$!
flips=0
while live $process; do
	for cpu in /sys/devices/system/cpu/cpu[1-9]; do
		echo 0 >"$cpu/online" || not_ok offline "$cpu"
	done
	for cpu in /sys/devices/system/cpu/cpu[1-9]; do
		echo 1 >"$cpu/online" || not_ok online "$cpu"
	done
	flips=$((flips + 1))
done
wait $process
equal same-ids "$(cat /tmp/story)" "$wanted"
if [ $flips -gt 0 ]; then ok "cpus-went-and-came"; else not_ok cpus-went-and-came "the turn was over before"; fi
sislm-client unload hotplug || not_ok unload "status $?"
