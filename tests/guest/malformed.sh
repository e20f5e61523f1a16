#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One file per defect, each refused for its reason; files cut short; and the client's sentences about them.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
program malformed /models/malformed

# said NAME STATUS PATTERN ARG...: the client ends with STATUS and says PATTERN.
said() {
	name=$1 wanted=$2 pattern=$3
	shift 3
	sentence=$(sislm-client "$@" 2>&1)
	found=$?
	if [ $found != "$wanted" ]; then
		not_ok "$name" "status $found, wanted $wanted: $sentence"
	elif ! echo "$sentence" | grep -qi -- "$pattern"; then
		not_ok "$name" "no '$pattern' in: $sentence"
	else
		ok "$name"
	fi
}

said no-such-file 1 nonexistent load /tmp/nonexistent.gguf
said no-such-model 5 absent infer -m absent hello
said unload-no-such-model 5 absent unload absent
said not-a-gguf 6 gguf load /models/malformed/text.gguf
said unknown-architecture 6 general.architecture load /models/malformed/architecture-unknown.gguf
said tensor-named 6 blk.0.attn_q.weight load /models/malformed/tensor-missing-attn_q.gguf
said key-named 6 llama.block_count load /models/malformed/block-count-missing.gguf

# A file that shrinks between the look at its size and its end.
size=$(wc -c </models/random-gpt2-q8_0.gguf)
for cut in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
	head -c $((size * cut / 16)) /models/random-gpt2-q8_0.gguf >/tmp/cut.gguf
	sislm-client load /tmp/cut.gguf >/tmp/said 2>&1
	equal "gpt2-cut-at-$cut-16" "$? $(sislm-client models --json | grep -c cut)" "6 0"
done
rm -f /tmp/cut.gguf
