#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# An administrator gets a model's memory back, whatever its users do: a turn that runs, one that nobody reads, a context.
# kernels: stock debug rt
. "$(dirname "$0")/lib.sh"
model=/models/random-llama-q4_0.gguf
sislm-client load $model --name force >/dev/null || not_ok load "status $?"
exec 4<>$device 5<>$device
printf one >&4
head -c 1 <&4 >/dev/null
sislm-client infer -m force --ignore-eos --ctx 1024 "one ten tires" >/tmp/answer 2>/tmp/said &
process=$!
until [ -s /tmp/answer ]; do sleep 0.1; done
if sislm-client unload force 2>/dev/null; then not_ok refused "unloaded in use"; else ok refused; fi
check by-force sislm-client unload --force force
wait $process
equal turn-ends "$?" 9
if grep -q 'unloaded the model' /tmp/said; then ok says-why; else not_ok says-why "$(cat /tmp/said)"; fi
tries=0
until [ "$(sislm-client stats --json | number memory_models)" = 0 ] && [ "$(sislm-client stats --json | number memory_steps)" = 0 ] || [ $tries = 50 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
if [ $tries -lt 50 ]; then ok memory-comes-back; else not_ok memory-comes-back "$(sislm-client stats --json)"; fi
sislm-client load $model --name force >/dev/null || not_ok load-again "status $?"
cat <&4 >/dev/null 2>&1
printf one >&4
if cat <&4 >/dev/null 2>/tmp/said; then not_ok old-file "answered"; else ok old-file; fi
printf one >&5
if head -c 1 <&5 >/dev/null; then ok new-file; else not_ok new-file "$?"; fi
exec 4<&- 5<&-
sleep 0.5
unload force
