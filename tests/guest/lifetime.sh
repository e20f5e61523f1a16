#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Many sessions, killed clients, and the module's own end.
# kernels: stock debug custom rt
. "$(dirname "$0")/lib.sh"
model=/models/random-llama-q4_0.gguf
count=1000
if slow; then count=200; fi
program sessions $model $count

# rmmod while a file is open is refused, and afterwards works.
exec 4<>$device
if rmmod sislm 2>/dev/null; then not_ok rmmod-while-open "removed"; else ok rmmod-while-open; fi
exec 4<&-
# What follows, and the tests after this one, need it.
[ -e $device ] || insmod /host/sislm.ko

# A client that is killed at any moment leaves nothing.
sislm-client load $model --name killed >/dev/null || not_ok load "status $?"
moment=0
left=0
while [ $moment -lt 40 ]; do
	sislm-client infer -m killed --ignore-eos --ctx 1024 "one ten tires" >/dev/null 2>&1 &
	process=$!
	sleep "0.0$((moment % 10))$((moment * 7 % 10))"
	kill -9 $process
	wait $process 2>/dev/null
	moment=$((moment + 1))
done
# Blocks go after the step that was under way.
tries=0
until left=$(sislm-client stats --json | number kv_blocks) && [ "$left" = 0 ] || [ $tries = 300 ]; do
	tries=$((tries + 1))
	sleep 0.2
done
equal killed-clients-leave-no-blocks "$left" 0
equal killed-clients-leave-no-sessions "$(sislm-client info --json | number sessions)" 1
sislm-client infer -m killed --preset greedy --ignore-eos -n 4 he >/dev/null
equal the-next-client-is-answered "$?" 0
sislm-client unload killed || not_ok unload "status $?"

# So does a load that is killed.
moment=0
while [ $moment -lt 20 ]; do
	sislm-client load /models/kernel-docs-7m-q4_0.gguf --name half >/dev/null 2>&1 &
	process=$!
	sleep "0.0$((moment % 10))$((moment * 3 % 10))"
	kill -9 $process
	wait $process 2>/dev/null
	sislm-client unload half >/dev/null 2>&1
	moment=$((moment + 1))
done
equal killed-loads-leave-nothing "$(sislm-client info --json | number models)" 0

if [ -e /sys/kernel/debug/kmemleak ]; then echo clear >/sys/kernel/debug/kmemleak; fi
sislm-client load $model --name leaks >/dev/null
sislm-client infer -m leaks --ignore-eos -n 4 he >/dev/null
check rmmod-with-a-model rmmod sislm
if [ -e /sys/kernel/debug/kmemleak ]; then
	# kmemleak reports what it could not find twice, and only what is older than 5 seconds.
	sleep 6
	check kmemleak-scans sh -c 'echo scan >/sys/kernel/debug/kmemleak && sleep 1 && echo scan >/sys/kernel/debug/kmemleak'
	equal kmemleak "$(cat /sys/kernel/debug/kmemleak)" ""
else
	skip kmemleak "this kernel has none"
fi
if [ -e $device ]; then
	not_ok insmod-again "it was not removed"
else
	check insmod-again insmod /host/sislm.ko
fi
