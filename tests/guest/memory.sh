#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Models that do not fit into memory: ENOMEM (exit status 7), and nobody is killed.
# kernels: stock
# boot: MEM=1G
. "$(dirname "$0")/lib.sh"
sleep 1000 &
bystander=$!
for name in 900mb 3gb; do
	bytes=$(sed -n "s/^header-$name.gguf //p" /models/sizes)
	cp "/models/header-$name.gguf" /tmp/large.gguf
	truncate -s "$bytes" /tmp/large.gguf
	sislm-client load /tmp/large.gguf >/tmp/said 2>&1
	found=$?
	if [ $found = 7 ]; then ok "$name"; else not_ok "$name" "status $found, wanted 7: $(cat /tmp/said)"; fi
	rm -f /tmp/large.gguf
done
if live $bystander; then ok nobody-killed; else not_ok nobody-killed "the bystander"; fi
kill $bystander
equal no-model "$(sislm-client info --json | number models)" 0
sislm-client load /models/random-llama-q4_0.gguf --name after >/dev/null
equal a-small-one-loads-after "$?" 0
sislm-client unload after
