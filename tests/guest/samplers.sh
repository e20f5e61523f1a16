#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The samplers through the device: each does what it says, a seed repeats it, a stop string may lie across tokens.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
sislm-client load /models/random-llama-q4_0.gguf --name samplers >/dev/null || not_ok load "status $?"

# answer OPTION...: the answer to the same prompt, as JSON.
answer() { sislm-client infer --json -m samplers --ignore-eos -n 24 "$@" "one ten tires"; }
ids() { grep -o '"ids":\[[0-9,]*\]' | tr -dc '0-9,\n' | tr ',' ' '; }
greedy() { answer --preset greedy "$@" | ids; }
# pairs: the pairs of neighbours that come more than once.
pairs() { tr ' ' '\n' | awk 'NR > 1 { print last, $0 } { last = $0 }' | sort | uniq -d | wc -l; }

free=$(greedy)
first=${free%% *}

# Biases: a token that is banned, and one that is drawn always.
equal banned "$(greedy -l "$first-inf" | tr ' ' '\n' | grep -cx "$first")" 0
equal biased "$(greedy -l 300+100 | tr ' ' '\n' | sort -u)" 300
equal biased-down "$(greedy -l "$first-100")" "$(greedy -l "$first-inf")"
equal no-bias "$(greedy -l "$first+0")" "$free"

# DRY: what was written twice already goes on in another way; with "none" no text breaks that.
dry="--dry-multiplier 100 --dry-allowed-length 1 --dry-sequence-breaker none -l 300+8 -l 301+7"
again="-l 300+8 -l 301+7"
# shellcheck disable=SC2086
repeats=$(greedy $again | pairs)
# shellcheck disable=SC2086
equal dry "$(greedy $dry | pairs)" 0
if [ "$repeats" -gt 0 ]; then ok repeats-without-dry; else not_ok repeats-without-dry "no pair came twice"; fi

# Each of these draws otherwise than a free draw with the same seed, and the same with it again.
free=$(answer --preset greedy --temp 1 --seed 7 | ids)
for options in "--top-n-sigma 0.5" "--typical 0.2" "--xtc-probability 1 --xtc-threshold 0" "--dynatemp-range 1 --dynatemp-exp 8" \
	"--mirostat 2 --mirostat-ent 1" "--frequency-penalty -5"; do
	name=$(echo "$options" | cut -d ' ' -f 1 | cut -c 3-)
	# shellcheck disable=SC2086
	drawn=$(answer --preset greedy --temp 1 --seed 7 $options | ids)
	# shellcheck disable=SC2086
	equal "$name-again" "$(answer --preset greedy --temp 1 --seed 7 $options | ids)" "$drawn"
	if [ "$drawn" = "$free" ]; then not_ok "$name" "as without it"; else ok "$name"; fi
done

sislm-client unload samplers
program preset /models/random-llama-q4_0.gguf
sislm-client load /models/random-llama-q4_0.gguf --name default >/dev/null

# A stop string whose bytes belong to two tokens: the same one is drawn always.
piece=$(sislm-client detokenize -m default --continued 300)
border=$(printf %s "$piece" | tail -c 1)$(printf %s "$piece" | head -c 1)
said=$(sislm-client infer --json -m default --preset greedy --ignore-eos -n 24 -l 300+100 --stop "$border" "one ten tires")
equal stop-across-tokens "$(echo "$said" | ids | wc -w) $(echo "$said" | number finish_reason)" "2 stop"

# What is wrong is told, with the range that the device knows.
refused() { sislm-client infer -m default "$@" x 2>&1 | cut -d : -f 2-; }
equal range "$(refused --xtc-probability 0.5 --xtc-threshold 1.5)" " --xtc-threshold is out of its range: give 0 to 1"
equal range-of-a-base "$(refused --dry-multiplier 1 --dry-base 0.5)" " --dry-base is out of its range: give 1 to 100"
equal range-of-a-bias "$(refused -l 5+101)" " a number of --logit-bias is out of its range: give -100 to 100"
equal twice "$(refused -l 5+1 -l 5-1)" " token 5 has two biases: give it one"
