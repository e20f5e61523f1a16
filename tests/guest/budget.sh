#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The memory a model needs while it runs, by part: 6 layers, 384 wide, 256 positions in at most 8 MB.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
cp /models/header-10m.gguf /tmp/10m.gguf
truncate -s "$(sed -n 's/^header-10m.gguf //p' /models/sizes)" /tmp/10m.gguf
sislm-client load /tmp/10m.gguf --name 10m >/dev/null || not_ok load "status $?"
parts=$(sislm-client info)
echo "$parts" | sed 's/^/# /'
info=$(sislm-client info --json)
step=$(echo "$info" | number step_bytes)
block=$(echo "$info" | number kv_block_bytes)
total=$((step + block * 8))
if [ "$step" -gt 0 ] && [ "$block" -gt 0 ] && [ $total -le 8000000 ]; then ok "8-mb"; else not_ok 8-mb "step $step + 8 blocks of $block = $total"; fi
peak=$(echo "$info" | number peak_bytes)
file=$(echo "$info" | number file_bytes)
if [ "$peak" -gt 0 ] && [ "$peak" -le $((file + 64 * 1048576)) ]; then ok peak; else not_ok peak "$peak for a file of $file"; fi
sislm-client infer -m 10m -n 2 --preset greedy he >/dev/null
equal infer "$?" 0
sislm-client unload 10m
rm -f /tmp/10m.gguf
