#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The module's tracepoints, as tracefs shows them.
# kernels: stock debug custom rt
. "$(dirname "$0")/lib.sh"
tracing=/sys/kernel/tracing
mountpoint -q $tracing || mount -t tracefs tracefs $tracing 2>/dev/null
events=$tracing/events/sislm
if [ ! -d $tracing/events ]; then
	skip tracepoints "this kernel has none"
	exit
fi
equal events "$(cd $events && echo */)" "select/ shadow/ step/ swap/ token/ turn_begin/ turn_end/"
for event in select shadow step swap token turn_begin turn_end; do
	if grep -q '^print fmt:' $events/$event/format; then ok "$event/format"; else not_ok "$event/format" "$(cat $events/$event/format)"; fi
done
# A name means something else: loaded twice, set, and what it was set to is gone.
echo 1 >$events/swap/enable
check load sislm-client load /models/random-llama-q4_0.gguf --name traced
check load-next sislm-client load /models/random-llama-q4_0.gguf --name traced
check set sislm-client alias traced traced@2
check unload-next sislm-client unload traced@2 --force
echo 0 >$events/swap/enable
equal swaps "$(grep -o ' swap: alias=traced generation=[1-9]' $tracing/trace | wc -l)" 4
answer() { sislm-client infer --json -m traced --ignore-eos --preset greedy -n 3 tires; }
shown() { grep -c " $1: " $tracing/trace; }

before=$(answer | sed 's/.*"ids":\[\([0-9,]*\)\].*/\1/')
echo >$tracing/trace
equal silent-when-off "$(answer >/dev/null && grep -c sislm $tracing/trace)" 0
echo 1 >$events/enable
said=$(answer)
echo 0 >$events/enable
equal counts "$(shown turn_begin) $(shown token) $(shown turn_end)" "1 3 1"
session=$(echo "$said" | number session)
turn=$(echo "$said" | number turn)
prompt=$(echo "$said" | sed 's/.*"prompt_ids":\[\([0-9,]*\)\].*/\1/' | tr , '\n' | wc -l)
equal turn_begin "$(grep -c " turn_begin: session=$session turn=$turn model=traced@1 prompt=$prompt reused=0" $tracing/trace)" 1
equal turn_end "$(grep -c " turn_end: session=$session turn=$turn count=3 finish=2 cpu_ns=[1-9]" $tracing/trace)" 1
equal token "$(grep -o " token: .*" $tracing/trace | tail -n 1)" " token: session=$session turn=$turn count=3"
if [ "$(shown step)" -ge 3 ]; then ok steps; else not_ok steps "$(shown step)"; fi
equal no-text "$(grep -c tires $tracing/trace)" 0
# Nothing about an answer depends on who looks.
equal same-answer "$(echo "$said" | sed 's/.*"ids":\[\([0-9,]*\)\].*/\1/')" "$before"
echo >$tracing/trace
unload traced
# With an event on, the module goes and comes.
echo 1 >$events/token/enable
check reload reload
equal off-after-reload "$(cat $events/token/enable)" 0
