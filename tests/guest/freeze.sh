#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Suspend and a cgroup's freezer stop turns, an evaluation and a load within a second; all go on afterwards with the same ids.
# kernels: stock debug rt
. "$(dirname "$0")/lib.sh"
model=/models/random-llama-q4_0.gguf
tokens=600
if slow; then tokens=60; fi
sislm-client load $model --name freeze >/dev/null || not_ok load "status $?"
words=$(yes "one ten tires" | head -n 60 | tr '\n' ' ')
ids() { sed 's/.*"ids":\[\([0-9,]*\)\].*/\1/'; }
story() { sislm-client infer --json -m freeze --preset greedy --ignore-eos --ctx 1024 -n $tokens "one ten tires" | ids; }
sums() { sislm-client eval --json -m freeze --ctx 1024 "$words" | grep -o '"logits_sha256":"[0-9a-f]*"'; }
wanted_story=$(story)
wanted_sums=$(sums)

# start: eight turns, an evaluation and loads without end, in the background.
start() {
	number=0
	processes=
	while [ $number -lt 8 ]; do
		story >/tmp/story.$number &
		processes="$processes $!"
		number=$((number + 1))
	done
	for number in 1 2 3 4; do sums; done >/tmp/sums &
	processes="$processes $!"
	while [ ! -e /tmp/enough ]; do
		sislm-client load /models/kernel-docs-7m-q4_0.gguf --name frozen >/tmp/loaded 2>&1 || echo "load: $(cat /tmp/loaded)" >>/tmp/load-failed
		sislm-client unload frozen >/dev/null 2>&1
	done &
	loads=$!
	sleep 1
}

# finish NAME: waits for them and compares.
finish() {
	for process in $processes; do wait "$process"; done
	: >/tmp/enough
	wait $loads
	rm -f /tmp/enough
	differed=
	for number in 0 1 2 3 4 5 6 7; do
		[ "$(cat /tmp/story.$number)" = "$wanted_story" ] || differed="$differed $number"
	done
	equal "$1-same-ids" "$differed" ""
	equal "$1-same-sums" "$(sort -u /tmp/sums)" "$wanted_sums"
	equal "$1-loads-go-on" "$(cat /tmp/load-failed 2>/dev/null)" ""
	rm -f /tmp/load-failed
}

# Suspend to idle, from which the clock wakes. The kernel says how long tasks took to freeze.
if [ -e /sys/class/rtc/rtc0/wakealarm ] && grep -q freeze /sys/power/state; then
	dmesg -c >/dev/null
	start
	# All tasks freeze; then virtio-fs keeps this machine from going on, and they thaw.
	for _ in 1 2 3; do
		echo +2 >/sys/class/rtc/rtc0/wakealarm
		echo freeze >/sys/power/state 2>/dev/null
		echo 0 >/sys/class/rtc/rtc0/wakealarm
		sleep 0.3
	done
	equal suspend-freezes-all "$(dmesg | grep -c 'Freezing remaining freezable tasks completed')" 3
	slowest=$(dmesg | sed -n 's/.*Freezing .* completed (elapsed \([0-9]*\)\.\([0-9]*\) seconds).*/\1\2/p' | sort -n | tail -n 1)
	if [ -n "$slowest" ] && [ "$slowest" -lt 1000 ]; then ok "suspend-within-a-second"; else not_ok suspend-within-a-second "$slowest ms"; fi
	finish suspend
else
	skip suspend "no clock that wakes this machine"
fi

# The realtime kernel can hold suspend there for a second, and then go back.
case $(uname -r) in *-rt-*)
	check pm_test sh -c 'echo 1 >/sys/module/suspend/parameters/pm_test_delay && echo freezer >/sys/power/pm_test'
	start
	held=0
	for _ in 1 2 3; do
		if echo freeze >/sys/power/state; then held=$((held + 1)); fi
		sleep 0.3
	done
	equal suspend-held "$held" 3
	echo none >/sys/power/pm_test
	finish held
	;;
esac

mkdir -p /tmp/cgroup
mount -t cgroup2 none /tmp/cgroup
mkdir /tmp/cgroup/frozen
(
	sh -c 'echo $PPID' >/tmp/cgroup/frozen/cgroup.procs
	exec sleep 1000
) &
sleeper=$!
start
for process in $processes $loads $(pidof sislm-client); do echo "$process" >/tmp/cgroup/frozen/cgroup.procs; done
echo 1 >/tmp/cgroup/frozen/cgroup.freeze
tries=0
until grep -q 'frozen 1' /tmp/cgroup/frozen/cgroup.events || [ $tries = 50 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
if [ $tries -lt 10 ]; then ok cgroup-within-a-second; else not_ok cgroup-within-a-second "after $tries looks"; fi
echo 0 >/tmp/cgroup/frozen/cgroup.freeze
finish cgroup
kill $sleeper
wait $sleeper 2>/dev/null
rmdir /tmp/cgroup/frozen
umount /tmp/cgroup
unload freeze
