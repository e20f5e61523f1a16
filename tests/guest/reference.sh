#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Greedy ids of every model with a reference: the fixtures, the default model, and ../shared/models.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"

# compare FILE TOKENS
compare() {
	name=$(basename "$1" .gguf)
	program reference "$1" "${1%.gguf}.ref.json" "$2"
	sislm-client unload "$name" || not_ok "$name/unload" "status $?"
}

# The host's unit of this name compares whole answers, and the digests are equal.
tokens=16
if slow; then tokens=4; fi
for model in /models/random-*.gguf; do
	compare "$model" $tokens
done
compare /models/kernel-docs-7m-q4_0.gguf $tokens

if [ ! -d /shared-models ]; then
	skip shared "no ../shared/models beside the repository"
	exit
fi
for reference in /shared-models/*.ref.json; do
	model=${reference%.ref.json}.gguf
	name=$(basename "$model" .gguf)
	if [ "$name" = kernel-docs-7m-q4_0 ]; then continue; fi
	if slow && [ "$(wc -c <"$model")" -gt 2000000 ]; then
		skip "$name" "too large for the debug kernel"
		continue
	fi
	sislm-client load "$model" >/tmp/said 2>&1
	case $? in
	0) compare "$model" $tokens ;;
	6) skip "$name" "$(tail -n 1 /tmp/said)" ;;
	*) not_ok "$name" "$(tail -n 1 /tmp/said)" ;;
	esac
done
