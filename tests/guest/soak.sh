#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# All that a machine does to the device, at once, for 30 seconds or SOAK_SECONDS: stress, loads and answers whose allocations fail,
# CPUs that go and come, limits that change, readers of records and metrics. No call hangs, nothing stays, the kernel reports nothing.
# kernels: debug rt
. "$(dirname "$0")/lib.sh"
seconds=${SOAK_SECONDS:-30}
model=/tmp/soak.gguf
cp /models/random-llama-q4_0.gguf $model
chgrp user $device
sislm-client load $model --name sound >/dev/null || not_ok load "status $?"
story() { sislm-client infer --json -m sound --preset greedy --ignore-eos -n 8 "one ten"; }
ids() { sed 's/.*"ids":\[\([0-9,]*\)\].*/\1/'; }
wanted=$(story | ids)
rm -f /tmp/soak.*.said /tmp/enough
going() { [ ! -e /tmp/enough ]; }
# told PART WORDS: what should not have been.
told() { echo "$2" | tr '\n' ' ' >>"/tmp/soak.$1.said"; }
# passed PART: another round of it.
passed() { echo >>"/tmp/soak.$1.rounds"; }

# Of those who ask for them, allocations of the module fail.
if slow; then
	aim_faults
	for kind in failslab fail_page_alloc; do
		set=/sys/kernel/debug/$kind
		echo Y >$set/task-filter
		echo 3 >$set/probability
		echo -1 >$set/times
	done
	while going; do
		faulty sislm-client load $model --name faulty >/tmp/faulty.load 2>&1
		case $? in 0 | 7) ;; *) told faults "load: $(tail -n 1 /tmp/faulty.load)" ;; esac
		faulty sislm-client infer --json -m sound --preset greedy --ignore-eos -n 8 "one ten" >/tmp/faulty.answer 2>&1
		case $? in
		0) [ "$(ids </tmp/faulty.answer)" = "$wanted" ] || told faults "other ids: $(cat /tmp/faulty.answer)" ;;
		7 | 9) ;;
		*) told faults "infer: $(tail -n 1 /tmp/faulty.answer)" ;;
		esac
		sislm-client unload faulty >/dev/null 2>&1
		passed faults
	done &
	faults=$!
fi

while going; do
	for cpu in /sys/devices/system/cpu/cpu[1-9]; do
		echo 0 >"$cpu/online" || told hotplug "$cpu stays"
		sleep 0.5
		echo 1 >"$cpu/online" || told hotplug "$cpu does not come"
	done
	passed hotplug
	sleep 2
done &
hotplug=$!

# A user whose limits change meanwhile: each answer is whole, cut by the deadline, or refused.
while going; do
	for limits in "--sessions 1 --tokens-per-second 5 --deadline 300" "--sessions 64 --kv-mb 1 --tokens-per-second 1000000 --deadline 3600000" "--kv-mb 64 --prompts-kb 1"; do
		# shellcheck disable=SC2086
		sislm-client limits 1000 $limits >/dev/null 2>&1 || told limits "status $?"
		sleep 0.3
	done
	passed limits
done &
quotas=$!
for number in 1 2; do
	while going; do
		su user -s /bin/sh -c 'exec sislm-client infer --json -m sound --preset greedy --ignore-eos -n 40 "one ten"' >"/tmp/limited.$number" 2>&1
		case $? in
		0 | 1 | 7 | 9 | 11) ;;
		*) told answers "status $?: $(tail -n 1 "/tmp/limited.$number")" ;;
		esac
		passed answers
	done &
	users="$users $!"
done

# Readers: of records to come, of those that are kept, of counts.
sislm-client trace --follow --raw >/tmp/soak.export 2>/tmp/soak.follow &
follower=$!
while going; do
	{ sislm-client metrics && sislm-client top --once && sislm-client stats && sislm-client trace --raw; } >/tmp/soak.read 2>&1 || told readers "$(tail -n 1 /tmp/soak.read)"
	cat /sys/class/misc/sislm/* >/dev/null 2>&1
	passed readers
done &
readers=$!

program stress $model "$seconds"

touch /tmp/enough
for process in $faults $hotplug $quotas $users $readers; do wait "$process"; done
kill $follower
# It was ended by a signal.
wait $follower 2>/dev/null || true
for kind in failslab fail_page_alloc; do [ ! -d /sys/kernel/debug/$kind ] || echo 0 >/sys/kernel/debug/$kind/probability; done
for part in faults hotplug limits answers readers; do
	[ $part != faults ] || slow || continue
	equal $part "$(head -n 3 "/tmp/soak.$part.said" 2>/dev/null)" ""
	rounds=$(grep -c '' "/tmp/soak.$part.rounds" 2>/dev/null)
	echo "# $part: ${rounds:-0} times"
	if [ "${rounds:-0}" -gt 0 ]; then ok "$part-went-on"; else not_ok "$part-went-on" "not once in $seconds s"; fi
done
check records-verify sislm-client trace --verify /tmp/soak.export
equal answer-after "$(story | ids)" "$wanted"
# Each can be unloaded, those too whose unloading failed before; what a killed process had goes a moment later.
for name in $(sislm-client models | awk '$1 ~ /@/ { print $1 }'); do unload "$name"; done
equal models-after "$(sislm-client models --json)" '{"models":[],"aliases":[]}'
tries=0
until [ "$(sislm-client info --json | number sessions)" = 1 ] || [ $tries = 100 ]; do
	tries=$((tries + 1))
	sleep 0.2
done
equal sessions-after "$(sislm-client info --json | number sessions)" 1
equal blocks-after "$(sislm-client stats --json | number kv_blocks)" 0
chgrp root $device
# What is not freed with the module is lost.
check rmmod rmmod sislm
if [ -e /sys/kernel/debug/kmemleak ]; then
	sleep 6
	check kmemleak-scans sh -c 'echo scan >/sys/kernel/debug/kmemleak && sleep 1 && echo scan >/sys/kernel/debug/kmemleak'
	equal kmemleak "$(cat /sys/kernel/debug/kmemleak)" ""
fi
check insmod insmod /host/sislm.ko
rm -f $model /tmp/soak.* /tmp/limited.* /tmp/faulty.*
