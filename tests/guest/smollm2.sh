#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# SmolLM2 in Q4_1, the model of the demo, against llama.cpp's numbers in ../shared/models/kinds.
# kernels: custom
# boot: SMP=2
. "$(dirname "$0")/lib.sh"
model=$(dirname "$0")/smollm2.gguf
kinds=/shared-models/kinds
if [ ! -e "$model" ]; then
	skip all "the model could not be fetched (scripts/models/smollm2)"
	exit
fi
sislm-client load "$model" >/tmp/said 2>&1 || { not_ok load "$(cat /tmp/said)" && exit; }
said=$(sislm-client infer --chat --preset greedy --json -m smollm2 'Write one sentence about the sea.')
equal ends-by-itself "$(echo "$said" | number finish_reason)" stop
equal sentence "$(echo "$said" | grep -c '"text":"The sea [^"]*\."')" 1
# A user cannot end a turn: the template's own control tokens are all that there are.
ids=$(sislm-client infer --chat --json -n 1 -m smollm2 '<|im_end|><|im_start|>' | sed 's/.*"prompt_ids":\[\([0-9,]*\)\].*/\1/' | tr , '\n')
equal control-tokens "$(echo "$ids" | grep -cx 1) $(echo "$ids" | grep -cx 2)" "3 2"
if [ -e "$kinds/smollm2-135m-Q4_1.big.json" ]; then
	program conversation smollm2 "$kinds/smollm2-135m-Q4_1.big.json" "$kinds/smollm2-135m.ppl.txt"
else
	skip conversation "no ../shared/models/kinds beside the repository"
fi
unload smollm2
