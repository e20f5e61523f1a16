#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Layers that differ, in the kernel: one digest of all logits, as on the host.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
models=/host/bin

# ids VOCABULARY: the ids of module/engine/tests/architectures.
ids() {
	awk -v vocabulary="$1" 'BEGIN { for (i = 0; i < 261; i++) printf "%s%d", i ? "," : "", (i * i * 31 + i * 7 + 3) % vocabulary }'
}

# Names in the golden file: models, also with keys and values of another type than f16.
keys="lfm2 qwen35 gemma4 deepseek2-v3 gpt-oss qwen35/q8_0 gemma4/q8_0 deepseek2-v3/q8_0"
if slow; then keys="lfm2 gemma4 deepseek2-v3/q8_0"; fi
for key in $keys; do
	name=${key%/*} kv=f16
	[ "$name" = "$key" ] || kv=${key#*/}
	sislm-client load "$models/$name.gguf" --name digest >/dev/null || { not_ok "$name" load && continue; }
	vocabulary=$(sislm-client models --json | tr '{' '\n' | grep '"name":"digest"' | number vocabulary)
	answer=$(sislm-client eval --json -m digest --kv "$kv" --ids "$(ids "$vocabulary")")
	sislm-client unload digest >/dev/null
	wanted=$(sed -n "s|^$key ||p" /host/bin/golden.architectures)
	equal "$key" "$(echo "$answer" | number numerics) $(echo "$answer" | number logits_digest)" "$wanted"
done
