#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The witness of the numerics contract: one SHA-256 of all logits, whatever the SIMD level and the number of workers, equal to
# what the engine gave on the host (/models/digests).
# kernels: stock debug custom
# boot: SMP=4 CPU=neoverse-n1
. "$(dirname "$0")/lib.sh"

# ids COUNT VOCABULARY: a list that is easy to make again.
ids() {
	awk -v count="$1" -v vocabulary="$2" 'BEGIN { for (i = 0; i < count; i++) printf "%s%d", i ? "," : "", (i * i * 7 + i * 13 + 1) % vocabulary }'
}

levels="1 2 3"
workers="1 2 4"
if slow; then workers=4; fi
for simd in $levels; do
	for count in $workers; do
		reload simd="$simd" workers="$count" || { not_ok "simd-$simd-workers-$count" "insmod"; continue; }
		found=$(sislm-client info --json)
		equal "simd-$simd-workers-$count/threads" "$(echo "$found" | number threads)" "$count"
		wrong=
		compared=0
		while read -r model vocabulary kv length digest; do
			case $model in \#*) continue ;; esac
			if slow && [ "$length" -gt 100 ]; then continue; fi
			if [ "$count" = 2 ] && [ "$length" -gt 300 ]; then continue; fi
			answer=$(sislm-client eval --json -m "/models/$model.gguf" --kv "$kv" --ids "$(ids "$length" "$vocabulary")" | number logits_digest)
			[ "$answer" = "$digest" ] || wrong="$wrong $model-$kv-$length:$answer"
			compared=$((compared + 1))
		done </models/digests
		equal "simd-$simd-workers-$count/$compared-digests" "$wrong" ""
		[ "$compared" -gt 0 ] || not_ok "simd-$simd-workers-$count/compared" "none"
	done
done
reload
