#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Calls that meet on one file, signals, Ctrl-C: every call returns, and no signal loses a turn.
# kernels: stock debug custom rt
. "$(dirname "$0")/lib.sh"
model=/models/random-llama-q4_0.gguf
rounds=6
if slow; then rounds=1; fi
program turns $model $rounds
program stalled $model

sislm-client load $model --name m >/dev/null || not_ok load "status $?"

# Ctrl-C at random moments ends the client within a second: COUNT times, if that is given.
count=${COUNT:-40}
if slow; then count=${COUNT:-10}; fi
# Seconds that a client may take: the debug kernel is slower.
seconds=1
if slow; then seconds=10; fi
program interrupts m "$count" $seconds

# Stop and continue, which the kernel tells a task by a signal, loses no turn of RUN.
ids() { sed 's/.*"ids":\[\([0-9,]*\)\].*/\1/'; }
run() { sislm-client infer --json -m m --preset greedy --ignore-eos -n 100 ""; }
wanted=$(run | ids)
run >/tmp/stopped &
process=$!
while live $process; do
	kill -STOP $process
	sleep 0.02
	kill -CONT $process
	sleep 0.02
done
wait $process
equal stop-and-continue-lose-no-turn "$(ids </tmp/stopped)" "$wanted"
unload m
