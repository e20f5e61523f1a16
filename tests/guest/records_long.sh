#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The records of 10,000 turns: the export is whole, and a bit of it that is changed is found. Minutes: with the custom kernel, so in
# make test-all only.
# kernels: custom
# boot: SMP=2
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
count=10000
flips=50
reload trace_records=16384 || not_ok insmod "status $?"
program recorded /models/random-llama-q4_0.gguf $count
# With the load and the unload of the model.
made=$((count + 2))
sislm-client trace --raw >/tmp/export
bytes=$(stat -c %s /tmp/export)
equal bytes "$bytes" $((made * 312))
found=$(sislm-client trace --json --verify /tmp/export)
equal verify "$? $(echo "$found" | number records) $(echo "$found" | number lost)" "0 $made 0"

# Each time one bit, of those that a generator with a seed names.
RANDOM=7
noticed=0
for ((flip = 0; flip < flips; flip++)); do
	place=$(((RANDOM << 15 | RANDOM) % bytes))
	byte=$(od -An -tu1 -j $place -N 1 /tmp/export | tr -d ' ')
	printf -v changed '\\x%02x' $((byte ^ 1 << RANDOM % 8))
	cp /tmp/export /tmp/flipped
	printf '%b' "$changed" | dd of=/tmp/flipped bs=1 seek=$place conv=notrunc 2>/dev/null
	sislm-client trace --verify /tmp/flipped >/tmp/said 2>&1
	if [ $? = 12 ] && grep -q 'no whole export' /tmp/said; then noticed=$((noticed + 1)); else not_ok "flipped-$place" "$(cat /tmp/said)"; fi
done
equal flipped $noticed $flips
