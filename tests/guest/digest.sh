#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The witness of the numerics contract: one SHA-256 of all logits, whatever the SIMD level and the number of workers, equal to
# the golden digests (module/engine/tests/golden.digests) that the engine's tests on other machines are held to.
# kernels: stock debug custom
# boot: SMP=4
. "$(dirname "$0")/lib.sh"
golden=/host/bin/golden.digests

# ids COUNT VOCABULARY: the ids of module/engine/tests/digests.
ids() {
	awk -v count="$1" -v vocabulary="$2" 'BEGIN { for (i = 0; i < count; i++) printf "%s%d", i ? "," : "", (i * i * 31 + i * 7 + 3) % vocabulary }'
}

# compare LENGTH...: the golden digests of these lengths.
compare() {
	compared=0 wrong=
	while read -r model kv length numerics digest; do
		case " $* " in *" $length "*) ;; *) continue ;; esac
		case $model in
		random-llama-q4_0) vocabulary=512 ;;
		random-llama-f16) vocabulary=320 ;;
		random-gpt2-q8_0) vocabulary=500 ;;
		esac
		answer=$(sislm-client eval --json -m "/models/$model.gguf" --kv "$kv" --ids "$(ids "$length" "$vocabulary")")
		found="$(echo "$answer" | number numerics) $(echo "$answer" | number logits_digest)"
		[ "$found" = "$numerics $digest" ] || wrong="$wrong $model-$kv-$length:$found"
		compared=$((compared + 1))
	done <"$golden"
}

for simd in 1 2 3; do
	for workers in 1 2 4; do
		name=simd-$simd-workers-$workers
		if slow && [ $workers != 4 ]; then continue; fi
		reload simd=$simd workers=$workers || { not_ok "$name" "insmod"; continue; }
		equal "$name/threads" "$(sislm-client info --json | number threads)" $workers
		if slow || [ $workers = 2 ]; then compare 257; else compare 255 256 257 512; fi
		equal "$name/$compared-digests" "$wrong" ""
		[ $compared -gt 0 ] || not_ok "$name/compared" "none"
	done
done
reload
