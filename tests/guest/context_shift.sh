#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# An answer that goes on past its context: of so many tokens, for so long, and the one to the ids that stay.
# kernels: stock debug
. "$(dirname "$0")/lib.sh"
model=/models/random-llama-q4_0.gguf
sislm-client load $model --name shift >/dev/null || not_ok load "status $?"
answer() { sislm-client infer --json -m shift --preset greedy --ignore-eos --ctx 40 "$@" "one ten"; }
array() { sed "s/.*\"$1\":\[\([0-9,]*\)\].*/\1/" | tr ',' ' '; }

alone=$(answer | array ids)
said=$(answer --context-shift=3 -n 100)
prompt=$(echo "$said" | array prompt_ids)
ids=$(echo "$said" | array ids)
equal tokens "$(echo "$ids" | wc -w) $(echo "$said" | number finish_reason)" "100 length"
equal the-first-part-is-the-same "$(echo "$ids" | cut -d ' ' -f "-$(echo "$alone" | wc -w)")" "$alone"
equal again "$(answer --context-shift=3 -n 100 | array ids)" "$ids"
equal not-asked-for "$(answer -n 100 | number finish_reason)" context
equal deadline "$(answer --context-shift --deadline 1000 --tokens-per-second 100 | number finish_reason)" deadline

# The first three ids and the later half of the others, then what the answer goes on with: greedily, each the most likely one.
stay=$(echo "$prompt $alone" | tr ' ' '\n' | awk '{ id[NR] = $1 } END { n = NR - 3; for (i = 1; i <= NR; i++) if (i <= 3 || i > 3 + int((n + 1) / 2)) print id[i] }')
next=$(echo "$ids" | tr ' ' '\n' | sed "1,$(echo "$alone" | wc -w)d" | head -n 12)
count=$(echo "$stay" | wc -l)
all=$(printf '%s\n%s\n' "$stay" "$next" | tr '\n' ',' | sed 's/,$//')
likely=$(sislm-client eval --json -m shift --top 1 --ids "$all" | sed 's/.*"top":\(\[\[\[.*\]\]\]\).*/\1/' | grep -o '\[[0-9]*,' | tr -d '[,' | sed "1,$((count - 1))d" | head -n 12)
equal the-answer-to-what-stays "$likely" "$next"
unload shift
