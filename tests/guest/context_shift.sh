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

# lines: words, one a line. stays: of a full context the first three ids and the later half of the others.
lines() { tr ' ' '\n'; }
stays() { awk '{ id[NR] = $1 } END { for (i = 1; i <= NR; i++) if (i <= 3 || i > 3 + int((NR - 2) / 2)) print id[i] }'; }
# after NUMBER CONTEXT PASSED: the answer goes on behind PASSED ids, greedily, with the most likely ones to CONTEXT.
after() {
	after_next=$(echo "$ids" | lines | sed "1,$3d" | head -n 12)
	after_all=$(printf '%s\n%s\n' "$2" "$after_next" | tr '\n' ',' | sed 's/,$//')
	after_likely=$(sislm-client eval --json -m shift --top 1 --ids "$after_all" | sed 's/.*"top":\(\[\[\[.*\]\]\]\).*/\1/' |
		grep -o '\[[0-9]*,' | tr -d '[,' | sed "1,$(($(echo "$2" | wc -l) - 1))d" | head -n 12)
	equal "the-answer-to-what-stays-$1" "$after_likely" "$after_next"
}
full=$(echo "$prompt $alone" | wc -w)
passed=$(echo "$alone" | wc -w)
context=$(echo "$prompt $alone" | lines | stays)
after 1 "$context" "$passed"
# And once more, of the context that has been shifted.
more=$((full - $(echo "$context" | wc -l)))
context=$(printf '%s\n%s\n' "$context" "$(echo "$ids" | lines | sed "1,${passed}d" | head -n $more)" | stays)
after 2 "$context" $((passed + more))
unload shift
