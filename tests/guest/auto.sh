#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The module chooses among models with a rank: the best one, but for a deadline that a busy one would miss, and for memory.
# kernels: stock debug
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2119
reload || not_ok reload "status $?"
# asked ARG...: which model answers, and why.
asked() { sislm-client infer -m auto --preset greedy --ignore-eos "$@" "one ten" 2>&1 >/dev/null | sed -n 's/^auto: //p'; }
sislm-client infer -m auto one >/tmp/said 2>&1
equal none "$? $(grep -c 'no model was given a rank' /tmp/said)" "5 1"
check load-better sislm-client load /run/sislm/chat-slow.gguf --name better --rank 2
check load-quick sislm-client load /models/random-llama-q4_0.gguf --name quick --rank 1
check load-unranked sislm-client load /run/sislm/chat.gguf --name unranked
equal ranks "$(sislm-client models --json | grep -o '"rank":[0-9]*' | tr '\n' ' ')" '"rank":2 "rank":1 "rank":0 '
# How long each takes is measured by what it answers.
for name in better quick; do sislm-client infer -m $name --preset greedy --ignore-eos -n 8 "one ten" >/dev/null || not_ok "pace-$name" "status $?"; done
equal best "$(asked -n 2)" "better@1, the highest rank"
equal best-with-time "$(asked -n 2 --deadline 3600000)" "better@1, the highest rank"

# deadline TOKENS: milliseconds of so many tokens of the better one, as long as one took at the last choice.
deadline() { echo $(($(sislm-client trace --json | grep '"kind":"choice"' | tail -n 2 | head -n 1 | number decode_ns) * $1 / 1000000)); }
equal chat "$(echo one | sislm-client chat -m auto --preset greedy -n 2 2>&1 >/dev/null)" "auto: better@1, the highest rank"
equal in-time "$(asked -n 8 --deadline "$(deadline 32)" | cut -d @ -f 1)" better
# Beside four turns on the better one, half of the time that five take is not enough for it.
for number in 1 2 3 4; do
	sislm-client infer -m better --ignore-eos "one ten $number" >/dev/null 2>&1 & turns="$turns $!"
done
before=0
until [ "$before" = 4 ]; do
	before=$(sislm-client metrics | sed -n 's/^sislm_turns_active{model="better@1"} //p')
	sleep 0.1
done
equal no-hurry "$(asked -n 1)" "better@1, the highest rank"
equal busy "$(asked -n 64 --deadline "$(deadline 160)")" "quick@1, the highest rank that is in time: better ones would be late"
for turn in $turns; do kill -INT "$turn"; done
wait

# Who asks the server is answered by the one that is chosen, and told which one it was.
program serve-auto better@1 quick@1

# Tools see a choice.
tracing=/sys/kernel/tracing
mountpoint -q $tracing || mount -t tracefs tracefs $tracing 2>/dev/null
echo >$tracing/trace
echo 1 >$tracing/events/sislm/select/enable
asked -n 2 >/dev/null
echo 0 >$tracing/events/sislm/select/enable
equal traced "$(grep -c ' select: session=[1-9][0-9]* model=better@1 choice=1 candidates=2' $tracing/trace)" 1

# Without memory for its context.
sislm-client limits 0 --kv-mb 1 >/dev/null || not_ok limits "status $?"
equal memory "$(asked -n 4000)" "quick@1, the highest rank that has memory: the best one has not"

# Each choice follows from its records.
sislm-client trace --raw >/tmp/export
said=$(sislm-client trace --json --verify /tmp/export 2>&1)
equal verified "$(echo "$said" | number choices) $said" "12 $said"
equal reasons "$(sislm-client trace | grep -c ' chosen: ')" 12
program auto-rate
for name in better quick unranked; do unload $name; done
# shellcheck disable=SC2119
check reload-at-last reload
