#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Neither where a model lies in memory nor who else is served changes a bit: the digests of models in segments so small that each
# matrix goes on in others, and answers of several clients at once against those of each alone, also on a model of over 64 MiB.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
ids="3,10,31,66,115,178,255"

# alone_and_together NAME MODEL CLIENTS: the ids that each of CLIENTS gets alone and in company; a seed and a prompt each.
alone_and_together() {
	for together in "" yes; do
		for client in $(seq "$3"); do
			answer=$(mktemp)
			echo "$answer" >"/tmp/layouts.$client"
			sislm-client infer --json -m "$2" --seed "$client" --ignore-eos -n 12 "$(echo "he is $client times one" | cut -c "1-$((client * 3 + 4))")" \
				>"$answer" &
			[ -n "$together" ] || wait
		done
		wait
		for client in $(seq "$3"); do
			answer=$(cat "/tmp/layouts.$client")
			grep -o '"ids":[^]]*' "$answer" >"/tmp/layouts.ids.$client$together"
			rm "$answer"
		done
	done
	different=
	for client in $(seq "$3"); do
		[ -s "/tmp/layouts.ids.$client" ] || different="$different $client-empty"
		cmp -s "/tmp/layouts.ids.$client" "/tmp/layouts.ids.${client}yes" || different="$different $client"
	done
	equal "$1" "$different" ""
}

# digest MODEL
digest() { sislm-client eval --json -m "$1" --ids "$ids" | number logits_digest; }

fixtures="random-llama-q4_0 random-llama-f16 random-llama-q4_k random-gpt2-q8_0"
if slow; then fixtures=random-llama-q4_0; fi
for fixture in $fixtures; do
	digest "/models/$fixture.gguf" >"/tmp/layouts.digest.$fixture"
done
# Both hold a few groups of rows; the second one an odd number of them.
sizes="64 112"
if slow; then sizes=64; fi
for kilobytes in $sizes; do
	reload segment_kb="$kilobytes" || not_ok "reload-$kilobytes" insmod
	for fixture in $fixtures; do
		found=$(digest "/models/$fixture.gguf")
		equal "$fixture-in-segments-of-$kilobytes-kb" "$found" "$(cat "/tmp/layouts.digest.$fixture")"
	done
	[ "$kilobytes" != 64 ] || alone_and_together "company-in-segments-of-$kilobytes-kb" /models/random-llama-q4_0.gguf 6
done
reload
check load-large sislm-client load /share/large.gguf --name large
alone_and_together company-on-a-large-model large "$(if slow; then echo 2; else echo 4; fi)"
sislm-client unload large || not_ok unload "status $?"
