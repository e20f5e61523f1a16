#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The witness of the numerics contract: one SHA-256 of all logits, whatever the SIMD level and the number of workers, equal to
# the golden digests (module/engine/tests/golden.digests) that the engine's tests on other machines are held to.
# kernels: stock debug custom rt
. "$(dirname "$0")/lib.sh"
golden=/host/bin/golden.digests

# ids COUNT VOCABULARY: the ids of module/engine/tests/digests.
ids() {
	awk -v count="$1" -v vocabulary="$2" 'BEGIN { for (i = 0; i < count; i++) printf "%s%d", i ? "," : "", (i * i * 31 + i * 7 + 3) % vocabulary }'
}

# vocabulary MODEL: its size, as the device says; the same at every level.
vocabulary() {
	if [ ! -s "/tmp/vocabulary-$1" ]; then
		sislm-client load "/models/$1.gguf" --name digest >/dev/null || { echo 0; return; }
		sislm-client models --json | tr '{' '\n' | grep '"name":"digest"' | number vocabulary >"/tmp/vocabulary-$1"
		sislm-client unload digest >/dev/null
	fi
	cat "/tmp/vocabulary-$1"
}

# compare LENGTHS KV: the golden digests of these lengths and KV types.
compare() {
	compared=0 wrong=
	while read -r model kv length numerics digest; do
		case " $1 / $2 " in *" $length "*/*" $kv "*) ;; *) continue ;; esac
		if slow && [ "$model" != random-llama-q4_0 ]; then continue; fi
		vocabulary=$(vocabulary "$model")
		[ "$vocabulary" -gt 0 ] || { wrong="$wrong $model:no-vocabulary"; continue; }
		answer=$(sislm-client eval --json -m "/models/$model.gguf" --kv "$kv" --ids "$(ids "$length" "$vocabulary")")
		found="$(echo "$answer" | number numerics) $(echo "$answer" | number logits_digest)"
		[ "$found" = "$numerics $digest" ] || wrong="$wrong $model-$kv-$length:$found"
		compared=$((compared + 1))
	done <"$golden"
}

# combination LEVEL WORKERS LENGTHS KV
combination() {
	name=simd-$1-workers-$2
	reload simd="$1" workers="$2" || { not_ok "$name" "insmod"; return; }
	equal "$name/threads" "$(sislm-client info --json | number threads)" "$2"
	compare "$3" "$4"
	equal "$name/$compared-digests" "$wrong" ""
	[ $compared -gt 0 ] || not_ok "$name/compared" "none"
}

level=$(sislm-client info --json | number simd)
case $level in
scalar) levels="1" ;;
neon) levels="1 2" ;;
dotprod) levels="1 2 3" ;;
i8mm) levels="1 2 3 4" ;;
*) not_ok level "$level" ;;
esac
for simd in $levels; do
	combination "$simd" 4 257 "f16 q8_0"
done
if ! slow; then
	combination 0 1 "257" "f16 f32 q8_0"
	combination 0 2 "255 256 512" "f16 q8_0"
fi
reload
