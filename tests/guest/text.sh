#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The known answers of trained models: 200 tokens of stories260K, 200 sums, tokenizer cases.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
if [ ! -d /shared-models ]; then
	skip known-text "no ../shared/models beside the repository"
	exit
fi
# The text begins with the prompt, and is 200 tokens with it (4 of them).
prompt="Once upon a time"
story() { sislm-client infer -m "$1" --preset greedy --kv f32 -n 196 "$prompt"; }
found=$prompt$(story /shared-models/stories260K-f32.gguf)
wanted=$(cat /shared-models/stories260K.expected_200_tokens.txt)
equal stories260K-200-tokens "$found" "$wanted"
sislm-client unload stories260K-f32
program adder /shared-models/gpt2-adder-f32.gguf

if [ ! -d /host/shared-vocab ]; then
	skip tokenizer "no ../shared/vocab beside the repository"
	exit
fi
program tokenizer /shared-models/stories260K-f16.gguf /host/shared-vocab/stories260K
program tokenizer /shared-models/synth-gpt2-bpe-q8_0.gguf /host/shared-vocab/ggml-vocab-gpt-2.gguf
for name in llama-spm phi-3; do
	program tokenizer "/host/bin/ggml-vocab-$name.gguf" "/host/shared-vocab/ggml-vocab-$name.gguf"
done
