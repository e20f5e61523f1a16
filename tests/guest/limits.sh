#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What is too much is refused with counts, and a full context is a finish reason.
# kernels: stock debug custom rt
. "$(dirname "$0")/lib.sh"
model=/models/random-llama-q4_0.gguf
sislm-client load $model --name limits >/dev/null || not_ok load "status $?"

# failed NAME STATUS PATTERN CMD...
failed() {
	name=$1 wanted=$2 pattern=$3
	shift 3
	sentence=$("$@" 2>&1)
	found=$?
	if [ $found = "$wanted" ] && echo "$sentence" | grep -qi -- "$pattern"; then
		ok "$name"
	else
		not_ok "$name" "status $found, wanted $wanted with '$pattern': $sentence"
	fi
}

words=$(yes "one ten tires" | head -n 40 | tr '\n' ' ')
count=$(sislm-client tokenize --json -m limits "$words" | tr ',' '\n' | grep -c '[0-9]')
failed prompt-over-context 8 "$count" sislm-client infer -m limits --ctx 64 "$words"
failed prompt-over-context-names-it 8 64 sislm-client infer -m limits --ctx 64 "$words"
failed context-over-model 1 context sislm-client infer -m limits --ctx 4096 hello
limit=$(sislm-client info --json | number prompt_max)
head -c $((limit + 1)) /dev/zero | tr '\0' a >/tmp/long
failed prompt-bytes 8 "$limit" sh -c 'sislm-client infer -m limits - </tmp/long'
rm -f /tmp/long
equal context-full "$(sislm-client infer --json -m limits --preset greedy --ignore-eos --ctx 40 he | number finish_reason)" context
equal length "$(sislm-client infer --json -m limits --preset greedy --ignore-eos -n 5 he | number finish_reason)" length

# The same seed gives the same answer; another, another.
draw() { sislm-client infer --json -m limits --preset creative --ignore-eos -n 12 --seed "$1" "one ten" | sed 's/.*"ids":\[\([0-9,]*\)\].*/\1/'; }
first=$(draw 7)
equal seed-again "$(draw 7)" "$first"
if [ "$(draw 8)" != "$first" ]; then ok seed-other; else not_ok seed-other "the same ids"; fi
text=$(sislm-client infer -m limits --preset greedy --ignore-eos -n 12 "one ten")
stop=$(printf %s "$text" | cut -c 4-6)
stopped=$(sislm-client infer --json -m limits --preset greedy --ignore-eos -n 12 --stop "$stop" "one ten")
equal stop-string "$(echo "$stopped" | number finish_reason)" stop
sislm-client unload limits || not_ok unload "status $?"

# Limits of the module, given at insmod.
for wrong in context_default=31 simd=9 workers=100000 simd=-1; do
	rmmod sislm
	if insmod /host/sislm.ko $wrong 2>/dev/null; then not_ok "insmod-$wrong" "loaded"; else ok "insmod-$wrong"; fi
	lsmod | grep -q '^sislm ' || insmod /host/sislm.ko
done
reload context_default=64
load limits /models/kernel-docs-7m-q4_0.gguf
equal context-default "$(sislm-client infer --json --preset greedy --ignore-eos "one ten" | number finish_reason)" context
equal context-default-is-told "$(sislm-client info --json | number context_default)" 64
reload sessions_max=2 model_max_mb=1
exec 4<>$device 5<>$device
if (exec 6<>$device) 2>/dev/null; then not_ok sessions-max "a third file opened"; else ok sessions-max; fi
exec 4<&- 5<&-
failed model-max 6 limit sislm-client load /models/kernel-docs-7m-q4_0.gguf
reload
